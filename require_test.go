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
	"github.com/entra-go/entra/internal/tests/testbed"
)

// asked sends a request with these claims in its context through Require. It returns the answer, and how often the handler
// was called.
func asked(claims *entra.Claims, requirements ...entra.Requirement) (*httptest.ResponseRecorder, int) {
	var reached testbed.Spy
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r = r.WithContext(entra.ContextWithClaims(r.Context(), claims))
	w := httptest.NewRecorder()
	entra.Require(requirements...)(&reached).ServeHTTP(w, r)
	return w, reached.Calls
}

// Claims of the callers in the tables below.
var (
	userCaller = &entra.Claims{Kind: entra.UserToken, TenantID: entratest.TenantID, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
	appCaller = &entra.Claims{Kind: entra.AppToken, TenantID: entratest.TenantID, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Read.All", "Orders.Admin"}}
	idCaller = &entra.Claims{Kind: entra.IDToken, TenantID: entratest.TenantID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
	kindless = &entra.Claims{TenantID: entratest.TenantID, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
)

func TestRequirements(t *testing.T) {
	const (
		scope, role, permission = entra.ReasonScope, entra.ReasonRole, entra.ReasonAppPermission
		client, tenant          = entra.ReasonClient, entra.ReasonTenant
		forbidden               = entra.ReasonForbidden
	)
	read, admin, daemon := entra.Scope("Orders.Read"), entra.Role("Orders.Admin"), entra.AppPermission("Orders.Read.All")
	rows := []struct {
		rule, name  string
		caller      *entra.Claims
		requirement entra.Requirement
		want        entra.Reason // "" means met
	}{
		{"R62", "a user with the scope", userCaller, read, ""},
		{"R62", "a user without the scope", userCaller, entra.Scope("Orders.Write"), scope},
		{"R62", "a user, the scope in other case", userCaller, entra.Scope("orders.read"), scope},
		{"R62", "a user with a role of the scope's name", userCaller, entra.Scope("Orders.Admin"), scope},
		{"R62 R65", "an application with the scope's name in scp", appCaller, read, scope},
		{"R62 R65", "an application with a role of the scope's name", appCaller, entra.Scope("Orders.Read.All"), scope},
		{"R56", "an ID token with the scope's name", idCaller, read, scope},
		{"R62", "claims without a kind", kindless, read, forbidden},

		{"R63", "a user with the role", userCaller, admin, ""},
		{"R63", "a user whose ID token has the role", idCaller, admin, ""},
		{"R63", "a user without the role", userCaller, entra.Role("Orders.Owner"), role},
		{"R63", "a user, the role in other case", userCaller, entra.Role("orders.admin"), role},
		{"R63", "a user with a scope of the role's name", userCaller, entra.Role("Orders.Read"), role},
		{"R63 R65", "an application with a permission of the role's name", appCaller, admin, role},
		{"R63", "claims without a kind, for a role", kindless, admin, forbidden},

		{"R63", "an application with the permission", appCaller, daemon, ""},
		{"R63", "an application without the permission", appCaller, entra.AppPermission("Orders.Write.All"), permission},
		{"R63 R65", "a user with a role of the permission's name", userCaller, daemon, permission},
		{"R63 R65", "an ID token with a role of the permission's name", idCaller, daemon, permission},
		{"R63", "claims without a kind, for a permission", kindless, daemon, forbidden},

		{"R65", "scope or permission, a user with the scope", userCaller, entra.AnyOf(read, daemon), ""},
		{"R65", "scope or permission, an application with the permission", appCaller, entra.AnyOf(read, daemon), ""},
		{"R65", "scope or permission, a user with a role of the permission's name", userCaller, entra.AnyOf(entra.Scope("x"), daemon), scope},
		{"R65", "scope or permission, an application with a scope's name", appCaller, entra.AnyOf(read, entra.AppPermission("x")), permission},

		{"R66", "a client that may", userCaller, entra.ClientIn("x", strings.ToUpper(entratest.ClientID)), ""},
		{"R66", "another client", userCaller, entra.ClientIn(entratest.SPAClientID), client},
		{"R66", "no client may", userCaller, entra.ClientIn(), client},
		{"R66", "a token without client", idCaller, entra.ClientIn(entratest.ClientID), client},
		{"R66", "a token without client, an empty ID accepted", idCaller, entra.ClientIn(""), client},
		{"R68", "a tenant that may", userCaller, entra.TenantIn(entratest.OtherTenantID, strings.ToUpper(entratest.TenantID)), ""},
		{"R68", "another tenant", userCaller, entra.TenantIn(entratest.OtherTenantID), tenant},
		{"R86", "no tenant may", userCaller, entra.TenantIn(), tenant},
		{"R86", "claims without tenant, an empty ID accepted", &entra.Claims{Kind: entra.UserToken}, entra.TenantIn(""), tenant},

		{"R65", "a person", userCaller, entra.Human(), ""},
		{"R65", "a person who signed in", idCaller, entra.Human(), ""},
		{"R65", "an agent on behalf of a person", &entra.Claims{Kind: entra.UserToken, Agent: true}, entra.Human(), ""},
		{"R65", "an agent's own account", &entra.Claims{Kind: entra.UserToken, Agent: true, AgentUser: true}, entra.Human(), entra.ReasonHuman},
		{"R65", "an application instead of a person", appCaller, entra.Human(), entra.ReasonHuman},
		{"R65", "claims without a kind, for a person", kindless, entra.Human(), forbidden},

		{"R86", "any of nothing", userCaller, entra.AnyOf(), forbidden},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			w, calls := asked(r.caller, r.requirement)
			if r.want == "" {
				if w.Code != http.StatusOK || calls != 1 {
					t.Errorf("got status %d and %d calls, want 200 and 1: %s", w.Code, calls, w.Body)
				}
				return
			}
			if w.Code != http.StatusForbidden || calls != 0 || !strings.Contains(w.Body.String(), `"reason":"`+string(r.want)+`"`) {
				t.Errorf("got status %d, %d calls and body %s, want 403, none and reason %s", w.Code, calls, w.Body, r.want)
			}
			if err := r.requirement(t.Context(), r.caller); r.want != forbidden && (!errors.Is(err, entra.ErrForbidden) || entra.ReasonOf(err) != r.want) {
				t.Errorf("got %v (%s), want ErrForbidden with reason %s", err, entra.ReasonOf(err), r.want)
			}
			// A program may call a requirement without claims: it must not panic.
			if err := r.requirement(t.Context(), nil); err == nil {
				t.Error("got no error for no claims, want one")
			}
		})
	}
}

func met(context.Context, *entra.Claims) error { return nil }

func failing(err error) entra.Requirement {
	return func(context.Context, *entra.Claims) error { return err }
}

func TestRequireWantsAllOfThem(t *testing.T) {
	read := entra.Scope("Orders.Read")
	var asks []string
	noted := func(name string, err error) entra.Requirement {
		return func(context.Context, *entra.Claims) error { asks = append(asks, name); return err }
	}
	for _, r := range []struct {
		rule, name   string
		requirements []entra.Requirement
		status       int
		asks         string
	}{
		{"R86", "none", nil, http.StatusForbidden, ""},
		{"R86", "two that are met", []entra.Requirement{read, entra.Role("Orders.Admin")}, http.StatusOK, ""},
		{"R86", "the second is not met", []entra.Requirement{read, entra.Scope("x")}, http.StatusForbidden, ""},
		{"R86", "the first is not met: the second is not asked", []entra.Requirement{noted("a", entra.ErrForbidden), noted("b", nil)}, http.StatusForbidden, "a"},
		{"R86", "in their order", []entra.Requirement{noted("a", nil), noted("b", nil)}, http.StatusOK, "ab"},
		{"R89", "one that fails", []entra.Requirement{met, failing(errors.New("database"))}, http.StatusInternalServerError, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			asks = nil
			w, calls := asked(userCaller, r.requirements...)
			if w.Code != r.status || (calls == 1) != (r.status == http.StatusOK) || strings.Join(asks, "") != r.asks {
				t.Errorf("got status %d, %d calls, asked %v, want %d and asked %q", w.Code, calls, asks, r.status, r.asks)
			}
		})
	}
}

func TestRequirementsAreCopied(t *testing.T) {
	all := []entra.Requirement{entra.Scope("x")}
	handler, any := entra.Require(all...)(new(testbed.Spy)), entra.AnyOf(all...)
	clients := []string{"x"}
	in := entra.ClientIn(clients...)
	all[0], clients[0] = met, entratest.ClientID
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(entra.ContextWithClaims(r.Context(), userCaller)))
	if w.Code != http.StatusForbidden || any(t.Context(), userCaller) == nil || in(t.Context(), userCaller) == nil {
		t.Error("got a requirement that changed with its caller's list, want it copied")
	}
}

