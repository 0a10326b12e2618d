package conformance_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestAuthorizationHeader(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token()
	const none, invalid = entra.ReasonNoToken, entra.ReasonInvalidRequest
	rows := []struct {
		rule, name string
		values     []string
		want       entra.Reason // "" means accepted
	}{
		{"R1", "Bearer and a token", []string{"Bearer " + token}, ""},
		{"R1", "the scheme in lower case", []string{"bearer " + token}, ""},
		{"R1", "the scheme in mixed case", []string{"bEARER " + token}, ""},
		{"R1", "several spaces", []string{"Bearer    " + token}, ""},

		{"R84", "no header", nil, none},
		{"R84", "another scheme", []string{"Basic dXNlcjpwYXNzd29yZA=="}, none},
		{"R84", "a proof-of-possession scheme", []string{"PoP " + token}, none},
		{"R1", "the token without a scheme", []string{token}, none},
		{"R1", "a scheme that only begins with Bearer", []string{"Bearerx " + token}, none},

		{"R87", "two headers with one token", []string{"Bearer " + token, "Bearer " + token}, invalid},
		{"R87", "a second header of another scheme", []string{"Bearer " + token, "Basic dXNlcjpwYXNzd29yZA=="}, invalid},
		{"R87", "an empty second header", []string{"Bearer " + token, ""}, invalid},
		{"R1", "an empty header", []string{""}, invalid},
		{"R1", "Bearer alone", []string{"Bearer"}, invalid},
		{"R1", "Bearer and spaces", []string{"Bearer   "}, invalid},
		{"R1", "a space before the scheme", []string{" Bearer " + token}, invalid},
		{"R1", "a tab for the space", []string{"Bearer\t" + token}, invalid},
		{"R1", "a tab behind the space", []string{"Bearer \t" + token}, invalid},
		{"R1", "a colon behind the scheme", []string{"Bearer: " + token}, invalid},
		{"R1", "two tokens", []string{"Bearer " + token + " " + token}, invalid},
		{"R1", "two tokens with a comma", []string{"Bearer " + token + "," + token}, invalid},
		{"R1", "a space behind the token", []string{"Bearer " + token + " "}, invalid},
		{"R1", "the token in quotes", []string{`Bearer "` + token + `"`}, invalid},
		{"R1", "an equals sign inside the token", []string{"Bearer a=" + token}, invalid},
		{"R1", "equals signs alone", []string{"Bearer ==="}, invalid},
		{"R1", "a letter outside of ASCII", []string{"Bearer " + token + "é"}, invalid},
		{"R1", "a NUL", []string{"Bearer " + token + "\x00"}, invalid},
		{"R1", "a line break", []string{"Bearer " + token + "\r\n"}, invalid},

		{"R1", "the token grammar without a JWS", []string{"Bearer abc123._~+/-=="}, entra.ReasonMalformed},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var reached testbed.Spy
			w := testbed.Serve(testbed.NewVerifier(t, tenant, nil).Authenticate(&reached), r.values...)
			if r.want == "" {
				if w.Code != http.StatusOK || reached.Calls != 1 {
					t.Errorf("got status %d and %d calls, want 200 and 1", w.Code, reached.Calls)
				}
				return
			}
			if reached.Calls != 0 {
				t.Error("the handler was reached, want it not to run")
			}
			status, code := http.StatusUnauthorized, "invalid_token"
			switch r.want {
			case none:
				code = ""
			case invalid:
				status, code = http.StatusBadRequest, "invalid_request"
			}
			testbed.CheckAnswer(t, w, token, status, code, r.want)
		})
	}
}

func TestTokenSize(t *testing.T) {
	filler := entratest.Claim("filler", strings.Repeat("x", 12_300))
	limit := func(bytes int) func(*entra.Options) {
		return func(o *entra.Options) { o.MaxTokenSize = bytes }
	}
	testbed.Judge(t, []testbed.Row{
		{Rule: "R2", Name: "just above 16 KiB", Token: with(filler), Want: entra.ReasonTooLarge, Says: "more than the 16384 of Options.MaxTokenSize"},
		{Rule: "R2", Name: "just above 16 KiB where more is allowed", Token: with(filler), Options: limit(32 << 10)},
		{Rule: "R2", Name: "above a smaller limit", Options: limit(300), Want: entra.ReasonTooLarge},
		{Rule: "R2", Name: "a megabyte of dots", Text: func(string) string { return strings.Repeat(".", 1<<20) }, Want: entra.ReasonTooLarge},
	})
	t.Run("exactly as long as the limit, and one byte more", func(t *testing.T) {
		tenant := entratest.New(t)
		token := tenant.Token()
		testbed.Accepted(t, testbed.NewVerifier(t, tenant, limit(len(token))), token)
		testbed.Refused(t, testbed.NewVerifier(t, tenant, limit(len(token)-1)), token, entra.ReasonTooLarge, "")
	})
}

