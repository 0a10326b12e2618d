package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// internal/interop/mcp signs the clients in; here they have their tokens.
func TestWhoMayCallWhat(t *testing.T) {
	tenant, url := serve(t)
	person := "of user " + entratest.AliceObjectID
	for _, row := range []struct{ name, tool, token, want string }{
		{"a user", "list_orders", tenant.Token(), "orders " + person},
		{"an application", "list_orders", tenant.Token(entratest.App(entratest.RoleDaemon)), "orders of everybody"},
		{"a user with both scopes", "cancel_order", tenant.Token(entratest.Scopes("Orders.Read", "Orders.Write")), "order 7 " + person + " cancelled"},
		{"a user without the second scope", "cancel_order", tenant.Token(), ""},
		{"an application with a permission for another tool", "cancel_order", tenant.Token(entratest.App(entratest.RoleDaemon)), ""},
		{"an application with another permission", "list_orders", tenant.Token(entratest.App("Orders.Purge.All")), ""},
		{"a tool that does not exist", "drop_orders", tenant.Token(), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := callTool(t, url, row.token, row.tool)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("got %q and %v, want %q", got, err, row.want)
			}
		})
	}
}

func callTool(t *testing.T, url, token, tool string) (string, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	transport := &mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: bearer(token)}}
	session, err := client.Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	arguments := map[string]any{}
	if tool == "cancel_order" {
		arguments["id"] = "7"
	}
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return "", err
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok || result.IsError {
		t.Fatalf("got %v, want a text", result.Content)
	}
	return text.Text, nil
}

// A message that the two readers of stepUp and of the SDK understand differently is decided by the SDK's reading.
func TestNobodyGetsPastThePermissionsOfATool(t *testing.T) {
	tenant, url := serve(t)
	cancel := `"name":"cancel_order","arguments":{"id":"7"}`
	entitled := tenant.Token(entratest.Scopes("Orders.Read", "Orders.Write"))
	opened := post(t, url+"/mcp", entitled, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
	opened.Body.Close()
	session := http.Header{"Mcp-Session-Id": opened.Header["Mcp-Session-Id"]}
	post(t, url+"/mcp", entitled, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, session).Body.Close()
	reached := 0
	for name, message := range map[string]string{
		"as it should be":      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `}}`,
		"two names":            `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `,"name":"list_orders"}}`,
		"two names, reversed":  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders",` + cancel + `}}`,
		"a name in capitals":   `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `,"NAME":"list_orders"}}`,
		"two methods":          `{"jsonrpc":"2.0","id":1,"method":"tools/call","METHOD":"ping","params":{` + cancel + `}}`,
		"a batch":              `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `}}]`,
		"escapes":              `{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"cancel\u005forder","arguments":{"id":"7"}}}`,
		"a byte order mark":    "\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `}}`,
		"a message behind one": `{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + cancel + `}}`,
	} {
		response := post(t, url+"/mcp", tenant.Token(), message, session)
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || strings.Contains(string(body), "cancelled") {
			t.Errorf("%s: got %s, %s and %v, want no order cancelled", name, response.Status, body, err)
		}
		response = post(t, url+"/mcp", entitled, message, session)
		body, err = io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && strings.Contains(string(body), "cancelled") {
			t.Logf("%s: the SDK takes it for a call", name)
			reached++
		}
	}
	if reached < 2 {
		t.Errorf("got %d messages that cancel an order for whoever may, want more: these tests show nothing", reached)
	}
}

func TestRefusals(t *testing.T) {
	tenant, url := serve(t)
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`
	const cancel = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"cancel_order","arguments":{"id":"7"}}}`
	metadata := `resource_metadata="` + url + `/.well-known/oauth-protected-resource/mcp"`
	read, write := url+"/mcp/Orders.Read", url+"/mcp/Orders.Write"
	for _, test := range []struct {
		name, token, message string
		status               int
		challenge            []string
	}{
		{"no token", "", initialize, 401, []string{metadata, `scope="` + read + `"`}},
		{"an expired token", tenant.Token(entratest.Expired()), initialize, 401, []string{metadata, `error="invalid_token"`, `scope="` + read + `"`}},
		{"a token for another API", tenant.Token(entratest.Audience("api://billing")), initialize, 401, []string{`error="invalid_token"`}},
		{"a tool that needs more", tenant.Token(), cancel, 403, []string{metadata, `error="insufficient_scope"`, `scope="` + read + " " + write + `"`}},
		{"a tool that is not for applications", tenant.Token(entratest.App(entratest.RoleDaemon)), cancel, 403, []string{`error="insufficient_scope"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := post(t, url+"/mcp", test.token, test.message)
			defer response.Body.Close()
			challenge := response.Header.Get("WWW-Authenticate")
			if response.StatusCode != test.status || strings.Contains(challenge, `""`) {
				t.Errorf("got %s and the challenge %q, want %d and no empty value", response.Status, challenge, test.status)
			}
			for _, want := range test.challenge {
				if !strings.Contains(challenge, want) {
					t.Errorf("got the challenge %q, want %s in it", challenge, want)
				}
			}
		})
	}
}

