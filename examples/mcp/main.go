// Mcp is a Model Context Protocol server behind Microsoft Entra ID that the usual clients can sign in to: Visual Studio
// Code, the inspector, the SDKs. It tells them where to sign in and what for, and what a tool needs beyond that.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID, ENTRA_CLIENT_ID to the application (client) ID of
// the server, both from its page under App registrations, and MCP_RESOURCE to its public URL, such as
// https://mcp.contoso.com/mcp. Add that very URL as an Application ID URI there, and expose the scopes Orders.Read and
// Orders.Write. docs/mcp.md goes through it step by step, and through the registration of a client.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(optionsFor(os.Getenv("MCP_RESOURCE")))
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and MCP_RESOURCE: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // and none for reading or writing, which would end streams
	}
	log.Fatal(server.ListenAndServe())
}

func optionsFor(resource string) entra.Options {
	return entra.Options{
		Tenants:   []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID:  os.Getenv("ENTRA_CLIENT_ID"),
		Audiences: []string{resource},
		Resource:  resource,
		// To begin with; a 403 names what a tool needs beyond it.
		ResourceScopes: []string{resource + "/Orders.Read"},
		// These clients refuse the metadata of Entra itself.
		AuthorizationServers: []string{resource},
		ErrorHandler:         refuse,
	}
}

// refuse leaves the empty realm out of challenges: Go's client (go-sdk v1.8.0) refuses a challenge with an empty value, which
// RFC 9110 section 11.2 permits.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if challenge, ok := strings.CutPrefix(w.Header().Get("WWW-Authenticate"), `Bearer realm="", `); ok {
		w.Header().Set("WWW-Authenticate", "Bearer "+challenge)
	}
	entra.WriteProblem(w, r, err)
}

// needs says what each tool requires of whoever calls it.
var needs = map[string][]entra.Requirement{
	"list_orders":  {entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All"))},
	"cancel_order": {entra.Scope("Orders.Read"), entra.Scope("Orders.Write")},
}

func newHandler(options entra.Options) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	resource, err := url.Parse(options.Resource)
	if err != nil || len(resource.Path) < 2 {
		return nil, fmt.Errorf("MCP_RESOURCE is %q; expected a URL with a path, such as https://mcp.contoso.com/mcp", options.Resource)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders", Description: "Lists your orders"}, listOrders)
	mcp.AddTool(server, &mcp.Tool{Name: "cancel_order", Description: "Cancels an order of yours"}, cancelOrder)
	server.AddReceivingMiddleware(permitTools)
	protocol := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	withClaims := auth.RequireBearerToken(tokenInfo, &auth.RequireBearerTokenOptions{ClockSkew: time.Minute}) // as the Verifier allows

	path := resource.Path
	mux := http.NewServeMux()
	mux.Handle("/.well-known/oauth-protected-resource"+path, verifier.ResourceMetadata())
	mux.Handle("/.well-known/oauth-authorization-server"+path, verifier.AuthorizationServerMetadata())
	mux.Handle("/.well-known/openid-configuration"+path, verifier.AuthorizationServerMetadata())
	mux.Handle(path+"/.well-known/openid-configuration", verifier.AuthorizationServerMetadata())
	mux.Handle(path, verifier.Authenticate(stepUp(withClaims(protocol))))
	return mux, nil
}

// tokenInfo tells the SDK whom Authenticate let in. It has nothing left to refuse.
func tokenInfo(ctx context.Context, _ string, _ *http.Request) (*auth.TokenInfo, error) {
	claims, ok := entra.ClaimsFromContext(ctx)
	if !ok {
		return nil, errors.New("no claims: Authenticate must stand around this handler")
	}
	return &auth.TokenInfo{
		Scopes:     claims.Scopes,
		Expiration: claims.ExpiresAt,
		UserID:     claims.UserKey(), // a session is of one user
		Extra:      map[string]any{"claims": claims},
	}, nil
}

// permitTools decides who may call which tool.
func permitTools(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, request mcp.Request) (mcp.Result, error) {
		call, ok := request.(*mcp.CallToolRequest)
		if !ok {
			return next(ctx, method, request)
		}
		requirements, known := needs[call.Params.Name]
		if !known {
			return nil, errors.New("unknown tool")
		}
		for _, requirement := range requirements {
			if requirement(ctx, claimsOf(call)) != nil {
				return nil, errors.New("not permitted")
			}
		}
		return next(ctx, method, request)
	}
}

// stepUp answers a call that permitTools would refuse with 403 and the scopes to ask for, upon which clients sign in again
// for more. It reads the call before the SDK does and may read it otherwise: it is no substitute for permitTools.
func stepUp(next http.Handler) http.Handler {
	tools := make(map[string]http.Handler)
	for name, requirements := range needs {
		tools[name] = entra.Require(requirements...)(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "the message is too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var message struct {
			Method string
			Params struct{ Name string }
		}
		// What is no message gets its answer from the SDK.
		if err := json.Unmarshal(body, &message); err == nil && message.Method == "tools/call" && tools[message.Params.Name] != nil {
			tools[message.Params.Name].ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func claimsOf(call *mcp.CallToolRequest) *entra.Claims {
	claims, _ := call.Extra.TokenInfo.Extra["claims"].(*entra.Claims)
	return claims
}

func listOrders(_ context.Context, call *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
	claims := claimsOf(call)
	if claims.AppOnly() {
		return text("orders of everybody"), nil, nil
	}
	return text("orders of user " + claims.ObjectID), nil, nil
}

type order struct {
	ID string `json:"id" jsonschema:"the order's number"`
}

func cancelOrder(_ context.Context, call *mcp.CallToolRequest, o order) (*mcp.CallToolResult, any, error) {
	return text("order " + o.ID + " of user " + claimsOf(call).ObjectID + " cancelled"), nil, nil
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}
