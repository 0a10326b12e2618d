package entra_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestAuthenticatePassesValidTokensOn(t *testing.T) {
	tenant := entratest.New(t)
	var reached testbed.Spy
	w := testbed.Serve(testbed.NewVerifier(t, tenant, nil).Authenticate(&reached), "Bearer "+tenant.Token())
	if w.Code != http.StatusOK || reached.Calls != 1 {
		t.Fatalf("got status %d and %d calls, want 200 and 1: %s", w.Code, reached.Calls, w.Body)
	}
	if reached.Claims == nil || reached.Claims.ObjectID != entratest.AliceObjectID {
		t.Errorf("got claims %+v, want those of alice", reached.Claims)
	}
	if len(w.Header()) != 0 {
		t.Errorf("got headers %v, want none of the middleware's", w.Header())
	}
}

// conn is a ResponseWriter that is a Hijacker and Flusher too.
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
	verifier := testbed.NewVerifier(t, tenant, nil)
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
	var reached testbed.Spy
	handler := testbed.NewVerifier(t, tenant, nil).Authenticate(&reached)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect, "PROPFIND"} {
		for _, path := range []string{"/", "/healthz", "/favicon.ico", "/.well-known/oauth-protected-resource", "/login"} {
			w := testbed.ServeRequest(handler, nil, func(r *http.Request) {
				r.Method, r.URL.Path = method, path
				r.Header.Set("Access-Control-Request-Method", "GET")
				r.Header.Set("X-Forwarded-Uri", "/healthz")
			})
			if w.Code != http.StatusUnauthorized || reached.Calls != 0 {
				t.Fatalf("%s %s: got status %d and %d calls, want 401 and none", method, path, w.Code, reached.Calls)
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
	verifier := testbed.NewVerifier(t, tenant, nil)
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
			var reached testbed.Spy
			w := testbed.Serve(verifier.AuthenticateOptional(&reached), r.values...)
			if w.Code != r.status || (reached.Calls == 1) != (r.status == http.StatusOK) || (reached.Claims != nil) != r.claims {
				t.Errorf("got status %d, %d calls and claims %v, want status %d and claims %v", w.Code, reached.Calls, reached.Claims, r.status, r.claims)
			}
		})
	}
}

func TestOuterClaimsDoNotReachBehindAuthenticateOptional(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	var reached testbed.Spy
	handler := verifier.AuthenticateOptional(&reached)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(entra.ContextWithClaims(r.Context(), &entra.Claims{Kind: entra.UserToken}))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if reached.Calls != 1 || reached.Claims != nil {
		t.Errorf("got %d calls with claims %v, want 1 without: the request carries no token", reached.Calls, reached.Claims)
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
	outer, inner := testbed.NewVerifier(t, tenant, named("outer")), testbed.NewVerifier(t, tenant, named("inner"))
	handler := outer.Authenticate(inner.Authenticate(entra.Require(entra.Scope("none"))(new(testbed.Spy))))
	w := testbed.Serve(handler, "Bearer "+tenant.Token())
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
			var reached testbed.Spy
			w := testbed.Serve(authenticate(&reached), values...)
			if w.Code != http.StatusInternalServerError || reached.Calls != 0 || w.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%s: got status %d, %d calls and headers %v, want 500 without challenge", name, w.Code, reached.Calls, w.Header())
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
	if w := testbed.Serve(verifier.ResourceMetadata()); w.Code < 400 {
		t.Errorf("ResourceMetadata: got status %d, want an error", w.Code)
	}
	w := httptest.NewRecorder()
	verifier.Refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), entra.ErrForbidden)
	if w.Code != http.StatusForbidden || !strings.HasPrefix(verifier.Challenge(entra.ErrForbidden), `Bearer realm=""`) {
		t.Errorf("Refuse: got status %d and challenge %q, want 403 and one", w.Code, verifier.Challenge(entra.ErrForbidden))
	}
}

