// Package testbed holds what the tests of package entra share: Verifiers for a fake tenant, handlers that tell whether
// they were reached, rows of tables, documents and tokens. Tests alone import it.
package testbed

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// BubbleStart is the time at which every synctest bubble starts.
var BubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewVerifier returns a Verifier for the sample API of tenant, in its main directory, that logs nothing. change, unless
// nil, changes the options first.
func NewVerifier(t testing.TB, tenant *entratest.Server, change func(*entra.Options)) *entra.Verifier {
	t.Helper()
	options := entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
		Logger:     Discard(),
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

// Discard returns a logger that writes nothing.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Spy is a handler that answers 200 and counts the requests that reach it. It is not for concurrent use.
type Spy struct {
	Calls  int
	Claims *entra.Claims // of the last request; nil if its context held none
}

func (s *Spy) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	s.Calls++
	s.Claims, _ = entra.ClaimsFromContext(r.Context())
}

// Serve sends h a GET request with these Authorization values, each a header of its own.
func Serve(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	return ServeRequest(h, nil, func(r *http.Request) {
		for _, value := range authorization {
			r.Header.Add("Authorization", value)
		}
	})
}

// ServeRequest sends h a GET request with this body after change has changed it.
func ServeRequest(h http.Handler, body io.Reader, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", body)
	change(r)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Refuse returns what verifier answers to err.
func Refuse(verifier *entra.Verifier, err error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	verifier.Refuse(w, httptest.NewRequest(http.MethodGet, "/orders", nil), err)
	return w
}

// MustVerify ends the test unless verifier accepts token. The Verifier then holds keys, and remembers the token if it
// remembers any.
func MustVerify(tb testing.TB, verifier *entra.Verifier, token string) {
	tb.Helper()
	if _, err := verifier.Verify(tb.Context(), token); err != nil {
		tb.Fatalf("Verify: got %v, want no error", err)
	}
}
