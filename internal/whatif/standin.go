package whatif

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// standIn answers like the fetched documents, except that the key kid is one of its own. What was not fetched it makes up
// if it may.
type standIn struct {
	fetched map[string][]byte // by URL
	private *rsa.PrivateKey
	kid     string
	issuer  string // of metadata that it makes up
	invent  bool   // documents, and a key that they do not name

	stranger bool // kid is to be unknown

	inventedIssuer atomic.Bool // in metadata
}

// newPrivateKey makes the key of the stand-ins, which no other process ever has.
var newPrivateKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newStandIn(fetched map[string][]byte, invent bool) (*standIn, error) {
	private, err := newPrivateKey()
	return &standIn{fetched: fetched, private: private, invent: invent}, err
}

func (s *standIn) sign(text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, s.private, crypto.SHA256, sum[:])
	return base64.RawURLEncoding.EncodeToString(signature), err
}

var errNotFetched = errors.New("this document was not fetched")

func (s *standIn) RoundTrip(r *http.Request) (*http.Response, error) {
	document, ok := s.fetched[r.URL.String()]
	if !ok && !s.invent {
		return nil, errNotFetched
	}
	if strings.HasSuffix(r.URL.Path, metadataPath) {
		if !ok {
			document = s.metadata(r.URL)
		}
		return documentResponse(r, document), nil
	}
	document, err := s.keys(document)
	return documentResponse(r, document), err
}

const metadataPath = "/.well-known/openid-configuration"

// metadata makes up an authority's metadata. Its issuer is the token's own, since the real one is not known.
func (s *standIn) metadata(at *url.URL) []byte {
	s.inventedIssuer.Store(true)
	issuer := s.issuer
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(issuer, "{") {
		issuer = strings.TrimSuffix(at.String(), metadataPath)
	}
	document, _ := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": "https://" + at.Host + "/keys" + query(at)}) // strings always marshal
	return document
}

func query(u *url.URL) string {
	if u.RawQuery == "" {
		return ""
	}
	return "?" + u.RawQuery
}

// keys returns the key document with the stand-in's key as kid.
func (s *standIn) keys(document []byte) ([]byte, error) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if document != nil {
		if err := json.Unmarshal(document, &set); err != nil {
			return nil, err
		}
	}
	own := map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.kid, "e": "AQAB",
		"n": base64.RawURLEncoding.EncodeToString(s.private.N.Bytes()),
	}
	if s.stranger {
		own["kid"] = s.kid + "-is-not-here"
		return json.Marshal(map[string]any{"keys": []any{own}})
	}
	named := false
	for _, key := range set.Keys {
		if key["kid"] != s.kid {
			continue
		}
		named = true
		// Issuer and cloud stay: whose the key is decides, too.
		maps.Copy(key, own)
	}
	if !named && s.invent {
		set.Keys = append(set.Keys, own)
	}
	return json.Marshal(set)
}

// documentResponse answers a request with a document, in process.
func documentResponse(r *http.Request, document []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(document)),
		Body: io.NopCloser(bytes.NewReader(document)), Request: r,
	}
}
