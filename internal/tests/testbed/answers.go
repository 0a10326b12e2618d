package testbed

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// SignIn begins every challenge of a Verifier that NewVerifier made for one tenant.
const SignIn = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/` + entratest.TenantID + `/oauth2/v2.0/authorize"`

// Problem is the body of a refusal (RFC 9457).
type Problem struct {
	Title, Detail, Reason string
	Status                int
}

// CheckAnswer checks that an answer is complete, that its challenge and its body say the same, and that nothing in it
// comes from the token.
func CheckAnswer(t *testing.T, w *httptest.ResponseRecorder, token string, status int, code string, reason entra.Reason) {
	t.Helper()
	var body Problem
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("got body %q, want a problem document: %v", w.Body, err)
	}
	if want := (Problem{http.StatusText(status), body.Detail, string(reason), status}); w.Code != status || body != want || body.Detail == "" {
		t.Errorf("got status %d and problem %+v, want %d and %+v", w.Code, body, status, want)
	}
	challenge := SignIn
	if code != "" {
		challenge += `, error="` + code + `", error_description="` + body.Detail + `"`
	}
	// Rows with other options have other sign-in pages, so those are left out of the comparison.
	if got := w.Header().Values("WWW-Authenticate"); len(got) != 1 || cutSignIn(got[0]) != cutSignIn(challenge) {
		t.Errorf("got challenge %q, want %q", got, challenge)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "application/problem+json",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	var answer strings.Builder
	for name, values := range w.Header() {
		// The address of the sign-in page names the Verifier's own directory, which may be the token's too.
		answer.WriteString(name + cutSignIn(strings.Join(values, "")))
	}
	answer.Write(w.Body.Bytes())
	if found := Leak(answer.String(), token, claimTexts(token)...); found != "" {
		t.Errorf("got an answer with %q from the token, want nothing of it: %s", found, answer.String())
	}
}

// cutSignIn returns challenge without the address of the sign-in page.
func cutSignIn(challenge string) string {
	before, after, found := strings.Cut(challenge, `authorization_uri="`)
	if !found {
		return challenge
	}
	_, after, _ = strings.Cut(after, `"`)
	return before + after
}

// Personal are pieces of names and addresses in the fake tenant's tokens. No text may hold one, not even the operator's.
var Personal = []string{"Alice", "alice@", "Bob", "bob@"}

// Leak returns the first segment of the token, or the first of texts, that answer holds; "" if it holds none.
func Leak(answer, token string, texts ...string) string {
	for _, piece := range append(strings.Split(token, "."), texts...) {
		if len(piece) > 3 && strings.Contains(answer, piece) {
			return piece
		}
	}
	return ""
}

// claimTexts returns the names and the strings among the claims of token that are long enough to be recognised.
func claimTexts(token string) (texts []string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	_ = json.Unmarshal(payload, &claims) // Some rows have no claims that could be read.
	for name, value := range claims {
		if text, ok := value.(string); ok && len(text) > 5 {
			texts = append(texts, text)
		}
		if len(name) > 5 && name != "issuer" {
			texts = append(texts, name)
		}
	}
	return texts
}
