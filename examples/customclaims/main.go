// Customclaims is an API that reads claims which entra.Claims has no field for, and decides by one of them.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations. There, expose the scope Orders.Read, and under Token
// configuration add optional claims to access tokens: ctry, and a directory extension costCenter. Such an extension is
// called extn.costCenter in tokens of version 2.0. If a claims mapping policy gave the API a signing key of its own, set
// AppKeys as well.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
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
	mux := http.NewServeMux()
	mux.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"), hasCostCenter)(http.HandlerFunc(listOrders)))
	return verifier.Authenticate(mux), nil
}

// ownClaims are decoded by their exact names. A claim that the token does not have leaves its field zero.
type ownClaims struct {
	Country     string `json:"ctry"`
	CostCenters texts  `json:"extn.costCenter"`
}

// hasCostCenter is an entra.Requirement.
func hasCostCenter(_ context.Context, claims *entra.Claims) error {
	var own ownClaims
	if err := claims.Decode(&own); err != nil {
		return fmt.Errorf("%w: %w", entra.ErrForbidden, err)
	}
	if len(own.CostCenters) == 0 {
		return fmt.Errorf("%w: the user has no cost center", entra.ErrForbidden)
	}
	return nil
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	var own ownClaims
	if err := claims.Decode(&own); err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "orders of cost centers", own.CostCenters, "in", own.Country)
}

// texts reads a claim that is a string in one token and an array in the next, as directory extensions are.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	var all []string
	if json.Unmarshal(text, &one) == nil {
		all = []string{one}
	} else if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	// json.Unmarshal reads null as an empty string.
	*t = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	return nil
}
