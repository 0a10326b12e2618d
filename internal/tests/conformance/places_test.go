package conformance_test

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Package policy judges every issuer at every place. Here the place's own documents bring the key and the issuer.
func TestEveryPlaceAcceptsItsIssuers(t *testing.T) {
	k := entratest.New(t).Key()
	for _, place := range testbed.Places() {
		verifier := place.NewVerifier(t, k, nil)
		verify := func(issuer string, want entra.Reason) {
			t.Helper()
			claims := testbed.UserClaims(issuer, testbed.TenantOfIssuer(issuer), testbed.VersionOfIssuer(issuer))
			if _, err := verifier.Verify(t.Context(), testbed.SignClaims(k, claims)); entra.ReasonOf(err) != want {
				t.Errorf("%s, issuer %s: got reason %q (%v), want %q", place.Name, issuer, entra.ReasonOf(err), err, want)
			}
		}
		for _, issuer := range place.Accepts {
			verify(issuer, "")
			verify(issuer+"x", entra.ReasonIssuer)
		}
		for _, issuer := range place.Strangers {
			verify(issuer, entra.ReasonTenant)
		}
		verify("https://sts.windows.net/33333333-3333-4333-8333-333333333333/", entra.ReasonIssuer)
	}
}
