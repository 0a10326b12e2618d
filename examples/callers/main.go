// Callers is an API that services of Microsoft call: Graph with change notifications, Event Grid with events, Azure Monitor
// with alerts, the commercial marketplace with subscriptions, and Entra itself with a custom authentication extension. Each
// has a route that only it may call. docs/callers.md says what to set up on Microsoft's side.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the registration that those services ask tokens for.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/entra-go/entra"
)

// Client IDs of Microsoft's services, the same in every tenant of the worldwide cloud.
const (
	graphNotifications       = "0bf30f3b-4a52-48df-9a82-234910c4a086" // Microsoft Graph Change Tracking
	eventGrid                = "4962773b-9cdb-44cf-a8bf-237846a00ab7" // Microsoft.EventGrid
	actionGroups             = "461e8683-5575-4561-ac7f-899cc907d62a" // AzNS AAD Webhook, of Azure Monitor
	marketplace              = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7" // the marketplace's SaaS API
	authenticationExtensions = "99045fe1-7639-4a75-9d4a-577b6ca3810f" // Azure Active Directory Authentication Extensions
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	verifier, err := newVerifier(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	changes := newNotifications(verifier, changed)
	go changes.work(ctx)
	server := &http.Server{
		Addr:              *addr,
		Handler:           newHandler(verifier, changes),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

// newVerifier accepts, beside the callers of any API, services of Microsoft that send tokens without a role.
func newVerifier(options entra.Options) (*entra.Verifier, error) {
	options.TrustedClients = []string{graphNotifications, marketplace, authenticationExtensions}
	return entra.NewVerifier(options)
}

func newHandler(verifier *entra.Verifier, changes *notifications) http.Handler {
	only := func(handler http.HandlerFunc, requirements ...entra.Requirement) http.Handler {
		return verifier.Authenticate(entra.Require(requirements...)(handler))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graph", changes.receive) // its tokens are in the body
	mux.HandleFunc("OPTIONS /events", agree)       // comes without a token
	mux.Handle("POST /events", only(events,
		entra.AppPermission("AzureEventGridSecureWebhookSubscriber"), entra.ClientIn(eventGrid)))
	mux.Handle("POST /alerts", only(done,
		entra.AppPermission("ActionGroupsSecureWebhook"), entra.ClientIn(actionGroups)))
	mux.Handle("POST /subscriptions", only(done, entra.ClientIn(marketplace)))
	mux.Handle("POST /claims", only(claimsForToken, entra.ClientIn(authenticationExtensions)))
	return mux
}

// changed stands for what your program does with a change that Graph tells it of.
func changed(notification) {}

// done stands for what your program does with the request.
func done(http.ResponseWriter, *http.Request) {}