func TestAnyOfReportsWhatFits(t *testing.T) {
	database := errors.New("database is down")
	own := fmt.Errorf("not your order: %w", entra.ErrForbidden)
	write, admin, daemon := entra.Scope("Orders.Write"), entra.Role("x"), entra.AppPermission("x")
	for _, r := range []struct {
		name         string
		caller       *entra.Claims
		requirements []entra.Requirement
		status       int
		reason       entra.Reason
	}{
		{"the first that fits a user", userCaller, []entra.Requirement{daemon, write, admin}, 403, entra.ReasonScope},
		{"the first that fits an application", appCaller, []entra.Requirement{write, admin, daemon}, 403, entra.ReasonAppPermission},
		{"the first that fits an ID token", idCaller, []entra.Requirement{write, daemon, admin}, 403, entra.ReasonRole},
		{"the first of all if none fits", appCaller, []entra.Requirement{admin, write}, 403, entra.ReasonRole},
		{"one of one's own, which may fit", appCaller, []entra.Requirement{write, failing(own)}, 403, entra.ReasonForbidden},
		{"one that could not decide", userCaller, []entra.Requirement{write, failing(database), admin}, 500, entra.ReasonInternal},
		{"one that could not decide before one that is met", userCaller, []entra.Requirement{failing(database), met}, 200, ""},
		{"one that is met before one that is not asked", userCaller, []entra.Requirement{met, func(context.Context, *entra.Claims) error { panic("asked") }}, 200, ""},
		{"an alternative of alternatives", userCaller, []entra.Requirement{entra.AnyOf(daemon, write), admin}, 403, entra.ReasonScope},
	} {
		t.Run(r.name, func(t *testing.T) {
			w, _ := asked(r.caller, entra.AnyOf(r.requirements...))
			if w.Code != r.status || r.reason != "" && !strings.Contains(w.Body.String(), `"reason":"`+string(r.reason)+`"`) {
				t.Errorf("got status %d and body %s, want %d and reason %q", w.Code, w.Body, r.status, r.reason)
			}
		})
	}
}

