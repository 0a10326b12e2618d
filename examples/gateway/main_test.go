package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestTheGatewayAlone(t *testing.T) {
	tenant := entratest.New(t)
	gateway := serve(t, tenant, http.StatusNoContent)
	reader := tenant.Token(entratest.Scopes("Orders.Read"))
	for _, test := range []struct {
		name, path, authorization string
		status                    int
		header, value             string // contained in the header's value
	}{
		{"a reader may read", "/orders.read", "Bearer " + reader, 204, "X-Auth-Object", entratest.AliceObjectID},
		{"a daemon may read", "/orders.read", "Bearer " + tenant.Token(entratest.App("Orders.Read.All")), 204, "X-Auth-Roles", "Orders.Read.All"},
		{"the path that Envoy appends decides nothing", "/orders.read/orders.write/../x?y=z", "Bearer " + reader, 204, "X-Auth-Scopes", "Orders.Read"},
		{"a reader may not write", "/orders.write", "Bearer " + reader, 403, "WWW-Authenticate", "/Orders.Write"},
		{"nobody passes without a token", "/orders.read", "", 401, "WWW-Authenticate", "authorization_uri"},
		{"a malformed header is a 401 here", "/orders.read", "Bearer one two", 401, "WWW-Authenticate", "invalid_request"},
		{"what is not listed is not found", "/orders.delete", "Bearer " + reader, 404, "", ""},
		{"nor is the empty path", "/", "Bearer " + reader, 404, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := get(t, http.DefaultClient, gateway+test.path, http.Header{"Authorization": {test.authorization}})
			if response.StatusCode != test.status || !strings.Contains(response.Header.Get(test.header), test.value) {
				t.Errorf("got %s and %v, want %d and %s with %q", response.Status, response.Header, test.status, test.header, test.value)
			}
		})
	}
}

func TestEachHeaderIsThereOnceAndNeverEmpty(t *testing.T) {
	tenant := entratest.New(t)
	gateway := serve(t, tenant, http.StatusOK)
	for _, test := range []struct {
		name, token, scopes, roles string
	}{
		{"a user without roles", tenant.Token(entratest.Scopes("Orders.Read"), entratest.Without("roles")), "Orders.Read", "-"},
		{"a user with two scopes and roles", tenant.Token(entratest.Scopes("Orders.Read", "Orders.Write"), entratest.Roles("a", "b")), "Orders.Read Orders.Write", "a b"},
		{"an application without scopes", tenant.Token(entratest.App("Orders.Read.All")), "-", "Orders.Read.All"},
		{"a role that would be read as two", tenant.Token(entratest.Scopes("Orders.Read"), entratest.Roles("x Orders.Admin", "y,z", "", "w")), "Orders.Read", "w"},
		{"only such roles", tenant.Token(entratest.Scopes("Orders.Read"), entratest.Roles("x Orders.Admin", "x\r\nX-Auth-Roles: y")), "Orders.Read", "-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := get(t, http.DefaultClient, gateway+"/orders.read", http.Header{"Authorization": {"Bearer " + test.token}})
			if response.StatusCode != http.StatusOK {
				t.Fatalf("got %s, want 200 as asked for", response.Status)
			}
			for _, name := range []string{"X-Auth-Kind", "X-Auth-Tenant", "X-Auth-Object", "X-Auth-Client", "X-Auth-Scopes", "X-Auth-Roles"} {
				if values := response.Header[name]; len(values) != 1 || values[0] == "" {
					t.Errorf("got %s %q, want one value that is not empty", name, values)
				}
			}
			if scopes, roles := response.Header.Get("X-Auth-Scopes"), response.Header.Get("X-Auth-Roles"); scopes != test.scopes || roles != test.roles {
				t.Errorf("got scopes %q and roles %q, want %q and %q", scopes, roles, test.scopes, test.roles)
			}
		})
	}
}

func serve(t *testing.T, tenant *entratest.Server, allowed int) (url string) {
	t.Helper()
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	}, allowed)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	text string
}

func get(t *testing.T, client *http.Client, url string, header http.Header) answer {
	t.Helper()
	return send(t, client, http.MethodGet, url, header)
}

func send(t *testing.T, client *http.Client, method, url string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		if values[0] != "" {
			request.Header[name] = values
		}
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(text)}
}
