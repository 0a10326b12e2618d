package entra_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestAuthenticatePassesValidTokensOn(t *testing.T) {
	tenant := entratest.New(t)
	var reached spy
	w := serve(newVerifier(t, tenant, nil).Authenticate(&reached), "Bearer "+tenant.Token())
	if w.Code != http.StatusOK || reached.calls != 1 {
		t.Fatalf("got status %d and %d calls, want 200 and 1: %s", w.Code, reached.calls, w.Body)
	}
	if reached.claims == nil || reached.claims.ObjectID != entratest.AliceObjectID {
		t.Errorf("got claims %+v, want those of alice", reached.claims)
	}
	if len(w.Header()) != 0 {
		t.Errorf("got headers %v, want none of the middleware's", w.Header())
	}
}

// conn is a ResponseWriter that can do more than the interface says.
type conn struct {
	httptest.ResponseRecorder
	hijacked bool
}

func (c *conn) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c.hijacked = true
	return nil, nil, nil
}

func TestWriterAndRequestReachTheHandlerUntouched(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	type key struct{}
	body := io.NopCloser(strings.NewReader("body"))
	for name, authenticate := range map[string]func(http.Handler) http.Handler{
		"Authenticate": verifier.Authenticate, "AuthenticateOptional": verifier.AuthenticateOptional,
	} {
		t.Run(name, func(t *testing.T) {
			w := new(conn)
			r := httptest.NewRequest(http.MethodPost, "/orders?x=1", nil)
			r.Header.Set("Authorization", "Bearer "+tenant.Token())
			r.Body = body
			r = r.WithContext(context.WithValue(r.Context(), key{}, "kept"))
			next := func(got http.ResponseWriter, passed *http.Request) {
				if got != w || passed.Body != body || passed.URL != r.URL || passed.Header.Get("Authorization") == "" {
					t.Errorf("got writer %T, body %v, URL %v and headers %v, want those of the request", got, passed.Body, passed.URL, passed.Header)
				}
				if passed.Context().Value(key{}) != "kept" {
					t.Error("got another context, want one made of the request's")
				}
				controller := http.NewResponseController(got)
				if err := controller.Flush(); err != nil {
					t.Errorf("Flush: got %v, want no error", err)
				}
				if _, _, err := controller.Hijack(); err != nil {
					t.Errorf("Hijack: got %v, want no error", err)
				}
			}
			authenticate(http.HandlerFunc(next)).ServeHTTP(w, r)
			if !w.Flushed || !w.hijacked {
				t.Errorf("got flushed %v and hijacked %v, want both", w.Flushed, w.hijacked)
			}
		})
	}
}

func TestNoMethodAndNoPathIsExempt(t *testing.T) {
	tenant := entratest.New(t)
	var reached spy
	handler := newVerifier(t, tenant, nil).Authenticate(&reached)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect, "PROPFIND"} {
		for _, path := range []string{"/", "/healthz", "/favicon.ico", "/.well-known/oauth-protected-resource", "/login"} {
			w := serveRequest(handler, nil, func(r *http.Request) {
				r.Method, r.URL.Path = method, path
				r.Header.Set("Access-Control-Request-Method", "GET")
				r.Header.Set("X-Forwarded-Uri", "/healthz")
			})
			if w.Code != http.StatusUnauthorized || reached.calls != 0 {
				t.Fatalf("%s %s: got status %d and %d calls, want 401 and none", method, path, w.Code, reached.calls)
			}
			if method == http.MethodHead && w.Body.Len() > 0 {
				t.Errorf("HEAD: got body %q, want none", w.Body)
			}
		}
	}
}

func TestAuthenticateOptional(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token()
	verifier := newVerifier(t, tenant, nil)
	for _, r := range []struct {
		rule, name string
		values     []string
		status     int
		claims     bool
	}{
		{"R84", "no header", nil, http.StatusOK, false},
		{"R1", "a valid token", []string{"Bearer " + token}, http.StatusOK, true},
		{"R1", "an empty header", []string{""}, http.StatusBadRequest, false},
		{"R84", "another scheme", []string{"Basic dXNlcjpwYXNzd29yZA=="}, http.StatusUnauthorized, false},
		{"R87", "two headers", []string{"Bearer " + token, "Bearer " + token}, http.StatusBadRequest, false},
		{"R85", "an expired token", []string{"Bearer " + tenant.Token(entratest.Expired())}, http.StatusUnauthorized, false},
		{"R85", "no token at all behind Bearer", []string{"Bearer x"}, http.StatusUnauthorized, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			var reached spy
			w := serve(verifier.AuthenticateOptional(&reached), r.values...)
			if w.Code != r.status || (reached.calls == 1) != (r.status == http.StatusOK) || (reached.claims != nil) != r.claims {
				t.Errorf("got status %d, %d calls and claims %v, want status %d and claims %v", w.Code, reached.calls, reached.claims, r.status, r.claims)
			}
		})
	}
}