// TestA403NamesAllScopesOfItsRoute: a client that gets them asks for all of them at once.
func TestA403NamesAllScopesOfItsRoute(t *testing.T) {
	const a, b, c, d = "Orders.A", "Orders.B", "Orders.C", "Orders.D"
	full := func(names ...string) string {
		for i, name := range names {
			names[i] = entratest.APIURI + "/" + name
		}
		return strings.Join(names, " ")
	}
	wrapped := func(ctx context.Context, claims *entra.Claims) error {
		if err := entra.Scope(d)(ctx, claims); err != nil {
			return fmt.Errorf("of one's own: %w", err)
		}
		return nil
	}
	for _, r := range []struct {
		name         string
		has          string // scopes of the user's token
		requirements []entra.Requirement
		want         string
	}{
		{"one scope", "x", []entra.Requirement{entra.Scope(a)}, full(a)},
		{"two scopes, none there", "x", []entra.Requirement{entra.Scope(a), entra.Scope(b)}, full(a, b)},
		{"two scopes, the first there", a, []entra.Requirement{entra.Scope(a), entra.Scope(b)}, full(a, b)},
		{"two scopes, the second there", b, []entra.Requirement{entra.Scope(a), entra.Scope(b)}, full(a, b)},
		{"one scope twice", "x", []entra.Requirement{entra.Scope(a), entra.Scope(a)}, full(a)},
		{"behind requirements that are met", "x", []entra.Requirement{met, entra.TenantIn(entratest.TenantID), entra.Scope(a), met, entra.Scope(b)}, full(a, b)},
		{"alternatives: the first that a user can have", "x", []entra.Requirement{entra.AnyOf(entra.AppPermission("p"), entra.Scope(a), entra.Scope(b))}, full(a)},
		{"alternatives behind a scope", "x", []entra.Requirement{entra.Scope(c), entra.AnyOf(entra.AppPermission("p"), entra.Scope(a))}, full(c, a)},
		{"alternatives before a scope", a, []entra.Requirement{entra.AnyOf(entra.Scope(a), entra.Scope(b)), entra.Scope(c)}, full(a, c)},
		{"alternatives inside alternatives", "x", []entra.Requirement{entra.Scope(c), entra.AnyOf(entra.AnyOf(entra.Role("r")), entra.AnyOf(entra.Scope(b)))}, full(c, b)},
		{"a requirement of one's own, behind", "x", []entra.Requirement{entra.Scope(a), wrapped}, full(a)},
		{"a requirement of one's own that asks for a scope", a, []entra.Requirement{entra.Scope(a), wrapped}, full(a, d)},
		{"a role that is lacking, which no scope can replace", a, []entra.Requirement{entra.Scope(a), entra.Role("r"), entra.Scope(b)}, ""},
		{"a refusal of one's own", a, []entra.Requirement{entra.Scope(a), failing(entra.ErrForbidden), entra.Scope(b)}, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			tenant := entratest.New(t)
			verifier := testbed.NewVerifier(t, tenant, nil)
			spy := new(testbed.Spy)
			w := testbed.Serve(verifier.Authenticate(entra.Require(r.requirements...)(spy)), "Bearer "+tenant.Token(entratest.Scopes(r.has)))
			challenge := w.Header().Get("WWW-Authenticate")
			if w.Code != http.StatusForbidden || spy.Calls != 0 || !strings.Contains(challenge, `error="insufficient_scope"`) {
				t.Fatalf("got status %d and %q, want 403 with insufficient_scope", w.Code, challenge)
			}
			_, scope, _ := strings.Cut(challenge, `, scope="`)
			if got := strings.TrimSuffix(scope, `"`); got != r.want {
				t.Errorf("got the scope %q, want %q", got, r.want)
			}
		})
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	handler := verifier.Authenticate(entra.Require(entra.Scope(a), entra.Scope(b))(new(testbed.Spy)))
	challenge := testbed.Serve(handler, "Bearer "+tenant.Token(entratest.App("p"))).Header().Get("WWW-Authenticate")
	user := testbed.Serve(verifier.Authenticate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		err := entra.Permit(r.Context(), entra.Scope(a), entra.AnyOf(entra.Scope(b)))
		if got, want := verifier.Challenge(err), `, scope="`+full(a, b)+`"`; !strings.HasSuffix(got, want) {
			t.Errorf("Permit: got the challenge %q, want %s in it", got, want)
		}
	})), "Bearer "+tenant.Token())
	if user.Code != http.StatusOK {
		t.Errorf("Permit: got status %d, want the handler's 200", user.Code)
	}
	if strings.Contains(challenge, "scope=") {
		t.Errorf("an application: got the challenge %q, want no scope: applications cannot ask for one", challenge)
	}
}

