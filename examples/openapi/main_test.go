package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

var sample = settings{TenantID: entratest.TenantID, APIID: entratest.APIClientID, PageID: entratest.SPAClientID}

// document is what these tests read of an OpenAPI description.
type document struct {
	Components struct {
		SecuritySchemes map[string]struct {
			Flows struct {
				AuthorizationCode struct {
					AuthorizationURL, TokenURL string
					Scopes                     map[string]string
				}
			}
		}
	}
	Paths map[string]map[string]struct {
		Security  []map[string][]string
		Responses map[string]any
	}
}

func describe(t *testing.T) (d document) {
	t.Helper()
	text, err := sample.description()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTheDescriptionIsTrue calls every operation with what the description says that it takes, and with less.
func TestTheDescriptionIsTrue(t *testing.T) {
	tenant := entratest.New(t)
	api, err := newAPI(sample, tenant.Client()) // the fake tenant in place of Entra
	if err != nil {
		t.Fatal(err)
	}
	d := describe(t)
	operations := 0
	for path, methods := range d.Paths {
		for method, operation := range methods {
			operations++
			if len(operation.Security) != 1 || len(operation.Security[0]) != 1 {
				t.Errorf("%s %s: got the security %v, want one scheme", method, path, operation.Security)
				continue
			}
			for scheme, needs := range operation.Security[0] {
				enough, less, challenge := tenant.Token(entratest.App(needs...)), tenant.Token(entratest.App("Other.Role")), "insufficient_scope"
				if scheme == "user" {
					_, name, _ := strings.Cut(strings.TrimPrefix(needs[0], "api://"), "/")
					enough, less, challenge = tenant.Token(entratest.Scopes(name)), tenant.Token(entratest.Scopes("Other.Scope")), `scope="`+needs[0]+`"`
					if d.Components.SecuritySchemes["user"].Flows.AuthorizationCode.Scopes[needs[0]] == "" {
						t.Errorf("%s %s: the scope %s is not among those of its scheme", method, path, needs[0])
					}
				}
				for _, call := range []struct {
					name, token string
					status      []int
					challenge   string
				}{
					{"with what it asks for", enough, []int{200, 201}, ""},
					{"with less", less, []int{403}, challenge},
					{"without a token", "", []int{401}, "authorization_uri"},
				} {
					status, got := send(api, strings.ToUpper(method), path, call.token)
					if !slices.Contains(call.status, status) || !strings.Contains(got, call.challenge) {
						t.Errorf("%s %s %s: got %d, challenge %q; want %d, %q", method, path, call.name, status, got, call.status, call.challenge)
					}
				}
				for _, answer := range []string{"401", "403"} {
					if operation.Responses[answer] == nil {
						t.Errorf("%s %s: the answer %s is not described", method, path, answer)
					}
				}
			}
		}
	}
	if operations != 3 {
		t.Errorf("got %d operations, want 3", operations)
	}
}

// TestSignIn does what Swagger UI does: an authorization code with PKCE, redeemed by the page without a secret.
func TestSignIn(t *testing.T) {
	const page, redirect = "http://localhost:3000", "http://localhost:3000/docs/oauth2-redirect.html"
	tenant := entratest.New(t)
	api, err := newAPI(sample, tenant.Client())
	if err != nil {
		t.Fatal(err)
	}
	flow := describe(t).Components.SecuritySchemes["user"].Flows.AuthorizationCode
	scope := entratest.APIURI + "/Orders.Read"
	verifier := strings.Repeat("v", 43)
	challenge := sha256.Sum256([]byte(verifier))
	question := flow.AuthorizationURL + "?" + url.Values{
		"response_type": {"code"}, "client_id": {entratest.SPAClientID}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}, "login_hint": {"alice"},
	}.Encode()
	client := tenant.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Get(question)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirect) {
		t.Fatalf("the sign-in led to %v, %v; want %s", back, err, redirect)
	}

	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {entratest.SPAClientID}, "code": {back.Query().Get("code")},
		"redirect_uri": {redirect}, "code_verifier": {verifier}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, flow.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", page)
	if response, err = client.Do(request); err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("redeeming the code: got %d, %v", response.StatusCode, err)
	}
	if status, _ := send(api, "GET", "/orders", answer.AccessToken); status != http.StatusOK {
		t.Errorf("GET /orders: got %d, want 200", status)
	}
}

func TestDocs(t *testing.T) {
	ui := t.TempDir()
	for name, content := range map[string]string{"swagger-ui-bundle.js": "bundle", "oauth2-redirect.html": "redirect", "index.html": "another page"} {
		if err := os.WriteFile(filepath.Join(ui, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := newDocs(sample, ui)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		"/docs/":                     `<div id="swagger-ui">`,
		"/docs/init.js":              "usePkceWithAuthorizationCodeGrant",
		"/docs/page.css":             "margin",
		"/docs/swagger-ui-bundle.js": "bundle",
		"/docs/oauth2-redirect.html": "redirect",
		"/docs/config.json":          `"clientId":"` + entratest.SPAClientID + `"`,
		"/docs/openapi.json":         `"api://` + entratest.APIClientID + `/Orders.Read"`,
	} {
		w := httptest.NewRecorder()
		docs.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), content) {
			t.Errorf("%s: got %d %s, want it to contain %s", path, w.Code, w.Body, content)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("%s: got the policy %q, want scripts of its own alone", path, policy)
		}
	}
}

func TestMistakesInTheSettingsAreErrors(t *testing.T) {
	for _, test := range []struct {
		name, want string
		do         func() error
	}{
		{"no Swagger UI", "npm ci", func() error { _, err := newDocs(sample, t.TempDir()); return err }},
		{"no registration of the page", "ENTRA_PAGE_CLIENT_ID", func() error { _, err := newDocs(settings{}, t.TempDir()); return err }},
		{"no tenant", "Tenants", func() error { _, err := newAPI(settings{APIID: entratest.APIClientID}, nil); return err }},
		{"a tenant that breaks the description", "JSON", func() error { _, err := settings{TenantID: `"`}.description(); return err }},
	} {
		if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error that says %q", test.name, err, test.want)
		}
	}
}

func send(api http.Handler, method, path, token string) (status int, challenge string) {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w.Code, w.Header().Get("WWW-Authenticate")
}
