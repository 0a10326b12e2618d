package testbed

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Publisher is a transport that serves Documents by their URLs, answers 404 to any other, and keeps what it was asked.
type Publisher struct {
	mu        sync.Mutex
	Documents map[string]string
	asked     []string
}

// RoundTrip serves one request.
func (p *Publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.String())
	w := httptest.NewRecorder()
	text, ok := p.Documents[r.URL.String()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, text)
	response := w.Result()
	response.Request = r
	return response, nil
}

// Requests returns the URLs that were asked for so far.
func (p *Publisher) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// Publish makes text the document at url.
func (p *Publisher) Publish(url, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Documents[url] = text
}

// KeyDocument returns the text of a document that lists keys.
func KeyDocument(keys ...*entratest.Key) string {
	set := struct {
		Keys []map[string]any `json:"keys"`
	}{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.JWK())
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// MetadataDocument returns the text of the metadata of an authority, as far as it is read.
func MetadataDocument(issuer, keysURL string) string {
	text, err := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": keysURL})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// KeyDocuments returns one document by its URL: the one that lists keys.
func KeyDocuments(url string, keys ...*entratest.Key) map[string]string {
	return map[string]string{url: KeyDocument(keys...)}
}

// AuthorityDocuments returns the documents of an authority by their URLs: its metadata, and the keys that it points to.
func AuthorityDocuments(authority, issuer string, k *entratest.Key) map[string]string {
	keysURL := strings.TrimSuffix(authority, "/v2.0") + "/discovery/v2.0/keys"
	return map[string]string{
		authority + MetadataPath: MetadataDocument(issuer, keysURL),
		keysURL:                  KeyDocument(k),
	}
}

// Modulus returns an odd number of that many bits as base64url. It is the modulus of no key, but looks like one.
func Modulus(bits uint) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return base64.RawURLEncoding.EncodeToString(n.Add(n, big.NewInt(65)).Bytes())
}

// NewVerifierAt returns a Verifier with options for the sample API, which fetches its documents from p.
func NewVerifierAt(t *testing.T, p *Publisher, options entra.Options) *entra.Verifier {
	t.Helper()
	options.ClientID = entratest.APIClientID
	options.HTTPClient = &http.Client{Transport: p}
	options.Logger = Discard()
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}
