// Mcp is a Model Context Protocol server that accepts Microsoft Entra ID tokens and tells clients, by RFC 9728, where to
// get them.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID, ENTRA_CLIENT_ID to the application (client) ID of
// the server, both from its page under App registrations, and MCP_RESOURCE to its public URL, such as
// https://mcp.contoso.com/mcp. Add that very URL as an Application ID URI there (clients ask Entra for a token for it, and
// get AADSTS9010010 otherwise), and expose the scope Tools.Call.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	resource := os.Getenv("MCP_RESOURCE")
	handler, err := newHandler(entra.Options{
		Tenants:        []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID:       os.Getenv("ENTRA_CLIENT_ID"),
		Audiences:      []string{resource},
		Resource:       resource,
		ResourceScopes: []string{resource + "/Tools.Call"},
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and MCP_RESOURCE: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // a timeout for reading or writing would end streams
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	resource, err := url.Parse(options.Resource)
	if err != nil || resource.Path == "" {
		return nil, fmt.Errorf("MCP_RESOURCE is %q; expected a URL with a path, such as https://mcp.contoso.com/mcp", options.Resource)
	}
	metadata := *resource
	metadata.Path = "/.well-known/oauth-protected-resource" + resource.Path
	protect := auth.RequireBearerToken(tokenVerifier(verifier, options.Resource), &auth.RequireBearerTokenOptions{
		ResourceMetadataURL: metadata.String(),
		Scopes:              []string{options.Resource + "/Tools.Call"}, // what clients ask Entra for
		ClockSkew:           time.Minute,                                // the Verifier's own default
	})
	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders", Description: "Lists your orders"}, listOrders)

	mux := http.NewServeMux()
	mux.Handle(metadata.Path, verifier.ResourceMetadata())
	mux.Handle(resource.Path, protect(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)))
	return mux, nil
}

func tokenVerifier(verifier *entra.Verifier, resource string) auth.TokenVerifier {
	return func(ctx context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		claims, err := verifier.Verify(ctx, token)
		if err != nil {
			// The SDK sends the text of an error to the client, and entra's texts are for the operator.
			slog.InfoContext(ctx, "token refused", "reason", entra.ReasonOf(err), "error", err)
			if errors.Is(err, entra.ErrInvalidToken) {
				return nil, auth.ErrInvalidToken
			}
			return nil, errors.New("tokens cannot be verified at the moment")
		}
		var scopes []string // tokens carry bare names
		for _, name := range claims.Scopes {
			scopes = append(scopes, resource+"/"+name)
		}
		return &auth.TokenInfo{
			Scopes:     scopes,
			Expiration: claims.ExpiresAt,
			UserID:     claims.UserKey(),
			Extra:      map[string]any{"claims": claims},
		}, nil
	}
}

func listOrders(_ context.Context, request *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
	claims := request.Extra.TokenInfo.Extra["claims"].(*entra.Claims)
	text := &mcp.TextContent{Text: "orders of user " + claims.ObjectID}
	return &mcp.CallToolResult{Content: []mcp.Content{text}}, nil, nil
}
