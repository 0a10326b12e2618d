package login

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// authenticate identifies the client, which must not prove itself from a page: its secret would be everybody's. The proof
// is the value of azpacr: "0" none, "1" a secret, "2" a certificate.
func (s *Service) authenticate(r *http.Request) (client directory.App, proof string, refused *oauthError) {
	client, proof, refused = s.identify(r)
	if refused == nil && proof != "0" && s.config.Strict && r.Header.Get("Origin") != "" {
		refused = errCrossOrigin(r)
	}
	return client, proof, refused
}

func errCrossOrigin(r *http.Request) *oauthError {
	return refusal(http.StatusBadRequest, "invalid_request", 9002326, "Cross-origin token redemption is permitted only for the "+
		"'Single-Page Application' client-type. Request origin: '%s'.", r.Header.Get("Origin"))
}

// identify reads how the client proves itself (RFC 6749 section 2.3): by Basic, by
// parameters of the body, or by a signed assertion.
func (s *Service) identify(r *http.Request) (client directory.App, proof string, refused *oauthError) {
	if r.PostForm.Has("client_assertion") {
		client, refused = s.authenticateByAssertion(r)
		return client, "2", refused
	}
	id, secrets := r.PostForm.Get("client_id"), []string{r.PostForm.Get("client_secret")}
	if user, password, ok := r.BasicAuth(); ok {
		id, secrets = formDecoded(user), s.basicSecrets(password)
	}
	if id == "" {
		return client, "", errMissing("client_id")
	}
	client, ok := s.tenant.App(id)
	if !ok {
		return client, "", errUnknownClient(id)
	}
	if secrets[0] == "" {
		return client, "0", nil
	}
	if !client.Confidential() && r.PostForm.Get("grant_type") != "client_credentials" {
		return client, "", refusal(http.StatusUnauthorized, "invalid_client", 700025,
			"Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
	}
	if !slices.ContainsFunc(secrets, func(secret string) bool { return hasSecret(client, secret) }) {
		return client, "", refusal(http.StatusUnauthorized, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret "+
				"value, not the client secret ID, for a secret added to app '%s'.", id)
	}
	return client, "1", nil
}

// basicSecrets returns what the password of Basic may stand for. RFC 6749 section
// 2.3.1 and Entra want it form-encoded; many clients send it as it is.
func (s *Service) basicSecrets(password string) []string {
	secrets := []string{formDecoded(password)}
	if !s.config.Strict {
		secrets = append(secrets, password)
	}
	return secrets
}

// formDecoded returns text without its form encoding, or as it is if it has none.
func formDecoded(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

func hasSecret(a directory.App, secret string) bool {
	for _, s := range a.Secrets {
		if subtle.ConstantTimeCompare([]byte(s), []byte(secret)) == 1 {
			return true
		}
	}
	return false
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

type assertionClaims struct {
	Iss string  `json:"iss"`
	Sub string  `json:"sub"`
	Aud string  `json:"aud"`
	Nbf float64 `json:"nbf"`
	Exp float64 `json:"exp"`
}

func errAssertion(number int, format string, args ...any) *oauthError {
	return refusal(http.StatusUnauthorized, "invalid_client", number, format, args...)
}

// authenticateByAssertion checks a client assertion (RFC 7523 section 3) that one
// of the application's certificates signed, with RS256 or PS256.
func (s *Service) authenticateByAssertion(r *http.Request) (directory.App, *oauthError) {
	assertion := r.PostForm.Get("client_assertion")
	if r.PostForm.Get("client_assertion_type") != assertionType {
		return directory.App{}, errMissing("client_assertion_type")
	}
	var claims assertionClaims
	header, err := decodeJWS(assertion, &claims)
	if err != nil {
		return directory.App{}, errAssertion(50027, "JWT token is invalid or malformed: %v.", err)
	}
	client, ok := s.tenant.App(claims.Sub)
	if !ok {
		return client, errUnknownClient(claims.Sub)
	}
	certificate := certificateOf(client, header)
	if certificate == nil {
		return client, errAssertion(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return client, errAssertion(700027, "The registered certificate has no RSA key.")
	}
	if err := verifyJWS(key, header.Alg, strings.Split(assertion, ".")); err != nil {
		return client, errAssertion(700027, "Client assertion failed signature validation: %v.", err)
	}
	return client, s.checkAssertion(r, claims)
}

func (s *Service) checkAssertion(r *http.Request, claims assertionClaims) *oauthError {
	now := float64(s.config.Clock().Unix())
	const skew = 300
	switch id := r.PostForm.Get("client_id"); {
	case claims.Iss != claims.Sub || id != "" && !strings.EqualFold(id, claims.Sub):
		return errAssertion(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case claims.Exp == 0 || now > claims.Exp+skew || now < claims.Nbf-skew:
		return errAssertion(700024, "Client assertion is not within its valid time range.")
	case !s.isOwnAudience(r, claims.Aud):
		return errAssertion(700023, "Client assertion audience claim does not match Realm issuer: '%s'.", claims.Aud)
	}
	return nil
}

// isOwnAudience accepts the token endpoint, at the URL by which the request came or
// at the canonical one, and the issuer.
func (s *Service) isOwnAudience(r *http.Request, audience string) bool {
	if _, tenant, _ := s.segment(r); tenant != "" && audience == s.issuer.Name(2, tenant) {
		return true
	}
	u, err := url.Parse(audience)
	if err != nil {
		return false
	}
	base := u.Scheme + "://" + u.Host
	if base != s.baseURL(r) && !(u.Scheme == "https" && s.tenant.Service(u.Host) == directory.Login) {
		return false
	}
	return strings.HasSuffix(u.Path, "/token") || strings.HasSuffix(u.Path, "/v2.0") || strings.HasSuffix(u.Path, "/")
}

// certificateOf returns the one that the header names by its thumbprint. Clients
// encode x5t#S256 as base64url or as padded standard base64, and those that know no
// x5t put the thumbprint into kid, also in hexadecimal as the portal shows it.
func certificateOf(a directory.App, header jwsHeader) *x509.Certificate {
	for _, c := range a.Certificates {
		long := sha256.Sum256(c.Raw)
		short := directory.Thumbprint(c.Raw)
		named := isEncodingOf(header.Kid, short) || strings.EqualFold(header.Kid, hex.EncodeToString(short))
		if isEncodingOf(header.X5T, short) || isEncodingOf(header.X5TS256, long[:]) || named {
			return c
		}
	}
	return nil
}

func isEncodingOf(text string, b []byte) bool {
	return text == base64.RawURLEncoding.EncodeToString(b) || text == base64.URLEncoding.EncodeToString(b) ||
		text == base64.StdEncoding.EncodeToString(b)
}
