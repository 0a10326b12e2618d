package docs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// A change notification of Microsoft Graph with resource data brings its tokens in the body: version 1.0, of nobody, without
// any permission. TrustedClients lets in those of Graph, and of no other application of the tenant.
//
// Source: https://learn.microsoft.com/graph/change-notifications-with-resource-data
func Example_graphChangeNotification() {
	const graph = "0bf30f3b-4a52-48df-9a82-234910c4a086" // Microsoft Graph Change Tracking
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		panic(err)
	}
	defer tenant.Close()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       entratest.APIClientID, // of the application that subscribed
		TrustedClients: []string{graph},
		HTTPClient:     tenant.Client(), // in tests only
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	genuine := func(body []byte) error {
		var notification struct {
			Value []struct {
				TenantID string `json:"tenantId"`
			} `json:"value"`
			ValidationTokens []string `json:"validationTokens"`
		}
		if err := json.Unmarshal(body, &notification); err != nil {
			return err
		}
		tenants := make(map[string]bool)
		for _, token := range notification.ValidationTokens {
			ctx, err := verifier.AuthenticateContext(context.Background(), "Bearer "+token)
			if err != nil {
				return fmt.Errorf("a token is refused, %s", entra.ReasonOf(err))
			}
			if err := entra.Permit(ctx, entra.ClientIn(graph)); err != nil {
				return fmt.Errorf("a token is refused, %s", entra.ReasonOf(err))
			}
			claims, _ := entra.ClaimsFromContext(ctx)
			tenants[claims.TenantID] = true
		}
		for _, change := range notification.Value {
			if !tenants[change.TenantID] {
				return fmt.Errorf("no token is of the tenant %s", change.TenantID)
			}
		}
		return nil
	}

	fromGraph := tenant.Token(entratest.V1(), entratest.Audience(entratest.APIClientID), entratest.App(), entratest.CallingApp(graph), entratest.Without("oid", "sub", "idtyp"))
	fromAnother := tenant.Token(entratest.V1(), entratest.Audience(entratest.APIClientID), entratest.App(), entratest.CallingApp(entratest.ClientID))
	body := func(token, tenantID string) []byte {
		return fmt.Appendf(nil, `{"value": [{"tenantId": %q, "changeType": "created"}], "validationTokens": [%q]}`, tenantID, token)
	}
	fmt.Println("Graph's:", genuine(body(fromGraph, entratest.TenantID)))
	fmt.Println("another application's:", genuine(body(fromAnother, entratest.TenantID)))
	fmt.Println("a user's:", genuine(body(tenant.Token(), entratest.TenantID)))
	fmt.Println("about another tenant:", genuine(body(fromGraph, entratest.OtherTenantID)))
	fmt.Println("without a token:", genuine([]byte(`{"value": [{"tenantId": "11111111-1111-4111-8111-111111111111"}]}`)))
	// Output:
	// Graph's: <nil>
	// another application's: a token is refused, no_permissions
	// a user's: a token is refused, client
	// about another tenant: no token is of the tenant 22222222-2222-4222-8222-222222222222
	// without a token: no token is of the tenant 11111111-1111-4111-8111-111111111111
}

// Consumers that have a secret of the API's own registration sign in as the API: nothing in their tokens tells them apart.
// While they move to registrations of their own, both are let in.
func Example_consumersOfOneRegistration() {
	const apiID, consumerID = entratest.APIClientID, entratest.ClientID
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		panic(err)
	}
	defer tenant.Close()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       apiID,
		TrustedClients: []string{apiID}, // until the last consumer has moved
		HTTPClient:     tenant.Client(), // in tests only
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mayRead := entra.AnyOf(entra.AppPermission("Orders.Read.All"), entra.ClientIn(apiID))
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprint(w, "for ", claims.ClientID)
	})
	api := verifier.Authenticate(entra.Require(mayRead)(orders))

	send := func(who, token string) {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Printf("%s: %d %s\n", who, w.Code, w.Body)
	}
	send("a consumer with the API's registration", tenant.Token(entratest.App(), entratest.CallingApp(apiID)))
	send("another one", tenant.Token(entratest.App(), entratest.CallingApp(apiID)))
	send("a consumer that has moved", tenant.Token(entratest.App("Orders.Read.All"), entratest.CallingApp(consumerID)))
	// Output:
	// a consumer with the API's registration: 200 for aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
	// another one: 200 for aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
	// a consumer that has moved: 200 for dddddddd-dddd-4ddd-8ddd-dddddddddddd
}
