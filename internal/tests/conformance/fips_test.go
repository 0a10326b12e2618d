package conformance_test

import (
	"crypto/fips140"
	"os"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// TestFIPS means something under GODEBUG=fips140=only, where Go refuses every algorithm that FIPS 140-3 does not
// approve: the library must need none.
func TestFIPS(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "fips140=only") != fips140.Enforced() {
		t.Fatalf("GODEBUG=%q, but fips140.Enforced() = %v", os.Getenv("GODEBUG"), fips140.Enforced())
	}
	t.Logf("FIPS 140 enforced: %v", fips140.Enforced())
	tenant := entratest.New(t)
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	token := tenant.Token()
	for _, attempt := range []string{"cold", "remembered"} {
		if _, err := verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("a valid token, %s: %v", attempt, err)
		}
	}
	_, err = verifier.Verify(t.Context(), tenant.Token(entratest.Expired()))
	if got := entra.ReasonOf(err); got != entra.ReasonExpired {
		t.Errorf("an expired token: got %q, want %q", got, entra.ReasonExpired)
	}
}
