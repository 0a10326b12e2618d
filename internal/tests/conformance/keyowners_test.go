package conformance_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestWhichDocumentsAreFetched(t *testing.T) {
	const keys = "/discovery/v2.0/keys"
	const public, government, china = "https://login.microsoftonline.com/", "https://login.microsoftonline.us/", "https://login.partner.microsoftonline.cn/"
	const ciam, b2c = "https://contoso.ciamlogin.com/" + entratest.TenantID, "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"
	const metadata, appID = "/v2.0/.well-known/openid-configuration", "?appid=" + entratest.APIClientID
	tests := []struct {
		name    string
		options entra.Options
		want    []string
	}{
		{"one tenant: its own", entra.Options{Tenants: []string{entratest.TenantID}}, []string{public + entratest.TenantID + keys}},
		{"one tenant, twice and in upper case: its own", entra.Options{Tenants: []string{strings.ToUpper("abcdefab-1111-4111-8111-111111111111"), "abcdefab-1111-4111-8111-111111111111"}},
			[]string{public + "abcdefab-1111-4111-8111-111111111111" + keys}},
		{"several tenants: organizations", entra.Options{Tenants: []string{entratest.TenantID, entratest.OtherTenantID}}, []string{public + "organizations" + keys}},
		{"any tenant: organizations", entra.Options{AllowAnyTenant: true}, []string{public + "organizations" + keys}},
		{"personal accounts: consumers", entra.Options{Tenants: []string{entra.PersonalAccounts}}, []string{public + "consumers" + keys}},
		{"a tenant and personal accounts: common", entra.Options{Tenants: []string{entratest.TenantID, entra.PersonalAccounts}}, []string{public + "common" + keys}},
		{"any tenant and personal accounts: common", entra.Options{AllowAnyTenant: true, Tenants: []string{entra.PersonalAccounts}}, []string{public + "common" + keys}},
		{"US Government, one tenant", entra.Options{Cloud: entra.USGovernment, Tenants: []string{entratest.TenantID}}, []string{government + entratest.TenantID + keys}},
		{"US Government, any tenant", entra.Options{Cloud: entra.USGovernment, AllowAnyTenant: true}, []string{government + "organizations" + keys}},
		{"China, one tenant", entra.Options{Cloud: entra.China, Tenants: []string{entratest.TenantID}}, []string{china + entratest.TenantID + keys}},
		{"China, several tenants", entra.Options{Cloud: entra.China, Tenants: []string{entratest.TenantID, entratest.OtherTenantID}}, []string{china + "organizations" + keys}},
		{"application keys: both documents", entra.Options{Tenants: []string{entratest.TenantID}, AppKeys: true},
			[]string{public + entratest.TenantID + keys, public + entratest.TenantID + keys + appID}},
		{"External ID: metadata, then what it names", entra.Options{Authority: ciam + "/v2.0"}, []string{ciam + metadata, ciam + keys}},
		{"an authority with a slash at the end", entra.Options{Authority: ciam + "/v2.0/"}, []string{ciam + metadata, ciam + keys}},
		{"B2C: the policy's own", entra.Options{Authority: b2c + "/v2.0"}, []string{b2c + metadata, b2c + keys}},
	}
	k := entratest.New(t).Key()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &testbed.Publisher{Documents: map[string]string{}}
			for _, url := range test.want {
				p.Publish(url, testbed.KeyDocument(k))
			}
			if authority := strings.TrimSuffix(test.options.Authority, "/"); authority != "" {
				p.Documents = testbed.AuthorityDocuments(authority, testbed.ExternalIDIssuer, k)
			}
			synctest.Test(t, func(t *testing.T) {
				if err := testbed.NewVerifierAt(t, p, test.options).Ready(t.Context()); err != nil {
					t.Errorf("Ready: got %v, want no error", err)
				}
				synctest.Wait() // Ready does not wait for the second of two documents.
			})
			got := p.Requests()
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("got requests %q, want %q", got, test.want)
			}
		})
	}
}

func TestPersonalAccountsAreSaidSo(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.AllowAnyTenant, o.Tenants = true, []string{entra.PersonalAccounts}
	})
	personal, err := verifier.Verify(t.Context(), tenant.Token(entratest.Personal()))
	if err != nil || !personal.PersonalAccount() || personal.TenantID != entra.PersonalAccounts {
		t.Errorf("a personal token: got %+v, %v, want a personal account", personal, err)
	}
	work, err := verifier.Verify(t.Context(), tenant.Token(entratest.Tenant(entratest.OtherTenantID)))
	if err != nil || work.PersonalAccount() || work.TenantID != entratest.OtherTenantID {
		t.Errorf("a work token: got %+v, %v, want one of tenant %s", work, err, entratest.OtherTenantID)
	}
}