func TestSegments(t *testing.T) {
	const malformed = entra.ReasonMalformed
	cut := func(change func(p []string) []string) func(string) string {
		return func(token string) string { return strings.Join(change(strings.Split(token, ".")), ".") }
	}
	at := func(i int, change func(string) string) func(string) string {
		return cut(func(p []string) []string { p[i] = change(p[i]); return p })
	}
	empty := func(string) string { return "" }
	padded := func(s string) string { return s + "=" }
	broken := func(s string) string { return s[:4] + "\n" + s[4:] }
	rows := []testbed.Row{
		{Rule: "R3", Name: "an empty text", Text: empty, Want: malformed, Says: "empty"},
		{Rule: "R3", Name: "no dot", Text: func(string) string { return "0pa_que" }, Want: malformed, Says: "no JWT"},
		{Rule: "R3", Name: "two segments", Text: cut(func(p []string) []string { return p[:2] }), Want: malformed, Says: "2 segments"},
		{Rule: "R3", Name: "four segments", Text: cut(func(p []string) []string { return append(p, p[2]) }), Want: malformed},
		{Rule: "R3", Name: "five segments, a JWE", Text: cut(func(p []string) []string { return append(p, p[2], p[2]) }), Want: entra.ReasonEncrypted, Says: "tokenEncryptionKeyId"},
		{Rule: "R3", Name: "five empty segments", Text: func(string) string { return "...." }, Want: entra.ReasonEncrypted},
		{Rule: "R3", Name: "two dots alone", Text: func(string) string { return ".." }, Want: malformed},
		{Rule: "R3", Name: "an empty header", Text: at(0, empty), Want: malformed},
		{Rule: "R3", Name: "an empty payload", Text: at(1, empty), Want: malformed},
		{Rule: "R3", Name: "an empty signature", Text: at(2, empty), Want: malformed},
		{Rule: "R3", Name: "a padded signature", Text: at(2, padded), Want: malformed, Says: "base64url"},
		{Rule: "R3", Name: "a plus sign", Text: at(2, func(s string) string { return "+" + s[1:] }), Want: malformed},
		{Rule: "R3", Name: "a slash", Text: at(2, func(s string) string { return "/" + s[1:] }), Want: malformed},
		{Rule: "R3", Name: "a tilde, which the header grammar allows", Text: at(2, func(s string) string { return "~" + s[1:] }), Want: malformed},
		{Rule: "R3", Name: "a signature with bits to spare", Text: at(2, spareBits), Want: malformed},
		{Rule: "R3", Name: "a header of one character", Text: at(0, func(string) string { return "e" }), Want: malformed},
		{Rule: "R3", Name: "a payload of one character", Text: at(1, func(string) string { return "e" }), Want: malformed},
		{Rule: "R3", Name: "a line break in the header", Text: at(0, broken), Want: malformed, Says: "line break"},
		{Rule: "R3", Name: "a line break in the payload", Text: at(1, broken), Want: malformed, Says: "line break"},
		{Rule: "R3", Name: "a line break in the signature", Text: at(2, broken), Want: malformed, Says: "line break"},
		{Rule: "R3", Name: "white space behind", Text: func(s string) string { return s + " " }, Want: malformed},
		{Rule: "R3", Name: "a line break at the end", Text: func(s string) string { return s + "\n" }, Want: malformed},
		{Rule: "R3", Name: "Bearer in front", Text: func(s string) string { return "Bearer " + s }, Want: malformed, Says: "begins with Bearer"},
		{Rule: "R3", Name: "bearer in front", Text: func(s string) string { return "bearer " + s }, Want: malformed, Says: "begins with Bearer"},
		{Rule: "R3", Name: "a JWS in JSON form", Text: cut(func(p []string) []string {
			return []string{`{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`}
		}), Want: malformed},
	}
	testbed.Judge(t, rows)
}

// spareBits changes the bits of a segment's last character that encode nothing, which gives another text for the same bytes.
func spareBits(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	changed := segment[:len(segment)-1] + alphabet[last+1:last+2]
	a, _ := base64.RawURLEncoding.DecodeString(segment)
	b, err := base64.RawURLEncoding.DecodeString(changed)
	if err != nil || string(a) != string(b) {
		panic("the segment has no bits to spare")
	}
	return changed
}

func TestSignature(t *testing.T) {
	flipped := func(i int) func(string) string {
		return func(token string) string {
			parts := strings.Split(token, ".")
			text := testbed.Segment(token, i)
			text[len(text)/2] ^= 1
			parts[i] = base64.RawURLEncoding.EncodeToString(text)
			return strings.Join(parts, ".")
		}
	}
	cutShort := func(token string) string {
		signature := testbed.Segment(token, 2)
		return token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(signature[:255])
	}
	forged := func(t *testing.T) []entratest.TokenOption {
		tenant := entratest.New(t)
		return with(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", tenant.Key().ID()))
	}
	const bad = entra.ReasonSignature
	testbed.Judge(t, []testbed.Row{
		{Rule: "R98", Name: "one bit of the signature changed", Text: flipped(2), Want: bad, Says: "does not fit the key"},
		{Rule: "R98", Name: "one bit of the payload changed", Text: flipped(1), Want: bad},
		{Rule: "R98", Name: "a shorter signature", Text: cutShort, Want: bad},
		{Rule: "R8", Name: "the key ID of another key", Token: forged(t), Want: bad},
		{Rule: "R98", Name: "an expired token of another tenant with a bad signature", Token: with(entratest.Expired(), entratest.Tenant(entratest.OtherTenantID)), Text: flipped(2), Want: bad},
		{Rule: "R98", Name: "broken claims with a bad signature", Token: with(entratest.RawPayload([]byte(`{"exp":`))), Text: flipped(2), Want: bad},
	})
}

// TestJunkSegmentsCauseNoFetch sends tokens of an unknown key whose payload or signature is no base64url.
func TestJunkSegmentsCauseNoFetch(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"junk"}`))
	for _, rest := range []string{"+++.~~", "AAAA.~~", "+++.AAAA", "AAAAA.AAAA", "AAAA.AAAAA"} {
		if _, err := verifier.Verify(t.Context(), header+"."+rest); entra.ReasonOf(err) != entra.ReasonMalformed {
			t.Errorf("%s: got %v, want reason malformed", rest, err)
		}
	}
	if got := tenant.KeyRequests(); got != 0 {
		t.Errorf("got %d fetches, want none", got)
	}
}