func TestConstructionPanics(t *testing.T) {
	verifier := testbed.NewVerifier(t, entratest.New(t), nil)
	handler := new(testbed.Spy)
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

// TestClaimsNeverComeWithAnError verifies while no keys can be had.
func TestClaimsNeverComeWithAnError(t *testing.T) {
	t.Attr("rule", "4.4")
	tenant := entratest.New(t)
	tenant.FailKeys(http.StatusServiceUnavailable)
	claims, err := testbed.NewVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token())
	if claims != nil || !errors.Is(err, entra.ErrKeysUnavailable) || errors.Is(err, entra.ErrInvalidToken) {
		t.Errorf("got %v and error %v, want no claims and ErrKeysUnavailable alone", claims, err)
	}
}

// answers are errors, with the status, reason and challenge that each is answered with.
var answers = []struct {
	rule, name string
	err        error
	status     int
	reason     entra.Reason
	code       string // of the challenge; "-" for a challenge without, "" for no challenge
	retry      bool
}{
	{"R84", "no token", entra.ErrNoToken, 401, entra.ReasonNoToken, "-", false},
	{"R87", "a malformed request", entra.ErrInvalidRequest, 400, entra.ReasonInvalidRequest, "invalid_request", false},
	{"R85", "an invalid token", entra.ErrInvalidToken, 401, entra.ReasonInvalidToken, "invalid_token", false},
	{"R86", "not permitted", entra.ErrForbidden, 403, entra.ReasonForbidden, "insufficient_scope", false},
	{"R86", "not permitted, wrapped", fmt.Errorf("not your order: %w", entra.ErrForbidden), 403, entra.ReasonForbidden, "insufficient_scope", false},
	{"R86", "not permitted, joined", errors.Join(errors.New("x"), entra.ErrForbidden), 403, entra.ReasonForbidden, "insufficient_scope", false},
	{"R88", "no keys", entra.ErrKeysUnavailable, 503, entra.ReasonKeysUnavailable, "", true},
	{"R88", "a context that was cancelled", context.Canceled, 503, "", "", true},
	{"R88", "a context whose time ran out, wrapped", fmt.Errorf("x: %w", context.DeadlineExceeded), 503, "", "", true},
	{"R86", "not permitted, because a context ended", fmt.Errorf("%w: %w", entra.ErrForbidden, context.Canceled), 403, entra.ReasonForbidden, "insufficient_scope", false},
	{"R89", "another error", errors.New("secret of the database"), 500, entra.ReasonInternal, "", false},
}

func TestAnswers(t *testing.T) {
	verifier := testbed.NewVerifier(t, entratest.New(t), nil)
	for _, r := range answers {
		t.Run(r.name, func(t *testing.T) {
			if status, reason := entra.StatusCode(r.err), entra.ReasonOf(r.err); status != r.status || reason != r.reason {
				t.Errorf("got status %d and reason %q, want %d and %q", status, reason, r.status, r.reason)
			}
			w := testbed.Refuse(verifier, r.err)
			var body testbed.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != r.status || body.Status != r.status || body.Reason != string(r.reason) {
				t.Errorf("got status %d and body %s, want status %d and reason %q", w.Code, w.Body, r.status, r.reason)
			}
			if text := r.err.Error(); strings.Contains(w.Body.String(), text) || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("got body %s, want one without the error's text %q", w.Body, text)
			}
			want := ""
			switch r.code {
			case "":
			case "-":
				want = testbed.SignIn
			default:
				want = testbed.SignIn + `, error="` + r.code + `", error_description="` + body.Detail + `"`
			}
			if got := w.Header().Get("WWW-Authenticate"); got != want || verifier.Challenge(r.err) != want {
				t.Errorf("got challenge %q and from Challenge %q, want %q", got, verifier.Challenge(r.err), want)
			}
			if retry := w.Header().Get("Retry-After"); (retry != "") != r.retry || retry == "0" {
				t.Errorf("got Retry-After %q, want one: %v", retry, r.retry)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("got headers %v, want no-store and nosniff", w.Header())
			}
		})
	}
}

