package entratest

import (
	"crypto/subtle"
	"net/http"
	"net/url"
)

// authenticate identifies the client (RFC 6749 section 2.3): by Basic, whose
// parts are form-encoded, by parameters of the body, or by a signed assertion. The
// proof is the value of azpacr: "0" none, "1" a secret, "2" a certificate.
func (s *Server) authenticate(r *http.Request) (client AppRegistration, proof string, refused *oauthError) {
	if r.PostForm.Has("client_assertion") {
		client, refused = s.authenticateByAssertion(r)
		return client, "2", refused
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		var err1, err2 error
		id, err1 = url.QueryUnescape(user)
		secret, err2 = url.QueryUnescape(password)
		if err1 != nil || err2 != nil {
			return client, "", refusal(http.StatusUnauthorized, "invalid_client", 7000215,
				"The credentials in the Authorization header are not form-encoded.")
		}
	}
	if id == "" {
		return client, "", errMissing("client_id")
	}
	client, ok := s.config.app(id)
	if !ok {
		return client, "", errUnknownClient(id)
	}
	if secret == "" {
		return client, "0", nil
	}
	if !client.hasSecret(secret) {
		return client, "", refusal(http.StatusUnauthorized, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret "+
				"value, not the client secret ID, for a secret added to app '%s'.", id)
	}
	return client, "1", nil
}

func (a AppRegistration) hasSecret(secret string) bool {
	for _, s := range a.Secrets {
		if subtle.ConstantTimeCompare([]byte(s), []byte(secret)) == 1 {
			return true
		}
	}
	return false
}
