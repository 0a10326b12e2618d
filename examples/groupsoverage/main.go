// Groupsoverage is an API with a route for the members of a group, those with more groups than a token can name among them:
// it asks Microsoft Graph which groups they are in, on their behalf, and remembers the answer for a few minutes. App roles do
// not have this limit: prefer them where you can assign the group to one.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID, or to several with commas between them,
// ENTRA_CLIENT_ID to the application (client) ID of the API, ENTRA_CLIENT_SECRET to a secret of it and GROUP_ID to the object
// ID of the group. In the API's app registration, expose the scope Orders.Read, set groupMembershipClaims to SecurityGroup in
// the manifest, and grant Microsoft Graph's delegated permission User.Read with admin consent, in each tenant.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/entra-go/entra"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	options := entra.Options{
		Tenants:  strings.Split(os.Getenv("ENTRA_TENANT_ID"), ","),
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	}
	groups, err := newGroups(options, os.Getenv("ENTRA_CLIENT_SECRET"))
	if err != nil {
		log.Fatalf("set ENTRA_CLIENT_SECRET: %v", err)
	}
	handler, err := newHandler(options, groups, os.Getenv("GROUP_ID"))
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and GROUP_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options, groups *groups, group string) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	inGroup, err := groups.in(group)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"), inGroup)(http.HandlerFunc(listOrders)))
	return verifier.Authenticate(mux), nil
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}
