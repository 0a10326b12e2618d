package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

const origin = "http://localhost:3000"

var sample = settings{TenantID: entratest.TenantID, APIID: entratest.APIClientID, PageID: entratest.SPAClientID, API: "http://localhost:3001"}

func TestAPI(t *testing.T) {
	tenant := entratest.New(t)
	api, err := newAPI(sample, tenant.Client(), origin) // the fake tenant in place of Entra
	if err != nil {
		t.Fatal(err)
	}
	user := func(options ...entratest.TokenOption) string { return tenant.Token(options...) }
	for _, test := range []struct {
		name, method, path, token string
		status                    int
		challenge, body           string // what they contain
	}{
		{"an access token lists", "GET", "/orders", user(), 200, "", "Two chairs"},
		{"an ID token says who signed in", "GET", "/me", user(entratest.IDToken(), entratest.Audience(entratest.SPAClientID)), 200, "", `"name":"Alice Example"`},
		{"one of another page does not", "GET", "/me", user(entratest.IDToken(), entratest.Audience(entratest.ClientID)), 401, "invalid_token", `"reason":"audience"`},
		{"an ID token may not list", "GET", "/orders", user(entratest.IDToken(), entratest.Audience(entratest.SPAClientID)), 401, "invalid_token", `"reason":"audience"`},
		{"deleting takes another scope", "DELETE", "/orders/1001", user(), 403, entratest.APIURI + "/Orders.Write", `"reason":"scope"`},
		{"with it orders are deleted", "DELETE", "/orders/1001", user(entratest.Scopes("Orders.Write")), 200, "", `"deleted":"1001"`},
		{"paying takes a step-up", "POST", "/payments", user(entratest.Capabilities("cp1")), 401, "insufficient_claims", `"reason":"auth_context"`},
		{"a client that cannot step up is told no", "POST", "/payments", user(), 403, "insufficient_scope", `"reason":"auth_context"`},
		{"after it orders are paid", "POST", "/payments", user(entratest.AuthContext("c1")), 201, "", `"paid":"1002"`},
		{"nobody lists without a token", "GET", "/orders", "", 401, "authorization_uri", `"reason":"no_token"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, nil)
			r.Header.Set("Origin", origin)
			if test.token != "" {
				r.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			challenge := w.Header().Get("WWW-Authenticate")
			if w.Code != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", w.Code, challenge, w.Body, test.status, test.challenge, test.body)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != origin || w.Header().Get("Access-Control-Expose-Headers") != "WWW-Authenticate" {
				t.Errorf("got the headers %v, want the page to be able to read the answer and its challenge", w.Header())
			}
		})
	}
}

func TestBrowsersMayAskFirst(t *testing.T) {
	api, err := newAPI(sample, nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	for from, allowed := range map[string]string{origin: origin, "https://evil.example": ""} {
		r := httptest.NewRequest(http.MethodOptions, "/orders/1001", nil)
		r.Header.Set("Origin", from)
		r.Header.Set("Access-Control-Request-Method", "DELETE")
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != allowed {
			t.Errorf("a page of %s: got %d, allowed %q; want 204, %q", from, w.Code, w.Header().Get("Access-Control-Allow-Origin"), allowed)
		}
	}
}

func TestPage(t *testing.T) {
	msal := t.TempDir()
	if _, err := newPage(settings{}, msal); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("without MSAL.js: got %v, want an error that says how to get it", err)
	}
	if err := os.WriteFile(filepath.Join(msal, "msal-browser.min.js"), []byte("// MSAL.js"), 0o600); err != nil {
		t.Fatal(err)
	}
	tenant := entratest.New(t)
	url, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	s := settings{API: "http://localhost:3001"}
	if err := s.emulate(url); err != nil {
		t.Fatal(err)
	}
	page, err := newPage(s, msal)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	for _, path := range []string{"/", "/app.js", "/api.js", "/redirect.html", "/redirect.js", "/msal/msal-browser.min.js"} {
		if w := get(path); w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "connect-src 'self' http://localhost:3001 "+url) {
			t.Errorf("GET %s: got %d with the policy %q", path, w.Code, w.Header().Get("Content-Security-Policy"))
		}
	}
	var config map[string]string
	if err := json.Unmarshal(get("/config.json").Body.Bytes(), &config); err != nil {
		t.Fatal(err)
	}
	if config["clientId"] != entratest.SPAClientID || config["apiId"] != entratest.APIClientID || !strings.Contains(config["authorityMetadata"], url+"/"+entratest.TenantID+"/oauth2/v2.0/token") {
		t.Errorf("config.json: got %v, want the client IDs and the emulator's metadata", config)
	}
}
