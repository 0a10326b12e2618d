package mcp_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/entra-go/entra/entratest"
)

// signIn is the client's handler, with the pre-registered client that Entra needs. It notes which scopes were asked for.
func signIn(t *testing.T) (*auth.AuthorizationCodeHandler, *[]string) {
	t.Helper()
	asked := new([]string)
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		PreregisteredClient: &oauthex.ClientCredentials{ClientID: mcpClient},
		RedirectURL:         "http://localhost:3118/callback", // nobody listens there: the fetcher reads what would be sent to it
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			u, err := url.Parse(args.URL)
			if err != nil {
				return nil, err
			}
			*asked = append(*asked, u.Query().Get("scope"))
			return fetchCode(ctx, args)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler, asked
}

func fetchCode(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	sent, err := visit(ctx, args.URL)
	if err != nil {
		return nil, err
	}
	query := sent.Query()
	if query.Get("error") != "" {
		return nil, errors.New(query.Get("error") + ": " + query.Get("error_description"))
	}
	return &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}, nil
}

func TestTheGoSDKSignsInAndCallsTools(t *testing.T) {
	s := start(t)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	handler, asked := signIn(t)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: s.url, OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	if got, want := call(t, session, "list_orders", nil), "orders of user "+entratest.AliceObjectID; got != want {
		t.Errorf("list_orders: got %q, want %q", got, want)
	}
	// This tool needs a scope that the first challenge did not name: the client signs in again.
	got, want := call(t, session, "cancel_order", map[string]any{"id": "7"}), "order 7 of user "+entratest.AliceObjectID+" cancelled"
	if got != want {
		t.Errorf("cancel_order: got %q, want %q", got, want)
	}
	read, write := s.url+"/"+entratest.ScopeRead, s.url+"/"+entratest.ScopeWrite
	// The client joins old scopes and new ones in the order of a map: what counts is which they are.
	for i, scopes := range *asked {
		(*asked)[i] = strings.Join(slices.Sorted(slices.Values(strings.Fields(scopes))), " ")
	}
	if want := []string{read, read + " " + write}; !slices.Equal(*asked, want) {
		t.Errorf("got requests for the scopes %q, want %q", *asked, want)
	}
}

func call(t *testing.T, session *mcp.ClientSession, tool string, arguments any) string {
	t.Helper()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok {
		t.Fatalf("%s: got %v, want a text", tool, result.Content)
	}
	return text.Text
}
