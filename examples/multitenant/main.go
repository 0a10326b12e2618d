// Multitenant is an API for the tenants that are its customers. Tokens of every work or school tenant are verified; a table
// of customers, by tenant ID, says what a tenant may do. A tenant becomes a customer when one of its users calls
// POST /onboarding.
//
// Before you run it, set ENTRA_CLIENT_ID to the application (client) ID of the API, from its page under App registrations.
// There, support accounts in any organizational directory, and expose the scope Orders.Read and, for admins to consent to
// alone, Tenant.Onboard. Put your database in place of customers.go.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/entra-go/entra"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		AllowAnyTenant: true, // see customers.mayCall
		ClientID:       os.Getenv("ENTRA_CLIENT_ID"),
	}, newCustomers())
	if err != nil {
		log.Fatalf("set ENTRA_CLIENT_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options, customers *customers) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	orders := entra.Require(customers.mayCall, entra.Scope("Orders.Read"))
	onboard := entra.Require(entra.Scope("Tenant.Onboard"))

	mux := http.NewServeMux()
	mux.Handle("GET /orders", orders(http.HandlerFunc(customers.listOrders)))
	mux.Handle("POST /onboarding", onboard(http.HandlerFunc(customers.onboard)))
	return verifier.Authenticate(mux), nil
}

func (c *customers) listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	customer, err := c.find(r.Context(), claims.TenantID)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "orders of %s, plan %s\n", customer.tenantID, customer.plan)
}

// onboard takes the tenant ID from the verified token alone: the client may have made up everything else in its request.
func (c *customers) onboard(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context())
	if err := c.add(r.Context(), customer{tenantID: claims.TenantID, plan: "trial"}); err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
}
