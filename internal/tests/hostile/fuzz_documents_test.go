package hostile_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// goodKey returns the key as a document lists it.
func (s *setup) goodKey() string {
	return strings.TrimSuffix(strings.TrimPrefix(testbed.KeyDocument(s.key.With("x5c", nil).With("issuer", nil)), `{"keys":[`), "]}")
}

// documentVerifier returns a Verifier that reads what document points to.
func documentVerifier(t *testing.T, document *string) *entra.Verifier {
	v, err := entra.NewVerifier(entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, CacheSize: -1, Logger: testbed.Discard(),
		HTTPClient: testbed.Client(func(r *http.Request) (*http.Response, error) {
			return testbed.Response(r, http.StatusOK, *document), nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzKeyDocument serves any text as key document, from the start, in place of a good one, and among the keys of one.
func FuzzKeyDocument(f *testing.F) {
	s := newSetup()
	good := s.goodKey()
	for _, seed := range []string{
		"", "null", "{}", `{"keys":[]}`, `{"keys":[GOOD]}`, `{"keys":[GOOD,GOOD]}`, "\ufeff{\"keys\":[GOOD]}", `{"keys":[GOOD]}x`, `{"keys":[GOOD`, `<html>`,
		`{"keys":[{},GOOD,null,1,"x"]}`, `{"keys":[GOOD],"keys":[]}`, `{"x":[GOOD]}`, `{}`, `{"kty":"EC","kid":"fuzz","crv":"P-256","x":"AQ","y":"AQ"}`,
		`{"kty":"RSA","kid":"fuzz","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","kid":"x","n":"AQAB","e":"Aw"}`, `{"kty":"oct","kid":"fuzz","k":"AQAB"}`, `null,1`,
		"{\"kid\":\"\xff\"}", `{"kid":"\ud800"}`, `{"a":1,"a":2}`, `{"kty":"RSA","kid":"x","n":"` + testbed.Modulus(8192) + `","e":"AQAB"}`, strings.Repeat("[", 200),
		`{"keys":[{"kty":"RSA","kid":"fuzz","n":"` + testbed.Modulus(2048) + `","e":"AQAB"}]}`,
	} {
		f.Add(seed)
	}
	token := s.tenant.Token(entratest.IssuedAt(seedsFrom), entratest.Lifetime(seedsLifetime), entratest.SignedBy(s.key))
	number := s.key.JWK()["n"]
	f.Fuzz(func(t *testing.T, text string) {
		document := strings.ReplaceAll(text, "GOOD", good)
		fresh := documentVerifier(t, &document)
		_, err := fresh.Verify(t.Context(), token)
		if err == nil && (!json.Valid([]byte(document)) || !strings.Contains(plainUnescape(document), number.(string))) { //nolint:errcheck // A key's n is a string.
			t.Error("accepted, but the document does not name the key")
		}
		if stats := fresh.Stats(); err != nil && entra.StatusCode(err) != map[bool]int{true: 401, false: 503}[stats.Keys > 0] {
			t.Errorf("got status %d with %d keys held: %v", entra.StatusCode(err), stats.Keys, err)
		}

		current := `{"keys":[` + good + `]}`
		held := documentVerifier(t, &current)
		if _, err := held.Verify(t.Context(), token); err != nil {
			t.Fatalf("with the good document: got %v, want no error", err)
		}
		current = document
		if _, err := held.Verify(t.Context(), testbed.JunkToken("junk")); !errors.Is(err, entra.ErrInvalidToken) { // It makes the Verifier fetch.
			t.Errorf("an unknown key: got %v, want ErrInvalidToken", err)
		}
		if _, err := held.Verify(t.Context(), token); err != nil && !strings.Contains(plainUnescape(document), keyID) {
			t.Errorf("got %v after a document that does not name the key, want no error", err)
		}

		among := `{"keys":[` + text + `,` + good + `]}`
		if json.Valid([]byte(among)) && !strings.Contains(plainUnescape(text), keyID) {
			if _, err := documentVerifier(t, &among).Verify(t.Context(), token); err != nil && len(among) < 1<<20 && strings.Count(text, "[")+strings.Count(text, "{") < 9000 {
				t.Errorf("got %v with the good key beside %.200q, want no error", err, text)
			}
		}
	})
}

// plainUnescape makes the escaped letters of a JSON text plain, so that what it names can be searched.
func plainUnescape(text string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, `\u00`)
		b.WriteString(before)
		rest = after
		if !found {
			break
		}
		var letter string
		if len(after) >= 2 && json.Unmarshal([]byte(`"\u00`+after[:2]+`"`), &letter) == nil {
			b.WriteString(letter)
			rest = after[2:]
		}
	}
	return b.String()
}

// FuzzMetadata serves any text as the metadata of an authority.
func FuzzMetadata(f *testing.F) {
	s := newSetup()
	const issuer = "https://" + entratest.TenantID + ".ciamlogin.com/" + entratest.TenantID + "/v2.0"
	for _, seed := range []string{
		testbed.MetadataDocument(issuer, testbed.ExternalIDKeys), testbed.MetadataDocument(issuer, "https://CONTOSO.ciamlogin.com/x?y"), testbed.MetadataDocument(issuer, "https://evil.example/keys"),
		testbed.MetadataDocument(issuer, "http://contoso.ciamlogin.com/keys"), testbed.MetadataDocument("https://login.microsoftonline.com/{tenantid}/v2.0", testbed.ExternalIDKeys),
		testbed.MetadataDocument(issuer, "https://contoso.ciamlogin.com@evil.example/"), testbed.MetadataDocument(issuer, "https://contoso.ciamlogin.com:443/keys"),
		testbed.MetadataDocument(issuer, `https://contoso.ciamlogin.com\@evil.example/`), testbed.MetadataDocument(issuer, "//contoso.ciamlogin.com/keys"), testbed.MetadataDocument("x", "y"),
		`{"issuer":"` + issuer + `","issuer":"https://evil.example","jwks_uri":"` + testbed.ExternalIDKeys + `"}`, `{}`, ``, `null`, "\ufeff{}", `{"issuer":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := entra.NewVerifier(entra.Options{
			Authority: testbed.ExternalID, ClientID: entratest.APIClientID, CacheSize: -1, Logger: testbed.Discard(),
			HTTPClient: testbed.Client(func(r *http.Request) (*http.Response, error) {
				if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, "contoso.ciamlogin.com") || r.URL.User != nil {
					t.Errorf("got a request for %s, want none beyond the authority", r.URL)
				}
				if strings.HasSuffix(r.URL.Path, testbed.MetadataPath) && r.URL.RawQuery == "" {
					return testbed.Response(r, http.StatusOK, text), nil
				}
				return testbed.Response(r, http.StatusOK, `{"keys":[`+s.goodKey()+`]}`), nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		members, plainErr := plainjson.Object(text)
		named, _ := plainjson.Text(members, "issuer")
		_, err = v.Verify(t.Context(), testbed.SignClaims(s.key, testbed.UserClaims(named, entratest.TenantID, "2.0")))
		if err == nil {
			u, parseErr := url.Parse(named)
			if plainErr != nil || parseErr != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(named, "{") {
				t.Errorf("accepted with the issuer %q of metadata of which encoding/json says %v", named, plainErr)
			}
		}
		if _, err := v.Verify(t.Context(), testbed.SignClaims(s.key, testbed.UserClaims(issuer, entratest.TenantID, "2.0"))); err == nil && named != issuer {
			t.Errorf("accepted the issuer %q, want %q alone", issuer, named)
		}
	})
}
