package entratest

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Token mints an access token: without options a valid version 2.0 delegated one
// for the sample API, of the user alice, with the scope ScopeRead, signed by Key,
// good for an hour from now. Options describe another; see [TokenOption]. A
// mistake in an option fails the test, or panics in a program.
func (s *Server) Token(opts ...TokenOption) string {
	if s.tb != nil {
		s.tb.Helper()
	}
	t := s.newSpec()
	for _, option := range opts {
		option(t)
	}
	token, err := s.mint(t)
	if err != nil {
		s.fail(err)
	}
	return token
}

func (s *Server) newSpec() *tokenSpec {
	return &tokenSpec{
		version:  2,
		tenant:   s.config.TenantID,
		lifetime: time.Hour,
		issued:   func(now time.Time) time.Time { return now },
	}
}

func (s *Server) mint(t *tokenSpec) (string, error) {
	if t.version == 1 && s.authority.kind != entraID {
		return "", errors.New("entratest: External ID and B2C issue no version 1.0 tokens")
	}
	s.complete(t)
	claims, err := s.claims(t)
	if err != nil {
		return "", err
	}
	header := object{{"typ", "JWT"}}
	if t.graph {
		header.set("nonce", base64url(randomBytes(32)))
	}
	header.set("alg", "RS256")
	if t.version == 1 {
		header.set("x5t", t.key.ID())
	}
	header.set("kid", t.key.ID())
	return t.sign(apply(header, t.header), apply(claims, t.claims))
}

func apply(o object, edits []edit) object {
	for _, e := range edits {
		o = e(o)
	}
	return o
}

// complete fills in what no option said.
func (s *Server) complete(t *tokenSpec) {
	if t.graph {
		t.version = 1
		t.audience = cmp.Or(t.audience, GraphClientID)
	}
	api := s.config.defaultAPI()
	if t.scopes == nil {
		t.scopes = s.defaultScopes(t.graph, api)
	}
	if t.kind == idToken {
		t.audience = cmp.Or(t.audience, t.client, api)
	}
	t.client = cmp.Or(t.client, s.config.defaultClient())
	if t.audience == "" && t.version == 1 {
		app, ok := s.config.app(api)
		if !ok {
			app.ClientID = api
		}
		t.audience = app.identifiers()[0]
	}
	t.audience = cmp.Or(t.audience, api)
	if t.key == nil {
		t.key = s.signingKey(t)
	}
}

func (s *Server) defaultScopes(graph bool, api string) []string {
	if graph {
		return []string{"email", "openid", "profile", "User.Read"}
	}
	if app, _ := s.config.app(api); len(app.Scopes) > 0 {
		return app.Scopes[:1]
	}
	return []string{ScopeRead}
}

// signingKey is the one with which Entra would sign.
func (s *Server) signingKey(t *tokenSpec) *Key {
	if t.tenant == PersonalTenantID {
		return s.PersonalKey()
	}
	if app, ok := s.config.api(t.audience); ok && app.OwnKey {
		return s.AppKey(app.ClientID)
	}
	return s.Key()
}

func (t *tokenSpec) sign(header, claims object) (string, error) {
	headerText, payload := t.rawHeader, t.rawPayload
	var err error
	if headerText == nil {
		if headerText, err = encode(header); err != nil {
			return "", fmt.Errorf("entratest: a header parameter cannot be JSON: %w", err)
		}
	}
	if payload == nil {
		if payload, err = encode(claims); err != nil {
			return "", fmt.Errorf("entratest: a claim cannot be JSON: %w", err)
		}
	}
	token := t.key.Sign(headerText, payload)
	if nonce := header.text("nonce"); t.graph && t.rawHeader == nil && nonce != "" {
		return t.signForGraph(header, nonce, headerText, payload)
	}
	return token, nil
}

// signForGraph signs a header in which the nonce is replaced by its digest, and
// sends the nonce itself.
func (t *tokenSpec) signForGraph(header object, nonce string, headerText, payload []byte) (string, error) {
	signed, err := encode(withHashedNonce(header, nonce))
	if err != nil {
		return "", err
	}
	parts := splitToken(t.key.Sign(signed, payload))
	return base64url(headerText) + "." + parts[1] + "." + parts[2], nil
}

func withHashedNonce(header object, nonce string) object {
	digest := sha256.Sum256([]byte(nonce))
	hashed := append(object{}, header...)
	hashed.set("nonce", base64url(digest[:]))
	return hashed
}
