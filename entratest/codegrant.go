package entratest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

func errNoSecret() *oauthError {
	return refusal(http.StatusUnauthorized, "invalid_client", 7000218,
		"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

func errGrant(number int, format string, args ...any) *oauthError {
	return refusal(http.StatusBadRequest, "invalid_grant", number, format, args...)
}

// authorizationCode redeems a code (RFC 6749 section 4.1.3) with PKCE (RFC 7636).
// A code counts once.
func (s *Server) authorizationCode(r *http.Request, tenant string) (object, *oauthError) {
	client, proof, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if r.PostForm.Get("code") == "" {
		return nil, errMissing("code")
	}
	code, known := s.grants.codes.swap(r.PostForm.Get("code"), func(c authorizationCode) authorizationCode {
		c.redeemed = c.redeemed || c.client == client.ClientID
		return c
	})
	switch {
	case !known || code.client != client.ClientID:
		return nil, errGrant(70000, "The provided value for the 'code' parameter is not valid.")
	case code.redeemed:
		return nil, errGrant(54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case s.config.Clock().After(code.expires):
		return nil, errGrant(70008, "The provided authorization code is expired. Send a new interactive authorization request for this user and resource.")
	case r.PostForm.Get("redirect_uri") != code.redirectURI:
		return nil, errGrant(500112, "The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.",
			r.PostForm.Get("redirect_uri"), code.redirectURI)
	}
	if refused := code.checkVerifier(r.PostForm.Get("code_verifier")); refused != nil {
		return nil, refused
	}
	if refused := s.checkPlatform(r, client, code, proof); refused != nil {
		return nil, refused
	}
	if refused := code.atTenant(tenant); refused != nil {
		return nil, refused
	}
	granted, refused := s.narrowed(r, code.consent)
	if refused != nil {
		return nil, refused
	}
	return s.userResponse(r, granted, proof, code.nonce)
}

func (c authorizationCode) checkVerifier(verifier string) *oauthError {
	computed := verifier
	if c.challengeMethod == "S256" {
		digest := sha256.Sum256([]byte(verifier))
		computed = base64url(digest[:])
	}
	if c.challenge == "" && verifier == "" || c.challenge != "" && subtle.ConstantTimeCompare([]byte(computed), []byte(c.challenge)) == 1 {
		return nil
	}
	return errGrant(501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
}

// checkPlatform asks for the proof that the redirect URI's platform demands: a
// page proves itself by PKCE and its origin, a web application by its secret.
func (s *Server) checkPlatform(r *http.Request, client AppRegistration, code authorizationCode, proof string) *oauthError {
	origin := r.Header.Get("Origin") != ""
	switch {
	case code.platform == spaPlatform && s.config.Strict && !origin:
		return refusal(http.StatusBadRequest, "invalid_request", 9002327,
			"Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.")
	case code.platform != spaPlatform && s.config.Strict && origin:
		return refusal(http.StatusBadRequest, "invalid_request", 9002326,
			"Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.")
	case proof == "0" && code.needsSecret(client):
		return errNoSecret()
	}
	return nil
}

// refreshGrant is the grant of RFC 6749 section 6. The token stays valid beside
// the new one, as Entra's does, and may be used for another resource.
func (s *Server) refreshGrant(r *http.Request, tenant string) (object, *oauthError) {
	client, proof, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if r.PostForm.Get("refresh_token") == "" {
		return nil, errMissing("refresh_token")
	}
	token, known := s.grants.refresh.get(r.PostForm.Get("refresh_token"))
	switch {
	case !known || token.client != client.ClientID:
		return nil, errGrant(70000, "The provided value for the 'refresh_token' parameter is not valid.")
	case s.config.Clock().After(token.expires) && token.platform == spaPlatform:
		return nil, errGrant(700084, "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime, which cannot be extended.")
	case s.config.Clock().After(token.expires):
		return nil, errGrant(700082, "The refresh token has expired due to inactivity.")
	case proof == "0" && token.needsSecret(client):
		return nil, errNoSecret()
	}
	if refused := token.atTenant(tenant); refused != nil {
		return nil, refused
	}
	granted, refused := s.narrowed(r, token.consent)
	if refused != nil {
		return nil, refused
	}
	return s.userResponse(r, granted, proof, "")
}
