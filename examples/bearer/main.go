// Bearer is the API of the article "Authentication using Azure Entra ID bearer tokens" on this library: GET /bearer tells its
// caller who it is. Beside it is a Postman collection that gets tokens as an application and as a user, and calls it. To try
// both with an emulated Entra:
//
//	go run ./cmd/entra emulator
//	go -C examples run ./bearer -emulator http://localhost:8085   # beside it
//
// and import bearer.postman_collection.json into Postman, or run it: npx newman run bearer.postman_collection.json. For the
// real Entra leave -emulator out, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application
// (client) ID of the API, and give the collection's variables your own values.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	emulator := flag.String("emulator", "", "`URL` of an emulated Entra, such as http://localhost:8085")
	flag.Parse()

	options := entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	}
	if *emulator != "" { // What was not set is that of its sample tenant.
		options.Tenants[0] = cmp.Or(options.Tenants[0], entratest.TenantID)
		options.ClientID = cmp.Or(options.ClientID, entratest.APIClientID)
		options.HTTPClient = &http.Client{Transport: emulated(*emulator)}
	}
	api, err := newAPI(options)
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           api,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Printf("GET http://%s/bearer", *addr)
	log.Fatal(server.ListenAndServe())
}

// newAPI returns the API, which serves users with the scope Orders.Read and applications with the role Orders.Read.All.
func newAPI(options entra.Options) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	read := entra.Require(entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
	api := http.NewServeMux()
	api.Handle("GET /bearer", read(http.HandlerFunc(whoCalls)))
	return verifier.Authenticate(api), nil
}

func whoCalls(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"kind":   claims.Kind.String(),
		"client": claims.ClientID,
		"object": claims.ObjectID,
		"scopes": claims.Scopes,
		"roles":  claims.Roles,
	})
}

// emulated sends the Verifier's requests to the emulator at this URL in Entra's place.
type emulated string

func (e emulated) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(string(e))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
	return http.DefaultTransport.RoundTrip(r)
}
