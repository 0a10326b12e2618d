package entratest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// Key is a signing key as Entra publishes it: RSA with 2048 bits, exponent 65537,
// and a self-signed certificate whose SHA-1 thumbprint is the key ID. A Key never
// changes; With makes changed copies. It is safe for concurrent use.
type Key struct {
	private *rsa.PrivateKey
	jwk     jsonobject.Object
	removed []string // members that With took away, which publishing must not fill in
}

// keyPool makes each key once per process, because one costs about 70 ms. It has
// a mutex and no channel, so that Servers inside and outside of synctest bubbles
// can share it.
type keyPool struct {
	mu   sync.Mutex
	keys []*rsa.PrivateKey
}

var signingKeys keyPool

func (p *keyPool) key(i int) *rsa.PrivateKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.keys) <= i {
		p.keys = append(p.keys, generateKey())
	}
	return p.keys[i]
}

func generateKey() *rsa.PrivateKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("entratest: cannot generate an RSA key: " + err.Error())
	}
	return private
}

// NewKey makes a key that no Server knows. It takes about a tenth of a second.
func NewKey() *Key {
	return newKey(generateKey(), "accounts.accesscontrol.windows.net")
}

func newKey(private *rsa.PrivateKey, commonName string) *Key {
	der := selfSigned(private, commonName)
	id := base64url(directory.Thumbprint(der))
	return &Key{
		private: private,
		jwk: jsonobject.Object{
			{"kty", "RSA"},
			{"use", "sig"},
			{"kid", id},
			{"x5t", id},
			{"n", base64url(private.N.Bytes())},
			{"e", base64url(big.NewInt(int64(private.E)).Bytes())},
			{"x5c", []string{base64.StdEncoding.EncodeToString(der)}},
		},
	}
}

// selfSigned returns the same certificate for the same key and name, valid for
// exactly five years as Entra's are.
func selfSigned(private *rsa.PrivateKey, commonName string) []byte {
	digest := sha256.Sum256(private.N.Bytes())
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(digest[:8]),
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    start,
		NotAfter:     start.AddDate(5, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		panic("entratest: cannot make a certificate: " + err.Error())
	}
	return der
}

// ID returns the key ID. It is "" if With made it anything but a string.
func (k *Key) ID() string { return k.jwk.Text("kid") }

// JWK returns the members under which the version 2.0 key documents list the key.
// The map is the caller's own. "issuer" and "cloud_instance_name" are missing
// until a Server has published the key.
func (k *Key) JWK() map[string]any {
	members := make(map[string]any, len(k.jwk))
	for _, m := range k.jwk {
		members[m.Name] = m.Value
	}
	return members
}

// PublicKey returns the key that verifies what Sign signs, whatever With made of
// the members "n" and "e".
func (k *Key) PublicKey() *rsa.PublicKey { return &k.private.PublicKey }

// With returns a copy whose JWK has the member set to value, which must marshal
// to JSON; nil removes the member. A changed "kid" changes ID. Signatures stay
// those of k.
func (k *Key) With(member string, value any) *Key {
	copied := &Key{private: k.private, jwk: slices.Clone(k.jwk), removed: slices.Clone(k.removed)}
	if value == nil {
		copied.jwk = copied.jwk.Without(member)
		copied.removed = append(copied.removed, member)
		return copied
	}
	copied.jwk.Set(member, value)
	return copied
}

// withDefault is With for a member that was neither set nor removed before.
func (k *Key) withDefault(member, value string) *Key {
	if k.jwk.Index(member) >= 0 || slices.Contains(k.removed, member) {
		return k
	}
	return k.With(member, value)
}

// Sign returns the compact JWS (RFC 7515) of exactly these bytes. The header's
// "alg" decides how: RS256, RS384, RS512, PS256, PS384 and PS512 sign with the
// key, "none" leaves the signature empty, HS256 uses the PEM text of the public
// key as secret (the classic algorithm confusion), and anything else, or a header
// that is no JSON object, signs as RS256. The member's name and value are compared
// exactly, as RFC 7515 section 4 demands: "ALG" or "none " decides nothing. Of
// several members "alg" the last one counts.
func (k *Key) Sign(header, payload []byte) string {
	input := base64url(header) + "." + base64url(payload)
	return input + "." + base64url(k.signature(algorithm(header), input))
}

func algorithm(header []byte) string {
	// A map, because the fields of a struct match names in any case.
	var members map[string]any
	_ = json.Unmarshal(header, &members) // Broken headers are signed as RS256.
	alg, _ := members["alg"].(string)
	return alg
}

func (k *Key) signature(alg, input string) []byte {
	hash := crypto.SHA256
	switch alg {
	case "none":
		return nil
	case "HS256":
		mac := hmac.New(sha256.New, k.publicPEM())
		mac.Write([]byte(input))
		return mac.Sum(nil)
	case "RS384", "PS384":
		hash = crypto.SHA384
	case "RS512", "PS512":
		hash = crypto.SHA512
	}
	var options crypto.SignerOpts = hash
	if alg == "PS256" || alg == "PS384" || alg == "PS512" {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	digest := hash.New()
	digest.Write([]byte(input))
	signature, err := k.private.Sign(rand.Reader, digest.Sum(nil), options)
	if err != nil {
		panic("entratest: cannot sign: " + err.Error())
	}
	return signature
}

func (k *Key) publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.PublicKey())
	if err != nil {
		panic("entratest: cannot encode a public key: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
