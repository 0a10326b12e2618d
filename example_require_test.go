package entra_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

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
