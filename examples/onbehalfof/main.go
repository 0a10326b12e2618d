// Onbehalfof is an API that calls Microsoft Graph for the user who calls it: it exchanges the token that it received for
// one to Graph, with its own secret (OAuth 2.0 on-behalf-of flow).
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID, or to several with commas between them,
// ENTRA_CLIENT_ID to the application (client) ID of the API and ENTRA_CLIENT_SECRET to a secret of it. In the API's app
// registration, expose the scope Profile.Read, and grant Microsoft Graph's delegated permissions User.Read, openid and profile
// with admin consent, in each tenant: the API cannot ask the user.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/entra-go/entra"
	"github.com/maypok86/otter/v2"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		Tenants:  strings.Split(os.Getenv("ENTRA_TENANT_ID"), ","),
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
	// show passes on what Graph says about the user, or answers as Authenticate does: with a challenge if Entra wants the user.
	show := func(path string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			answer, err := graph.get(r.Context(), path)
			if err != nil {
				verifier.Refuse(w, r, cmp.Or(r.Context().Err(), err))
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer) // it fails if the client has gone
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /profile", show("/v1.0/me?$select=displayName,userPrincipalName"))
	mux.Handle("GET /userinfo", show("/oidc/userinfo"))
	return verifier.Authenticate(entra.Require(entra.Scope("Profile.Read"))(mux)), nil
}

type user struct{ tenant, object string }

// graph asks Microsoft Graph on behalf of the users of this API. Each user has a client of Entra, which caches the user's
// tokens to Graph and forgets none of them: so clients are bounded in number, and live for an hour.
type graph struct {
	client *http.Client
	apps   *otter.Cache[user, confidential.Client]
	newApp otter.LoaderFunc[user, confidential.Client]
}

func newGraph(options entra.Options, secret string) (*graph, error) {
	credential, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return nil, err
	}
	client := cmp.Or(options.HTTPClient, &http.Client{Timeout: 10 * time.Second})
	apps, err := otter.New(&otter.Options[user, confidential.Client]{
		MaximumSize:      10_000,
		ExpiryCalculator: otter.ExpiryCreating[user, confidential.Client](time.Hour),
	})
	return &graph{client, apps, func(_ context.Context, u user) (confidential.Client, error) {
		return confidential.New("https://login.microsoftonline.com/"+u.tenant, options.ClientID, credential,
			confidential.WithHTTPClient(client), confidential.WithInstanceDiscovery(false)) // this host needs none
	}}, err
}

// get returns what Graph answers to the user whose token ctx carries. Its errors name nobody.
func (g *graph) get(ctx context.Context, path string) ([]byte, error) {
	claims, _ := entra.ClaimsFromContext(ctx) // both are always there behind Authenticate
	assertion, _ := entra.TokenFromContext(ctx)
	app, err := g.apps.Get(ctx, user{claims.TenantID, claims.ObjectID}, g.newApp)
	if err != nil {
		return nil, err
	}
	token, err := app.AcquireTokenOnBehalfOf(ctx, assertion, []string{"https://graph.microsoft.com/User.Read"})
	if err != nil {
		return nil, noToken(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://graph.microsoft.com"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	response, err := g.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from Graph: %v", err) // not wrapped: its timeout is no caller's
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("no answer from Graph: %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 1<<20))
}

// noToken says why Entra gives none. If it wants the user, for a second factor perhaps, its claims go to the client.
func noToken(err error) error {
	var call msal.CallErr
	if !errors.As(err, &call) {
		return fmt.Errorf("no token to Graph: %v", err)
	}
	var answer struct {
		Claims string
		Codes  []int `json:"error_codes"` // AADSTS…
	}
	if json.NewDecoder(call.Resp.Body).Decode(&answer) == nil && answer.Claims != "" {
		return entra.ClaimsChallenge(answer.Claims)
	}
	return fmt.Errorf("no token to Graph: %s, AADSTS%d", call.Resp.Status, answer.Codes)
}
