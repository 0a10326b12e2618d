package login

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
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
func (s *Service) authorizationCode(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
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
	case r.PostForm.Get("redirect_uri") != code.redirectURI && !(code.redirectImplied && r.PostForm.Get("redirect_uri") == ""):
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
func (s *Service) checkPlatform(r *http.Request, client directory.App, code authorizationCode, proof string) *oauthError {
	origin := r.Header.Get("Origin") != ""
	switch {
	case code.platform == spaPlatform && s.config.Strict && !origin:
		return refusal(http.StatusBadRequest, "invalid_request", 9002327,
			"Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.")
	case code.platform != spaPlatform && s.config.Strict && origin:
		return errCrossOrigin(r)
	case proof == "0" && code.needsSecret(client):
		return errNoSecret()
	}
	return nil
}

// refreshGrant is the grant of RFC 6749 section 6. The token stays valid beside
// the new one, as Entra's does, and may be used for another resource.
func (s *Service) refreshGrant(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
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
	case token.forItself(client) && endpointVersion(r) == 2 && r.PostForm.Get("scope") == "":
		return nil, refusal(http.StatusBadRequest, "invalid_request", 90009,
			"Application '%s'(%s) is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based App Identifier.",
			client.ClientID, client.Name)
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

// forItself reports whether an application asked for its own API by a URI. Entra refreshes such a token only for a request that
// names the scope again, which clients like MSAL do and many others do not.
func (c consent) forItself(client directory.App) bool {
	resource := strings.TrimSuffix(c.scopes.resource, "/")
	return !strings.EqualFold(resource, client.ClientID) && slices.Contains(client.Identifiers(), resource)
}

// onBehalfOf exchanges the user's token for one to another API (RFC 7523 with
// Microsoft's requested_token_use); see
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow.
func (s *Service) onBehalfOf(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
	client, proof, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if proof == "0" {
		return nil, errNoSecret()
	}
	form := r.PostForm
	for _, name := range []string{"assertion", "requested_token_use", "scope"} {
		if value := form.Get(name); value == "" || name == "requested_token_use" && value != "on_behalf_of" {
			return nil, errMissing(name)
		}
	}
	user, claims, refused := s.assertedUser(client, form.Get("assertion"))
	if refused != nil {
		return nil, refused
	}
	given := consent{
		client:  client.ClientID,
		tenant:  claims.TID,
		user:    user,
		claims:  claimsRequest{contexts: claims.ACRS},
		version: endpointVersion(r),
	}
	if refused := given.atTenant(tenant); refused != nil {
		return nil, refused
	}
	if given, refused = s.narrowed(r, given); refused != nil {
		return nil, refused
	}
	return s.userResponse(r, given, proof, "")
}

// assertedUser checks the incoming token as Entra does: signed here, still valid,
// issued to this client as audience, and for a user.
func (s *Service) assertedUser(client directory.App, assertion string) (directory.User, ownClaims, *oauthError) {
	claims, err := s.verifyOwn(assertion)
	if err != nil {
		return directory.User{}, claims, errGrant(50013, "Assertion failed signature validation. [Reason - %v]", err)
	}
	audience := strings.TrimSuffix(claims.Aud, "/")
	switch now := float64(s.config.Clock().Unix()); {
	case now >= claims.Exp || now < claims.Nbf:
		return directory.User{}, claims, errGrant(500133, "Assertion is not within its valid time range. Ensure that the access token is not "+
			"expired before using it for user assertion, or request a new token.")
	case !slices.Contains(client.Identifiers(), audience):
		return directory.User{}, claims, errGrant(500131, "Assertion audience does not match the Client app presenting the assertion. The audience "+
			"in the assertion was '%s' and the expected audience is '%s'.", claims.Aud, client.ClientID)
	case claims.Scp == "" || claims.IDTyp == "app":
		return directory.User{}, claims, errGrant(50013, "Assertion is not a user's access token: it has no scope.")
	}
	user, ok := s.tenant.UserByObjectID(claims.OID, claims.TID)
	if !ok {
		return directory.User{}, claims, errGrant(50013, "Assertion names a user whom the tenant does not have: oid '%s'.", claims.OID)
	}
	return user, claims, nil
}
