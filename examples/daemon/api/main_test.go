package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestOrders(t *testing.T) {
	tenant := entratest.New(t)
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	for _, test := range []struct {
		name, method, path, token string
		status                    int
		challenge, body           string // what they contain
	}{
		{"a user lists his own", "GET", "/orders", tenant.Token(entratest.Scopes("Orders.Read")), 200, "", "orders of user " + entratest.AliceObjectID},
		{"a daemon lists all", "GET", "/orders", tenant.Token(entratest.App("Orders.Read.All")), 200, "", "all orders, for application " + entratest.ClientID},
		{"a user with the name of the daemon's permission may not", "GET", "/orders", tenant.Token(entratest.Scopes("Other"), entratest.Roles("Orders.Read.All")), 403, "/Orders.Read", `"reason":"scope"`},
		{"a daemon with the name of the scope may not", "GET", "/orders", tenant.Token(entratest.App("Orders.Read")), 403, "insufficient_scope", `"reason":"app_permission"`},
		{"a daemon that was given nothing may not", "GET", "/orders", tenant.Token(entratest.App()), 401, "invalid_token", `"reason":"no_permissions"`},
		{"nobody may without a token", "GET", "/orders", "", 401, "authorization_uri", `"reason":"no_token"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, challenge, body := send(t, test.method, server.URL+test.path, test.token)
			if status != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", status, challenge, body, test.status, test.challenge, test.body)
			}
		})
	}
}

func send(t *testing.T, method, url, token string) (status int, challenge, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), text.String()
}
