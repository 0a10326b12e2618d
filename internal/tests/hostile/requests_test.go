// Package hostile_test sends the library what attackers send: a catalogue of requests that must be refused, key sets and
// tokens at which other libraries fail, and whatever the fuzzer makes of them.
package hostile_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// row is a kind of request that must be refused. Its token is made by mint, or by edit from a valid token, or the request
// carries a valid token in the way of request.
type row struct {
	name      string
	reference string // where the kind is known from; R and S numbers are the project's own rules and comparisons
	reason    entra.Reason

	mint    []entratest.TokenOption
	edit    func(tenant *entratest.Server, valid string) string
	request func(r *http.Request, valid string)
}

// minted returns a row whose token the tenant makes with these options.
func minted(name, reference string, reason entra.Reason, options ...entratest.TokenOption) row {
	return row{name: name, reference: reference, reason: reason, mint: options}
}

// edited returns a row whose token is a valid one after edit.
func edited(name, reference string, reason entra.Reason, edit func(valid string) string) row {
	return row{name: name, reference: reference, reason: reason, edit: func(_ *entratest.Server, valid string) string { return edit(valid) }}
}

// sent returns a row with these Authorization values, in which VALID stands for a valid token.
func sent(name, reference string, reason entra.Reason, values ...string) row {
	return row{name: name, reference: reference, reason: reason, request: func(r *http.Request, valid string) {
		for _, value := range values {
			r.Header["Authorization"] = append(r.Header["Authorization"], strings.ReplaceAll(value, "VALID", valid))
		}
	}}
}

// token returns the token of the row, or "" if the request carries a valid one.
func (row *row) token(tenant *entratest.Server, valid string) string {
	switch {
	case row.edit != nil:
		return row.edit(tenant, valid)
	case row.mint != nil:
		return tenant.Token(row.mint...)
	}
	return ""
}

// catalogue returns all rows.
func catalogue() []row {
	var rows []row
	for _, part := range [][]row{credentialRows(), segmentRows(), headerRows(), keyRows(), jsonRows(), claimRows(), kindRows()} {
		rows = append(rows, part...)
	}
	return rows
}

func TestHostileRequestsAreRefused(t *testing.T) {
	tenant := entratest.New(t)
	var found error // what the last refusal said
	change := func(size int) func(*entra.Options) {
		return func(o *entra.Options) {
			o.CacheSize = size
			o.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
				found = err
				entra.WriteProblem(w, r, err)
			}
		}
	}
	remembering, forgetting := testbed.NewVerifier(t, tenant, change(0)), testbed.NewVerifier(t, tenant, change(-1))
	answers := make(map[entra.Reason]string) // The answer depends on the reason alone, so a client learns no more.
	for _, row := range catalogue() {
		t.Run(row.name, func(t *testing.T) {
			if row.reference == "" {
				t.Error("the row names no reference, want one")
			}
			for name, v := range map[string]*entra.Verifier{
				"with a memory": remembering, "without a memory": forgetting, "without anything held": testbed.NewVerifier(t, tenant, change(0)),
			} {
				valid := tenant.Token()
				if name != "without anything held" {
					wantAccepted(t, v, valid)
				}
				token := row.token(tenant, valid)
				for range 2 {
					found = nil
					answer := wantRefused(t, v, &row, valid, token, name)
					wantOperatorText(t, found, token, valid)
					if known, ok := answers[row.reason]; ok && known != answer {
						t.Errorf("%s: got answer\n%s\nwant the one of every other request with reason %s:\n%s", name, answer, row.reason, known)
					}
					answers[row.reason] = answer
				}
				if token != "" {
					if claims, err := v.Verify(t.Context(), token); claims != nil || err == nil {
						t.Errorf("%s: Verify: got claims %+v and %v, want no claims and an error", name, claims, err)
					}
				}
				wantAccepted(t, v, valid)
			}
		})
	}
	testbed.WantOneHost(t, tenant)
}

// wantAccepted checks that v accepts a token, and accepts it again when it may remember it.
func wantAccepted(t *testing.T, v *entra.Verifier, valid string) {
	t.Helper()
	for range 2 {
		if _, err := v.Verify(t.Context(), valid); err != nil {
			t.Errorf("a valid token: got %v, want no error", err)
		}
	}
}

// wantRefused checks that the request of the row is refused, and returns the whole answer.
func wantRefused(t *testing.T, v *entra.Verifier, row *row, valid, token, where string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	if row.request != nil {
		row.request(r, valid)
	} else {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	status := http.StatusUnauthorized
	if row.reason == entra.ReasonInvalidRequest {
		status = http.StatusBadRequest
	}
	var reached testbed.Spy
	w := httptest.NewRecorder()
	v.Authenticate(&reached).ServeHTTP(w, r)
	if w.Code != status || reached.Calls != 0 || !strings.Contains(w.Body.String(), `"`+string(row.reason)+`"`) {
		t.Errorf("%s: got status %d and %d calls, want %d and 0 for %s: %s", where, w.Code, reached.Calls, status, row.reason, w.Body)
	}
	return fmt.Sprint(w.Code, w.Header(), w.Body)
}

// wantOperatorText checks that the text of an error is bounded, printable, and without the tokens.
func wantOperatorText(t *testing.T, err error, tokens ...string) {
	t.Helper()
	text := fmt.Sprint(err)
	if len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
		t.Errorf("got error text %q, want up to 1000 printable characters", text)
	}
	for _, token := range tokens {
		for segment := range strings.SplitSeq(token, ".") {
			if len(segment) > 16 && strings.Contains(text, segment) {
				t.Errorf("got error text %q, want one without the token", text)
			}
		}
	}
}

