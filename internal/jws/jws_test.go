// Package jws_test takes texts apart that nobody signed.
package jws_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/jws"
	"github.com/entra-go/entra/internal/refuse"
)

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func reasonOf(err error) string {
	var refused *refuse.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &refused):
		return "an error without reason: " + err.Error()
	}
	return refused.Reason
}

func cut(text string, maxSize int) (token jws.Token, err error) {
	err = token.Cut(text, maxSize)
	return token, err
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		text         string
		header, body string
	}{
		{"a.b.c", "a", "b.c"}, {"a.b", "a", "b"}, {"a", "a", ""}, {"", "", ""}, {".", "", ""}, {".b.c", "", "b.c"}, {"a.b.c.d.e", "a", "b.c.d.e"},
	} {
		got, err := cut(test.text, 100)
		if err != nil || got.Header != test.header || got.Body != test.body {
			t.Errorf("%q: got %q, %q and %v, want %q and %q", test.text, got.Header, got.Body, err, test.header, test.body)
		}
	}
	text := strings.Repeat("a", 50) + "." + strings.Repeat("b", 50)
	if _, err := cut(text, len(text)); err != nil {
		t.Errorf("as long as the limit: got %v, want no error", err)
	}
	if _, err := cut(text, len(text)-1); reasonOf(err) != refuse.TooLarge || !strings.Contains(err.Error(), "101 bytes, more than the 100 of Options.MaxTokenSize") {
		t.Errorf("a byte longer than the limit: got %v, want reason too_large with both sizes", err)
	}
}

