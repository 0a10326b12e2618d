package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestAToolIsCalledForItsUser(t *testing.T) {
	tenant, url := serve(t)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint:   url + "/mcp",
		HTTPClient: &http.Client{Transport: bearer(tenant.Token(entratest.Scopes("Tools.Call")))},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_orders"})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := result.Content[0].(*mcp.TextContent)
	if want := "orders of user " + entratest.AliceObjectID; text == nil || text.Text != want {
		t.Errorf("got %v, want %q", text, want)
	}
}

func TestRefusals(t *testing.T) {
	tenant, url := serve(t)
	metadata := `resource_metadata="` + url + `/.well-known/oauth-protected-resource/mcp"`
	for _, test := range []struct {
		name, token     string
		status          int
		challenge, body string
	}{
		{"no token", "", 401, metadata, "no bearer token"},
		{"an expired token", tenant.Token(entratest.Expired()), 401, metadata, "invalid token"},
		{"a token without the scope", tenant.Token(), 403, "/mcp/Tools.Call", "insufficient scope"},
		{"an application", tenant.Token(entratest.App("Tools.Call")), 403, "/mcp/Tools.Call", "insufficient scope"},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := post(t, url+"/mcp", test.token)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			challenge := response.Header.Get("WWW-Authenticate")
			if response.StatusCode != test.status || !strings.Contains(challenge, test.challenge) || strings.TrimSpace(string(body)) != test.body {
				t.Errorf("got %s, challenge %q, body %q; want %d, %q, %q", response.Status, challenge, body, test.status, test.challenge, test.body)
			}
		})
	}
}

func TestClientsFindOutWhereToGetATokenAndForWhat(t *testing.T) {
	_, url := serve(t)
	response, err := http.Get(url + "/.well-known/oauth-protected-resource/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	if document.Resource != url+"/mcp" || document.Scopes[0] != url+"/mcp/Tools.Call" ||
		document.Servers[0] != "https://login.microsoftonline.com/"+entratest.TenantID+"/v2.0" {
		t.Errorf("got %+v", document)
	}
}

func TestKeysThatCannotBeHadTellTheClientNothing(t *testing.T) {
	tenant, url := serve(t)
	tenant.FailKeys(503)
	response := post(t, url+"/mcp", tenant.Token())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 500 || string(body) != "tokens cannot be verified at the moment\n" {
		t.Errorf("got %s, %q, %v", response.Status, body, err)
	}
}

func TestAMissingResourceIsAnError(t *testing.T) {
	_, err := newHandler(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID})
	if err == nil || !strings.Contains(err.Error(), "MCP_RESOURCE") {
		t.Errorf("got %v, want an error about MCP_RESOURCE", err)
	}
}

// serve starts the server, which must know its own URL because its metadata names it.
func serve(t *testing.T) (tenant *entratest.Server, url string) {
	t.Helper()
	tenant = entratest.New(t)
	server := httptest.NewUnstartedServer(nil)
	url = "http://" + server.Listener.Addr().String()
	resource := url + "/mcp"
	handler, err := newHandler(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       entratest.APIClientID,
		Audiences:      []string{resource},
		Resource:       resource,
		ResourceScopes: []string{resource + "/Tools.Call"},
		HTTPClient:     tenant.Client(), // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	return tenant, url
}

type bearer string

func (token bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

func post(t *testing.T, url, token string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
