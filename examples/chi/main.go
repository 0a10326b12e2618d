// Chi is an API on chi that accepts Microsoft Entra ID tokens.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations, and expose the scopes Orders.Read and Orders.Write there.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/go-chi/chi/v5"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
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

func newHandler(options entra.Options) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Get("/healthz", func(http.ResponseWriter, *http.Request) {}) // open to everybody
	router.Group(func(api chi.Router) {
		api.Use(verifier.Authenticate)
		api.With(entra.Require(entra.Scope("Orders.Read"))).Get("/orders", listOrders)
		api.With(entra.Require(entra.Scope("Orders.Write"))).Post("/orders", addOrder)
	})
	return router, nil
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}

func addOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }
