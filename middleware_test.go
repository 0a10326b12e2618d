package entra_test

import (
	"net/http"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func TestAuthenticatePassesValidTokensOn(t *testing.T) {
	tenant := entratest.New(t)
	var reached spy
	w := serve(newVerifier(t, tenant, nil).Authenticate(&reached), "Bearer "+tenant.Token())
	if w.Code != http.StatusOK || reached.calls != 1 {
		t.Fatalf("got status %d and %d calls, want 200 and 1: %s", w.Code, reached.calls, w.Body)
	}
	if reached.claims == nil || reached.claims.ObjectID != entratest.AliceObjectID {
		t.Errorf("got claims %+v, want those of alice", reached.claims)
	}
}
