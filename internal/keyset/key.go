package keyset

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/entra-go/entra/internal/digest"
	"github.com/entra-go/entra/internal/keydoc"
	"github.com/golang-jwt/jwt/v5"
)

// Key is a signing key of a document. It does not change: a newer document with other content for its ID makes a new
// Key, so that a token that was verified with the old one can be told by the pointer.
type Key struct {
	ID     string // kid
	Issuer string // whose tokens it signs, perhaps with {tenantid} in it; "" if the document does not say
	Cloud  string // cloud_instance_name; "" if the document does not say
	public *rsa.PublicKey
}

// MaxSignature is how many bytes the signatures of the longest keys have. So few need nothing from the heap.
const MaxSignature = keydoc.MaxBits / 8

// Verify checks an RS256 signature over signed, the header and payload segments with the dot between them (RFC 7518
// section 3.3). The RS256 of golang-jwt makes the same two calls on a copy of signed, which costs a thirtieth of them.
func (k *Key) Verify(signed string, signature []byte) error {
	sum := digest.SHA256(signed)
	return rsa.VerifyPKCS1v15(k.public, crypto.SHA256, sum[:], signature)
}

func (k *Key) same(other *Key) bool {
	return k.Issuer == other.Issuer && k.Cloud == other.Cloud && k.public.Equal(other.public)
}

// newKey lets keyfunc turn one key of a document into verification. Each key has a keyfunc of its own: one that has
// all keys would refuse all of them for one that it does not like.
func newKey(doc keydoc.Key) (*Key, error) {
	jwk, err := jwkset.NewJWKFromMarshal(
		jwkset.JWKMarshal{KTY: jwkset.KtyRSA, ALG: jwkset.AlgRS256, KID: doc.ID, N: doc.N, E: doc.E},
		jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, err
	}
	storage := jwkset.NewMemoryStorage()
	if err := storage.KeyWrite(context.Background(), jwk); err != nil {
		return nil, err
	}
	lookup, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, err
	}
	found, err := lookup.Keyfunc(&jwt.Token{Header: map[string]any{"alg": "RS256", "kid": doc.ID}})
	if err != nil {
		return nil, err
	}
	public, ok := found.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("it is no RSA key")
	}
	return &Key{ID: doc.ID, Issuer: doc.Issuer, Cloud: doc.Cloud, public: public}, nil
}