// TestRequirementsOfOnesOwnAreNotCalledToLearnScopes: they may count, look things up, or rely on those before them.
func TestRequirementsOfOnesOwnAreNotCalledToLearnScopes(t *testing.T) {
	calls := 0
	counting := func(context.Context, *entra.Claims) error {
		calls++
		return nil
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	behind := entra.Require(entra.Scope("a"), counting, entra.AnyOf(counting, entra.Scope("b")))(new(testbed.Spy))
	testbed.Serve(verifier.Authenticate(behind), "Bearer "+tenant.Token())
	if calls != 0 {
		t.Errorf("behind a scope that is lacking: got %d calls, want none", calls)
	}
	before := entra.Require(counting, entra.Scope("a"))(new(testbed.Spy))
	testbed.Serve(verifier.Authenticate(before), "Bearer "+tenant.Token())
	if calls != 1 {
		t.Errorf("before a scope that is lacking: got %d calls, want one", calls)
	}
}

// TestRequireWithoutAuthenticate shows that forgetting the authentication closes the route.
func TestRequireWithoutAuthenticate(t *testing.T) {
	t.Attr("rule", "4.4")
	tenant := entratest.New(t)
	for name, values := range map[string][]string{"no token": nil, "a valid token": {"Bearer " + tenant.Token()}} {
		var reached testbed.Spy
		w := testbed.Serve(entra.Require(met)(&reached), values...)
		if w.Code != http.StatusInternalServerError || reached.Calls != 0 || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got status %d, %d calls and headers %v, want 500 and no challenge", name, w.Code, reached.Calls, w.Header())
		}
	}
}

