// Gateway is a forward-auth service: a reverse proxy asks it about each request before it passes the request on to
// programs that know nothing of tokens. README.md has the configuration of nginx, Caddy, Envoy and Traefik.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API that the programs form, both from its page under App registrations, and change permissions below. Only
// the proxy may reach this service, and only the proxy may reach the programs.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/entra-go/entra"
)

// permissions holds what the proxy can ask for, by the first segment of the path.
var permissions = map[string]entra.Requirement{
	"orders.read":  entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")),
	"orders.write": entra.Scope("Orders.Write"),
}

func main() {
	addr := flag.String("addr", "localhost:9000", "`address` to listen on")
	allowed := flag.Int("allow", http.StatusNoContent, "`status` of a request that may pass; Envoy needs 200")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	}, *allowed)
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options, allowed int) (http.Handler, error) {
	options.ErrorHandler = writeRefusal
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	handlers := make(map[string]http.Handler)
	for name, permission := range permissions {
		handlers[name] = verifier.Authenticate(entra.Require(permission)(pass(allowed)))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Envoy appends the path of the original request. The client chose it, so it must not decide anything.
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		handler, ok := handlers[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}), nil
}

// none is the value of a header that has nothing to name. An empty value is not safe: some proxies take an empty header for
// an absent one and keep what the client sent under its name.
const none = "-"

// pass lets a request through and names its caller. It sets every header each time, once and never empty, so that each
// replaces a header of the same name that the client sent.
func pass(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
		header := w.Header()
		header.Set("X-Auth-Kind", claims.Kind.String())
		header.Set("X-Auth-Tenant", list(claims.TenantID))
		header.Set("X-Auth-Object", list(claims.ObjectID))
		header.Set("X-Auth-Client", list(claims.ClientID))
		header.Set("X-Auth-Scopes", list(claims.Scopes...))
		header.Set("X-Auth-Roles", list(claims.Roles...))
		w.WriteHeader(status)
	}
}

// list joins values with spaces. It leaves out those that a program would not read as one value again; Entra makes none such.
func list(values ...string) string {
	var kept []string
	for _, value := range values {
		if value != "" && !strings.ContainsFunc(value, unfit) {
			kept = append(kept, value)
		}
	}
	if kept == nil {
		return none
	}
	return strings.Join(kept, " ")
}

func unfit(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ',' }

// writeRefusal does what entra.WriteProblem does, but answers 401 where that answers 400: nginx's auth_request takes 401
// and 403 for refusals and any other status for a fault.
func writeRefusal(w http.ResponseWriter, r *http.Request, err error) {
	if entra.StatusCode(err) == http.StatusBadRequest {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	entra.WriteProblem(w, r, err)
}
