package entra_test

import (
	"cmp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const (
	generalKeys = "https://login.microsoftonline.com/" + homeTenant + "/discovery/v2.0/keys"
	ownKeys     = generalKeys + "?appid=" + entratest.APIClientID
)

func TestApplicationKeys(t *testing.T) {
	tenant := entratest.New(t)
	general := tenant.Key().With("issuer", publicOwner)
	own := tenant.UnknownKey() // as Entra lists it: without an owner
	sharedID := own.With("kid", general.ID())
	tests := []struct {
		name   string
		texts  map[string]string
		off    bool // AppKeys
		signer *entratest.Key
		issuer string // default: the home tenant's
		want   entra.Reason
	}{
		{name: "the application's own key", signer: own},
		{name: "a general key beside them", signer: general},
		{name: "the own key without AppKeys", off: true, signer: own, want: entra.ReasonUnknownKey},
		{name: "a key of neither document", signer: tenant.PersonalKey(), want: entra.ReasonUnknownKey},
		{name: "the own key, another tenant's token", signer: own, issuer: publicOtherV2, want: entra.ReasonTenant},
		{name: "the own key, a personal account's token", signer: own, issuer: personalV2, want: entra.ReasonTenant},
		{name: "the own document is missing, a general key", texts: map[string]string{generalKeys: keyDocument(general)}, signer: general},
		{name: "the own document is missing, the own key", texts: map[string]string{generalKeys: keyDocument(general)}, signer: own, want: entra.ReasonUnknownKey},
		{name: "the general document is missing, the own key", texts: map[string]string{ownKeys: keyDocument(own)}, signer: own},
		{name: "both documents are missing", texts: map[string]string{}, signer: own, want: entra.ReasonKeysUnavailable},
		{name: "an own key that takes a general key's ID", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(sharedID)},
			signer: sharedID, want: entra.ReasonSignature},
		{name: "the general key whose ID an own key takes", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(sharedID)},
			signer: general},
		{name: "an own key with a foreign owner", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(own.With("issuer", personalV2))},
			signer: own, want: entra.ReasonKeyIssuer},
	}
	for _, test := range tests {
		if test.texts == nil {
			test.texts = map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(own)}
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				verifier := verifierAt(t, &publisher{texts: test.texts}, entra.Options{Tenants: []string{homeTenant}, AppKeys: !test.off})
				// Whether keys can be had is what the row is about; here both documents are to have been asked for.
				_ = verifier.Ready(t.Context())
				synctest.Wait()
				issuer := cmp.Or(test.issuer, publicV2)
				for range 2 {
					token := signClaims(test.signer, userClaims(issuer, tenantOfIssuer(issuer), "2.0"))
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
	if _, err := newVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token()); entra.ReasonOf(err) != entra.ReasonUnknownKey {
		t.Errorf("without AppKeys: got reason %q (%v), want unknown_key", entra.ReasonOf(err), err)
	}
	verifier := newVerifier(t, tenant, func(o *entra.Options) { o.AppKeys = true })
	if _, err := verifier.Verify(t.Context(), tenant.Token()); err != nil {
		t.Errorf("with AppKeys: got %v, want no error", err)
	}
}

func TestApplicationKeysOfAnAuthority(t *testing.T) {
	const at = "https://contoso.ciamlogin.com/" + homeTenant
	const metadata, appID = at + "/v2.0/.well-known/openid-configuration", "?appid=" + entratest.APIClientID
	tenant := entratest.New(t)
	p := &publisher{texts: authorityTexts(at+"/v2.0", externalIDv2, tenant.Key())}
	p.publish(metadata+appID, metadataDocument(externalIDv2, at+"/discovery/v2.0/keys"+appID))
	p.publish(at+"/discovery/v2.0/keys"+appID, keyDocument(tenant.UnknownKey()))
	verifier := verifierAt(t, p, entra.Options{Tenants: []string{homeTenant}, Authority: at + "/v2.0", AppKeys: true})
	for name, k := range map[string]*entratest.Key{"general": tenant.Key(), "own": tenant.UnknownKey()} {
		if _, err := verifier.Verify(t.Context(), signClaims(k, userClaims(externalIDv2, homeTenant, "2.0"))); err != nil {
			t.Errorf("the %s key: got %v, want no error", name, err)
		}
	}
	// One document failing does not spoil the other, nor what the authority is called.
	own := &publisher{texts: map[string]string{
		metadata + appID:                    metadataDocument(externalIDv2, at+"/discovery/v2.0/keys"+appID),
		at + "/discovery/v2.0/keys" + appID: keyDocument(tenant.UnknownKey()),
	}}
	verifier = verifierAt(t, own, entra.Options{Tenants: []string{homeTenant}, Authority: at + "/v2.0", AppKeys: true})
	if _, err := verifier.Verify(t.Context(), signClaims(tenant.UnknownKey(), userClaims(externalIDv2, homeTenant, "2.0"))); err != nil {
		t.Errorf("the own key while the general metadata is missing: got %v, want no error", err)
	}
	if got := strings.Join(p.requests(), " "); !strings.Contains(got, metadata+appID) {
		t.Errorf("got requests %s, want one for %s", got, metadata+appID)
	}
}
