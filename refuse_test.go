package entra_test

import (
	"context"
	"encoding/json"
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

// refuse lets verifier answer err inside a handler.
func refuse(verifier *entra.Verifier, err error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	verifier.Refuse(w, httptest.NewRequest(http.MethodGet, "/orders", nil), err)
	return w
}

// answers are errors and all that follows from them.
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
	verifier := newVerifier(t, entratest.New(t), nil)
	for _, r := range answers {
		t.Run(r.name, func(t *testing.T) {
			if status, reason := entra.StatusCode(r.err), entra.ReasonOf(r.err); status != r.status || reason != r.reason {
				t.Errorf("got status %d and reason %q, want %d and %q", status, reason, r.status, r.reason)
			}
			w := refuse(verifier, r.err)
			var body problem
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
				want = signIn
			default:
				want = signIn + `, error="` + r.code + `", error_description="` + body.Detail + `"`
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
	verifier := newVerifier(t, entratest.New(t), nil)
	if status, reason, challenge := entra.StatusCode(nil), entra.ReasonOf(nil), verifier.Challenge(nil); status != http.StatusOK || reason != "" || challenge != "" {
		t.Errorf("got status %d, reason %q and challenge %q, want 200 and nothing", status, reason, challenge)
	}
	// Refusing without saying why is a mistake, and must not let the request look answered well.
	if w := refuse(verifier, nil); w.Code != http.StatusInternalServerError {
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
		{"R85", "an expired token", lacking, with(entratest.Expired()),
			`Bearer realm="", authorization_uri="` + own + `", error="invalid_token", error_description="The token has expired."`},
		{"R86", "a scope that is lacking", lacking, nil,
			`Bearer realm="", authorization_uri="` + own + `"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R86", "a scope of the first audience that is a URI", func(o *entra.Options) {
			o.Audiences = []string{"spn:x", "https://orders.contoso.example/", "api://orders"}
		}, nil,
			`Bearer realm="", authorization_uri="` + own + `"` + forbid + `, scope="https://orders.contoso.example/Orders.Delete"`},
		{"R86", "an application, which cannot request scopes", lacking, with(entratest.App("x")),
			`Bearer realm="", authorization_uri="` + own + `"` + forbid},
		{"R84", "several tenants", func(o *entra.Options) { o.Tenants = append(o.Tenants, entratest.OtherTenantID) }, nil,
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R31 R84", "personal accounts too", func(o *entra.Options) { o.Tenants = append(o.Tenants, entra.PersonalAccounts) }, nil,
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize"` + forbid + `, scope="api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/Orders.Delete"`},
		{"R86", "a token of a tenant that is not accepted", lacking, with(entratest.Tenant(entratest.OtherTenantID)),
			`Bearer realm="", authorization_uri="` + own + `", error="invalid_token", error_description="The tenant is not accepted."`},
	}
	tenant := entratest.New(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			verifier := newVerifier(t, tenant, r.options)
			w := serve(verifier.Authenticate(entra.Require(entra.Scope("Orders.Delete"))(new(spy))), "Bearer "+tenant.Token(r.token...))
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
			verifier := newVerifier(t, tenant, func(o *entra.Options) {
				o.ErrorHandler = func(w http.ResponseWriter, request *http.Request, err error) {
					challenge, cache = w.Header().Get("WWW-Authenticate"), w.Header().Get("Cache-Control")
					r.handler(w, request, err)
				}
			})
			var reached spy
			w := serve(verifier.Authenticate(&reached), "Bearer "+tenant.Token(entratest.Expired()))
			if w.Code != r.status || w.Body.String() != r.body || reached.calls != 0 {
				t.Errorf("got status %d, body %q and %d calls, want %d, %q and none", w.Code, w.Body, reached.calls, r.status, r.body)
			}
			if !strings.Contains(challenge, `error="invalid_token"`) || cache != "no-store" {
				t.Errorf("got challenge %q and Cache-Control %q before the handler ran, want both set", challenge, cache)
			}
		})
	}
}

func TestErrorHandlerThatPanics(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	})
	var reached spy
	defer func() {
		if got := recover(); got != http.ErrAbortHandler || reached.calls != 0 {
			t.Errorf("got panic %v and %d calls, want the handler's own panic and none", got, reached.calls)
		}
	}()
	serve(verifier.Authenticate(&reached))
}

// TestErrorHandlerOverHTTP shows that early hints are no answer yet, on a real connection.
func TestErrorHandlerOverHTTP(t *testing.T) {
	verifier := newVerifier(t, entratest.New(t), func(o *entra.Options) {
		o.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusEarlyHints) }
	})
	server := httptest.NewServer(verifier.Authenticate(new(spy)))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") != signIn {
		t.Errorf("got status %d and challenge %q, want 401 and %q", response.StatusCode, response.Header.Get("WWW-Authenticate"), signIn)
	}
}

func TestKeysUnavailable(t *testing.T) {
	t.Attr("rule", "R22 R88")
	tenant := entratest.New(t)
	tenant.Down()
	var reached spy
	w := serve(newVerifier(t, tenant, nil).Authenticate(&reached), "Bearer "+tenant.Token())
	want := `{"title":"Service Unavailable","status":503,"detail":"Tokens cannot be verified at the moment.","reason":"keys_unavailable"}`
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != want || reached.calls != 0 {
		t.Errorf("got status %d, %d calls and body %s, want 503, none and %s", w.Code, reached.calls, w.Body, want)
	}
	if w.Header().Get("Retry-After") != "1" || w.Header().Values("WWW-Authenticate") != nil {
		t.Errorf("got headers %v, want Retry-After 1 and no challenge", w.Header())
	}
}
