// Openapi is an API that describes itself with OpenAPI, and the page that shows the description: Swagger UI, which signs its
// user in with an authorization code and PKCE and then calls the API. Swagger UI comes from npm. To try it with an emulated
// Entra:
//
//	npm ci --ignore-scripts --prefix examples/openapi
//	go run ./cmd/entra emulator
//	go -C examples run ./openapi -emulator http://localhost:8085   # beside it; then open http://localhost:3000/docs/
//
// For the real one leave -emulator out, and set ENTRA_TENANT_ID to your directory (tenant) ID, ENTRA_CLIENT_ID to the
// application (client) ID of the API and ENTRA_PAGE_CLIENT_ID to that of the page: docs/openapi.md says how to register it.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	ui := flag.String("ui", "openapi/node_modules/swagger-ui-dist", "`folder` with Swagger UI, as npm unpacks it")
	emulator := flag.String("emulator", "", "`URL` of an emulated Entra, such as http://localhost:8085")
	flag.Parse()

	s := settings{
		TenantID: os.Getenv("ENTRA_TENANT_ID"),
		APIID:    os.Getenv("ENTRA_CLIENT_ID"),
		PageID:   os.Getenv("ENTRA_PAGE_CLIENT_ID"),
		login:    "https://login.microsoftonline.com",
	}
	var client *http.Client
	if *emulator != "" { // What was not set is that of its sample tenant.
		s.TenantID, s.APIID = cmp.Or(s.TenantID, entratest.TenantID), cmp.Or(s.APIID, entratest.APIClientID)
		s.PageID, s.login = cmp.Or(s.PageID, entratest.SPAClientID), *emulator
		client = &http.Client{Transport: emulated(*emulator)}
	}
	docs, err := newDocs(s, *ui)
	if err != nil {
		log.Fatal(err)
	}
	api, err := newAPI(s, client)
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("GET /docs/", docs) // open to everybody: it holds no secret
	server := &http.Server{
		Addr:              *addr,
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Printf("open http://%s/docs/", *addr)
	log.Fatal(server.ListenAndServe())
}

// newAPI returns the API. The client, unless nil, fetches Entra's keys.
func newAPI(s settings, client *http.Client) (http.Handler, error) {
	verifier, err := entra.NewVerifier(entra.Options{Tenants: []string{s.TenantID}, ClientID: s.APIID, HTTPClient: client})
	if err != nil {
		return nil, err
	}
	api := http.NewServeMux()
	api.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"))(http.HandlerFunc(listOrders)))
	api.Handle("POST /orders", entra.Require(entra.Scope("Orders.Write"))(http.HandlerFunc(addOrder)))
	api.Handle("GET /export", entra.Require(entra.AppPermission("Orders.Read.All"))(http.HandlerFunc(export)))
	return verifier.Authenticate(api), nil
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}

func addOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }

func export(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "all orders") }

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
