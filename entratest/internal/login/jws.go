package login

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ownClaims are the claims of its own tokens that the Server reads again.
type ownClaims struct {
	Aud   string   `json:"aud"`
	TID   string   `json:"tid"`
	OID   string   `json:"oid"`
	AppID string   `json:"appid"`
	Scp   string   `json:"scp"`
	IDTyp string   `json:"idtyp"`
	ACRS  []string `json:"acrs"`
	Nbf   float64  `json:"nbf"`
	Exp   float64  `json:"exp"`
}

// verifyOwn checks that one of the Server's keys signed the token. It serves the
// fake alone: it does not judge a token as an API must.
func (s *Service) verifyOwn(token string) (claims ownClaims, err error) {
	header, err := decodeJWS(token, &claims)
	if err != nil {
		return claims, err
	}
	key := s.issuer.PublicKey(header.Kid)
	if key == nil {
		return claims, fmt.Errorf("the key %q was not found", header.Kid)
	}
	parts := strings.Split(token, ".")
	if header.Nonce != "" { // Entra signs over the nonce's digest; see Graph.
		text, _ := base64.RawURLEncoding.DecodeString(parts[0]) // decodeJWS has decoded it.
		digest := sha256.Sum256([]byte(header.Nonce))
		parts[0] = base64url([]byte(strings.Replace(string(text), header.Nonce, base64url(digest[:]), 1)))
	}
	return claims, verifyJWS(key, header.Alg, parts)
}

type jwsHeader struct {
	Alg     string `json:"alg"`
	Kid     string `json:"kid"`
	Nonce   string `json:"nonce"`
	X5T     string `json:"x5t"`
	X5TS256 string `json:"x5t#S256"`
}

// decodeJWS reads header and payload of a compact JWS without verifying it.
func decodeJWS(token string, claims any) (header jwsHeader, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return header, errors.New("the token is not a JWS of three segments")
	}
	for i, target := range []any{&header, claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return header, fmt.Errorf("segment %d of the token is not base64url", i+1)
		}
		if err := json.Unmarshal(text, target); err != nil {
			return header, fmt.Errorf("segment %d of the token: %w", i+1, err)
		}
	}
	return header, nil
}

// verifyJWS checks an RS256 or PS256 signature (RFC 7518 sections 3.3 and 3.5).
func verifyJWS(key *rsa.PublicKey, alg string, parts []string) error {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return errors.New("the signature is not base64url")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch alg {
	case "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
	case "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil)
	default:
		return fmt.Errorf("the algorithm %q is not supported", alg)
	}
	if err != nil {
		return errors.New("the signature does not match")
	}
	return nil
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
