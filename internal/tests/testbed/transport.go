package testbed

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// RoundTrip is an http.RoundTripper made of a function.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Client returns a client whose requests f answers.
func Client(f RoundTrip) *http.Client { return &http.Client{Transport: f} }

// Response returns an answer to r with this status and body.
func Response(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// WantOneHost checks that every request went to the login host.
func WantOneHost(t *testing.T, tenant *entratest.Server) {
	t.Helper()
	for _, r := range tenant.Requests() {
		if r.Host != "login.microsoftonline.com" {
			t.Errorf("got a request for %s%s, want none", r.Host, r.Path)
		}
	}
}
