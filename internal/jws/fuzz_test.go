package jws_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/jws"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// FuzzHeader compares with a reading by encoding/json: the key ID comes out of the same headers, and of no other.
func FuzzHeader(f *testing.F) {
	for _, text := range []string{
		`{"alg":"RS256","kid":"k"}`, `{"typ":"JWT","alg":"RS256","kid":"k","x5t":"k"}`, `{"typ":"at+jwt","alg":"RS256","kid":"k"}`, `{"alg":"none","kid":"k"}`, `{"alg":"RS256"}`,
		`{"alg":"RS256","kid":"k","crit":[]}`, `{"alg":"RS256","kid":"k","\u006eonce":1}`, `{"alg":"RS256","kid":"k","typ":null}`, `{"ALG":"RS256","KID":"k"}`, `{"kıd":"k"}`,
		`{"alg":"RS256","kid":"k","kid":"l"}`, `{"alg":"RS256","kid":"k","x":{"y":1,"y":1}}`, "{\"alg\":\"RS256\",\"kid\":\"\xff\"}", `{"alg":"RS256","kid":"\ud800"}`, `null`, `[]`, ``, `{}`, "\ufeff{}",
		`{"alg":"RS256","kid":"k"}{}`, `{"alg":["RS256"],"kid":"k"}`, `{"alg":"RS256","kid":{}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Count(string(text), "[")+strings.Count(string(text), "{") > 9000 {
			return // Both readers have a limit near 10,000, not the same.
		}
		got, err := jws.KeyID(base64.RawURLEncoding.EncodeToString(text))
		want, ok := plainKeyID(string(text))
		if (err == nil) != ok || ok && got != want {
			t.Errorf("got %q and %v, want %q: %v", got, err, want, ok)
		}
		checkError(t, err)
	})
}

// plainKeyID returns the key ID of a header that may be followed.
func plainKeyID(text string) (kid string, ok bool) {
	members, err := plainjson.Object(text)
	if err != nil {
		return "", false
	}
	for _, name := range []string{"nonce", "crit", "b64", "zip", "cty", "enc"} {
		if members[name] != nil {
			return "", false
		}
	}
	typ, isText := plainjson.Text(members, "typ")
	if members["typ"] != nil && (!isText || !strings.EqualFold(typ, "jwt") && !strings.EqualFold(typ, "at+jwt")) {
		return "", false
	}
	alg, _ := plainjson.Text(members, "alg")
	kid, _ = plainjson.Text(members, "kid")
	return kid, alg == "RS256" && kid != ""
}

// FuzzCompact takes any text apart: what can be decoded is the only text of what it encodes.
func FuzzCompact(f *testing.F) {
	for _, text := range []string{"AA.AA.AA", "", "a", "..", "a.b.c.d.e", "AA.AB.AA", "AA.AA.AA=", "AA.A\n.AA", "bearer AA.AA.AA", " AA.AA.AA", "AA.AA.A", "AA.++.AA", "é.é.é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := cut(text, 1000)
		if (err == nil) != (len(text) <= 1000) {
			t.Fatalf("Cut: got %v for %d bytes, want an error above 1000", err, len(text))
		}
		if err != nil {
			return
		}
		checked := token.Check()
		signature, err := token.Decode(nil)
		checkError(t, err)
		if reasonOf(checked) != reasonOf(err) {
			t.Errorf("Check: got %v, and Decode says %v", checked, err)
		}
		segments := strings.Split(text, ".")
		ok := len(segments) == 3 && segments[0] != "" && isCanonical(segments[1]) && isCanonical(segments[2]) && !strings.HasPrefix(strings.ToLower(text), "bearer ")
		if (err == nil) != ok {
			t.Fatalf("got %v, want it decoded: %v", err, ok)
		}
		if ok && (token.Signed != segments[0]+"."+segments[1] || encode(token.Payload) != segments[1] || encode(string(signature)) != segments[2]) {
			t.Errorf("got %q, %q and %q, want what the segments say", token.Signed, token.Payload, signature)
		}
	})
}

// isCanonical reports whether segment is the one base64url of some bytes.
func isCanonical(segment string) bool {
	plain, err := base64.RawURLEncoding.DecodeString(segment)
	return err == nil && segment != "" && encode(string(plain)) == segment
}

// checkError checks that an error has a reason, and a text that is short and printable.
func checkError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	switch reasonOf(err) {
	case refuse.Malformed, refuse.Encrypted, refuse.Algorithm, refuse.Header, refuse.MicrosoftAPIToken:
	default:
		t.Errorf("got %v, want one of the reasons that a header or a form can have", err)
	}
	if len(err.Error()) > 500 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
		t.Errorf("got %q, want a short and printable text", err)
	}
}
