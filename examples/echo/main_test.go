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

	reader := tenant.Token(entratest.Scopes("Orders.Read"))
	for _, test := range []struct {
		name, method, path, token string
		status                    int
		challenge, body           string // what they contain
	}{
		{"anybody may ask for its health", "GET", "/healthz", "", 200, "", ""},
		{"a reader may list", "GET", "/orders", reader, 200, "", entratest.AliceObjectID},
		{"a reader may not add", "POST", "/orders", reader, 403, "/Orders.Write", `"reason":"scope"`},
		{"a writer may add", "POST", "/orders", tenant.Token(entratest.Scopes("Orders.Write")), 201, "", ""},
		{"an application may not list", "GET", "/orders", tenant.Token(entratest.App("Orders.Read")), 403, "insufficient_scope", ""},
		{"nobody may list without a token", "GET", "/orders", "", 401, "authorization_uri", `"reason":"no_token"`},
		{"nobody may list with an old token", "GET", "/orders", tenant.Token(entratest.Expired()), 401, "invalid_token", `"reason":"expired"`},
		{"there is nothing else", "GET", "/secret", reader, 404, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, challenge, body := send(t, test.method, server.URL+test.path, test.token)
			if status != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", status, challenge, body, test.status, test.challenge, test.body)
			}
		})
	}
}

func TestMissingSettingsAreAnError(t *testing.T) {
	_, err := newHandler(entra.Options{Tenants: []string{""}})
	if err == nil || !strings.Contains(err.Error(), "Tenants") || !strings.Contains(err.Error(), "ClientID") {
		t.Errorf("got %v, want an error that names Tenants and ClientID", err)
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
