package entra_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// TestRequireWithoutAuthenticate shows that forgetting the authentication closes the route.
func TestRequireWithoutAuthenticate(t *testing.T) {
	t.Attr("rule", "4.4")
	tenant := entratest.New(t)
	for name, values := range map[string][]string{"no token": nil, "a valid token": {"Bearer " + tenant.Token()}} {
		var reached spy
		w := serve(entra.Require(met)(&reached), values...)
		if w.Code != http.StatusInternalServerError || reached.calls != 0 || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got status %d, %d calls and headers %v, want 500 and no challenge", name, w.Code, reached.calls, w.Header())
		}
	}
}

func TestRequireBehindAuthenticateOptional(t *testing.T) {
	t.Attr("rule", "R84")
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	var reached spy
	handler := verifier.AuthenticateOptional(entra.Require(met)(&reached))
	w := serve(handler)
	checkAnswer(t, w, "", http.StatusUnauthorized, "", entra.ReasonNoToken)
	if reached.calls != 0 || verifier.Stats().Refused[entra.ReasonNoToken] != 1 {
		t.Errorf("got %d calls and counts %v, want none and one refusal", reached.calls, verifier.Stats().Refused)
	}
	if w := serve(handler, "Bearer "+tenant.Token()); w.Code != http.StatusOK || reached.calls != 1 {
		t.Errorf("a valid token: got status %d and %d calls, want 200 and 1", w.Code, reached.calls)
	}
}

func TestRequireWithoutClaims(t *testing.T) {
	if w, calls := asked(nil, met); w.Code != http.StatusUnauthorized || calls != 0 {
		t.Errorf("no claims: got status %d and %d calls, want 401 and none", w.Code, calls)
	}
	for _, kind := range []entra.Kind{0, 4, 255} {
		if w, calls := asked(&entra.Claims{Kind: kind, Scopes: []string{"x"}}, met); w.Code != http.StatusForbidden || calls != 0 {
			t.Errorf("kind %d: got status %d and %d calls, want 403 and none", kind, w.Code, calls)
		}
	}
}

// TestRequireAnswersAsItsVerifier shows that claims put into a request's context leave its Verifier in place.
func TestRequireAnswersAsItsVerifier(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
			_, _ = io.WriteString(w, "own "+string(entra.ReasonOf(err)))
		}
	})
	impersonate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims := &entra.Claims{Kind: entra.AppToken, TenantID: homeTenant}
			next.ServeHTTP(w, r.WithContext(entra.ContextWithClaims(r.Context(), claims)))
		})
	}
	for name, handler := range map[string]http.Handler{
		"alone":               verifier.Authenticate(entra.Require(entra.Scope("x"))(new(spy))),
		"with claims of test": verifier.Authenticate(impersonate(entra.Require(entra.Scope("x"))(new(spy)))),
	} {
		w := serve(handler, "Bearer "+tenant.Token())
		if w.Code != http.StatusForbidden || w.Body.String() != "own scope" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), signIn) {
			t.Errorf("%s: got status %d, body %q and headers %v, want the verifier's answer", name, w.Code, w.Body, w.Header())
		}
	}
	if got := verifier.Stats().Refused[entra.ReasonScope]; got != 2 {
		t.Errorf("got %d refusals counted, want 2", got)
	}
	// Without a Verifier there is no sign-in page and no API to name.
	w, _ := asked(userCaller, entra.Scope("x"))
	want := `Bearer realm="", error="insufficient_scope", error_description="The token lacks a scope that is required here.", scope="x"`
	if got := w.Header().Get("WWW-Authenticate"); got != want {
		t.Errorf("got challenge %q, want %q", got, want)
	}
}

func TestRequirementsOfOnesOwn(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	secret := "secret of the database"
	for _, r := range []struct {
		rule, name  string
		ctx         context.Context
		requirement entra.Requirement
		status      int
		reason      entra.Reason
	}{
		{"R86", "ErrForbidden", t.Context(), failing(entra.ErrForbidden), 403, entra.ReasonForbidden},
		{"R86", "an error that wraps ErrForbidden", t.Context(), failing(fmt.Errorf("%s: %w", secret, entra.ErrForbidden)), 403, entra.ReasonForbidden},
		{"R89", "another error", t.Context(), failing(errors.New(secret)), 500, entra.ReasonInternal},
		{"R89", "an error of this package that is no refusal", t.Context(), failing(entra.ErrInvalidToken), 500, entra.ReasonInternal},
		{"R89", "a time limit of its own", t.Context(), failing(context.DeadlineExceeded), 500, entra.ReasonInternal},
		{"R88", "the request's context that ended", cancelled, failing(fmt.Errorf("%s: %w", secret, context.Canceled)), 503, ""},
		{"R89", "another error while the request's context ended", cancelled, failing(errors.New(secret)), 500, entra.ReasonInternal},
	} {
		t.Run(r.name, func(t *testing.T) {
			tenant := entratest.New(t)
			verifier := newVerifier(t, tenant, nil)
			token := tenant.Token()
			mustAccept(t, verifier, token)
			var reached spy
			w := serveRequest(verifier.Authenticate(within(r.ctx, entra.Require(r.requirement)(&reached))), nil, func(request *http.Request) {
				request.Header.Set("Authorization", "Bearer "+token)
			})
			if w.Code != r.status || reached.calls != 0 || strings.Contains(w.Body.String(), secret) {
				t.Errorf("got status %d, %d calls and body %s, want %d and no text of the error", w.Code, reached.calls, w.Body, r.status)
			}
			refused := verifier.Stats().Refused
			if r.reason != "" && refused[r.reason] != 1 || r.reason == "" && len(refused) != 0 {
				t.Errorf("got counts %v, want one of %q", refused, r.reason)
			}
		})
	}
}

// mustAccept makes sure that keys are held and the token is good.
func mustAccept(t *testing.T, verifier *entra.Verifier, token string) {
	t.Helper()
	if _, err := verifier.Verify(t.Context(), token); err != nil {
		t.Fatalf("Verify: got %v, want no error", err)
	}
}

// within gives the requests of next a context that ends with ctx.
func within(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		joined, cancel := context.WithCancel(r.Context())
		defer cancel()
		if ctx.Err() != nil {
			cancel()
		}
		next.ServeHTTP(w, r.WithContext(joined))
	})
}

func TestRequirementThatPanics(t *testing.T) {
	defer func() {
		if got := recover(); got != "own" {
			t.Errorf("got panic %v, want the requirement's own", got)
		}
	}()
	_, calls := asked(userCaller, func(context.Context, *entra.Claims) error { panic("own") })
	t.Errorf("got %d calls, want a panic", calls)
}

// TestRequirementsSeeTheRequest shows that a requirement gets the request's own context and claims.
func TestRequirementsSeeTheRequest(t *testing.T) {
	type key struct{}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(entra.ContextWithClaims(context.WithValue(r.Context(), key{}, "order 7"), userCaller))
	handler := entra.Require(func(ctx context.Context, claims *entra.Claims) error {
		if ctx.Value(key{}) != "order 7" || claims != userCaller {
			t.Errorf("got context value %v and claims %v, want the request's", ctx.Value(key{}), claims)
		}
		return nil
	})(new(spy))
	handler.ServeHTTP(httptest.NewRecorder(), r)
}
