// Api is an API that daemons call for themselves and other applications for their users. The programs in ../oauth2 and
// ../azidentity are such daemons.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations. There, expose the scope Orders.Read, and create the app
// role Orders.Read.All for applications. Give the daemon's registration that role under API permissions, and grant admin
// consent: without it Entra issues a token all the same, and the API refuses it.
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
	mayRead := entra.Require(entra.AnyOf(
		entra.Scope("Orders.Read"),             // an application acting for its user
		entra.AppPermission("Orders.Read.All"), // a daemon acting for itself
	))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", mayRead(http.HandlerFunc(listOrders)))
	return verifier.Authenticate(mux), nil
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	if claims.AppOnly() {
		fmt.Fprintln(w, "all orders, for application", claims.ClientID)
		return
	}
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}