func TestOuterClaimsDoNotReachBehindAuthenticateOptional(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	var reached spy
	handler := verifier.AuthenticateOptional(&reached)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(entra.ContextWithClaims(r.Context(), &entra.Claims{Kind: entra.UserToken}))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if reached.calls != 1 || reached.claims != nil {
		t.Errorf("got %d calls with claims %v, want 1 without: the request carries no token", reached.calls, reached.claims)
	}
}

func TestTheInnermostVerifierDecides(t *testing.T) {
	tenant := entratest.New(t)
	named := func(name string) func(*entra.Options) {
		return func(o *entra.Options) {
			o.Tenants = append(o.Tenants, entratest.OtherTenantID)
			o.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { _, _ = io.WriteString(w, name) }
		}
	}
	outer, inner := newVerifier(t, tenant, named("outer")), newVerifier(t, tenant, named("inner"))
	handler := outer.Authenticate(inner.Authenticate(entra.Require(entra.Scope("none"))(new(spy))))
	w := serve(handler, "Bearer "+tenant.Token())
	if w.Code != http.StatusForbidden || w.Body.String() != "inner" {
		t.Errorf("got status %d and %q, want 403 from the inner error handler", w.Code, w.Body)
	}
	if outer.Stats().Refused[entra.ReasonScope] != 0 || inner.Stats().Refused[entra.ReasonScope] != 1 {
		t.Errorf("got counts %v outside and %v inside, want one refusal inside", outer.Stats().Refused, inner.Stats().Refused)
	}
}

func TestTheZeroVerifierRefusesEverything(t *testing.T) {
	verifier := new(entra.Verifier)
	token := entratest.New(t).Token()
	for name, authenticate := range map[string]func(http.Handler) http.Handler{
		"Authenticate": verifier.Authenticate, "AuthenticateOptional": verifier.AuthenticateOptional,
	} {
		for _, values := range [][]string{nil, {""}, {"Bearer " + token}} {
			var reached spy
			w := serve(authenticate(&reached), values...)
			if w.Code != http.StatusInternalServerError || reached.calls != 0 || w.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%s: got status %d, %d calls and headers %v, want 500 without challenge", name, w.Code, reached.calls, w.Header())
			}
		}
	}
	if claims, err := verifier.Verify(t.Context(), token); claims != nil || entra.StatusCode(err) != http.StatusInternalServerError || !strings.Contains(err.Error(), "NewVerifier") {
		t.Errorf("Verify: got %v and error %v, want an error of status 500 that names NewVerifier", claims, err)
	}
	if err := verifier.Ready(t.Context()); err == nil {
		t.Error("Ready: got no error, want one")
	}
	if stats := verifier.Stats(); stats.Refused == nil || stats.Keys != 0 {
		t.Errorf("Stats: got %+v, want an empty snapshot", stats)
	}
	if w := serve(verifier.ResourceMetadata()); w.Code < 400 {
		t.Errorf("ResourceMetadata: got status %d, want an error", w.Code)
	}
	w := httptest.NewRecorder()
	verifier.Refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), entra.ErrForbidden)
	if w.Code != http.StatusForbidden || !strings.HasPrefix(verifier.Challenge(entra.ErrForbidden), `Bearer realm=""`) {
		t.Errorf("Refuse: got status %d and challenge %q, want 403 and one", w.Code, verifier.Challenge(entra.ErrForbidden))
	}
}

func TestConstructionPanics(t *testing.T) {
	verifier := newVerifier(t, entratest.New(t), nil)
	handler := new(spy)
	for name, construct := range map[string]func(){
		"Authenticate without handler":         func() { verifier.Authenticate(nil) },
		"AuthenticateOptional without handler": func() { verifier.AuthenticateOptional(nil) },
		"Require without handler":              func() { entra.Require(entra.Scope("x"))(nil) },
		"Require with a nil requirement":       func() { entra.Require(entra.Scope("x"), nil)(handler) },
		"AnyOf with a nil requirement":         func() { entra.AnyOf(nil, entra.Scope("x")) },
		"Scope without name":                   func() { entra.Scope("") },
		"Scope with its URI":                   func() { entra.Scope("api://orders/Orders.Read") },
		"Scope of two names":                   func() { entra.Scope("Orders.Read Orders.Write") },
		"Scope with a tab":                     func() { entra.Scope("Orders.Read\t") },
		"AppPermission without name":           func() { entra.AppPermission("") },
		"AppPermission with its URI":           func() { entra.AppPermission("https://orders/Orders.Read") },
		"AppPermission of two names":           func() { entra.AppPermission("a b") },
		"Role without name":                    func() { entra.Role("") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "entra: ") {
					t.Errorf("got panic %q, want one whose text begins with entra:", text)
				}
			}()
			construct()
		})
	}
}

// TestClaimsNeverComeWithAnError also shows that an error is no reason to look at the claims.
func TestClaimsNeverComeWithAnError(t *testing.T) {
	t.Attr("rule", "4.4")
	tenant := entratest.New(t)
	tenant.FailKeys(http.StatusServiceUnavailable)
	claims, err := newVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token())
	if claims != nil || !errors.Is(err, entra.ErrKeysUnavailable) || errors.Is(err, entra.ErrInvalidToken) {
		t.Errorf("got %v and error %v, want no claims and ErrKeysUnavailable alone", claims, err)
	}
}
