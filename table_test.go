package entra_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// row is one valid token, or one valid configuration, with one change, and what must come of it.
type row struct {
	rule    string // the rules that it shows, such as "R4" or "R4 S2b"; see TestEveryRuleIsShown
	name    string
	token   []entratest.TokenOption
	header  string                    // members to put in front of those of the header, as text
	payload func(valid string) string // changes the text of the claim set before it is signed
	text    func(valid string) string // changes the signed token
	keys    func(*entratest.Server)   // changes what the tenant publishes
	options func(*entra.Options)
	want    entra.Reason // "" means accepted
	says    string       // what the operator reads, in part
}

func with(options ...entratest.TokenOption) []entratest.TokenOption { return options }

// judge sends the token of each row to Verify and through Authenticate.
func judge(t *testing.T, rows []row) {
	t.Helper()
	shared := entratest.New(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Attr("rule", r.rule)
			tenant := shared
			if r.keys != nil {
				tenant = entratest.New(t)
			}
			r.run(t, tenant)
		})
	}
}

func (r *row) run(t *testing.T, tenant *entratest.Server) {
	t.Helper()
	if r.keys != nil {
		r.keys(tenant)
	}
	token := r.mint(tenant)
	verifier := newVerifier(t, tenant, r.options)
	if r.want == "" {
		accepted(t, verifier, token)
		return
	}
	refused(t, verifier, token, r.want, r.says)
}

func (r *row) mint(tenant *entratest.Server) string {
	token := tenant.Token(r.token...)
	if r.header != "" {
		changed := "{" + r.header + "," + string(segment(token, 0)[1:])
		token = tenant.Token(append(r.token, entratest.RawHeader([]byte(changed)))...)
	}
	if r.payload != nil {
		changed := r.payload(string(segment(token, 1)))
		token = tenant.Token(append(r.token, entratest.RawPayload([]byte(changed)))...)
	}
	if r.text != nil {
		token = r.text(token)
	}
	return token
}

// segment returns what a segment of token encodes.
func segment(token string, i int) []byte {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		panic(err)
	}
	return text
}

func accepted(t *testing.T, v *entra.Verifier, token string) *entra.Claims {
	t.Helper()
	claims, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify: got %v (%s), want no error", err, entra.ReasonOf(err))
	}
	var reached spy
	if w := serve(v.Authenticate(&reached), "Bearer "+token); w.Code != http.StatusOK || reached.calls != 1 {
		t.Fatalf("Authenticate: got status %d and %d calls of the handler, want 200 and 1", w.Code, reached.calls)
	}
	return claims
}

// refused checks everything that is common to all refused tokens, in the error and in the answer.
func refused(t *testing.T, v *entra.Verifier, token string, want entra.Reason, says string) {
	t.Helper()
	claims, err := v.Verify(t.Context(), token)
	if got := entra.ReasonOf(err); got != want {
		t.Fatalf("Verify: got reason %q (%v), want %q", got, err, want)
	}
	if claims != nil || !errors.Is(err, entra.ErrInvalidToken) || entra.StatusCode(err) != http.StatusUnauthorized {
		t.Errorf("Verify: got claims %v and status %d for %v, want none and 401 for ErrInvalidToken", claims, entra.StatusCode(err), err)
	}
	if !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "entra: ") {
		t.Errorf("Verify: got error %q, want one that begins with entra: and says %q", err, says)
	}
	if found := leak(err.Error(), token, personal...); found != "" {
		t.Errorf("Verify: got error %q, want one without %q", err, found)
	}
	var reached spy
	w := serve(v.Authenticate(&reached), "Bearer "+token)
	if reached.calls != 0 {
		t.Error("the handler was reached, want it not to run")
	}
	// What HTTP cannot carry in this header is a malformed request before it is a token.
	if strings.ContainsAny(token, " \t\r\n{}") || token == "" {
		checkAnswer(t, w, token, http.StatusBadRequest, "invalid_request", entra.ReasonInvalidRequest)
		return
	}
	checkAnswer(t, w, token, http.StatusUnauthorized, "invalid_token", want)
}

// signIn is the first half of every challenge of newVerifier's Verifier.
const signIn = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/` + entratest.TenantID + `/oauth2/v2.0/authorize"`

// problem is the body of a refusal, RFC 9457.
type problem struct {
	Title, Detail, Reason string
	Status                int
}

// checkAnswer checks that an answer is complete, that its challenge and its body say the same, and that nothing in it
// comes from the token.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, token string, status int, code string, reason entra.Reason) {
	t.Helper()
	var body problem
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("got body %q, want a problem document: %v", w.Body, err)
	}
	if want := (problem{http.StatusText(status), body.Detail, string(reason), status}); w.Code != status || body != want || body.Detail == "" {
		t.Errorf("got status %d and problem %+v, want %d and %+v", w.Code, body, status, want)
	}
	challenge := signIn
	if code != "" {
		challenge += `, error="` + code + `", error_description="` + body.Detail + `"`
	}
	// The challenge that a client of the default verifier sees; other configurations have other sign-in pages.
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
		// The directory in the sign-in page's address is the verifier's own.
		answer.WriteString(name + cutSignIn(strings.Join(values, "")))
	}
	answer.Write(w.Body.Bytes())
	if found := leak(answer.String(), token, claimTexts(token)...); found != "" {
		t.Errorf("got an answer with %q from the token, want nothing of it: %s", found, answer.String())
	}
}

func cutSignIn(challenge string) string {
	before, after, found := strings.Cut(challenge, `authorization_uri="`)
	if !found {
		return challenge
	}
	_, after, _ = strings.Cut(after, `"`)
	return before + after
}

// personal is what no text may hold, not even the operator's.
var personal = []string{"Alice", "alice@", "Bob", "bob@"}

// leak returns the first piece of the token, or of the texts, that answer holds.
func leak(answer, token string, texts ...string) string {
	for _, piece := range append(strings.Split(token, "."), texts...) {
		if len(piece) > 3 && strings.Contains(answer, piece) {
			return piece
		}
	}
	return ""
}

// claimTexts returns the names and all strings among the claims of token that a reader would recognise.
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