func TestNoErrorIsNoRefusal(t *testing.T) {
	verifier := testbed.NewVerifier(t, entratest.New(t), nil)
	if status, reason, challenge := entra.StatusCode(nil), entra.ReasonOf(nil), verifier.Challenge(nil); status != http.StatusOK || reason != "" || challenge != "" {
		t.Errorf("got status %d, reason %q and challenge %q, want 200 and nothing", status, reason, challenge)
	}
	// To refuse for no reason is a mistake of the program, and must not look like a good answer.
	if w := testbed.Refuse(verifier, nil); w.Code != http.StatusInternalServerError {
		t.Errorf("Refuse: got status %d, want 500", w.Code)
	}
	w := httptest.NewRecorder()
	entra.WriteProblem(w, nil, nil)
	if w.Code != http.StatusInternalServerError {
		t.Errorf("WriteProblem: got status %d, want 500", w.Code)
	}
}

// TestChallenges spells out whole challenges, which clients of every language parse.
func TestChallenges(t *testing.T) {
	const (
		own    = "https://login.microsoftonline.com/" + entratest.TenantID + "/oauth2/v2.0/authorize"
		forbid = `, error="insufficient_scope", error_description="The token lacks a scope that is required here."`
	)
	lacking := func(o *entra.Options) {}
	rows := []struct {
		rule, name string
		options    func(*entra.Options)
		token      []entratest.TokenOption
		want       string
	}{
		{"R85", "an expired token", lacking, testbed.With(entratest.Expired()),
			`Bearer realm="", authorization_uri="` + own + `", error="invalid_token", error_description="The token has expired."`},
		{"R86", "a scope that is lacking", lacking, nil,
			`Bearer realm="", authorization_uri="` + own + `"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R86", "a scope of the first audience that is a URI", func(o *entra.Options) {
			o.Audiences = []string{"spn:x", "https://orders.contoso.example/", "api://orders"}
		}, nil,
			`Bearer realm="", authorization_uri="` + own + `"` + forbid + `, scope="https://orders.contoso.example/Orders.Delete"`},
		{"R86", "an application, which cannot request scopes", lacking, testbed.With(entratest.App("x")),
			`Bearer realm="", authorization_uri="` + own + `"` + forbid},
		{"R84", "several tenants", func(o *entra.Options) { o.Tenants = append(o.Tenants, entratest.OtherTenantID) }, nil,
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R31 R84", "personal accounts too", func(o *entra.Options) { o.Tenants = append(o.Tenants, entra.PersonalAccounts) }, nil,
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R86", "a token of a tenant that is not accepted", lacking, testbed.With(entratest.Tenant(entratest.OtherTenantID)),
			`Bearer realm="", authorization_uri="` + own + `", error="invalid_token", error_description="The tenant is not accepted."`},
	}
	tenant := entratest.New(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			verifier := testbed.NewVerifier(t, tenant, r.options)
			w := testbed.Serve(verifier.Authenticate(entra.Require(entra.Scope("Orders.Delete"))(new(testbed.Spy))), "Bearer "+tenant.Token(r.token...))
			if got := w.Header().Get("WWW-Authenticate"); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
		})
	}
}

func TestErrorHandler(t *testing.T) {
	tenant := entratest.New(t)
	for _, r := range []struct {
		name    string
		handler func(http.ResponseWriter, *http.Request, error)
		status  int
		body    string
	}{
		{"writes nothing", func(http.ResponseWriter, *http.Request, error) {}, 401, ""},
		{"writes a body alone", func(w http.ResponseWriter, _ *http.Request, _ error) { _, _ = io.WriteString(w, "no") }, 401, "no"},
		{"writes an empty body", func(w http.ResponseWriter, _ *http.Request, _ error) { _, _ = w.Write(nil) }, 401, ""},
		{"writes another status", func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusNotFound) }, 404, ""},
		{"flushes", func(w http.ResponseWriter, _ *http.Request, _ error) { w.(http.Flusher).Flush() }, 401, ""},
		{"flushes through a controller", func(w http.ResponseWriter, _ *http.Request, _ error) {
			_ = http.NewResponseController(w).Flush()
		}, 401, ""},
		{"writes through the status of the error", func(w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(entra.StatusCode(err))
			_, _ = io.WriteString(w, string(entra.ReasonOf(err)))
		}, 401, "expired"},
		{"uses WriteProblem", func(w http.ResponseWriter, r *http.Request, err error) { entra.WriteProblem(w, r, err) }, 401,
			`{"title":"Unauthorized","status":401,"detail":"The token has expired.","reason":"expired"}`},
	} {
		t.Run(r.name, func(t *testing.T) {
			var challenge, cache string
			verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.ErrorHandler = func(w http.ResponseWriter, request *http.Request, err error) {
					challenge, cache = w.Header().Get("WWW-Authenticate"), w.Header().Get("Cache-Control")
					r.handler(w, request, err)
				}
			})
			var reached testbed.Spy
			w := testbed.Serve(verifier.Authenticate(&reached), "Bearer "+tenant.Token(entratest.Expired()))
			if w.Code != r.status || w.Body.String() != r.body || reached.Calls != 0 {
				t.Errorf("got status %d, body %q and %d calls, want %d, %q and none", w.Code, w.Body, reached.Calls, r.status, r.body)
			}
			if !strings.Contains(challenge, `error="invalid_token"`) || cache != "no-store" {
				t.Errorf("got challenge %q and Cache-Control %q before the handler ran, want both set", challenge, cache)
			}
		})
	}
}

func TestErrorHandlerThatPanics(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	})
	var reached testbed.Spy
	defer func() {
		if got := recover(); got != http.ErrAbortHandler || reached.Calls != 0 {
			t.Errorf("got panic %v and %d calls, want the handler's own panic and none", got, reached.Calls)
		}
	}()
	testbed.Serve(verifier.Authenticate(&reached))
}

// TestErrorHandlerOverHTTP shows, on a real connection, that an error handler which sends early hints has not answered yet.
func TestErrorHandlerOverHTTP(t *testing.T) {
	verifier := testbed.NewVerifier(t, entratest.New(t), func(o *entra.Options) {
		o.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusEarlyHints) }
	})
	server := httptest.NewServer(verifier.Authenticate(new(testbed.Spy)))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") != testbed.SignIn {
		t.Errorf("got status %d and challenge %q, want 401 and %q", response.StatusCode, response.Header.Get("WWW-Authenticate"), testbed.SignIn)
	}
}

func TestKeysUnavailable(t *testing.T) {
	t.Attr("rule", "R22 R88")
	tenant := entratest.New(t)
	tenant.Down()
	var reached testbed.Spy
	w := testbed.Serve(testbed.NewVerifier(t, tenant, nil).Authenticate(&reached), "Bearer "+tenant.Token())
	want := `{"title":"Service Unavailable","status":503,"detail":"Tokens cannot be verified at the moment.","reason":"keys_unavailable"}`
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != want || reached.Calls != 0 {
		t.Errorf("got status %d, %d calls and body %s, want 503, none and %s", w.Code, reached.Calls, w.Body, want)
	}
	if w.Header().Get("Retry-After") != "1" || w.Header().Values("WWW-Authenticate") != nil {
		t.Errorf("got headers %v, want Retry-After 1 and no challenge", w.Header())
	}
}

// Authenticate stands once, outermost. The handlers inside find the claims in the request's context.
func ExampleVerifier_Authenticate() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	handler := verifier.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprint(w, claims.Kind, " from ", claims.ClientID)
	}))
	answer := request(handler, "/", tenant.Token())
	fmt.Println(answer.Code, answer.Body)
	answer = request(handler, "/", "")
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output:
	// 200 user token from dddddddd-dddd-4ddd-8ddd-dddddddddddd
	// 401 Bearer realm="", authorization_uri="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize"
}

// Claims are there behind Authenticate, and for requests with a token behind AuthenticateOptional.
func ExampleClaimsFromContext() {
	_, ok := entra.ClaimsFromContext(context.Background())
	fmt.Println("outside of Authenticate:", ok)
	ctx := entra.ContextWithClaims(context.Background(), &entra.Claims{Kind: entra.UserToken, ObjectID: "alice"})
	claims, ok := entra.ClaimsFromContext(ctx)
	fmt.Println("inside:", ok, claims.ObjectID)
	// Output:
	// outside of Authenticate: false
	// inside: true alice
}

// What a gRPC interceptor sends as www-authenticate: fixed texts, nothing of the token.
func ExampleVerifier_Challenge() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	_, err := verifier.Verify(context.Background(), tenant.Token(entratest.Expired()))
	fmt.Println(strings.ReplaceAll(verifier.Challenge(err), ", ", ",\n  "))
	fmt.Printf("%q\n", verifier.Challenge(entra.ErrKeysUnavailable))
	// Output:
	// Bearer realm="",
	//   authorization_uri="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize",
	//   error="invalid_token",
	//   error_description="The token has expired."
	// ""
}

// What a Verifier has done, for metrics.
func ExampleVerifier_Stats() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	token := tenant.Token()
	for _, token := range []string{token, token, tenant.Token(entratest.Expired())} {
		_, _ = verifier.Verify(context.Background(), token)
	}
	stats := verifier.Stats()
	fmt.Println("accepted:", stats.Verified, "of these from memory:", stats.Remembered)
	fmt.Println("refused:", stats.Refused)
	fmt.Println("fetches:", stats.Fetches, "failed:", stats.FetchFailures, "keys held:", stats.Keys > 0)
	// Output:
	// accepted: 2 of these from memory: 1
	// refused: map[expired:1]
	// fetches: 1 failed: 0 keys held: true
}

// The status and the reason of an error, for protocols other than HTTP and for metrics.
func ExampleStatusCode() {
	for _, err := range []error{
		nil,
		entra.ErrNoToken,
		fmt.Errorf("order of another customer: %w", entra.ErrForbidden),
		entra.ErrKeysUnavailable,
		context.DeadlineExceeded,
		errors.New("the database is down"),
	} {
		fmt.Printf("%d %q\n", entra.StatusCode(err), entra.ReasonOf(err))
	}
	// Output:
	// 200 ""
	// 401 "no_token"
	// 403 "forbidden"
	// 503 "keys_unavailable"
	// 503 ""
	// 500 "internal"
}

// Reasons are what programs compare and count; the texts of errors are for people.
func ExampleReasonOf() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	_, err := verifier.Verify(context.Background(), tenant.Token(entratest.Tenant(entratest.OtherTenantID)))
	if entra.ReasonOf(err) == entra.ReasonTenant {
		fmt.Println("not a customer of ours")
	}
	// Output:
	// not a customer of ours
}

// An ErrorHandler that counts, and leaves the answer to WriteProblem.
func ExampleWriteProblem() {
	refused := 0
	handler := func(w http.ResponseWriter, r *http.Request, err error) {
		refused++
		entra.WriteProblem(w, r, err)
	}
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/", nil), entra.ErrForbidden)
	fmt.Println(refused, w.Code, w.Header().Get("Content-Type"))
	fmt.Println(w.Body)
	// Output:
	// 1 403 application/problem+json
	// {"title":"Forbidden","status":403,"detail":"The caller is not permitted to do this.","reason":"forbidden"}
}