// The start and the end of a token make all of it, and three blocks of SHA-256 hold the end.
func TestCutEnd(t *testing.T) {
	const most = 3*64 - 9 // FIPS 180-4 section 5.1.1: a bit and the length stand behind the text.
	for _, size := range []int{0, 1, most - 1, most, most + 1, 342, 1432, 1 << 16} {
		text := strings.Repeat("a.", size/2) + strings.Repeat("z", size%2)
		token, err := cut(text, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		wantEnd := most
		if size <= most {
			text, wantEnd = "", 0
		}
		if start, end := token.CutEnd(); start+end != text || len(end) != wantEnd {
			t.Errorf("%d characters: got %d and %d, want all of them with an end of %d", size, len(start), len(end), wantEnd)
		}
	}
}

func TestDecode(t *testing.T) {
	const malformed = refuse.Malformed
	header, payload, signature := encode(`{"alg":"RS256"}`), encode(`{"iss":"issuer"}`), encode("signature")
	good := header + "." + payload + "." + signature
	tests := []struct {
		name, text string
		want       string
		says       string
	}{
		{"three segments", good, "", ""},
		{"segments that hold nothing of a token", "AA.AA.AA", "", ""},
		{"a header that is no base64url, which is not looked at", "~~~~." + payload + "." + signature, "", ""},

		{"nothing", "", malformed, "the token is empty"},
		{"a dot", ".", malformed, "2 segments"},
		{"two dots", "..", malformed, "a segment of the token is empty"},
		{"no dot", "0pa_que", malformed, "no JWT"},
		{"two segments", header + "." + payload, malformed, "2 segments"},
		{"four segments", good + ".AA", malformed, "4 segments"},
		{"six segments", good + "." + good, malformed, "6 segments"},
		{"five segments", good + ".AA.AA", refuse.Encrypted, "tokenEncryptionKeyId"},
		{"five empty segments", "....", refuse.Encrypted, ""},
		{"many dots", strings.Repeat(".", 10_000), malformed, "10001 segments"},
		{"no header", "." + payload + "." + signature, malformed, "empty"},
		{"no payload", header + ".." + signature, malformed, "empty"},
		{"no signature", header + "." + payload + ".", malformed, "unsigned"},
		{"Bearer in front", "Bearer " + good, malformed, "begins with Bearer"},
		{"bearer in front", "bEARER " + good, malformed, "begins with Bearer"},
		{"Bearer alone", "Bearer ", malformed, "begins with Bearer"},
		{"white space in front", " " + header, malformed, "white space around"},
		{"white space behind", good + " ", malformed, ""},
		{"a line break behind", good + "\n", malformed, "line break"},

		{"a padded signature", good + "==", malformed, "signature is not base64url"},
		{"a padded payload", header + "." + payload + "=." + signature, malformed, "payload is not base64url"},
		{"a plus sign", header + "." + payload + ".++++", malformed, "base64url"},
		{"a slash", header + "." + payload + ".////", malformed, "base64url"},
		{"a tilde", header + "." + payload + ".~~~~", malformed, "base64url"},
		{"a letter outside of ASCII", header + "." + payload + ".ééé", malformed, "base64url"},
		{"a NUL", header + "." + payload + ".AAA\x00", malformed, "base64url"},
		{"bits to spare in the signature", header + "." + payload + ".AB", malformed, "base64url"},
		{"bits to spare in the payload", header + ".AB." + signature, malformed, "base64url"},
		{"a signature of one character", header + "." + payload + ".A", malformed, "base64url"},
		{"a payload of five characters", header + ".AAAAA." + signature, malformed, "base64url"},
		{"a line break in the payload", header + "." + payload[:4] + "\n" + payload[4:] + "." + signature, malformed, "payload holds a line break"},
		{"a line break in the signature", header + "." + payload + "." + signature[:4] + "\r" + signature[4:], malformed, "signature holds a line break"},
		{"a line break and one character", header + "." + payload + ".A\n", malformed, "line break"},
		{"line breaks alone", header + "." + payload + ".\n\n", malformed, "line break"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, err := cut(test.text, 1<<20)
			if err != nil {
				t.Fatalf("Cut: got %v, want no error", err)
			}
			if err := token.Check(); reasonOf(err) != test.want || token.Payload != "" {
				t.Errorf("Check: got %v and payload %q, want reason %q and no payload", err, token.Payload, test.want)
			}
			for _, room := range [][]byte{nil, make([]byte, 512), make([]byte, 0, 3)} {
				signature, err := token.Decode(room)
				if got := reasonOf(err); got != test.want || err != nil && !strings.Contains(err.Error(), test.says) {
					t.Errorf("Decode: got reason %q (%v), want %q and a text that says %q", got, err, test.want, test.says)
				}
				if err == nil {
					segments := strings.Split(test.text, ".")
					if token.Signed != segments[0]+"."+segments[1] || encode(token.Payload) != segments[1] || encode(string(signature)) != segments[2] {
						t.Errorf("got %q, %q and %q, want what the segments say", token.Signed, token.Payload, signature)
					}
				}
			}
		})
	}
}

// Signatures may be read into the same room one after the other. Payloads stay as they are.
func TestTokensDoNotShareMemory(t *testing.T) {
	const count = 100
	var tokens [count]jws.Token
	var room [300]byte
	for i := range tokens {
		letter := string(rune('a' + i%26))
		var err error
		if tokens[i], err = cut("AA."+encode(strings.Repeat(letter, 100+i))+"."+encode(strings.Repeat(letter, 250+i)), 1<<20); err != nil {
			t.Fatal(err)
		}
		signature, err := tokens[i].Decode(room[:])
		if err != nil || string(signature) != strings.Repeat(letter, 250+i) {
			t.Fatalf("token %d: got the signature %q and %v, want its own letters", i, signature, err)
		}
		if inRoom := &signature[0] == &room[0]; inRoom != (250+i <= len(room)) {
			t.Errorf("a signature of %d bytes: got it in the room of %d: %v", 250+i, len(room), inRoom)
		}
	}
	for i := range tokens {
		if want := strings.Repeat(string(rune('a'+i%26)), 100+i); tokens[i].Payload != want {
			t.Errorf("token %d: got %q, want its own letters", i, tokens[i].Payload)
		}
	}
}

