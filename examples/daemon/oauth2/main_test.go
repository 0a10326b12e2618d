package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func TestTheDaemonCallsTheAPI(t *testing.T) {
	tenant := entratest.New(t)
	apiURL := serve(t, tenant)
	// The fake tenant stands in for Microsoft's host; the API is reached as usual.
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport{tenant.Transport()}})
	daemon := clientcredentials.Config{
		ClientID:     entratest.ClientID,
		ClientSecret: entratest.ClientSecret,
		TokenURL:     "https://login.microsoftonline.com/" + entratest.TenantID + "/oauth2/v2.0/token",
		Scopes:       []string{entratest.APIURI + "/.default"},
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	for _, test := range []struct{ name, secret, want string }{
		{"with its secret", entratest.ClientSecret, "orders for " + entratest.ClientID},
		{"with a wrong secret", "wrong", "invalid_client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			daemon.ClientSecret = test.secret
			orders, err := listOrders(ctx, daemon.Client(ctx), apiURL)
			if got := fmt.Sprint(orders, err); !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestARefusalIsAnError(t *testing.T) {
	tenant := entratest.New(t)
	_, err := listOrders(t.Context(), http.DefaultClient, serve(t, tenant))
	if err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("got %v, want an error with 401", err)
	}
}

type transport struct{ entra http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.entra.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func serve(t *testing.T, tenant *entratest.Server) (url string) {
	t.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(verifier.Authenticate(entra.Require(entra.AppPermission("Orders.Read.All"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, _ := entra.ClaimsFromContext(r.Context())
			fmt.Fprint(w, "orders for ", claims.ClientID)
		}))))
	t.Cleanup(server.Close)
	return server.URL
}
