package entra_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// verifierAt returns a Verifier of options, for the sample API, whose Entra is p.
func verifierAt(t *testing.T, p *publisher, options entra.Options) *entra.Verifier {
	t.Helper()
	options.ClientID = entratest.APIClientID
	options.HTTPClient = &http.Client{Transport: p}
	options.Logger = discard()
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

func TestWhichDocumentsAreFetched(t *testing.T) {
	const keys = "/discovery/v2.0/keys"
	const public, government, china = "https://login.microsoftonline.com/", "https://login.microsoftonline.us/", "https://login.partner.microsoftonline.cn/"
	const ciam, b2c = "https://contoso.ciamlogin.com/" + homeTenant, "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"
	const metadata, appID = "/v2.0/.well-known/openid-configuration", "?appid=" + entratest.APIClientID
	tests := []struct {
		name    string
		options entra.Options
		want    []string
	}{
		{"one tenant: its own", entra.Options{Tenants: []string{homeTenant}}, []string{public + homeTenant + keys}},
		{"one tenant, twice and in upper case: its own", entra.Options{Tenants: []string{strings.ToUpper("abcdefab-1111-4111-8111-111111111111"), "abcdefab-1111-4111-8111-111111111111"}},
			[]string{public + "abcdefab-1111-4111-8111-111111111111" + keys}},
		{"several tenants: organizations", entra.Options{Tenants: []string{homeTenant, otherTenant}}, []string{public + "organizations" + keys}},
		{"any tenant: organizations", entra.Options{AllowAnyTenant: true}, []string{public + "organizations" + keys}},
		{"personal accounts: consumers", entra.Options{Tenants: []string{entra.PersonalAccounts}}, []string{public + "consumers" + keys}},
		{"a tenant and personal accounts: common", entra.Options{Tenants: []string{homeTenant, entra.PersonalAccounts}}, []string{public + "common" + keys}},
		{"any tenant and personal accounts: common", entra.Options{AllowAnyTenant: true, Tenants: []string{entra.PersonalAccounts}}, []string{public + "common" + keys}},
		{"US Government, one tenant", entra.Options{Cloud: entra.USGovernment, Tenants: []string{homeTenant}}, []string{government + homeTenant + keys}},
		{"US Government, any tenant", entra.Options{Cloud: entra.USGovernment, AllowAnyTenant: true}, []string{government + "organizations" + keys}},
		{"China, one tenant", entra.Options{Cloud: entra.China, Tenants: []string{homeTenant}}, []string{china + homeTenant + keys}},
		{"China, several tenants", entra.Options{Cloud: entra.China, Tenants: []string{homeTenant, otherTenant}}, []string{china + "organizations" + keys}},
		{"application keys: both documents", entra.Options{Tenants: []string{homeTenant}, AppKeys: true},
			[]string{public + homeTenant + keys, public + homeTenant + keys + appID}},
		{"External ID: metadata, then what it names", entra.Options{Authority: ciam + "/v2.0"}, []string{ciam + metadata, ciam + keys}},
		{"an authority with a slash at the end", entra.Options{Authority: ciam + "/v2.0/"}, []string{ciam + metadata, ciam + keys}},
		{"B2C: the policy's own", entra.Options{Authority: b2c + "/v2.0"}, []string{b2c + metadata, b2c + keys}},
	}
	k := entratest.New(t).Key()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &publisher{texts: map[string]string{}}
			for _, url := range test.want {
				p.publish(url, keyDocument(k))
			}
			if authority := strings.TrimSuffix(test.options.Authority, "/"); authority != "" {
				p.texts = authorityTexts(authority, externalIDv2, k)
			}
			synctest.Test(t, func(t *testing.T) {
				if err := verifierAt(t, p, test.options).Ready(t.Context()); err != nil {
					t.Errorf("Ready: got %v, want no error", err)
				}
				synctest.Wait() // Ready does not wait for the second of two documents.
			})
			got := p.requests()
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("got requests %q, want %q", got, test.want)
			}
		})
	}
}

