package entratest

import (
	"net/http"
	"slices"
	"strings"
)

// onBehalfOf exchanges the user's token for one to another API (RFC 7523 with
// Microsoft's requested_token_use); see
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow.
func (s *Server) onBehalfOf(r *http.Request, tenant string) (object, *oauthError) {
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
func (s *Server) assertedUser(client AppRegistration, assertion string) (Account, ownClaims, *oauthError) {
	claims, err := s.verifyOwn(assertion)
	if err != nil {
		return Account{}, claims, errGrant(50013, "Assertion failed signature validation. [Reason - %v]", err)
	}
	audience := strings.TrimSuffix(claims.Aud, "/")
	switch now := float64(s.config.Clock().Unix()); {
	case now >= claims.Exp || now < claims.Nbf:
		return Account{}, claims, errGrant(500133, "Assertion is not within its valid time range. Ensure that the access token is not "+
			"expired before using it for user assertion, or request a new token.")
	case !slices.Contains(client.identifiers(), audience):
		return Account{}, claims, errGrant(500131, "Assertion audience does not match the Client app presenting the assertion. The audience "+
			"in the assertion was '%s' and the expected audience is '%s'.", claims.Aud, client.ClientID)
	case claims.Scp == "" || claims.IDTyp == "app":
		return Account{}, claims, errGrant(50013, "Assertion is not a user's access token: it has no scope.")
	}
	user, ok := s.userByObjectID(claims.OID, claims.TID)
	if !ok {
		return Account{}, claims, errGrant(50013, "Assertion names a user whom the tenant does not have: oid '%s'.", claims.OID)
	}
	return user, claims, nil
}

// userByObjectID finds the user whose object in the tenant is id.
func (s *Server) userByObjectID(id, tenant string) (Account, bool) {
	i := slices.IndexFunc(s.config.Users, func(u Account) bool { return u.objectIDIn(tenant) == id })
	if i < 0 {
		return Account{}, false
	}
	return s.config.Users[i], true
}
