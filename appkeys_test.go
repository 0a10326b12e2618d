package entra_test

import (
	"strings"
	"testing"

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
		name  string
		texts map[string]string
		off   bool // AppKeys
		token string
		want  entra.Reason
	}{
		{name: "the application's own key", token: homeToken(own)},
		{name: "a general key beside them", token: homeToken(general)},
		{name: "the own key without AppKeys", off: true, token: homeToken(own), want: entra.ReasonUnknownKey},
		{name: "a key of neither document", token: homeToken(tenant.PersonalKey()), want: entra.ReasonUnknownKey},
		{name: "the own key, another tenant's token", token: signClaims(own, userClaims(publicOtherV2, otherTenant, "2.0")), want: entra.ReasonTenant},
		{name: "the own key, a personal account's token", token: signClaims(own, userClaims(personalV2, entra.PersonalAccounts, "2.0")), want: entra.ReasonTenant},
		{name: "the own document is missing, a general key", texts: map[string]string{generalKeys: keyDocument(general)}, token: homeToken(general)},
		{name: "the own document is missing, the own key", texts: map[string]string{generalKeys: keyDocument(general)}, token: homeToken(own), want: entra.ReasonUnknownKey},
		{name: "the general document is missing, the own key", texts: map[string]string{ownKeys: keyDocument(own)}, token: homeToken(own)},
		{name: "both documents are missing", texts: map[string]string{}, token: homeToken(own), want: entra.ReasonKeysUnavailable},
		{name: "an own key that takes a general key's ID", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(sharedID)},
			token: homeToken(sharedID), want: entra.ReasonSignature},
		{name: "the general key whose ID an own key takes", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(sharedID)},
			token: homeToken(general)},
		{name: "an own key with a foreign owner", texts: map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(own.With("issuer", personalV2))},
			token: homeToken(own), want: entra.ReasonKeyIssuer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.texts == nil {
				test.texts = map[string]string{generalKeys: keyDocument(general), ownKeys: keyDocument(own)}
			}
			verifier := verifierAt(t, &publisher{texts: test.texts}, entra.Options{Tenants: []string{homeTenant}, AppKeys: !test.off})
			// Twice: the second time all that can be held is held.
			for range 2 {
				if _, err := verifier.Verify(t.Context(), test.token); entra.ReasonOf(err) != test.want {
					t.Errorf("got reason %q (%v), want %q", entra.ReasonOf(err), err, test.want)
				}
			}
		})
	}
}

func homeToken(k *entratest.Key) string {
	return signClaims(k, userClaims(publicV2, homeTenant, "2.0"))
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
	if got := strings.Join(p.requests(), " "); !strings.Contains(got, metadata+appID) {
		t.Errorf("got requests %s, want one for %s", got, metadata+appID)
	}
}
