package entra_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
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
			var reached spy
			w := serve(newVerifier(t, tenant, nil).Authenticate(&reached), r.values...)
			if r.want == "" {
				if w.Code != http.StatusOK || reached.calls != 1 {
					t.Errorf("got status %d and %d calls, want 200 and 1", w.Code, reached.calls)
				}
				return
			}
			if reached.calls != 0 {
				t.Error("the handler was reached, want it not to run")
			}
			status, code := http.StatusUnauthorized, "invalid_token"
			switch r.want {
			case none:
				code = ""
			case invalid:
				status, code = http.StatusBadRequest, "invalid_request"
			}
			checkAnswer(t, w, token, status, code, r.want)
		})
	}
}

func TestTokenSize(t *testing.T) {
	filler := entratest.Claim("filler", strings.Repeat("x", 12_300))
	limit := func(bytes int) func(*entra.Options) {
		return func(o *entra.Options) { o.MaxTokenSize = bytes }
	}
	judge(t, []row{
		{rule: "R2", name: "just above 16 KiB", token: with(filler), want: entra.ReasonTooLarge, says: "more than the 16384 of Options.MaxTokenSize"},
		{rule: "R2", name: "just above 16 KiB where more is allowed", token: with(filler), options: limit(32 << 10)},
		{rule: "R2", name: "above a smaller limit", options: limit(300), want: entra.ReasonTooLarge},
		{rule: "R2", name: "a megabyte of dots", text: func(string) string { return strings.Repeat(".", 1<<20) }, want: entra.ReasonTooLarge},
	})
	t.Run("exactly as long as the limit, and one byte more", func(t *testing.T) {
		tenant := entratest.New(t)
		token := tenant.Token()
		accepted(t, newVerifier(t, tenant, limit(len(token))), token)
		refused(t, newVerifier(t, tenant, limit(len(token)-1)), token, entra.ReasonTooLarge, "")
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
	rows := []row{
		{rule: "R3", name: "an empty text", text: empty, want: malformed, says: "empty"},
		{rule: "R3", name: "no dot", text: func(string) string { return "0pa_que" }, want: malformed, says: "no JWT"},
		{rule: "R3", name: "two segments", text: cut(func(p []string) []string { return p[:2] }), want: malformed, says: "2 segments"},
		{rule: "R3", name: "four segments", text: cut(func(p []string) []string { return append(p, p[2]) }), want: malformed},
		{rule: "R3", name: "five segments, a JWE", text: cut(func(p []string) []string { return append(p, p[2], p[2]) }), want: entra.ReasonEncrypted, says: "tokenEncryptionKeyId"},
		{rule: "R3", name: "five empty segments", text: func(string) string { return "...." }, want: entra.ReasonEncrypted},
		{rule: "R3", name: "two dots alone", text: func(string) string { return ".." }, want: malformed},
		{rule: "R3", name: "an empty header", text: at(0, empty), want: malformed},
		{rule: "R3", name: "an empty payload", text: at(1, empty), want: malformed},
		{rule: "R3", name: "an empty signature", text: at(2, empty), want: malformed},
		{rule: "R3", name: "a padded signature", text: at(2, padded), want: malformed, says: "base64url"},
		{rule: "R3", name: "a plus sign", text: at(2, func(s string) string { return "+" + s[1:] }), want: malformed},
		{rule: "R3", name: "a slash", text: at(2, func(s string) string { return "/" + s[1:] }), want: malformed},
		{rule: "R3", name: "a tilde, which the header grammar allows", text: at(2, func(s string) string { return "~" + s[1:] }), want: malformed},
		{rule: "R3", name: "a signature with bits to spare", text: at(2, spareBits), want: malformed},
		{rule: "R3", name: "a header of one character", text: at(0, func(string) string { return "e" }), want: malformed},
		{rule: "R3", name: "a payload of one character", text: at(1, func(string) string { return "e" }), want: malformed},
		{rule: "R3", name: "a line break in the header", text: at(0, broken), want: malformed, says: "line break"},
		{rule: "R3", name: "a line break in the payload", text: at(1, broken), want: malformed, says: "line break"},
		{rule: "R3", name: "a line break in the signature", text: at(2, broken), want: malformed, says: "line break"},
		{rule: "R3", name: "white space behind", text: func(s string) string { return s + " " }, want: malformed},
		{rule: "R3", name: "a line break at the end", text: func(s string) string { return s + "\n" }, want: malformed},
		{rule: "R3", name: "Bearer in front", text: func(s string) string { return "Bearer " + s }, want: malformed, says: "begins with Bearer"},
		{rule: "R3", name: "bearer in front", text: func(s string) string { return "bearer " + s }, want: malformed, says: "begins with Bearer"},
		{rule: "R3", name: "a JWS in JSON form", text: cut(func(p []string) []string {
			return []string{`{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`}
		}), want: malformed},
	}
	judge(t, rows)
}

// spareBits changes bits of a segment's last character that encode nothing: another text for the same bytes.
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
			text := segment(token, i)
			text[len(text)/2] ^= 1
			parts[i] = base64.RawURLEncoding.EncodeToString(text)
			return strings.Join(parts, ".")
		}
	}
	cutShort := func(token string) string {
		signature := segment(token, 2)
		return token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(signature[:255])
	}
	forged := func(t *testing.T) []entratest.TokenOption {
		tenant := entratest.New(t)
		return with(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", tenant.Key().ID()))
	}
	const bad = entra.ReasonSignature
	judge(t, []row{
		{rule: "R98", name: "one bit of the signature changed", text: flipped(2), want: bad, says: "does not fit the key"},
		{rule: "R98", name: "one bit of the payload changed", text: flipped(1), want: bad},
		{rule: "R98", name: "a shorter signature", text: cutShort, want: bad},
		{rule: "R8", name: "the key ID of another key", token: forged(t), want: bad},
		{rule: "R98", name: "an expired token of another tenant with a bad signature", token: with(entratest.Expired(), entratest.Tenant(entratest.OtherTenantID)), text: flipped(2), want: bad},
		{rule: "R98", name: "broken claims with a bad signature", token: with(entratest.RawPayload([]byte(`{"exp":`))), text: flipped(2), want: bad},
	})
}
