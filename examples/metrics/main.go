// Metrics is an API whose Verifier can be watched: in Prometheus, in OpenTelemetry, and by a readiness probe. These are
// served on an address of their own, which only your monitoring should reach.
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
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` of the API")
	adminAddr := flag.String("admin", "localhost:9090", "`address` of /metrics and /readyz")
	flag.Parse()
	api, admin, err := newHandlers(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
		// Against a compromised key, a restart is enough: key IDs with blanks between them, none usually.
		DistrustedKeys: strings.Fields(os.Getenv("ENTRA_DISTRUSTED_KEYS")),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	ended := make(chan error)
	go func() { ended <- serve(*adminAddr, admin) }()
	go func() { ended <- serve(*addr, api) }()
	log.Fatal(<-ended)
}

func serve(addr string, handler http.Handler) error {
	server := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return server.ListenAndServe()
}

func newHandlers(options entra.Options) (api, admin http.Handler, err error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(verifier))
	// Nothing is exported until the program sets a MeterProvider, with otel.SetMeterProvider.
	if err := observe(otel.Meter("github.com/entra-go/entra"), verifier); err != nil {
		return nil, nil, err
	}
	adminMux := http.NewServeMux()
	adminMux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	adminMux.Handle("GET /readyz", ready(verifier))

	mux := http.NewServeMux()
	mux.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"))(http.HandlerFunc(listOrders)))
	return verifier.Authenticate(mux), adminMux, nil
}

// ready answers 200 once the Verifier holds keys. It fetches them if there are none, so that the first request after the
// start does not wait for them. The API stays ready during an outage of Entra for as long as keys are held.
func ready(verifier *entra.Verifier) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := verifier.Ready(r.Context()); err != nil {
			// Why, the Verifier has logged, with a limit: probes come every few seconds.
			entra.WriteProblem(w, r, err)
		}
	}
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	fmt.Fprintln(w, "orders of user", claims.ObjectID)
}
