package entratest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// grantTo signs the user in and sends the client what it asked for.
func (s *Server) grantTo(w http.ResponseWriter, r *http.Request, a *authorizeRequest, user Account) {
	session := s.startSession(w, r, user)
	c := consent{
		client:   a.client.ClientID,
		tenant:   user.TenantID,
		user:     user,
		scopes:   a.scopes,
		claims:   a.claims,
		platform: a.platform,
		pkce:     a.form.Get("code_challenge") != "",
		version:  endpointVersion(r),
	}
	values, refused := s.authorizationResponse(a, c)
	if refused != nil {
		s.answerError(w, r, a, refused)
		return
	}
	values.Set("session_state", session.id)
	s.deliver(w, r, a.redirectURI, a.mode, a.withState(values))
}

func (a *authorizeRequest) withState(values url.Values) url.Values {
	if a.form.Has("state") {
		values.Set("state", a.form.Get("state"))
	}
	return values
}

// authorizationResponse makes what the response type names: a code, an access
// token and an ID token with their hashes.
func (s *Server) authorizationResponse(a *authorizeRequest, c consent) (url.Values, *oauthError) {
	values, hashes := url.Values{}, map[string]string{}
	if slices.Contains(a.types, "code") {
		code := s.newCode(a, c)
		values.Set("code", code)
		hashes["c_hash"] = halfHash(code)
	}
	if slices.Contains(a.types, "token") {
		t, refused := s.accessSpec(c, c.scopes, "0")
		if refused != nil {
			return nil, refused
		}
		response, refused := s.tokenResponse(t)
		if refused != nil {
			return nil, refused
		}
		for _, m := range response {
			values.Set(m.name, fmt.Sprint(m.value))
		}
		hashes["at_hash"] = halfHash(response.text("access_token"))
	}
	if slices.Contains(a.types, "id_token") {
		token, refused := s.idToken(c, a.form.Get("nonce"), hashes)
		if refused != nil {
			return nil, refused
		}
		values.Set("id_token", token)
	}
	if a.form.Get("client_info") == "1" {
		values.Set("client_info", clientInfo(c))
	}
	return values, nil
}

func (s *Server) newCode(a *authorizeRequest, c consent) string {
	return s.grants.codes.put(authorizationCode{
		consent:         c,
		redirectURI:     a.redirectURI,
		nonce:           a.form.Get("nonce"),
		challenge:       a.form.Get("code_challenge"),
		challengeMethod: a.form.Get("code_challenge_method"),
		expires:         s.config.Clock().Add(codeLifetime),
	})
}

// halfHash is the c_hash or at_hash of a value (OpenID Connect Core section 3.3.2.11).
func halfHash(value string) string {
	digest := sha256.Sum256([]byte(value))
	return base64url(digest[:len(digest)/2])
}

// answerError sends the error to the client's redirect URI.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, a *authorizeRequest, e *oauthError) {
	values := url.Values{
		"error":             {e.code},
		"error_description": {s.describe(r, e, randomGUID())},
		"error_uri":         {s.errorURI(e)},
	}
	s.deliver(w, r, a.redirectURI, a.mode, a.withState(values))
}
