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

	country := entratest.Claim("ctry", "DE")
	for _, test := range []struct {
		name   string
		claims []entratest.TokenOption
		status int
		body   string // what it contains
	}{
		{"one cost center in an array", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", []string{"4711"})}, 200, "[4711] in DE"},
		{"two cost centers", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", []string{"4711", "4712"})}, 200, "[4711 4712] in DE"},
		{"one cost center as a string", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", "4711")}, 200, "[4711] in DE"},
		{"no country", []entratest.TokenOption{entratest.Claim("extn.costCenter", "4711")}, 200, "[4711] in"},
		{"no cost center", []entratest.TokenOption{country}, 403, "forbidden"},
		{"an empty list of cost centers", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", []string{})}, 403, "forbidden"},
		{"null for a cost center", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", nil)}, 403, "forbidden"},
		{"null among the cost centers", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", []any{nil, ""})}, 403, "forbidden"},
		{"a number for a cost center", []entratest.TokenOption{country, entratest.Claim("extn.costCenter", 4711)}, 403, "forbidden"},
		{"a name in other letters", []entratest.TokenOption{country, entratest.Claim("extn.costcenter", "4711")}, 403, "forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, body := send(t, http.MethodGet, server.URL+"/orders", tenant.Token(test.claims...))
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("got %d and %q, want %d and %q", status, body, test.status, test.body)
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
