package entra_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	//   resource_metadata="https://api.contoso.example/.well-known/oauth-protected-resource/orders",
	//   scope="https://api.contoso.example/orders/Orders.Read"
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

// Staff with Entra ID beside customers with External ID, in front of one handler.
func ExampleCombine() {
	const authority = "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"
	home, customers := fakeEntra(entratest.Config{}), fakeEntra(entratest.Config{Authority: authority})
	defer home.Close()
	defer customers.Close()

	staff := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: home.Client()})
	public := mustVerifier(entra.Options{Authority: authority, ClientID: entratest.APIClientID, HTTPClient: customers.Client()})
	verifier, err := entra.Combine(staff, public)
	if err != nil {
		fmt.Println(err)
		return
	}
	show(verifier, "staff", home.Token())
	show(verifier, "a customer", customers.Token())
	show(verifier, "somebody else", home.Token(entratest.Tenant(entratest.OtherTenantID)))
	// Output:
	// staff: user token of tenant 11111111-1111-4111-8111-111111111111
	// a customer: user token of tenant 33333333-3333-4333-8333-333333333333
	// somebody else: refused, issuer
}

// What an interceptor of gRPC does, or a reader of a queue: who is it, then may they.
func ExampleVerifier_AuthenticateContext() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	listOrders := func(ctx context.Context) string {
		claims, _ := entra.ClaimsFromContext(ctx)
		return "orders of " + claims.ObjectID
	}
	call := func(authorization ...string) {
		ctx, err := verifier.AuthenticateContext(context.Background(), authorization...)
		if err == nil {
			err = entra.Permit(ctx, entra.Scope("Orders.Read"))
		}
		if err != nil {
			// The refusal is counted and logged. The client gets the status and the challenge, never the text of err.
			fmt.Println(entra.StatusCode(err), strings.HasPrefix(verifier.Challenge(err), "Bearer"))
			return
		}
		fmt.Println(listOrders(ctx))
	}
	call("Bearer " + tenant.Token())
	call("Bearer " + tenant.Token(entratest.Scopes("Orders.Write")))
	call()
	// Output:
	// orders of e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1
	// 403 true
	// 401 true
}

// A decision inside a handler, which depends on the order.
func ExamplePermit() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	order := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/orders/large" {
			if err := entra.Permit(r.Context(), entra.Role("Orders.Admin")); err != nil {
				verifier.Refuse(w, r, err)
				return
			}
		}
		fmt.Fprintln(w, "order of", r.URL.Path)
	}
	handler := verifier.Authenticate(http.HandlerFunc(order))
	fmt.Println(request(handler, "/orders/small", tenant.Token()).Code)
	fmt.Println(request(handler, "/orders/large", tenant.Token()).Code)
	fmt.Println(request(handler, "/orders/large", tenant.Token(entratest.Roles("Orders.Admin"))).Code)
	// Output:
	// 200
	// 403
	// 200
}

// The token that was verified, to exchange it for one of a downstream API on behalf of its user.
func ExampleTokenFromContext() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	token := tenant.Token()
	handler := verifier.Authenticate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assertion, ok := entra.TokenFromContext(r.Context())
		fmt.Println(ok, assertion == token) // for AcquireTokenOnBehalfOf of MSAL Go; never log it
	}))
	request(handler, "/", token)
	// Output:
	// true true
}

// Entra answers a request on behalf of the user with a claims challenge: the client must sign the user in again with it.
func ExampleClaimsChallenge() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	handler := verifier.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The member claims of Entra's error interaction_required.
		const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
		verifier.Refuse(w, r, entra.ClaimsChallenge(claims))
	}))
	w := request(handler, "/", tenant.Token())
	_, challenge, _ := strings.Cut(w.Header().Get("WWW-Authenticate"), "error=")
	fmt.Println(w.Code, "error="+challenge)
	// Output:
	// 401 error="insufficient_claims", error_description="A stronger sign-in is required here.", claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
}

// guard returns a handler that answers 200 to those who meet the requirements.
func guard(verifier *entra.Verifier, requirements ...entra.Requirement) http.Handler {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	return verifier.Authenticate(entra.Require(requirements...)(ok))
}

