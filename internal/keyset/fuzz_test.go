package keyset_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// FuzzKeyDocument serves any text as key document, from the start, in place of a good one, and among the keys of one; GOOD
// in it stands for a good key.
func FuzzKeyDocument(f *testing.F) {
	const id = "fuzz"
	good := key(id, first)
	for _, seed := range []string{
		"", "null", "{}", `{"keys":[]}`, `{"keys":[GOOD]}`, `{"keys":[GOOD,GOOD]}`, "\ufeff{\"keys\":[GOOD]}", `{"keys":[GOOD]}x`, `{"keys":[GOOD`, `<html>`,
		`{"keys":[{},GOOD,null,1,"x"]}`, `{"keys":[GOOD],"keys":[]}`, `{"x":[GOOD]}`, `{}`, `{"kty":"EC","kid":"fuzz","crv":"P-256","x":"AQ","y":"AQ"}`,
		`{"kty":"RSA","kid":"fuzz","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","kid":"x","n":"AQAB","e":"Aw"}`, `{"kty":"oct","kid":"fuzz","k":"AQAB"}`, `null,1`,
		"{\"kid\":\"\xff\"}", `{"kid":"\ud800"}`, `{"a":1,"a":2}`, `{"kty":"RSA","kid":"x","n":"` + testbed.Modulus(8192) + `","e":"AQAB"}`, strings.Repeat("[", 200),
		`{"keys":[` + key(id, second) + `]}`, `{"keys":[GOOD,` + key(id, second) + `]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		document := strings.ReplaceAll(text, "GOOD", good)
		fresh := (&published{text: document}).set()
		k, err := fresh.Find(t.Context(), id)
		if err == nil && (k.ID != id || !json.Valid([]byte(document)) || !strings.Contains(unescaped(document), id)) {
			t.Errorf("got the key %s of a document that does not name it", k.ID)
		}
		var unknown *keyset.UnknownError
		var unavailable *keyset.UnavailableError
		if held := fresh.Stats().Keys; err != nil && (held > 0 && !errors.As(err, &unknown) || held == 0 && !errors.As(err, &unavailable)) {
			t.Errorf("got %v with %d keys held", err, held)
		}

		current := &published{text: `{"keys":[` + good + `]}`}
		set := current.set()
		before, err := set.Find(t.Context(), id)
		if err != nil {
			t.Fatalf("with the good document: got %v, want no error", err)
		}
		current.text = document
		// A key that does not exist makes the set fetch.
		if _, err := set.Find(t.Context(), "junk"); err != nil && !errors.As(err, &unknown) {
			t.Errorf("an unknown key: got %v, want that it is not known", err)
		}
		if after, err := set.Find(t.Context(), id); (err != nil || after != before) && !strings.Contains(unescaped(document), id) {
			t.Errorf("got %v after a document that does not name the key, want the same key as before", err)
		}

		among := `{"keys":[` + text + `,` + good + `]}`
		if json.Valid([]byte(among)) && !strings.Contains(unescaped(text), id) {
			_, err := (&published{text: among}).set().Find(t.Context(), id)
			if err != nil && len(among) < 1<<20 && strings.Count(text, "[")+strings.Count(text, "{") < 9000 {
				t.Errorf("got %v with the good key beside %.200q, want no error", err, text)
			}
		}
	})
}

// unescaped makes the escaped letters of a JSON text plain, so that what it names can be searched.
func unescaped(text string) string {
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
	p, wrong := policy.New(policy.Config{Authority: testbed.ExternalID, ClientID: entratest.APIClientID})
	if len(wrong) > 0 {
		f.Fatal(wrong)
	}
	at := p.KeySources()[0]
	const issuer, keys = testbed.ExternalIDIssuer, testbed.ExternalIDKeys
	for _, seed := range []string{
		testbed.MetadataDocument(issuer, keys), testbed.MetadataDocument(issuer, "https://CONTOSO.ciamlogin.com/x?y"), testbed.MetadataDocument(issuer, "https://evil.example/keys"),
		testbed.MetadataDocument(issuer, "http://contoso.ciamlogin.com/keys"), testbed.MetadataDocument(testbed.PublicOwner, keys),
		testbed.MetadataDocument(issuer, "https://contoso.ciamlogin.com@evil.example/"), testbed.MetadataDocument(issuer, "https://contoso.ciamlogin.com:443/keys"),
		testbed.MetadataDocument(issuer, `https://contoso.ciamlogin.com\@evil.example/`), testbed.MetadataDocument(issuer, "//contoso.ciamlogin.com/keys"), testbed.MetadataDocument("x", "y"),
		`{"issuer":"` + issuer + `","issuer":"https://evil.example","jwks_uri":"` + keys + `"}`, `{}`, ``, `null`, "\ufeff{}", `{"issuer":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		client := testbed.Client(func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, "contoso.ciamlogin.com") || r.URL.User != nil {
				t.Errorf("got a request for %s, want none beyond the authority", r.URL)
			}
			if r.URL.String() == at.MetadataURL {
				return testbed.Response(r, http.StatusOK, text), nil
			}
			return testbed.Response(r, http.StatusOK, `{"keys":[`+key("a", first)+`]}`), nil
		})
		set := keyset.New(keyset.Config{
			Client: fetch.New(client), Log: slog.New(slog.DiscardHandler), Sources: []keyset.Source{keyset.Source{MetadataURL: at.MetadataURL, Check: p.CheckMetadata}},
		})
		err := set.Ready(t.Context())
		if (err == nil) != (set.Issuer() != "") {
			t.Errorf("got %v and the issuer %q, want one of them", err, set.Issuer())
		}
		if err != nil {
			return
		}
		members, plainErr := plainjson.Object(text)
		named, _ := plainjson.Text(members, "issuer")
		u, parseErr := url.Parse(named)
		if plainErr != nil || parseErr != nil || set.Issuer() != named || u.Scheme != "https" || u.Host == "" || strings.Contains(named, "{") {
			t.Errorf("got the issuer %q of metadata that names %q, of which encoding/json says %v", set.Issuer(), named, plainErr)
		}
	})
}
