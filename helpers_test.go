package entra_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// newVerifier returns a Verifier for the sample API of tenant, in its main directory, that logs nothing. change, unless
// nil, changes the options first.
func newVerifier(t testing.TB, tenant *entratest.Server, change func(*entra.Options)) *entra.Verifier {
	t.Helper()
	options := entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
		Logger:     discard(),
	}
	if change != nil {
		change(&options)
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

// discard returns a logger that writes nothing.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// spy is a handler that answers 200 and tells that it was reached. It is not for concurrent use.
type spy struct {
	calls  int
	claims *entra.Claims // those of the last request; nil for none
}

func (s *spy) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	s.calls++
	s.claims, _ = entra.ClaimsFromContext(r.Context())
}

// serve sends h a GET request with these Authorization values, each a header of its own.
func serve(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	return serveRequest(h, nil, func(r *http.Request) {
		for _, value := range authorization {
			r.Header.Add("Authorization", value)
		}
	})
}

// serveRequest sends h a GET request with this body, changed by change.
func serveRequest(h http.Handler, body io.Reader, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", body)
	change(r)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