func TestPersonalKeysOfTheFakeTenantSignForPersonalAccountsOnly(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.Tenants = []string{entratest.TenantID, entra.PersonalAccounts}
	})
	_, err := verifier.Verify(t.Context(), tenant.Token(entratest.SignedBy(tenant.PersonalKey())))
	if got := entra.ReasonOf(err); got != entra.ReasonKeyIssuer {
		t.Errorf("a work token signed with the personal key: got reason %q (%v), want key_issuer", got, err)
	}
	alone := testbed.NewVerifier(t, tenant, nil)
	_, err = alone.Verify(t.Context(), tenant.Token(entratest.SignedBy(tenant.PersonalKey())))
	if got := entra.ReasonOf(err); got != entra.ReasonUnknownKey {
		t.Errorf("the same where personal accounts are not welcome: got reason %q (%v), want unknown_key", got, err)
	}
}

// publishing lets the tenant publish its signing key with one member changed; nil takes it away.
func publishing(member string, value any) func(*entratest.Server) {
	return func(s *entratest.Server) { s.Publish(s.Key().With(member, value)) }
}

func TestKeyOwner(t *testing.T) {
	const (
		key   = entra.ReasonKeyIssuer
		other = "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"
	)
	v1 := with(entratest.V1())
	government := func(o *entra.Options) { o.Cloud = entra.USGovernment }
	testbed.Judge(t, []testbed.Row{
		{Rule: "R38", Name: "a key of every tenant, version 2.0", Keys: publishing("issuer", testbed.PublicOwner)},
		{Rule: "R38", Name: "a key of every tenant, version 1.0", Token: v1, Keys: publishing("issuer", testbed.PublicOwner)},
		{Rule: "R38", Name: "a key of this tenant alone", Keys: publishing("issuer", testbed.PublicV2)},
		{Rule: "R38", Name: "a key of this tenant alone, version 1.0", Token: v1, Keys: publishing("issuer", testbed.PublicV2)},
		{Rule: "R38", Name: "a key of every tenant's version 1.0", Token: v1, Keys: publishing("issuer", "https://sts.windows.net/{tenantid}/")},
		{Rule: "R38", Name: "a key of version 1.0 for a token 2.0", Keys: publishing("issuer", "https://sts.windows.net/{tenantid}/"), Want: key},
		{Rule: "R38", Name: "a key whose owner is not said", Keys: publishing("issuer", nil)},
		{Rule: "R38", Name: "a key of another tenant", Keys: publishing("issuer", other), Want: key, Says: "22222222-2222"},
		{Rule: "R38", Name: "a key of another tenant, version 1.0", Token: v1, Keys: publishing("issuer", other), Want: key},
		{Rule: "R38", Name: "a key of another tenant that is accepted too", Keys: publishing("issuer", other), Options: func(o *entra.Options) {
			o.Tenants = append(o.Tenants, entratest.OtherTenantID)
		}, Want: key},
		{Rule: "R38", Name: "a key of another host", Keys: publishing("issuer", "https://login.evil.example/{tenantid}/v2.0"), Want: key},
		{Rule: "R38", Name: "a key of another form", Keys: publishing("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0/"), Want: key},
		{Rule: "R38", Name: "a key whose template is in other case", Keys: publishing("issuer", "https://login.microsoftonline.com/{TenantId}/v2.0"), Want: key},
		{Rule: "R38", Name: "the key of personal accounts for a work account", Token: with(entratest.Tenant(entratest.OtherTenantID)),
			Options: func(o *entra.Options) { o.Tenants = []string{entratest.OtherTenantID, entra.PersonalAccounts} },
			Keys:    func(s *entratest.Server) { s.SetKeys(s.Key().With("issuer", testbed.PersonalV2)) }, Want: key},
		{Rule: "R38", Name: "an owner that is no text: the key is passed over", Keys: publishing("issuer", 1), Want: entra.ReasonUnknownKey},

		{Rule: "R39", Name: "a key of this cloud", Keys: publishing("cloud_instance_name", "microsoftonline.com")},
		{Rule: "R39", Name: "a key whose cloud is not said", Keys: publishing("cloud_instance_name", nil)},
		{Rule: "R39", Name: "a key of the government's cloud", Keys: publishing("cloud_instance_name", "microsoftonline.us"), Want: key, Says: "microsoftonline.us"},
		{Rule: "R39", Name: "a key of the government's cloud, version 1.0", Token: v1, Keys: publishing("cloud_instance_name", "microsoftonline.us"), Want: key},
		{Rule: "R39", Name: "a key of an unknown cloud", Keys: publishing("cloud_instance_name", "microsoftonline.example"), Want: key},
		{Rule: "R39", Name: "a cloud in other case", Keys: publishing("cloud_instance_name", "MicrosoftOnline.com"), Want: key},
		{Rule: "R39", Name: "a cloud that is no text: the key is passed over", Keys: publishing("cloud_instance_name", []string{"microsoftonline.us"}), Want: entra.ReasonUnknownKey},
	})
	t.Run("a public key in the government's document", func(t *testing.T) {
		t.Attr("rule", "R39")
		tenant := entratest.New(t, entratest.Config{Cloud: entratest.USGovernment})
		verifier := testbed.NewVerifier(t, tenant, government)
		testbed.Accepted(t, verifier, tenant.Token())
		tenant.Publish(tenant.Key().With("cloud_instance_name", "microsoftonline.com"))
		testbed.Refused(t, testbed.NewVerifier(t, tenant, government), tenant.Token(), key, "USGovernment")
	})
}
