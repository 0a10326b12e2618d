package login

import (
	"encoding/json"
	"net/http"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// accessToken describes the access token that a user's consent yields.
func (s *Service) accessToken(c consent, proof string) (Token, *oauthError) {
	t := Token{
		Kind:         Delegated,
		Tenant:       c.tenant,
		User:         c.user.ObjectID,
		Client:       c.client,
		Proof:        proof,
		AuthContexts: c.claims.contexts,
		Capabilities: c.claims.capabilities,
	}
	if refused := s.target(&t, c.scopes.resource); refused != nil {
		return t, refused
	}
	api, _ := s.tenant.API(c.scopes.resource)
	t.Scopes = append([]string{}, c.scopes.permissions(api, t.Graph)...)
	t.Roles = c.user.Roles[api.ClientID]
	if api.GroupClaims {
		t.Groups, t.Overage = c.user.Groups, len(c.user.Groups) > groupsListed
	}
	return t, nil
}

// How many groups a token lists; see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference.
const (
	groupsListed           = 200
	groupsListedInFragment = 5 // of a URI, whose length is limited
)

func (s *Service) idToken(c consent, nonce string, hashes map[string]string, inFragment bool) (string, *oauthError) {
	t := Token{
		Kind:    IDToken,
		Version: c.version,
		Tenant:  c.tenant,
		User:    c.user.ObjectID,
		Client:  c.client,
		Roles:   c.user.Roles[c.client],
		Email:   c.scopes.asks("email"),
		Unnamed: c.version == 2 && s.tenant.Authority.Kind != directory.B2C && !c.profile && !c.scopes.asks("profile"),
		Nonce:   nonce,
		Hashes:  hashes,

		AuthTime: c.authTime,
	}
	if client, _ := s.tenant.App(c.client); client.GroupClaims {
		if inFragment && len(c.user.Groups) > groupsListedInFragment {
			t.HasGroups = true
		} else {
			t.Groups, t.Overage = c.user.Groups, len(c.user.Groups) > groupsListed
		}
	}
	token, err := s.issuer.Issue(t)
	if err != nil {
		return "", errServer(err)
	}
	return token, nil
}

// userResponse is the token response of the grants that stand for a user.
func (s *Service) userResponse(r *http.Request, c consent, proof, nonce string) (jsonobject.Object, *oauthError) {
	if c.scopes.several {
		return nil, errSeveralResources()
	}
	t, refused := s.accessToken(c, proof)
	if refused != nil {
		return nil, refused
	}
	response, refused := s.tokenResponse(t)
	if refused != nil {
		return nil, refused
	}
	response.Set("scope", c.scopes.text(t.Scopes))
	if c.scopes.asks("offline_access") {
		lifetime := refreshLifetime
		if c.platform == spaPlatform {
			lifetime = refreshLifetimeSPA
			response.Set("refresh_token_expires_in", int64(lifetime.Seconds())-1)
		}
		response.Set("refresh_token", s.grants.refresh.put(refreshToken{c, s.config.Clock().Add(lifetime)}))
	}
	if c.scopes.asks("openid") {
		token, refused := s.idToken(c, nonce, nil, false)
		if refused != nil {
			return nil, refused
		}
		response.Set("id_token", token)
	}
	if r.PostForm.Get("client_info") == "1" {
		response.Set("client_info", clientInfo(c))
	}
	return response, nil
}

func errSeveralResources() *oauthError {
	return refusal(http.StatusBadRequest, "invalid_request", 28000,
		"Provided value for the input parameter scope is not valid because it contains more than one resource.")
}

// clientInfo is the member by which MSAL learns the user's home account.
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
func (s *Service) narrowed(r *http.Request, c consent) (consent, *oauthError) {
	claims, refused := parseClaims(r.PostForm.Get("claims"))
	if refused != nil {
		return c, refused
	}
	c.claims = c.claims.and(claims)
	if text := r.PostForm.Get("scope"); text != "" {
		offline := c.scopes.asks("offline_access")
		c.profile = c.profile || c.scopes.asks("profile")
		c.scopes = s.parseScopes(text)
		if offline && !c.scopes.asks("offline_access") {
			c.scopes.openID = append(c.scopes.openID, "offline_access")
		}
		if refused := s.checkScopes(c.scopes, c.tenant, c.client); refused != nil {
			return c, refused
		}
	}
	return c, s.checkResource(r, r.PostForm, c.scopes)
}
