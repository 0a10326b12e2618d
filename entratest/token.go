package entratest

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
	"github.com/entra-go/entra/entratest/internal/login"
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
		Token:    login.Token{Version: 2, Tenant: s.tenant.ID},
		lifetime: login.TokenLifetime,
		issued:   func(now time.Time) time.Time { return now },
	}
}

func (s *Server) mint(t *tokenSpec) (string, error) {
	switch kind := s.tenant.Authority.Kind; {
	case t.Version == 1 && kind != directory.EntraID:
		return "", errors.New("entratest: External ID and B2C issue no version 1.0 tokens")
	case t.noSubject && kind != directory.B2C:
		return "", errors.New("entratest: SubjectNotSupported is a setting of B2C; set Config.Authority to a B2C policy")
	}
	s.complete(t)
	claims, err := s.claims(t)
	if err != nil {
		return "", err
	}
	header := jsonobject.Object{{"typ", "JWT"}}
	if t.Graph {
		header.Set("nonce", base64url(directory.RandomBytes(32)))
	}
	header.Set("alg", "RS256")
	if t.Version == 1 {
		header.Set("x5t", t.key.ID())
	}
	header.Set("kid", t.key.ID())
	return t.sign(apply(header, t.header), apply(claims, t.claims))
}

func apply(o jsonobject.Object, edits []edit) jsonobject.Object {
	for _, e := range edits {
		o = e(o)
	}
	return o
}

// complete fills in what no option said.
func (s *Server) complete(t *tokenSpec) {
	if t.Graph {
		t.Version = 1
		t.Audience = cmp.Or(t.Audience, GraphClientID)
	}
	api := cmp.Or(s.tenant.DefaultAPI(), APIClientID)
	if t.Scopes == nil {
		t.Scopes = s.defaultScopes(t.Graph, api)
	}
	if t.Kind == login.IDToken {
		t.Audience = cmp.Or(t.Audience, t.Client, api)
	}
	t.Client = cmp.Or(t.Client, s.tenant.DefaultClient(), ClientID)
	if t.Audience == "" && t.Version == 1 && !t.notification {
		app, ok := s.tenant.App(api)
		if !ok {
			app.ClientID = api
		}
		t.Audience = app.Identifiers()[0]
	}
	t.Audience = cmp.Or(t.Audience, api)
	if t.key == nil {
		t.key = s.signingKey(t)
	}
}

func (s *Server) defaultScopes(graph bool, api string) []string {
	if graph {
		return []string{"email", "openid", "profile", "User.Read"}
	}
	if app, _ := s.tenant.App(api); len(app.Scopes) > 0 {
		return app.Scopes[:1]
	}
	return []string{ScopeRead}
}

// signingKey is the one with which Entra would sign.
func (s *Server) signingKey(t *tokenSpec) *Key {
	if t.Tenant == PersonalTenantID {
		return s.PersonalKey()
	}
	if app, ok := s.tenant.API(t.Audience); ok && app.OwnKey {
		return s.AppKey(app.ClientID)
	}
	return s.Key()
}

func (t *tokenSpec) sign(header, claims jsonobject.Object) (string, error) {
	headerText, payload := t.rawHeader, t.rawPayload
	var err error
	if headerText == nil {
		if headerText, err = jsonobject.Encode(header); err != nil {
			return "", fmt.Errorf("entratest: a header parameter cannot be JSON: %w", err)
		}
	}
	if payload == nil {
		if payload, err = jsonobject.Encode(claims); err != nil {
			return "", fmt.Errorf("entratest: a claim cannot be JSON: %w", err)
		}
	}
	token := t.key.Sign(headerText, payload)
	if nonce := header.Text("nonce"); t.Graph && t.rawHeader == nil && nonce != "" {
		return t.signForGraph(header, nonce, headerText, payload)
	}
	return token, nil
}

// signForGraph signs a header that holds the nonce's digest, and returns a token
// whose header holds the nonce itself.
func (t *tokenSpec) signForGraph(header jsonobject.Object, nonce string, headerText, payload []byte) (string, error) {
	signed, err := jsonobject.Encode(withHashedNonce(header, nonce))
	if err != nil {
		return "", err
	}
	parts := strings.Split(t.key.Sign(signed, payload), ".")
	return base64url(headerText) + "." + parts[1] + "." + parts[2], nil
}

func withHashedNonce(header jsonobject.Object, nonce string) jsonobject.Object {
	digest := sha256.Sum256([]byte(nonce))
	hashed := append(jsonobject.Object{}, header...)
	hashed.Set("nonce", base64url(digest[:]))
	return hashed
}