func TestRequireBehindAuthenticateOptional(t *testing.T) {
	t.Attr("rule", "R84")
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	var reached testbed.Spy
	handler := verifier.AuthenticateOptional(entra.Require(met)(&reached))
	w := testbed.Serve(handler)
	testbed.CheckAnswer(t, w, "", http.StatusUnauthorized, "", entra.ReasonNoToken)
	if reached.Calls != 0 || verifier.Stats().Refused[entra.ReasonNoToken] != 1 {
		t.Errorf("got %d calls and counts %v, want none and one refusal", reached.Calls, verifier.Stats().Refused)
	}
	if w := testbed.Serve(handler, "Bearer "+tenant.Token()); w.Code != http.StatusOK || reached.Calls != 1 {
		t.Errorf("a valid token: got status %d and %d calls, want 200 and 1", w.Code, reached.Calls)
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

// TestRequireAnswersAsItsVerifier shows that a request whose claims a program replaces keeps its Verifier.
func TestRequireAnswersAsItsVerifier(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
			_, _ = io.WriteString(w, "own "+string(entra.ReasonOf(err)))
		}
	})
	impersonate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims := &entra.Claims{Kind: entra.AppToken, TenantID: entratest.TenantID}
			next.ServeHTTP(w, r.WithContext(entra.ContextWithClaims(r.Context(), claims)))
		})
	}
	for name, handler := range map[string]http.Handler{
		"alone":               verifier.Authenticate(entra.Require(entra.Scope("x"))(new(testbed.Spy))),
		"with claims of test": verifier.Authenticate(impersonate(entra.Require(entra.Scope("x"))(new(testbed.Spy)))),
	} {
		w := testbed.Serve(handler, "Bearer "+tenant.Token())
		if w.Code != http.StatusForbidden || w.Body.String() != "own scope" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), testbed.SignIn) {
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
			verifier := testbed.NewVerifier(t, tenant, nil)
			token := tenant.Token()
			testbed.MustVerify(t, verifier, token)
			var reached testbed.Spy
			w := testbed.ServeRequest(verifier.Authenticate(within(r.ctx, entra.Require(r.requirement)(&reached))), nil, func(request *http.Request) {
				request.Header.Set("Authorization", "Bearer "+token)
			})
			if w.Code != r.status || reached.Calls != 0 || strings.Contains(w.Body.String(), secret) {
				t.Errorf("got status %d, %d calls and body %s, want %d and no text of the error", w.Code, reached.Calls, w.Body, r.status)
			}
			refused := verifier.Stats().Refused
			if r.reason != "" && refused[r.reason] != 1 || r.reason == "" && len(refused) != 0 {
				t.Errorf("got counts %v, want one of %q", refused, r.reason)
			}
		})
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
	})(new(testbed.Spy))
	handler.ServeHTTP(httptest.NewRecorder(), r)
}

