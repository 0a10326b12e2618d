package testbed

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Row is one valid token, or one valid configuration, with one change, and what must come of it.
type Row struct {
	Rule    string // the rules that it shows, such as "R4" or "R4 S2b"; see TestEveryRuleIsShown
	Name    string
	Token   []entratest.TokenOption
	Header  string                    // members to put in front of those of the header, as text
	Payload func(valid string) string // changes the text of the claim set before it is signed
	Text    func(valid string) string // changes the signed token
	Keys    func(*entratest.Server)   // changes what the tenant publishes
	Options func(*entra.Options)
	Want    entra.Reason // "" means accepted
	Says    string       // what the operator reads, in part
}

// With returns its arguments, to keep rows short.
func With(options ...entratest.TokenOption) []entratest.TokenOption { return options }

// Judge sends the token of each row to Verify and through Authenticate.
func Judge(t *testing.T, rows []Row) {
	t.Helper()
	shared := entratest.New(t)
	for _, r := range rows {
		t.Run(r.Name, func(t *testing.T) {
			t.Attr("rule", r.Rule)
			tenant := shared
			if r.Keys != nil {
				tenant = entratest.New(t)
			}
			r.Run(t, tenant)
		})
	}
}

// Run sends the token of the row to a Verifier with the options of the row.
func (r *Row) Run(t *testing.T, tenant *entratest.Server) {
	t.Helper()
	if r.Keys != nil {
		r.Keys(tenant)
	}
	token := r.Mint(tenant)
	verifier := NewVerifier(t, tenant, r.Options)
	if r.Want == "" {
		Accepted(t, verifier, token)
		return
	}
	Refused(t, verifier, token, r.Want, r.Says)
}

// Mint returns the token of the row.
func (r *Row) Mint(tenant *entratest.Server) string {
	token := tenant.Token(r.Token...)
	if r.Header != "" {
		changed := "{" + r.Header + "," + string(Segment(token, 0)[1:])
		token = tenant.Token(append(r.Token, entratest.RawHeader([]byte(changed)))...)
	}
	if r.Payload != nil {
		changed := r.Payload(string(Segment(token, 1)))
		token = tenant.Token(append(r.Token, entratest.RawPayload([]byte(changed)))...)
	}
	if r.Text != nil {
		token = r.Text(token)
	}
	return token
}

// Accepted checks that v and its middleware accept token, and returns the claims.
func Accepted(t *testing.T, v *entra.Verifier, token string) *entra.Claims {
	t.Helper()
	claims, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify: got %v (%s), want no error", err, entra.ReasonOf(err))
	}
	var reached Spy
	if w := Serve(v.Authenticate(&reached), "Bearer "+token); w.Code != http.StatusOK || reached.Calls != 1 {
		t.Fatalf("Authenticate: got status %d and %d calls of the handler, want 200 and 1", w.Code, reached.Calls)
	}
	return claims
}

// Refused checks that v and its middleware refuse token for the reason want, with an error that says says, and all that
// refused tokens have in common.
func Refused(t *testing.T, v *entra.Verifier, token string, want entra.Reason, says string) {
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
	if found := Leak(err.Error(), token, Personal...); found != "" {
		t.Errorf("Verify: got error %q, want one without %q", err, found)
	}
	var reached Spy
	w := Serve(v.Authenticate(&reached), "Bearer "+token)
	if reached.Calls != 0 {
		t.Error("the handler was reached, want it not to run")
	}
	// A text outside of the grammar of RFC 6750 section 2.1 makes the request malformed: the token is not looked at.
	if strings.ContainsAny(token, " \t\r\n{}") || token == "" {
		CheckAnswer(t, w, token, http.StatusBadRequest, "invalid_request", entra.ReasonInvalidRequest)
		return
	}
	CheckAnswer(t, w, token, http.StatusUnauthorized, "invalid_token", want)
}

// Adding returns a change of a claim set that puts members, given as text, in front of the others.
func Adding(members string) func(string) string {
	return func(valid string) string { return "{" + members + "," + valid[1:] }
}
