package entra_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// fakeEntra stands in for Entra in the examples: programs leave Options.HTTPClient out and reach the real one.
func fakeEntra(config entratest.Config) *entratest.Server {
	server, err := entratest.NewServer(config)
	if err != nil {
		panic(err)
	}
	return server
}

// mustVerifier is for examples: programs look at the error, which names every mistake.
func mustVerifier(options entra.Options) *entra.Verifier {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		panic(err)
	}
	return verifier
}

// request sends handler a GET request for path, with token if there is one, and returns the answer.
func request(handler http.Handler, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// An API in full: who is it, once, outermost; may they, per route.
func Example() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()

	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},  // Directory (tenant) ID
		ClientID:   entratest.APIClientID,         // Application (client) ID of this API
		HTTPClient: tenant.Client(),               // in tests only
		Logger:     slog.New(slog.DiscardHandler), // in tests only
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprint(w, "orders of ", claims.ObjectID)
	})
	api := http.NewServeMux()
	api.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"))(orders))
	handler := verifier.Authenticate(api)

	answer := request(handler, "/orders", tenant.Token())
	fmt.Println(answer.Code, answer.Body)
	fmt.Println(request(handler, "/orders", "").Code)
	fmt.Println(request(handler, "/orders", tenant.Token(entratest.Expired())).Code)
	fmt.Println(request(handler, "/orders", tenant.Token(entratest.Scopes("Orders.Write"))).Code)
	// Output:
	// 200 orders of e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1
	// 401
	// 401
	// 403
}

// One error names every mistake, with its field.
func ExampleNewVerifier() {
	_, err := entra.NewVerifier(entra.Options{
		Tenants:   []string{"contoso.onmicrosoft.com"},
		ClientID:  "orders",
		ClockSkew: 30,
	})
	fmt.Println(err)
	// Output:
	// entra: Options.Tenants[0]: "contoso.onmicrosoft.com" is a domain name, and those can change hands; give the Directory (tenant) ID, the GUID on the tenant's overview page
	// entra: Options.ClientID: "orders" is no GUID; expected the Application (client) ID of this API
	// entra: Options.ClockSkew: 30ns is not between 1s and 1h0m0s; a time.Duration counts nanoseconds: write 2*time.Minute
}

// A page that everybody may see, and that knows those who send a token.
func ExampleVerifier_AuthenticateOptional() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	page := verifier.AuthenticateOptional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if claims, ok := entra.ClaimsFromContext(r.Context()); ok {
			fmt.Fprint(w, "hello, ", claims.Name)
			return
		}
		fmt.Fprint(w, "hello")
	}))
	fmt.Println(request(page, "/", "").Body)
	fmt.Println(request(page, "/", tenant.Token()).Body)
	fmt.Println(request(page, "/", "not a token").Code)
	// Output:
	// hello
	// hello, Alice Example
	// 400
}

// Tokens of several authorities: each has a Verifier, and the first one that knows the token counts. They share nothing.
func ExampleVerifier_Verify() {
	staff, customers := fakeEntra(entratest.Config{}), fakeEntra(entratest.Config{Authority: "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"})
	defer staff.Close()
	defer customers.Close()
	verifiers := []*entra.Verifier{
		mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: staff.Client()}),
		mustVerifier(entra.Options{
			Authority: "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0",
			ClientID:  entratest.APIClientID, HTTPClient: customers.Client(),
		}),
	}
	verify := func(ctx context.Context, token string) (claims *entra.Claims, err error) {
		for _, verifier := range verifiers {
			var refused error
			if claims, refused = verifier.Verify(ctx, token); refused == nil {
				return claims, nil
			}
			err = errors.Join(err, refused)
		}
		return nil, err
	}
	for _, token := range []string{staff.Token(), customers.Token(), staff.Token(entratest.Expired())} {
		claims, err := verify(context.Background(), token)
		if err != nil {
			fmt.Println("refused:", entra.ReasonOf(err))
			continue
		}
		fmt.Println(claims.Issuer)
	}
	// Output:
	// https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
	// https://33333333-3333-4333-8333-333333333333.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0
	// refused: expired
}

// A decision inside a handler is answered as the middleware answers.
func ExampleVerifier_Refuse() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	order := verifier.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		if owner := entratest.BobObjectID; claims.ObjectID != owner {
			verifier.Refuse(w, r, fmt.Errorf("order of %s: %w", owner, entra.ErrForbidden))
			return
		}
		fmt.Fprint(w, "one bicycle")
	}))
	fmt.Println(request(order, "/orders/1", tenant.Token(entratest.User("bob"))).Body)
	fmt.Println(request(order, "/orders/1", tenant.Token(entratest.User("alice"))).Body)
	// Output:
	// one bicycle
	// {"title":"Forbidden","status":403,"detail":"The caller is not permitted to do this.","reason":"forbidden"}
}

// The metadata document of RFC 9728 stands outside of Authenticate: whoever reads it has no token yet.
func ExampleVerifier_ResourceMetadata() {
	verifier := mustVerifier(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       entratest.APIClientID,
		Audiences:      []string{"https://api.contoso.example/orders"}, // an Application ID URI of the API, on a verified domain
		Resource:       "https://api.contoso.example/orders",
		ResourceScopes: []string{"https://api.contoso.example/orders/Orders.Read"},
	})
	mux := http.NewServeMux()
	mux.Handle("/.well-known/oauth-protected-resource/orders", verifier.ResourceMetadata())
	mux.Handle("/orders", verifier.Authenticate(http.NotFoundHandler()))

	fmt.Println(strings.ReplaceAll(request(mux, "/orders", "").Header().Get("WWW-Authenticate"), ", ", ",\n  "))
	fmt.Println(request(mux, "/.well-known/oauth-protected-resource/orders", "").Body)
	// Output:
	// Bearer realm="",
	//   authorization_uri="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize",
	//   resource_metadata="https://api.contoso.example/.well-known/oauth-protected-resource/orders"
	// {"resource":"https://api.contoso.example/orders","authorization_servers":["https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0"],"scopes_supported":["https://api.contoso.example/orders/Orders.Read"],"bearer_methods_supported":["header"]}
}

// A readiness probe: nil once keys are held, so that the first request does not wait for them.
func ExampleVerifier_Ready() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	tenant.Down()
	err := verifier.Ready(context.Background())
	fmt.Println(errors.Is(err, entra.ErrKeysUnavailable), entra.StatusCode(err))
	// Output:
	// true 503
}

// A handler is tested without tokens.
func ExampleContextWithClaims() {
	handler := entra.Require(entra.Role("Orders.Admin"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "deleted")
	}))
	r := httptest.NewRequest(http.MethodDelete, "/orders/1", nil)
	r = r.WithContext(entra.ContextWithClaims(r.Context(), &entra.Claims{Kind: entra.UserToken, Roles: []string{"Orders.Admin"}}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 deleted
}

// Claims that have no field of their own are decoded by their exact names.
func ExampleClaims_Decode() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	claims, err := verifier.Verify(context.Background(), tenant.Token(entratest.Claim("extension_costCenter", "4711")))
	if err != nil {
		fmt.Println(err)
		return
	}
	var custom struct {
		CostCenter string `json:"extension_costCenter"`
	}
	if err := claims.Decode(&custom); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(custom.CostCenter)
	// Output:
	// 4711
}