// Users need the scope, daemons the application permission.
func ExampleAnyOf() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	orders := guard(verifier, entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
	fmt.Println("a user:", request(orders, "/", tenant.Token()).Code)
	fmt.Println("a daemon:", request(orders, "/", tenant.Token(entratest.App("Orders.Read.All"))).Code)
	fmt.Println("a user with a role of that name:", request(orders, "/", tenant.Token(entratest.Scopes("Orders.Write"), entratest.Roles("Orders.Read.All"))).Code)
	// Output:
	// a user: 200
	// a daemon: 200
	// a user with a role of that name: 403
}

// A route for people: no application, and no account of an agent's own.
func ExampleHuman() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	approve := guard(verifier, entra.Human(), entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
	fmt.Println("a person:", request(approve, "/", tenant.Token()).Code)
	fmt.Println("an agent on behalf of a person:", request(approve, "/", tenant.Token(entratest.Claim("xms_act_fct", "11"))).Code)
	fmt.Println("an agent's own account:", request(approve, "/", tenant.Token(entratest.Claim("xms_sub_fct", "13"))).Code)
	fmt.Println("a daemon:", request(approve, "/", tenant.Token(entratest.App("Orders.Read.All"))).Code)
	// Output:
	// a person: 200
	// an agent on behalf of a person: 200
	// an agent's own account: 403
	// a daemon: 403
}

// The application that asked for the token must be one of a list.
func ExampleClientIn() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client(),
		AllowWithoutPermissions: true,
	})
	nightly := guard(verifier, entra.ClientIn(entratest.ClientID))
	fmt.Println("the nightly job:", request(nightly, "/", tenant.Token(entratest.App(), entratest.CallingApp(entratest.ClientID))).Code)
	fmt.Println("another application:", request(nightly, "/", tenant.Token(entratest.App(), entratest.CallingApp(entratest.SPAClientID))).Code)
	// Output:
	// the nightly job: 200
	// another application: 403
}

// One route for fewer tenants than the Verifier lets in.
func ExampleTenantIn() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{AllowAnyTenant: true, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	admin := guard(verifier, entra.TenantIn(entratest.TenantID), entra.Scope("Orders.Read"))
	fmt.Println("our own tenant:", request(admin, "/", tenant.Token()).Code)
	fmt.Println("a customer's:", request(admin, "/", tenant.Token(entratest.Tenant(entratest.OtherTenantID))).Code)
	// Output:
	// our own tenant: 200
	// a customer's: 403
}

// Step-up: a client that can is told which claims its next token must have, and comes back with them.
func ExampleAuthContext() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	payout := guard(verifier, entra.Scope("Orders.Read"), entra.AuthContext("c1"))
	challenged := request(payout, "/", tenant.Token(entratest.Capabilities("cp1")))
	fmt.Println(challenged.Code)
	fmt.Println(strings.ReplaceAll(challenged.Header().Get("WWW-Authenticate"), ", ", ",\n  "))
	fmt.Println(request(payout, "/", tenant.Token(entratest.Capabilities("cp1"), entratest.AuthContext("c1"))).Code)
	fmt.Println("a client that cannot:", request(payout, "/", tenant.Token()).Code)
	// Output:
	// 401
	// Bearer realm="",
	//   authorization_uri="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize",
	//   error="insufficient_claims",
	//   error_description="A stronger sign-in is required here.",
	//   claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
	// 200
	// a client that cannot: 403
}

// directory is a list of customers that stands elsewhere, in a database perhaps.
type directory map[string]struct{ paidUntil time.Time }

// find gives up when the request that asks has ended.
func (d directory) find(ctx context.Context, tenant string) (paidUntil time.Time, known bool, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, false, err
	}
	customer, known := d[tenant]
	return customer.paidUntil, known, nil
}

// A requirement of one's own, with AllowAnyTenant: which tenants are customers stands in a list that changes while the
// program runs. An error that wraps ErrForbidden is answered with 403; any other with 500, because then nobody knows.
func ExampleRequirement() {
	customers := directory{entratest.TenantID: {time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}
	isCustomer := func(ctx context.Context, claims *entra.Claims) error {
		paidUntil, known, err := customers.find(ctx, claims.TenantID)
		switch {
		case err != nil:
			return fmt.Errorf("looking up tenant %s: %w", claims.TenantID, err)
		case !known:
			return fmt.Errorf("tenant %s is no customer: %w", claims.TenantID, entra.ErrForbidden)
		case time.Now().After(paidUntil):
			return fmt.Errorf("tenant %s paid until %s: %w", claims.TenantID, paidUntil.Format(time.DateOnly), entra.ErrForbidden)
		}
		return nil
	}

	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{AllowAnyTenant: true, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})
	orders := guard(verifier, isCustomer, entra.Scope("Orders.Read"))

	fmt.Println("a customer:", request(orders, "/", tenant.Token()).Code)
	fmt.Println("a stranger:", request(orders, "/", tenant.Token(entratest.Tenant(entratest.OtherTenantID))).Code)
	// Output:
	// a customer: 200
	// a stranger: 403
}

