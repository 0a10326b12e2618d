//go:build boringcrypto

package conformance_test

import (
	"crypto/boring"
	"log/slog"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// TestBoringCrypto fails where GOEXPERIMENT=boringcrypto was set without effect: BoringCrypto needs Linux on amd64 or
// arm64, and cgo. Where it is in use, it must accept what Go's own cryptography does, and refuse a forgery.
func TestBoringCrypto(t *testing.T) {
	if !boring.Enabled() {
		t.Fatal("BoringCrypto is not in use")
	}
	tenant := entratest.New(t)
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	token := tenant.Token()
	for range 2 { // The second time from memory.
		if _, err := verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("a valid token: got %v, want no error", err)
		}
	}
	forged := tenant.Token(entratest.SignedBy(entratest.NewKey().With("kid", tenant.Key().ID())))
	if _, err := verifier.Verify(t.Context(), forged); entra.ReasonOf(err) != entra.ReasonSignature {
		t.Errorf("a forged token: got %v, want reason %q", err, entra.ReasonSignature)
	}
}
