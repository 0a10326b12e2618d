package testbed

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
)

// UserClaims returns the claims of a good user token of this issuer, tenant and version.
func UserClaims(issuer, tenant, version string) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"aud": entratest.APIClientID, "iss": issuer, "tid": tenant, "ver": version,
		"iat": now, "nbf": now, "exp": now + 3600,
		"oid": entratest.AliceObjectID, "sub": "pairwise", "scp": entratest.ScopeRead,
		"azp": entratest.SPAClientID, "appid": entratest.SPAClientID,
	}
}

// SignClaims returns a token that k signs. A nil claim is left out.
func SignClaims(k *entratest.Key, claims map[string]any) string {
	claims = maps.Clone(claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return k.Sign([]byte(`{"typ":"JWT","alg":"RS256","kid":"`+k.ID()+`"}`), payload)
}

// JunkToken returns a token that names this key ID and that nobody signed.
func JunkToken(kid string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"`+kid+`"}`)) + ".e30.AAAA"
}

// Segment returns what a segment of token encodes: 0 is the header, 1 the payload, 2 the signature.
func Segment(token string, i int) []byte {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		panic(err)
	}
	return text
}

// KeyIDOf returns the kid in the header of token.
func KeyIDOf(token string) string {
	var header struct{ Kid string }
	if err := json.Unmarshal(Segment(token, 0), &header); err != nil {
		panic(err)
	}
	return header.Kid
}