// Clients of the Model Context Protocol refuse the metadata of Entra itself. They accept Entra's document under an issuer of
// this API's own, which leads to Entra all the same.
func ExampleVerifier_AuthorizationServerMetadata() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:              []string{entratest.TenantID},
		ClientID:             entratest.APIClientID,
		Audiences:            []string{"https://api.contoso.example/mcp"},
		Resource:             "https://api.contoso.example/mcp",
		ResourceScopes:       []string{"https://api.contoso.example/mcp/Orders.Read"},
		AuthorizationServers: []string{"https://api.contoso.example/mcp"},
		HTTPClient:           tenant.Client(),
	})
	mux := http.NewServeMux()
	mux.Handle("/.well-known/oauth-protected-resource/mcp", verifier.ResourceMetadata()) // at verifier.ResourceMetadataURL()
	mux.Handle("/.well-known/oauth-authorization-server/mcp", verifier.AuthorizationServerMetadata())
	mux.Handle("/mcp", verifier.Authenticate(http.NotFoundHandler()))

	var metadata struct {
		Issuer                string
		TokenEndpoint         string   `json:"token_endpoint"`
		CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
		AuthorizationEndpoint string   `json:"authorization_endpoint"`
	}
	body := request(mux, "/.well-known/oauth-authorization-server/mcp", "").Body
	if err := json.NewDecoder(body).Decode(&metadata); err != nil {
		fmt.Println(err)
	}
	fmt.Println(metadata.Issuer, metadata.CodeChallengeMethods)
	fmt.Println(metadata.AuthorizationEndpoint)
	fmt.Println(metadata.TokenEndpoint)
	// Output:
	// https://api.contoso.example/mcp [S256]
	// https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize
	// https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token
}

// The URL that challenges name, and where the metadata of RFC 9728 must answer.
func ExampleVerifier_ResourceMetadataURL() {
	verifier := mustVerifier(entra.Options{
		Tenants:  []string{entratest.TenantID},
		ClientID: entratest.APIClientID,
		Resource: "https://api.contoso.example/mcp",
	})
	fmt.Println(verifier.ResourceMetadataURL())
	// Output:
	// https://api.contoso.example/.well-known/oauth-protected-resource/mcp
}

// A key that Microsoft reports as compromised verifies nothing any more, although Entra's document may name it still.
func ExampleOptions_distrustedKeys() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	stolen := tenant.Key()
	tenant.RotateKeys()
	verifier := mustVerifier(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       entratest.APIClientID,
		DistrustedKeys: []string{stolen.ID()},
		HTTPClient:     tenant.Client(),
	})
	show(verifier, "the next key", tenant.Token())
	show(verifier, "the stolen key", tenant.Token(entratest.SignedBy(stolen)))
	// Output:
	// the next key: user token of tenant 11111111-1111-4111-8111-111111111111
	// the stolen key: refused, distrusted_key
}

// written is a DirCache that tells when it was written to. A KeyCache of one's own, in a database for instance, has the same
// two methods.
type written struct {
	entra.KeyCache
	done chan error
}

func (w written) Put(ctx context.Context, name string, data []byte) error {
	err := w.KeyCache.Put(ctx, name, data)
	w.done <- err
	return err
}

// A process that starts while Entra is away serves with the keys that the one before it fetched. Whoever can write to the
// folder can forge tokens.
func ExampleDirCache() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	folder, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	cache := written{entra.DirCache(filepath.Join(folder, "entra")), make(chan error, 1)}
	options := entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, KeyCache: cache, HTTPClient: tenant.Client()}

	show(mustVerifier(options), "before", tenant.Token())
	fmt.Println("written:", <-cache.done)

	tenant.Down()
	show(mustVerifier(options), "after a restart", tenant.Token())
	options.KeyCache = nil
	show(mustVerifier(options), "without a cache", tenant.Token())
	// Output:
	// before: user token of tenant 11111111-1111-4111-8111-111111111111
	// written: <nil>
	// after a restart: user token of tenant 11111111-1111-4111-8111-111111111111
	// without a cache: refused, keys_unavailable
}
