// Elsewhere is an API whose tokens do not arrive in the Authorization header. The built-in sign-in of Azure App Service and
// Azure Static Web Apps put them into headers of their own, and a browser's WebSocket cannot set a header at all. For each
// there is a handler in front of Authenticate that moves the token to where Authenticate looks for it; nothing trusts the
// token before that. The page at / uses a WebSocket and server-sent events. To try it with an emulated Entra, which prints
// tokens to paste there:
//
//	go run ./cmd/entra emulator
//	go -C examples run ./elsewhere -emulator http://localhost:8085   # beside it; then open http://localhost:3000
//
// For the real one leave -emulator out, and set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the
// application (client) ID of the API, both from the API's page under App registrations; expose the scope Orders.Read there.
package main

import (
	"cmp"
	"context"
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

//go:embed web
var web embed.FS

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	behind := flag.String("behind", "", "what puts the token into another header: `platform` appservice or staticwebapps")
	emulator := flag.String("emulator", "", "`URL` of an emulated Entra, such as http://localhost:8085")
	flag.Parse()
	options := entra.Options{Tenants: []string{os.Getenv("ENTRA_TENANT_ID")}, ClientID: os.Getenv("ENTRA_CLIENT_ID")}
	if *emulator != "" { // What was not set is that of its sample tenant.
		options.Tenants[0] = cmp.Or(options.Tenants[0], entratest.TenantID)
		options.ClientID = cmp.Or(options.ClientID, entratest.APIClientID)
		options.HTTPClient = &http.Client{Transport: emulated(*emulator)}
	}
	orders := make(feed)
	go orders.fill(context.Background())
	handler, err := newHandler(options, *behind, orders)
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second, // events set their own
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options, behind string, orders feed) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	read := entra.Require(entra.Scope("Orders.Read"))
	api := http.NewServeMux()
	api.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
	api.Handle("POST /orders", read(http.HandlerFunc(addOrder)))
	api.Handle("GET /events", read(http.HandlerFunc(orders.events)))
	api.Handle("GET /socket", read(http.HandlerFunc(orders.socket)))

	mux := http.NewServeMux()
	mux.Handle("/", verifier.Authenticate(api))
	mux.Handle("GET /{$}", http.FileServerFS(files))
	mux.Handle("GET /live.js", http.FileServerFS(files))
	switch behind {
	case "":
		return fromSubprotocol(mux), nil
	case "appservice":
		return fromAppService(mux), nil
	case "staticwebapps":
		return fromStaticWebApps(mux), nil
	}
	return nil, fmt.Errorf("-behind: %q is neither appservice nor staticwebapps", behind)
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}

func addOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }

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