// TestARequirementThatWrapsForbiddenIs403 lets the errors of requirements wrap others beside ErrForbidden.
func TestARequirementThatWrapsForbiddenIs403(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for name, inner := range map[string]error{"an invalid token": entra.ErrInvalidToken, "no keys": entra.ErrKeysUnavailable, "Verify's error": verifyError(verifier)} {
		before := verifier.Stats().Refused[entra.ReasonForbidden]
		requirement := func(context.Context, *entra.Claims) error {
			return fmt.Errorf("%w: actor: %w", entra.ErrForbidden, inner)
		}
		w := testbed.Serve(verifier.Authenticate(entra.Require(requirement)(new(testbed.Spy))), "Bearer "+tenant.Token())
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: got status %d, want 403", name, w.Code)
		}
		if got := verifier.Stats().Refused[entra.ReasonForbidden] - before; got != 1 {
			t.Errorf("%s: got %d refusals counted, want 1", name, got)
		}
	}
	var told error
	verifier = testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(_ http.ResponseWriter, _ *http.Request, err error) { told = err }
	})
	wrapped := func(ctx context.Context, c *entra.Claims) error {
		return fmt.Errorf("order 7: %w", entra.Scope("Orders.Delete")(ctx, c))
	}
	testbed.Serve(verifier.Authenticate(entra.Require(wrapped)(new(testbed.Spy))), "Bearer "+tenant.Token())
	if told == nil || !strings.Contains(told.Error(), "order 7") || entra.ReasonOf(told) != entra.ReasonScope {
		t.Errorf("got %v (%s), want the requirement's own words and reason scope", told, entra.ReasonOf(told))
	}
}

func verifyError(v *entra.Verifier) error {
	_, err := v.Verify(context.Background(), "no token")
	return err
}

// All requirements of a route must be met. The challenge of a 403 names all scopes, also those that the token has.
func ExampleRequire() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	orders := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	api := http.NewServeMux()
	api.Handle("PUT /orders", entra.Require(entra.Scope("Orders.Read"), entra.Scope("Orders.Write"))(orders))
	handler := verifier.Authenticate(api)

	for _, scopes := range [][]string{{"Orders.Read", "Orders.Write"}, {"Orders.Read"}} {
		r := httptest.NewRequest(http.MethodPut, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+tenant.Token(entratest.Scopes(scopes...)))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		_, scope, _ := strings.Cut(w.Header().Get("WWW-Authenticate"), "scope=")
		fmt.Printf("%d scope=%s\n", w.Code, scope)
	}
	// Output:
	// 200 scope=
	// 403 scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Read api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Write"
}

// Users need a delegated permission. An application's permission of the same name is another thing.
func ExampleScope() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	orders := guard(verifier, entra.Scope("Orders.Read"))
	fmt.Println("a user:", request(orders, "/", tenant.Token(entratest.Scopes("Orders.Read"))).Code)
	fmt.Println("a user with another scope:", request(orders, "/", tenant.Token(entratest.Scopes("Orders.Write"))).Code)
	fmt.Println("a daemon:", request(orders, "/", tenant.Token(entratest.App("Orders.Read"))).Code)
	// Output:
	// a user: 200
	// a user with another scope: 403
	// a daemon: 403
}

// An app role that is assigned to users. The scope says what the client may do for them: require both.
func ExampleRole() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	prices := guard(verifier, entra.Scope("Orders.Read"), entra.Role("Orders.Admin"))
	fmt.Println("an administrator:", request(prices, "/", tenant.Token(entratest.Roles("Orders.Admin"))).Code)
	fmt.Println("another user:", request(prices, "/", tenant.Token(entratest.Roles())).Code)
	fmt.Println("a daemon:", request(prices, "/", tenant.Token(entratest.App("Orders.Admin"))).Code)
	// Output:
	// an administrator: 200
	// another user: 403
	// a daemon: 403
}

// Applications need a permission that an administrator has granted. Users never meet it.
func ExampleAppPermission() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	export := guard(verifier, entra.AppPermission("Orders.Read.All"))
	fmt.Println("a daemon:", request(export, "/", tenant.Token(entratest.App("Orders.Read.All"))).Code)
	fmt.Println("a daemon without it:", request(export, "/", tenant.Token(entratest.App("Stock.Read.All"))).Code)
	fmt.Println("a user with a role of that name:", request(export, "/", tenant.Token(entratest.Roles("Orders.Read.All"))).Code)
	// Output:
	// a daemon: 200
	// a daemon without it: 403
	// a user with a role of that name: 403
}
