package conformance_test

import (
	"cmp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

const (
	generalKeys = "https://login.microsoftonline.com/" + entratest.TenantID + "/discovery/v2.0/keys"
	ownKeys     = generalKeys + "?appid=" + entratest.APIClientID
)

func TestApplicationKeys(t *testing.T) {
	tenant := entratest.New(t)
	general := tenant.Key().With("issuer", testbed.PublicOwner)
	own := tenant.UnknownKey() // as Entra lists it: without an owner
	sharedID := own.With("kid", general.ID())
	tests := []struct {
		name   string
		texts  map[string]string
		off    bool // AppKeys
		signer *entratest.Key
		issuer string // default: that of the tenant
		want   entra.Reason
	}{
		{name: "the application's own key", signer: own},
		{name: "a general key beside them", signer: general},
		{name: "the own key without AppKeys", off: true, signer: own, want: entra.ReasonUnknownKey},
		{name: "a key of neither document", signer: tenant.PersonalKey(), want: entra.ReasonUnknownKey},
		{name: "the own key, another tenant's token", signer: own, issuer: testbed.PublicOtherV2, want: entra.ReasonTenant},
		{name: "the own key, a personal account's token", signer: own, issuer: testbed.PersonalV2, want: entra.ReasonTenant},
		{name: "the own document is missing, a general key", texts: map[string]string{generalKeys: testbed.KeyDocument(general)}, signer: general},
		{name: "the own document is missing, the own key", texts: map[string]string{generalKeys: testbed.KeyDocument(general)}, signer: own, want: entra.ReasonUnknownKey},
		{name: "the general document is missing, the own key", texts: map[string]string{ownKeys: testbed.KeyDocument(own)}, signer: own},
		{name: "both documents are missing", texts: map[string]string{}, signer: own, want: entra.ReasonKeysUnavailable},
		{name: "an own key that takes a general key's ID", texts: map[string]string{generalKeys: testbed.KeyDocument(general), ownKeys: testbed.KeyDocument(sharedID)},
			signer: sharedID, want: entra.ReasonSignature},
		{name: "the general key whose ID an own key takes", texts: map[string]string{generalKeys: testbed.KeyDocument(general), ownKeys: testbed.KeyDocument(sharedID)},
			signer: general},
		{name: "an own key with a foreign owner", texts: map[string]string{generalKeys: testbed.KeyDocument(general), ownKeys: testbed.KeyDocument(own.With("issuer", testbed.PersonalV2))},
			signer: own, want: entra.ReasonKeyIssuer},
	}
	for _, test := range tests {
		if test.texts == nil {
			test.texts = map[string]string{generalKeys: testbed.KeyDocument(general), ownKeys: testbed.KeyDocument(own)}
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				verifier := testbed.NewVerifierAt(t, &testbed.Publisher{Documents: test.texts}, entra.Options{Tenants: []string{entratest.TenantID}, AppKeys: !test.off})
				// Ready lets both documents be fetched. Whether that brings keys depends on the row.
				_ = verifier.Ready(t.Context())
				synctest.Wait()
				issuer := cmp.Or(test.issuer, testbed.PublicV2)
				for range 2 {
					token := testbed.SignClaims(test.signer, testbed.UserClaims(issuer, testbed.TenantOfIssuer(issuer), "2.0"))
					if _, err := verifier.Verify(t.Context(), token); entra.ReasonOf(err) != test.want {
						t.Errorf("got reason %q (%v), want %q", entra.ReasonOf(err), err, test.want)
					}
				}
			})
		})
	}
}

func TestApplicationKeysOfTheFakeTenant(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{entratest.ScopeRead}, OwnKey: true},
		{ClientID: entratest.SPAClientID},
	}})
	if _, err := testbed.NewVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token()); entra.ReasonOf(err) != entra.ReasonUnknownKey {
		t.Errorf("without AppKeys: got reason %q (%v), want unknown_key", entra.ReasonOf(err), err)
	}
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.AppKeys = true })
	if _, err := verifier.Verify(t.Context(), tenant.Token()); err != nil {
		t.Errorf("with AppKeys: got %v, want no error", err)
	}
}

func TestApplicationKeysOfAnAuthority(t *testing.T) {
	const at = "https://contoso.ciamlogin.com/" + entratest.TenantID
	const metadata, appID = at + "/v2.0/.well-known/openid-configuration", "?appid=" + entratest.APIClientID
	tenant := entratest.New(t)
	p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(at+"/v2.0", testbed.ExternalIDIssuer, tenant.Key())}
	p.Publish(metadata+appID, testbed.MetadataDocument(testbed.ExternalIDIssuer, at+"/discovery/v2.0/keys"+appID))
	p.Publish(at+"/discovery/v2.0/keys"+appID, testbed.KeyDocument(tenant.UnknownKey()))
	verifier := testbed.NewVerifierAt(t, p, entra.Options{Tenants: []string{entratest.TenantID}, Authority: at + "/v2.0", AppKeys: true})
	for name, k := range map[string]*entratest.Key{"general": tenant.Key(), "own": tenant.UnknownKey()} {
		if _, err := verifier.Verify(t.Context(), testbed.SignClaims(k, testbed.UserClaims(testbed.ExternalIDIssuer, entratest.TenantID, "2.0"))); err != nil {
			t.Errorf("the %s key: got %v, want no error", name, err)
		}
	}
	// One document that fails spoils neither the other nor the issuer.
	own := &testbed.Publisher{Documents: map[string]string{
		metadata + appID:                    testbed.MetadataDocument(testbed.ExternalIDIssuer, at+"/discovery/v2.0/keys"+appID),
		at + "/discovery/v2.0/keys" + appID: testbed.KeyDocument(tenant.UnknownKey()),
	}}
	verifier = testbed.NewVerifierAt(t, own, entra.Options{Tenants: []string{entratest.TenantID}, Authority: at + "/v2.0", AppKeys: true})
	if _, err := verifier.Verify(t.Context(), testbed.SignClaims(tenant.UnknownKey(), testbed.UserClaims(testbed.ExternalIDIssuer, entratest.TenantID, "2.0"))); err != nil {
		t.Errorf("the own key while the general metadata is missing: got %v, want no error", err)
	}
	if got := strings.Join(p.Requests(), " "); !strings.Contains(got, metadata+appID) {
		t.Errorf("got requests %s, want one for %s", got, metadata+appID)
	}
}
