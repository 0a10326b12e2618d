package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestTenants(t *testing.T) {
	tenant := entratest.New(t)
	handler, err := newHandler(entra.Options{
		AllowAnyTenant: true,
		ClientID:       entratest.APIClientID,
		HTTPClient:     tenant.Client(), // the fake tenants in place of Entra
	}, newCustomers())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	other := entratest.Tenant(entratest.OtherTenantID)
	// Each step builds on those before it.
	for _, step := range []struct {
		name, method, path, token string
		status                    int
		challenge, body           string // what they contain
	}{
		{"a tenant that is no customer may not list", "GET", "/orders", tenant.Token(), 403, "insufficient_scope", `"reason":"forbidden"`},
		{"a user without the scope may not onboard his tenant", "POST", "/onboarding", tenant.Token(), 403, "/Tenant.Onboard", ""},
		{"an admin onboards his tenant", "POST", "/onboarding", tenant.Token(entratest.Scopes("Tenant.Onboard")), 201, "", ""},
		{"now its users may list", "GET", "/orders", tenant.Token(), 200, "", "orders of " + entratest.TenantID + ", plan trial"},
		{"but not those of another tenant", "GET", "/orders", tenant.Token(other), 403, "insufficient_scope", ""},
		{"which is onboarded by its own admin", "POST", "/onboarding?tenant=" + entratest.TenantID, tenant.Token(other, entratest.Scopes("Tenant.Onboard")), 201, "", ""},
		{"and sees its own orders alone", "GET", "/orders", tenant.Token(other), 200, "", "orders of " + entratest.OtherTenantID},
		{"a customer's user still needs the scope", "GET", "/orders", tenant.Token(entratest.Scopes("Other")), 403, "/Orders.Read", ""},
		{"personal accounts are no tenant's", "GET", "/orders", tenant.Token(entratest.Personal()), 401, "invalid_token", ""},
	} {
		status, challenge, body := send(t, step.method, server.URL+step.path, step.token)
		if status != step.status || !strings.Contains(challenge, step.challenge) || !strings.Contains(body, step.body) {
			t.Errorf("%s: got %d, challenge %q, body %q; want %d, %q, %q", step.name, status, challenge, body, step.status, step.challenge, step.body)
		}
	}
}

func TestATableThatCannotBeReadLetsNobodyIn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newCustomers()
	c.byTenant[entratest.TenantID] = customer{}
	err := c.mayCall(ctx, &entra.Claims{Kind: entra.UserToken, TenantID: entratest.TenantID})
	if err == nil || errors.Is(err, entra.ErrForbidden) {
		t.Errorf("got %v, want an error that is no ErrForbidden", err)
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
