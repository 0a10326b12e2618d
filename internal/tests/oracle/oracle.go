// Package oracle judges a second time what package entra accepted: by rules written down apart from the library's, with
// the standard library and plainjson, and none of the code that it judges. What the library accepts, the oracle must accept
// too, with the same claims.
//
// The rules are those of tenants in the worldwide cloud, without Options.Authority.
package oracle

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// Oracle holds what a Verifier is configured to accept, and the keys that Entra lists. It is safe for concurrent use.
type Oracle struct {
	Tenants     []string // nil: any work or school tenant
	Personal    bool     // personal Microsoft accounts
	ClientID    string   // the API's; also accepted as api:// and this
	IDTokens    bool     // Options.AllowIDTokens
	Unpermitted bool     // Options.AllowWithoutPermissions
	ClockSkew   time.Duration
	Keys        map[string]Key // by key ID
}

// Key is a key that Entra lists.
type Key struct {
	Public *rsa.PublicKey
	Issuer string // who signs with it; {tenantid} stands for any tenant
}

// Keys returns the keys of a fake tenant but those of other clouds, which verify nothing here. A key without an issuer
// signs for every tenant, as a Server publishes it.
func Keys(keys ...*entratest.Key) map[string]Key {
	all := make(map[string]Key, len(keys))
	for _, key := range keys {
		jwk := key.JWK()
		if cloud, ok := jwk["cloud_instance_name"]; ok && cloud != "microsoftonline.com" {
			continue
		}
		issuer, ok := jwk["issuer"].(string)
		if !ok {
			issuer = v2Issuer("{tenantid}")
		}
		all[key.ID()] = Key{key.PublicKey(), issuer}
	}
	return all
}

// Judge returns every reason why the library should not have accepted the token with these claims at any time from
// arrived to answered, or nil.
func (o *Oracle) Judge(token string, claims *entra.Claims, arrived, answered time.Time) error {
	key, payload, err := o.read(token)
	if err != nil {
		return err
	}
	members, err := plainjson.Object(payload)
	if err != nil {
		return fmt.Errorf("the payload: %w", err)
	}
	r := &reading{members: members}
	o.checkTimes(r, arrived, answered)
	o.checkIssuer(r, key)
	o.checkKind(r, claims.Kind)
	compareFields(r, claims)
	compareDecoding(r, payload, claims)
	return errors.Join(r.wrong...)
}

// maxTokenSize is the default of Options.MaxTokenSize.
const maxTokenSize = 16 << 10

// read checks the form of the token (RFC 7515), its header, and that the key which the header names signed it. It returns
// the key and the payload.
func (o *Oracle) read(token string) (key Key, payload string, err error) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 || len(token) > maxTokenSize {
		return key, "", fmt.Errorf("it has %d segments and %d bytes", len(segments), len(token))
	}
	var plain [3][]byte
	for i, segment := range segments {
		plain[i], err = base64.RawURLEncoding.DecodeString(segment)
		if err != nil || base64.RawURLEncoding.EncodeToString(plain[i]) != segment {
			return key, "", fmt.Errorf("the segment %q is not canonical base64url: %v", segment, err)
		}
	}
	members, err := plainjson.Object(string(plain[0]))
	if err != nil {
		return key, "", fmt.Errorf("the header: %w", err)
	}
	r := &reading{members: members}
	checkHeader(r)
	key, known := o.Keys[r.text("kid")]
	if !known {
		r.object("no key has the ID %q", r.text("kid"))
		return key, "", errors.Join(r.wrong...)
	}
	digest := sha256.Sum256([]byte(segments[0] + "." + segments[1]))
	if err := rsa.VerifyPKCS1v15(key.Public, crypto.SHA256, digest[:], plain[2]); err != nil {
		r.object("crypto/rsa says of the signature: %v", err)
	}
	return key, string(plain[1]), errors.Join(r.wrong...)
}

// checkHeader objects to a header that asks for another algorithm or another reading of the token.
func checkHeader(r *reading) {
	if alg := r.text("alg"); alg != "RS256" {
		r.object("alg is %q", alg)
	}
	if typ := strings.ToLower(r.text("typ")); r.has("typ") && typ != "jwt" && typ != "at+jwt" {
		r.object("typ is %q", typ)
	}
	for _, name := range []string{"crit", "b64", "zip", "cty", "nonce", "enc"} {
		if r.has(name) {
			r.object("%s stands in the header", name)
		}
	}
}

func (o *Oracle) checkTimes(r *reading, arrived, answered time.Time) {
	seconds := func(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
	skew := o.ClockSkew.Seconds()
	exp, _ := r.date("exp")
	nbf, _ := r.date("nbf")
	iat, _ := r.date("iat")
	if !r.has("exp") || exp+skew < seconds(arrived) {
		r.object("exp is %s at %v", r.members["exp"], arrived)
	}
	if nbf-skew > seconds(answered) || iat-skew > seconds(answered) || nbf > exp {
		r.object("nbf is %s and iat %s at %v", r.members["nbf"], r.members["iat"], answered)
	}
}
