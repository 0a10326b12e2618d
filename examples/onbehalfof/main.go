// Onbehalfof is an API that calls Microsoft Graph for the user who calls it: it exchanges the token that it received for
// one to Graph, with its own secret (OAuth 2.0 on-behalf-of flow).
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID, ENTRA_CLIENT_ID to the application (client) ID of
// the API and ENTRA_CLIENT_SECRET to a secret of it. In the API's app registration, expose the scope Profile.Read, and
// grant Microsoft Graph's delegated permission User.Read with admin consent: the API cannot ask the user.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/entra-go/entra"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	}, os.Getenv("ENTRA_CLIENT_SECRET"))
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and ENTRA_CLIENT_SECRET: %v", err)
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

func newHandler(options entra.Options, secret string) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	graph, err := newGraph(options, secret)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /profile", entra.Require(entra.Scope("Profile.Read"))(showProfile(graph)))
	return verifier.Authenticate(mux), nil
}

func showProfile(graph *graph) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Behind Authenticate there is exactly one Authorization header: Bearer and the token.
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		me, err := graph.me(r.Context(), strings.TrimSpace(token))
		if err != nil {
			slog.WarnContext(r.Context(), "Graph cannot be asked", "error", err)
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(me)
	}
}

// refuse passes on a claims challenge of Entra, for instance when Graph requires a second factor: the client signs its
// user in again with these claims and repeats the request.
func refuse(w http.ResponseWriter, err error) {
	var call msal.CallErr
	var answer struct{ Claims string }
	if errors.As(err, &call) && json.NewDecoder(call.Resp.Body).Decode(&answer) == nil && answer.Claims != "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize", `+
			`error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(answer.Claims))+`"`)
		http.Error(w, "sign in again", http.StatusUnauthorized)
		return
	}
	http.Error(w, "Microsoft Graph cannot be asked at the moment", http.StatusBadGateway)
}
