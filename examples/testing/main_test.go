package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Tests a handler alone, without tokens: the claims are made by hand.
func TestListOrders(t *testing.T) {
	const user = "e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1"
	for _, test := range []struct {
		name   string
		claims entra.Claims
		want   string
	}{
		{"a user sees his own", entra.Claims{Kind: entra.UserToken, ObjectID: user}, "orders of user " + user},
		{"an administrator sees all", entra.Claims{Kind: entra.UserToken, ObjectID: user, Roles: []string{"Orders.Admin"}}, "all orders"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest("GET", "/orders", nil)
			request = request.WithContext(entra.ContextWithClaims(request.Context(), &test.claims))
			recorder := httptest.NewRecorder()
			listOrders(recorder, request)
			if got := strings.TrimSpace(recorder.Body.String()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Tests the whole API: which caller may use which route.
func TestWhoMayDoWhat(t *testing.T) {
	tenant := entratest.New(t)
	handler := newTestHandler(t, tenant)
	for _, test := range []struct {
		name, method, token string
		want                int
		reason              entra.Reason
	}{
		{"a reader may list", "GET", tenant.Token(entratest.Scopes("Orders.Read")), 200, ""},
		{"a writer may add", "POST", tenant.Token(entratest.Scopes("Orders.Write")), 201, ""},
		{"a reader may not add", "POST", tenant.Token(entratest.Scopes("Orders.Read")), 403, entra.ReasonScope},
		{"a daemon may not list", "GET", tenant.Token(entratest.App("Orders.Read.All")), 403, entra.ReasonScope},
		{"an ID token is not enough", "GET", tenant.Token(entratest.IDToken()), 401, entra.ReasonIDToken},
		{"a token for Graph is not for us", "GET", tenant.Token(entratest.Graph()), 401, entra.ReasonMicrosoftAPIToken},
		{"another tenant's token is not accepted", "GET", tenant.Token(entratest.Tenant(entratest.OtherTenantID)), 401, entra.ReasonTenant},
		{"a forged token is not accepted", "GET", tenant.Token(entratest.SignedBy(tenant.UnknownKey())), 401, entra.ReasonUnknownKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := send(handler, test.method, test.token)
			if answer.Code != test.want || !strings.Contains(answer.Body.String(), string(test.reason)) {
				t.Errorf("got %d and %s, want %d and %q", answer.Code, answer.Body, test.want, test.reason)
			}
		})
	}
}

// In a synctest bubble time passes at once.
func TestATokenEndsAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		handler := newTestHandler(t, tenant)
		token := tenant.Token(entratest.Scopes("Orders.Read"))
		if answer := send(handler, "GET", token); answer.Code != 200 {
			t.Errorf("got %d at first, want 200", answer.Code)
		}
		time.Sleep(time.Hour + 2*time.Minute)
		if answer := send(handler, "GET", token); answer.Code != 401 {
			t.Errorf("got %d later, want 401", answer.Code)
		}
	})
}

func TestKeysMayChange(t *testing.T) {
	tenant := entratest.New(t)
	handler := newTestHandler(t, tenant)
	for range 2 {
		if answer := send(handler, "GET", tenant.Token(entratest.Scopes("Orders.Read"))); answer.Code != 200 {
			t.Errorf("got %d and %s, want 200", answer.Code, answer.Body)
		}
		tenant.RotateKeys()
	}
}

func TestWithoutEntraNobodyGetsIn(t *testing.T) {
	tenant := entratest.New(t)
	tenant.Down()
	answer := send(newTestHandler(t, tenant), "GET", tenant.Token(entratest.Scopes("Orders.Read")))
	if answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q; want 503 and some seconds", answer.Code, answer.Header().Get("Retry-After"))
	}
}

func newTestHandler(t *testing.T, tenant *entratest.Server) http.Handler {
	t.Helper()
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func send(handler http.Handler, method, token string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "/orders", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}