// credentialRows carry a valid token in a way that must not count, or nothing that could be one.
func credentialRows() []row {
	const (
		none    = entra.ReasonNoToken
		bad     = entra.ReasonInvalidRequest
		grammar = "RFC 6750 section 2.1"
	)
	with := func(name, reference string, change func(r *http.Request, valid string)) row {
		return row{name: name, reference: reference, reason: none, request: change}
	}
	header := func(name string) func(*http.Request, string) {
		return func(r *http.Request, valid string) { r.Header[name] = []string{"Bearer " + valid} }
	}
	return []row{
		sent("two Authorization headers", "RFC 6750 section 3.1, R1", bad, "Bearer VALID", "Bearer VALID"),
		sent("an empty header beside a good one", "RFC 6750 section 3.1, R1", bad, "", "Bearer VALID"),
		sent("another scheme beside a good one", "RFC 6750 section 3.1, R1", bad, "Bearer VALID", "Basic eDp5"),
		sent("two credentials in one header", "RFC 9110 section 11.6.2", bad, "Bearer VALID, Bearer VALID"),
		sent("an empty header", grammar, bad, ""),
		sent("a scheme alone", grammar, bad, "Bearer"),
		sent("a scheme and blanks", grammar, bad, "Bearer    "),
		sent("a tab for the blank", grammar, bad, "Bearer\tVALID"),
		sent("a colon for the blank", grammar, bad, "Bearer:VALID"),
		sent("no blank", grammar, none, "BearerVALID"),
		sent("text in front of the scheme", grammar, bad, " Bearer VALID"),
		sent("text behind the token", grammar, bad, "Bearer VALID x"),
		sent("a parameter behind the token", grammar, bad, "Bearer VALID;a=b"),
		sent("a quoted token", grammar, bad, `Bearer "VALID"`),
		sent("the scheme twice", grammar, bad, "Bearer Bearer VALID"),
		sent("a line break in the token", "RFC 9112 section 5.2", bad, "Bearer VALID\r\n x"),
		sent("a NUL in the token", "CVE-2026-33252, peers", bad, "Bearer VALID\x00"),
		sent("a look-alike of the scheme", "hashicorp/cap PR#191", bad, "Ｂearer VALID"),
		sent("JSON serialization", "RFC 7515 section 7.2", bad, `Bearer {"payload":"e30","protected":"e30","signature":"AA"}`),
		sent("the token without a scheme", "jwx ParseRequest", none, "VALID"),
		sent("Basic", "RFC 7617", none, "Basic VALID"),
		sent("a DPoP token", "RFC 9449 section 7.1, R92", none, "DPoP VALID"),
		sent("a PoP token", "R93", none, "PoP VALID"),
		sent("a certificate-bound token", "R94", none, "MTLS_POP VALID"),
		with("no header", "RFC 6750 section 3.1", func(*http.Request, string) {}),
		with("the token in the query", "RFC 6750 section 2.3", func(r *http.Request, valid string) { r.URL.RawQuery = "access_token=" + valid }),
		with("the token in a form", "RFC 6750 section 2.2", func(r *http.Request, valid string) {
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader("access_token="+valid))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}),
		with("the token in a cookie", "RFC 6265 section 8.2", func(r *http.Request, valid string) { r.AddCookie(&http.Cookie{Name: "Authorization", Value: valid}) }),
		with("a header that a proxy could have set", "CVE-2026-40575", header("X-Forwarded-Access-Token")),
		with("a path that a proxy exempts", "CVE-2026-40575", func(r *http.Request, _ string) { r.Header.Set("X-Forwarded-Uri", "/healthz") }),
		with("a header with an underscore", "CVE-2025-64484", header("Authorization_")),
		with("the proxy's own credentials", "RFC 9110 section 11.7.2", header("Proxy-Authorization")),
		with("the token in a trailer", "RFC 9110 section 6.5.1", func(r *http.Request, valid string) { r.Trailer = http.Header{"Authorization": {"Bearer " + valid}} }),
	}
}

// Names of members come from the token too, and those of a header from anybody.
func TestNamesOfMembersAreQuotedInErrors(t *testing.T) {
	tenant := entratest.New(t)
	v := testbed.NewVerifier(t, tenant, nil)
	for _, name := range []string{`\u001b[31m\r\nlevel=INFO msg=accepted`, `\u202e`, strings.Repeat("x", 8000)} {
		_, err := v.Verify(t.Context(), encode(`{"alg":"RS256","`+name+`":"\ud800"}`)+".e30.AAAA")
		if got := entra.ReasonOf(err); got != entra.ReasonHeader {
			t.Errorf("got reason %q (%v), want header", got, err)
		}
		wantOperatorText(t, err)
	}
}
