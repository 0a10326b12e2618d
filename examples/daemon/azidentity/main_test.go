package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestTheDaemonCallsTheAPI(t *testing.T) {
	tenant := entratest.New(t)
	apiURL := serve(t, tenant)
	for _, test := range []struct{ name, secret, want string }{
		{"with its secret", entratest.ClientSecret, "orders for " + entratest.ClientID},
		{"with a wrong secret", "wrong", "invalid_client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AZURE_TENANT_ID", entratest.TenantID)
			t.Setenv("AZURE_CLIENT_ID", entratest.ClientID)
			t.Setenv("AZURE_CLIENT_SECRET", test.secret)
			t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
			credential, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
				ClientOptions: azcore.ClientOptions{Transport: tenant.Client()}, // the fake tenant in place of Entra
			})
			if err != nil {
				t.Fatal(err)
			}
			orders, err := listOrders(t.Context(), credential, entratest.APIURI+"/.default", apiURL)
			if got := fmt.Sprint(orders, err); !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
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