func TestKeyID(t *testing.T) {
	const algorithm, header, malformed = refuse.Algorithm, refuse.Header, refuse.Malformed
	// with puts members behind alg and kid.
	with := func(members string) string { return `{"alg":"RS256","kid":"k",` + members + `}` }
	alg := func(value string) string { return `{"alg":` + value + `,"kid":"k"}` }
	tests := []struct {
		name, header string
		want         string // the reason; "" for the key ID k
		says         string
	}{
		{"alg and kid", `{"alg":"RS256","kid":"k"}`, "", ""},
		{"typ JWT", with(`"typ":"JWT"`), "", ""},
		{"typ jwt", with(`"typ":"jwt"`), "", ""},
		{"typ at+jwt", with(`"typ":"at+jwt"`), "", ""},
		{"typ AT+JWT", with(`"typ":"AT+JWT"`), "", ""},
		{"escaped names", `{"\u0061lg":"RS256","\u006bid":"k"}`, "", ""},
		{"an escaped value", `{"alg":"\u0052S256","kid":"\u006b"}`, "", ""},
		{"keys that the token brings or points to", with(`"jwk":{"kty":"RSA"},"jku":"https://evil.example/","x5u":"x","x5c":["x"],"x5t":"x"`), "", ""},
		{"names in other case, which are other members", with(`"ALG":"none","CRIT":["x"],"NONCE":"x","Typ":"x"`), "", ""},
		{"members of its own", with(`"x":{"y":[1,null]}`), "", ""},
		{"white space", " {\n\"alg\" : \"RS256\" , \"kid\" : \"k\" } ", "", ""},

		{"no alg", `{"kid":"k"}`, algorithm, ""},
		{"RS384", alg(`"RS384"`), algorithm, "RS384"},
		{"RS512", alg(`"RS512"`), algorithm, ""},
		{"PS256", alg(`"PS256"`), algorithm, ""},
		{"ES256", alg(`"ES256"`), algorithm, ""},
		{"HS256", alg(`"HS256"`), algorithm, "another issuer"},
		{"none", alg(`"none"`), algorithm, ""},
		{"nOnE", alg(`"nOnE"`), algorithm, ""},
		{"rs256", alg(`"rs256"`), algorithm, ""},
		{"a space behind RS256", alg(`"RS256 "`), algorithm, ""},
		{"an empty alg", alg(`""`), algorithm, ""},
		{"alg null", alg(`null`), algorithm, ""},
		{"alg a number", alg(`256`), algorithm, ""},
		{"alg a list", alg(`["RS256"]`), algorithm, ""},
		{"ALG for alg", `{"ALG":"RS256","kid":"k"}`, algorithm, ""},

		{"crit", with(`"crit":["exp"]`), header, "crit"},
		{"an empty crit", with(`"crit":[]`), header, "crit"},
		{"crit null", with(`"crit":null`), header, "crit"},
		{"crit under an escaped name", with(`"\u0063rit":["exp"]`), header, "crit"},
		{"b64 false", with(`"b64":false`), header, "b64"},
		{"b64 true", with(`"b64":true`), header, "b64"},
		{"zip", with(`"zip":"DEF"`), header, "zip"},
		{"cty", with(`"cty":"JWT"`), header, "cty"},
		{"enc", with(`"enc":"A128GCM"`), header, "enc"},
		{"a nonce", with(`"nonce":"x"`), refuse.MicrosoftAPIToken, "Microsoft Graph"},
		{"a nonce null", with(`"nonce":null`), refuse.MicrosoftAPIToken, ""},
		{"a nonce before all else", `{"nonce":"x","alg":"none","crit":["x"],"typ":"x"}`, refuse.MicrosoftAPIToken, ""},
		{"crit before alg", `{"crit":["x"],"alg":"none"}`, header, "crit"},
		{"alg before typ and kid", `{"alg":"none","typ":"x"}`, algorithm, ""},

		{"an empty typ", with(`"typ":""`), header, "typ"},
		{"typ null", with(`"typ":null`), header, "typ"},
		{"typ a number", with(`"typ":1`), header, "typ"},
		{"typ dpop+jwt", with(`"typ":"dpop+jwt"`), header, "dpop+jwt"},
		{"typ logout+jwt", with(`"typ":"logout+jwt"`), header, "not an access token"},
		{"typ application/jwt", with(`"typ":"application/jwt"`), header, ""},
		{"typ with a space", with(`"typ":"JWT "`), header, ""},

		{"no kid", `{"alg":"RS256"}`, header, "kid"},
		{"no kid but x5t", `{"alg":"RS256","x5t":"k"}`, header, "kid"},
		{"an empty kid", `{"alg":"RS256","kid":""}`, header, "kid"},
		{"kid null", `{"alg":"RS256","kid":null}`, header, "kid"},
		{"kid a number", `{"alg":"RS256","kid":7}`, header, "kid"},
		{"kid a list", `{"alg":"RS256","kid":["k"]}`, header, "kid"},
		{"Kid for kid", `{"alg":"RS256","Kid":"k"}`, header, "kid"},

		{"alg twice", with(`"alg":"RS256"`), malformed, "twice"},
		{"kid twice, once escaped", with(`"\u006bid":"x"`), malformed, "twice"},
		{"another member twice", with(`"x":1,"x":1`), malformed, "twice"},
		{"a name twice inside a member", with(`"x":{"y":1,"y":1}`), header, ""},
		{"invalid UTF-8 in a value", with("\"x\":\"\xff\""), header, ""},
		{"invalid UTF-8 in a name", with("\"\xff\":1"), malformed, ""},
		{"half a surrogate pair", with(`"x":"\ud800"`), header, ""},
		{"an array", `["RS256"]`, malformed, ""},
		{"an array that is no JSON", `["RS256",]`, malformed, "is an array"},
		{"null", `null`, malformed, ""},
		{"a string", `"RS256"`, malformed, ""},
		{"nothing but white space", ` `, malformed, ""},
		{"an object that breaks off", `{"alg":"RS256","kid":"k"`, malformed, ""},
		{"text behind the object", `{"alg":"RS256","kid":"k"} {}`, malformed, ""},
		{"a byte order mark", "\ufeff" + `{"alg":"RS256","kid":"k"}`, malformed, ""},
		{"arrays that do not end", with(`"x":` + strings.Repeat("[", 3000)), header, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := jws.KeyID(encode(test.header))
			if reason := reasonOf(err); reason != test.want || err == nil && got != "k" || err != nil && (!strings.Contains(err.Error(), test.says) || len(err.Error()) > 300) {
				t.Errorf("got %q and reason %q (%v), want reason %q (none: the key ID k) and a short text that says %q", got, reason, err, test.want, test.says)
			}
		})
	}
	for name, segment := range map[string]string{
		"nothing": "", "one character": "e", "padding": encode(`{"alg":"RS256","kid":"kk"}`) + "==", "bits to spare": "AB", "the other alphabet": "++//", "a line break": "e3\n0",
	} {
		if _, err := jws.KeyID(segment); reasonOf(err) != malformed {
			t.Errorf("%s: got %v, want reason malformed", name, err)
		}
	}
	// 3,072 bytes make a segment of 4,096, the longest.
	long := strings.Repeat("k", 3072-len(`{"alg":"RS256","kid":""}`))
	if got, err := jws.KeyID(encode(`{"alg":"RS256","kid":"` + long + `"}`)); err != nil || got != long {
		t.Errorf("a long kid: got %d bytes and %v, want all of it", len(got), err)
	}
	if _, err := jws.KeyID(encode(`{"alg":"RS256","kid":"k` + long + `"}`)); reasonOf(err) != header {
		t.Errorf("a kid of one byte more: got %v, want reason header", err)
	}
}
