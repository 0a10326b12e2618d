package entratest_test

import (
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	loginHost   = "https://login.microsoftonline.com/"
	keysPath    = "/discovery/v2.0/keys"
	keysV1Path  = "/discovery/keys"
	configPath  = "/v2.0/.well-known/openid-configuration"
	configPath1 = "/.well-known/openid-configuration"
	tokenPath   = "/oauth2/v2.0/token"
)

// get fetches and returns status and body.
func get(t *testing.T, client *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return response, readAll(t, response)
}

func readAll(t *testing.T, response *http.Response) []byte {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the body of %s: %v", response.Request.URL, err)
	}
	return body
}

// getJSON fetches a document that must be there.
func getJSON(t *testing.T, client *http.Client, url string) map[string]any {
	t.Helper()
	response, body := get(t, client, url)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: got status %d, want 200: %s", url, response.StatusCode, body)
	}
	return decode(t, body)
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("not a JSON object: %v: %s", err, text)
	}
	return object
}

// keyList returns the members of each key in a document.
func keyList(t *testing.T, client *http.Client, url string) []map[string]any {
	t.Helper()
	var keys []map[string]any
	for _, k := range getJSON(t, client, url)["keys"].([]any) {
		keys = append(keys, k.(map[string]any))
	}
	return keys
}

func kids(t *testing.T, client *http.Client, url string) []string {
	t.Helper()
	var ids []string
	for _, k := range keyList(t, client, url) {
		ids = append(ids, k["kid"].(string))
	}
	return ids
}

// split returns header and claims of a compact JWS.
func split(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("got %d segments, want 3: %s", len(parts), token)
	}
	return decode(t, unbase64(t, parts[0])), decode(t, unbase64(t, parts[1]))
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		t.Fatalf("not base64url: %v: %s", err, s)
	}
	return b
}

// verifies reports whether the key verifies the token's RS256 signature.
func verifies(t *testing.T, key *rsa.PublicKey, token string) bool {
	t.Helper()
	i := strings.LastIndexByte(token, '.')
	digest := sha256.Sum256([]byte(token[:i]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], unbase64(t, token[i+1:])) == nil
}

// publicKey reads a JWK as a verifier would.
func publicKey(t *testing.T, jwk map[string]any) *rsa.PublicKey {
	t.Helper()
	return &rsa.PublicKey{
		N: new(big.Int).SetBytes(unbase64(t, jwk["n"].(string))),
		E: int(new(big.Int).SetBytes(unbase64(t, jwk["e"].(string))).Int64()),
	}
}

// published returns the key of the document that the token's header names.
func published(t *testing.T, client *http.Client, url, token string) map[string]any {
	t.Helper()
	header, _ := split(t, token)
	keys := keyList(t, client, url)
	i := slices.IndexFunc(keys, func(k map[string]any) bool { return k["kid"] == header["kid"] })
	if i < 0 {
		t.Fatalf("%s lists no key %v", url, header["kid"])
	}
	return keys[i]
}

func names(object map[string]any) []string {
	var list []string
	for name := range object {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// plainClient is a client for listeners whose connections end with the test.
func plainClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// thumbprint is the SHA-1 digest that names a certificate, under GODEBUG=fips140=only too.
func thumbprint(der []byte) string {
	var digest [sha1.Size]byte
	fips140.WithoutEnforcement(func() { digest = sha1.Sum(der) })
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
