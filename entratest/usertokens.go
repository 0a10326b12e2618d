package entratest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// accessSpec describes the access token that a user's consent yields for scopes.
func (s *Server) accessSpec(c consent, scopes scopeSet, proof string) (*tokenSpec, *oauthError) {
	t := s.newSpec()
	t.tenant, t.user, t.client, t.clientAuth = c.tenant, c.user.ObjectID, c.client, proof
	t.authContexts, t.capabs = c.claims.contexts, c.claims.capabilities
	if refused := s.target(t, scopes.resource, c.tenant); refused != nil {
		return nil, refused
	}
	api, _ := s.config.api(scopes.resource)
	t.scopes = append([]string{}, scopes.permissions(api, t.graph)...)
	t.roles = c.user.Roles[api.ClientID]
	if api.GroupClaims {
		t.groups, t.overage = c.user.Groups, len(c.user.Groups) > 200
	}
	return t, nil
}

func (s *Server) idToken(c consent, nonce string, hashes map[string]string) (string, *oauthError) {
	t := s.newSpec()
	t.kind, t.version, t.tenant, t.user, t.client, t.nonce = idToken, c.version, c.tenant, c.user.ObjectID, c.client, nonce
	t.roles = c.user.Roles[c.client]
	for name, hash := range hashes {
		t.claims = append(t.claims, setMember(name, hash))
	}
	token, err := s.mint(t)
	if err != nil {
		return "", errServer(err)
	}
	return token, nil
}

// userResponse is the token response of the grants that stand for a user.
func (s *Server) userResponse(r *http.Request, c consent, proof, nonce string) (object, *oauthError) {
	if c.scopes.several {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 28000,
			"Provided value for the input parameter scope is not valid because it contains more than one resource.")
	}
	t, refused := s.accessSpec(c, c.scopes, proof)
	if refused != nil {
		return nil, refused
	}
	response, refused := s.tokenResponse(t)
	if refused != nil {
		return nil, refused
	}
	response.set("scope", c.scopes.text(t.scopes))
	if c.scopes.offline() {
		lifetime := refreshLifetime
		if c.platform == spaPlatform {
			lifetime = refreshLifetimeSPA
			response.set("refresh_token_expires_in", int64(lifetime.Seconds())-1)
		}
		response.set("refresh_token", s.grants.refresh.put(refreshToken{c, s.config.Clock().Add(lifetime)}))
	}
	if c.scopes.openid() {
		token, refused := s.idToken(c, nonce, nil)
		if refused != nil {
			return nil, refused
		}
		response.set("id_token", token)
	}
	if r.PostForm.Get("client_info") == "1" {
		response.set("client_info", clientInfo(c))
	}
	return response, nil
}

// clientInfo is how MSAL learns the user's home account.
func clientInfo(c consent) string {
	text, err := json.Marshal(map[string]string{"uid": c.user.ObjectID, "utid": c.tenant})
	if err != nil {
		panic("entratest: " + err.Error()) // Two strings always marshal.
	}
	return base64url(text)
}

// atTenant refuses a consent given in another tenant than the endpoint's.
func (c consent) atTenant(tenant string) *oauthError {
	if tenant == "" || tenant == c.tenant {
		return nil
	}
	return refusal(http.StatusBadRequest, "invalid_grant", 700005, "The grant was issued for another tenant.")
}

// narrowed returns the consent with the scopes and claims of a token request, as
// far as it has any.
func (s *Server) narrowed(r *http.Request, c consent) (consent, *oauthError) {
	claims, refused := parseClaims(r.PostForm.Get("claims"))
	if refused != nil {
		return c, refused
	}
	c.claims = c.claims.and(claims)
	text := r.PostForm.Get("scope")
	if text == "" {
		return c, nil
	}
	offline := c.scopes.offline()
	c.scopes = s.parseScopes(text)
	if offline && !slices.Contains(c.scopes.openID, "offline_access") {
		c.scopes.openID = append(c.scopes.openID, "offline_access")
	}
	return c, s.checkScopes(c.scopes, c.tenant)
}