func TestClientsFindOutWhereToSignInAndWhatFor(t *testing.T) {
	_, url := serve(t)
	resource := get(t, url+"/.well-known/oauth-protected-resource/mcp")
	if resource["resource"] != url+"/mcp" || one(resource["authorization_servers"]) != url+"/mcp" || one(resource["scopes_supported"]) != url+"/mcp/Orders.Read" {
		t.Errorf("got %v", resource)
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration/mcp", "/mcp/.well-known/openid-configuration"} {
		server := get(t, url+path)
		if server["issuer"] != url+"/mcp" || one(server["code_challenge_methods_supported"]) != "S256" ||
			server["token_endpoint"] != "https://login.microsoftonline.com/"+entratest.TenantID+"/oauth2/v2.0/token" {
			t.Errorf("%s: got %v", path, server)
		}
	}
}

func one(list any) any {
	if list, ok := list.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return nil
}

func get(t *testing.T, url string) (document map[string]any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestWithoutKeysTheAnswerIs503(t *testing.T) {
	tenant, url := serve(t)
	tenant.FailKeys(503)
	response := post(t, url+"/mcp", tenant.Token(), "{}")
	defer response.Body.Close()
	if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || response.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("got %s and headers %v, want 503 with Retry-After and no challenge", response.Status, response.Header)
	}
}

func TestAMessageThatIsTooLarge(t *testing.T) {
	tenant, url := serve(t)
	response := post(t, url+"/mcp", tenant.Token(), strings.Repeat(" ", 1<<20+1))
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s, want 413", response.Status)
	}
}

func TestAResourceWithoutPathIsAnError(t *testing.T) {
	for _, resource := range []string{"", "https://mcp.contoso.com", "https://mcp.contoso.com/"} {
		options := optionsFor(resource)
		options.Tenants, options.ClientID = []string{entratest.TenantID}, entratest.APIClientID
		if resource == "" {
			options.Audiences, options.ResourceScopes, options.AuthorizationServers = nil, nil, nil
		}
		if _, err := newHandler(options); err == nil || !strings.Contains(err.Error(), "MCP_RESOURCE") {
			t.Errorf("%q: got %v, want an error about MCP_RESOURCE", resource, err)
		}
	}
}

// serve starts the server; its URL is part of what it says of itself.
func serve(t *testing.T) (tenant *entratest.Server, url string) {
	t.Helper()
	tenant = entratest.New(t)
	server := httptest.NewUnstartedServer(nil)
	url = "http://" + server.Listener.Addr().String()
	options := optionsFor(url + "/mcp")
	options.Tenants, options.ClientID = []string{entratest.TenantID}, entratest.APIClientID
	options.HTTPClient = tenant.Client() // the fake tenant in place of Entra
	handler, err := newHandler(options)
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

func post(t *testing.T, url, token, message string, headers ...http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	for _, header := range headers {
		maps.Copy(request.Header, header)
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