// The public key document lists keys of several owners: R38.
func TestKeysSignForTheirOwnersOnly(t *testing.T) {
	const at = "https://login.microsoftonline.com/common/discovery/v2.0/keys"
	const v1Owner = "https://sts.windows.net/{tenantid}/"
	tests := []struct {
		name   string
		owner  string // the key's issuer; "-" for a key without the member
		issuer string
		want   entra.Reason
	}{
		{"a work key, a work tenant's token", publicOwner, publicV2, ""},
		{"a work key, another work tenant's token", publicOwner, publicOtherV2, ""},
		{"a work key, a version 1.0 token", publicOwner, publicV1, ""},
		{"a personal key, a personal token", personalV2, personalV2, ""},
		{"a personal key, a work tenant's token", personalV2, publicV2, entra.ReasonKeyIssuer},
		{"a personal key, a version 1.0 token of a work tenant", personalV2, publicV1, entra.ReasonKeyIssuer},
		{"a work key, a personal token", publicOwner, personalV2, entra.ReasonKeyIssuer},
		{"a key without owner, a work tenant's token", "-", publicV2, ""},
		{"a key without owner, a version 1.0 token", "-", publicV1, ""},
		{"a key without owner, a personal token", "-", personalV2, ""},
		{"one tenant's key, its token", publicV2, publicV2, ""},
		{"one tenant's key, its version 1.0 token", publicV2, publicV1, ""},
		{"one tenant's key, another tenant's token", publicV2, publicOtherV2, entra.ReasonKeyIssuer},
		{"one tenant's key, another tenant's version 1.0 token", publicV2, publicOtherV1, entra.ReasonKeyIssuer},
		{"one tenant's key, a personal token", publicV2, personalV2, entra.ReasonKeyIssuer},
		{"a version 1.0 key, a version 1.0 token", v1Owner, publicV1, ""},
		{"a version 1.0 key, a version 2.0 token", v1Owner, publicV2, entra.ReasonKeyIssuer},
		{"another cloud's key, a work tenant's token", governmentOwner, publicV2, entra.ReasonKeyIssuer},
		{"another cloud's key, a version 1.0 token", governmentOwner, publicV1, entra.ReasonKeyIssuer},
		{"a look-alike's key", "https://login.microsoftonline.com.evil.example/{tenantid}/v2.0", publicV2, entra.ReasonKeyIssuer},
		{"an owner with a slash too many", publicOwner + "/", publicV2, entra.ReasonKeyIssuer},
		{"an owner with another placeholder", "https://login.microsoftonline.com/{tenantId}/v2.0", publicV2, entra.ReasonKeyIssuer},
		{"an owner without a tenant", "https://login.microsoftonline.com/common/v2.0", publicV2, entra.ReasonKeyIssuer},
	}
	k := entratest.New(t).Key().With("cloud_instance_name", nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			owned := k.With("issuer", test.owner)
			if test.owner == "-" {
				owned = k.With("issuer", nil)
			}
			p := &publisher{texts: cloudTexts(at, owned)}
			verifier := verifierAt(t, p, entra.Options{AllowAnyTenant: true, Tenants: []string{entra.PersonalAccounts}})
			_, err := verifier.Verify(t.Context(), signClaims(k, userClaims(test.issuer, tenantOfIssuer(test.issuer), versionOfIssuer(test.issuer))))
			if got := entra.ReasonOf(err); got != test.want {
				t.Errorf("got reason %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// The public key document lists US Government keys under the public issuer: R39.
func TestKeysSignInTheirOwnCloudOnly(t *testing.T) {
	const public, government, china = "microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"
	tests := []struct {
		cloud  entra.Cloud
		name   any // cloud_instance_name; nil for none
		signed bool
	}{
		{entra.Worldwide, public, true}, {entra.Worldwide, nil, true},
		{entra.Worldwide, government, false}, {entra.Worldwide, china, false}, {entra.Worldwide, "MicrosoftOnline.com", false},
		{entra.USGovernment, government, true}, {entra.USGovernment, nil, true},
		{entra.USGovernment, public, false}, {entra.USGovernment, china, false},
		{entra.China, china, true}, {entra.China, nil, true}, {entra.China, "not.documented.example", true},
		{entra.China, public, false}, {entra.China, government, false},
	}
	hosts := map[entra.Cloud]string{
		entra.Worldwide: "login.microsoftonline.com", entra.USGovernment: "login.microsoftonline.us", entra.China: "login.partner.microsoftonline.cn",
	}
	k := entratest.New(t).Key()
	for _, test := range tests {
		host := "https://" + hosts[test.cloud] + "/"
		named := k.With("issuer", host+"{tenantid}/v2.0").With("cloud_instance_name", test.name)
		p := &publisher{texts: cloudTexts(host+homeTenant+"/discovery/v2.0/keys", named)}
		verifier := verifierAt(t, p, entra.Options{Cloud: test.cloud, Tenants: []string{homeTenant}})
		_, err := verifier.Verify(t.Context(), signClaims(k, userClaims(host+homeTenant+"/v2.0", homeTenant, "2.0")))
		want := entra.ReasonKeyIssuer
		if test.signed {
			want = ""
		}
		if got := entra.ReasonOf(err); got != want {
			t.Errorf("%v, a key of the cloud %v: got reason %q (%v), want %q", test.cloud, test.name, got, err, want)
		}
	}
}

func TestPersonalAccountsAreSaidSo(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) {
		o.AllowAnyTenant, o.Tenants = true, []string{entra.PersonalAccounts}
	})
	personal, err := verifier.Verify(t.Context(), tenant.Token(entratest.Personal()))
	if err != nil || !personal.PersonalAccount() || personal.TenantID != entra.PersonalAccounts {
		t.Errorf("a personal token: got %+v, %v, want a personal account", personal, err)
	}
	work, err := verifier.Verify(t.Context(), tenant.Token(entratest.Tenant(otherTenant)))
	if err != nil || work.PersonalAccount() || work.TenantID != otherTenant {
		t.Errorf("a work token: got %+v, %v, want one of tenant %s", work, err, otherTenant)
	}
}

func TestPersonalKeysOfTheFakeTenantSignForPersonalAccountsOnly(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) {
		o.Tenants = []string{homeTenant, entra.PersonalAccounts}
	})
	_, err := verifier.Verify(t.Context(), tenant.Token(entratest.SignedBy(tenant.PersonalKey())))
	if got := entra.ReasonOf(err); got != entra.ReasonKeyIssuer {
		t.Errorf("a work token signed with the personal key: got reason %q (%v), want key_issuer", got, err)
	}
	alone := newVerifier(t, tenant, nil)
	_, err = alone.Verify(t.Context(), tenant.Token(entratest.SignedBy(tenant.PersonalKey())))
	if got := entra.ReasonOf(err); got != entra.ReasonUnknownKey {
		t.Errorf("the same where personal accounts are not welcome: got reason %q (%v), want unknown_key", got, err)
	}
}
