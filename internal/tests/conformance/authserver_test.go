package conformance_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

const ownIssuer = "https://api.contoso.example/mcp"

// documentOf is what Entra publishes, as far as these tests look at it, with members that no client knows yet.
func documentOf(issuer string) string {
	return `{"token_endpoint":"https://login.microsoftonline.com/t/oauth2/v2.0/token", "issuer": "` + issuer + `",
		"authorization_endpoint":"https:\/\/login.microsoftonline.com/t/oauth2/v2.0/authorize","client_id_metadata_document_supported":true,
		"tenant_region_scope":null,"x_future":{"a":[1.50,12345678901234567890,"ä"],"issuer":"inner"}}`
}

// published is that document as an API passes it on.
func published(issuer string) string {
	return `{"token_endpoint":"https://login.microsoftonline.com/t/oauth2/v2.0/token","issuer":"` + issuer + `",` +
		`"authorization_endpoint":"https:\/\/login.microsoftonline.com/t/oauth2/v2.0/authorize","client_id_metadata_document_supported":true,` +
		`"tenant_region_scope":null,"x_future":{"a":[1.50,12345678901234567890,"ä"],"issuer":"inner"},"code_challenge_methods_supported":["S256"]}`
}

func TestAuthorizationServerMetadataIsEntrasUnderAnIssuerOfTheAPIsOwn(t *testing.T) {
	const entraID, document = "https://login.microsoftonline.com/", "/v2.0/.well-known/openid-configuration"
	const customers, b2c = "https://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/v2.0"
	tests := []struct {
		name    string
		options entra.Options
		url     string
	}{
		{"one tenant", entra.Options{Tenants: []string{entratest.TenantID}}, entraID + entratest.TenantID + document},
		{"several tenants", entra.Options{Tenants: []string{entratest.TenantID, entratest.OtherTenantID}}, entraID + "organizations" + document},
		{"any tenant", entra.Options{AllowAnyTenant: true}, entraID + "organizations" + document},
		{"any tenant and personal accounts", entra.Options{AllowAnyTenant: true, Tenants: []string{entra.PersonalAccounts}}, entraID + "common" + document},
		{"a tenant and personal accounts", entra.Options{Tenants: []string{entratest.TenantID, entra.PersonalAccounts}}, entraID + "common" + document},
		{"personal accounts", entra.Options{Tenants: []string{entra.PersonalAccounts}}, entraID + "consumers" + document},
		{"US Government", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.USGovernment},
			"https://login.microsoftonline.us/" + entratest.TenantID + document},
		{"China", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.China},
			"https://login.partner.microsoftonline.cn/" + entratest.TenantID + document},
		{"External ID", entra.Options{Authority: customers}, customers + "/.well-known/openid-configuration"},
		{"B2C", entra.Options{Authority: b2c + "/"}, b2c + "/.well-known/openid-configuration"},
		{"keys of the application's own", entra.Options{Tenants: []string{entratest.TenantID}, AppKeys: true}, entraID + entratest.TenantID + document},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Resource, test.options.AuthorizationServers = ownIssuer, []string{ownIssuer}
			p := &testbed.Publisher{Documents: map[string]string{test.url: documentOf("https://login.microsoftonline.com/{tenantid}/v2.0")}}
			verifier := testbed.NewVerifierAt(t, p, test.options)
			if len(p.Requests()) != 0 {
				t.Errorf("NewVerifier: got requests %q, want none", p.Requests())
			}
			w := ask(verifier, http.MethodGet)
			if w.Code != http.StatusOK || w.Body.String() != published(ownIssuer) {
				t.Errorf("got status %d and %s\nwant 200 and %s", w.Code, w.Body, published(ownIssuer))
			}
			if got := p.Requests(); len(got) != 1 || got[0] != test.url {
				t.Errorf("got requests %q, want one for %s", got, test.url)
			}
			var metadata struct {
				Servers []string `json:"authorization_servers"`
			}
			if err := json.Unmarshal(describe(verifier, http.MethodGet).Body.Bytes(), &metadata); err != nil || len(metadata.Servers) != 1 || metadata.Servers[0] != ownIssuer {
				t.Errorf("the resource's metadata names %q (%v), want %s alone", metadata.Servers, err, ownIssuer)
			}
		})
	}
}

// ask asks for the metadata of the authorization server, as a page of another origin through a proxy would.
func ask(v *entra.Verifier, method string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://attacker.example/.well-known/oauth-authorization-server/attacker?attacker=1", nil)
	r.Header.Set("Origin", "https://attacker.example")
	r.Header.Set("X-Forwarded-Host", "attacker.example")
	w := httptest.NewRecorder()
	v.AuthorizationServerMetadata().ServeHTTP(w, r)
	return w
}

func mcpVerifier(t *testing.T, p *testbed.Publisher) *entra.Verifier {
	t.Helper()
	return testbed.NewVerifierAt(t, p, entra.Options{Tenants: []string{entratest.TenantID}, Resource: ownIssuer, AuthorizationServers: []string{ownIssuer}})
}

func tenantsDocument(text string) *testbed.Publisher {
	return &testbed.Publisher{Documents: map[string]string{"https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0" + testbed.MetadataPath: text}}
}

func TestAuthorizationServerMetadataForEverybody(t *testing.T) {
	verifier := mcpVerifier(t, tenantsDocument(documentOf("https://login.microsoftonline.com/"+entratest.TenantID+"/v2.0")))
	for method, status := range map[string]int{
		http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodOptions: http.StatusNoContent,
		http.MethodPost: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed, "PROPFIND": http.StatusMethodNotAllowed,
	} {
		w := ask(verifier, method)
		header := w.Header()
		if w.Code != status || header.Get("Access-Control-Allow-Origin") != "*" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got status %d and headers %v, want %d for any origin, without a challenge", method, w.Code, header, status)
		}
		if status == http.StatusOK && (header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "public, max-age=3600" || (w.Body.Len() > 0) != (method == http.MethodGet)) {
			t.Errorf("%s: got headers %v and a body of %d bytes", method, header, w.Body.Len())
		}
		if answer := w.Body.String() + strings.Join(header.Values("Link"), " "); strings.Contains(answer, "attacker") {
			t.Errorf("%s: got %s, want nothing of the request in it", method, answer)
		}
	}
	head, get := ask(verifier, http.MethodHead).Header().Get("Content-Length"), ask(verifier, http.MethodGet).Header().Get("Content-Length")
	if head != get || get == "" {
		t.Errorf("got Content-Length %q for HEAD and %q for GET, want the same", head, get)
	}
}

func TestWhoseAuthorizationServerAnAPIIs(t *testing.T) {
	const entraID = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"
	tests := []struct {
		name, resource string
		servers        []string
		issuer         string // "": 404
	}{
		{"the resource itself", ownIssuer, []string{ownIssuer}, ownIssuer},
		{"the resource itself, behind another URL of its host", ownIssuer, []string{"https://api.contoso.example", ownIssuer}, ownIssuer},
		{"the first URL of its host", ownIssuer, []string{"https://api.contoso.example/", "https://api.contoso.example/b"}, "https://api.contoso.example/"},
		{"a URL of its host, behind Entra's", ownIssuer, []string{entraID, "https://api.contoso.example"}, "https://api.contoso.example"},
		{"its host in other letters, with the port", ownIssuer, []string{"https://API.contoso.example:443/mcp"}, "https://API.contoso.example:443/mcp"},
		{"a resource with letters that URLs escape", "https://api.contoso.example/bestellungen/ä", []string{"https://api.contoso.example", "https://api.contoso.example/bestellungen/ä"}, "https://api.contoso.example/bestellungen/ä"},
		{"a loopback host", "http://localhost:8080/mcp", []string{"http://localhost:8080/mcp"}, "http://localhost:8080/mcp"},
		{"none named", ownIssuer, nil, ""},
		{"Entra's alone", ownIssuer, []string{entraID}, ""},
		{"a proxy's alone", ownIssuer, []string{"https://login.contoso.example"}, ""},
		{"another port of its host", ownIssuer, []string{"https://api.contoso.example:8443/mcp"}, ""},
		{"another scheme", "http://localhost/mcp", []string{"https://localhost/mcp"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := tenantsDocument(documentOf(entraID))
			verifier := testbed.NewVerifierAt(t, p, entra.Options{Tenants: []string{entratest.TenantID}, Resource: test.resource, AuthorizationServers: test.servers})
			w := ask(verifier, http.MethodGet)
			if test.issuer == "" {
				if w.Code != http.StatusNotFound || len(p.Requests()) != 0 {
					t.Errorf("got status %d after requests %q, want 404 and none", w.Code, p.Requests())
				}
				return
			}
			if w.Code != http.StatusOK || w.Body.String() != published(test.issuer) {
				t.Errorf("got status %d and %s, want 200 and %s", w.Code, w.Body, published(test.issuer))
			}
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		if got := ask(new(entra.Verifier), method).Code; got != http.StatusNotFound {
			t.Errorf("%s at a zero Verifier: got status %d, want 404", method, got)
		}
	}
}

func TestDocumentsThatAreNotPassedOn(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":                        "<html>",
		"an array":                       `[{"issuer":"a"}]`,
		"no issuer, as errors have none": `{"error":"invalid_tenant"}`,
		"an issuer that is no text":      `{"issuer":["a"]}`,
		"two issuers":                    `{"issuer":"a","issuer":"b"}`,
		"two endpoints":                  `{"issuer":"a","token_endpoint":"b","token_endpoint":"c"}`,
		"two members inside":             `{"issuer":"a","b":{"c":1,"c":2}}`,
		"text behind it":                 `{"issuer":"a"} {}`,
		"cut off":                        `{"issuer":"a"`,
		"invalid UTF-8":                  "{\"issuer\":\"a\",\"b\":\"\xff\"}",
		"more than 1 MiB":                `{"issuer":"a","b":"` + strings.Repeat("b", 1<<20) + `"}`,
		"empty":                          "",
	} {
		w := ask(mcpVerifier(t, tenantsDocument(text)), http.MethodGet)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "issuer") {
			t.Errorf("%s: got status %d and %s, want 503", name, w.Code, w.Body)
		}
	}
}

func TestResourceMetadataURL(t *testing.T) {
	tenants := []string{entratest.TenantID}
	for resource, want := range map[string]string{
		"":                               "",
		ownIssuer:                        "https://api.contoso.example/.well-known/oauth-protected-resource/mcp",
		"https://api.contoso.example/a,": "https://api.contoso.example/.well-known/oauth-protected-resource/a%2C",
	} {
		verifier := testbed.NewVerifierAt(t, &testbed.Publisher{}, entra.Options{Tenants: tenants, Resource: resource})
		if got := verifier.ResourceMetadataURL(); got != want {
			t.Errorf("resource %q: got %q, want %q", resource, got, want)
		}
		if challenge := verifier.Challenge(entra.ErrNoToken); want != "" && parameter(t, challenge, "resource_metadata") != want {
			t.Errorf("resource %q: got the challenge %q, want that URL in it", resource, challenge)
		}
	}
	if got := new(entra.Verifier).ResourceMetadataURL(); got != "" {
		t.Errorf("a zero Verifier: got %q, want none", got)
	}
}

// Staff sign in at Entra ID, customers at External ID: one API, two issuers of its own.
func TestAuthorizationServerMetadataOfCombinedVerifiers(t *testing.T) {
	const customers = "https://contoso.ciamlogin.com/" + entratest.OtherTenantID + "/v2.0"
	const customersIssuer = "https://api.contoso.example/customers"
	p := tenantsDocument(`{"issuer":"x","of":"staff"}`)
	p.Publish(customers+testbed.MetadataPath, `{"issuer":"y","of":"customers"}`)
	staff := mcpVerifier(t, p)
	both := testbed.NewVerifierAt(t, p, entra.Options{Authority: customers, Resource: ownIssuer, AuthorizationServers: []string{customersIssuer, ownIssuer + "/"}})
	plain := testbed.NewVerifierAt(t, p, entra.Options{Tenants: []string{"33333333-3333-4333-8333-333333333333"}})
	combined, err := entra.Combine(plain, staff, both)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ issuer, of string }{
		"/.well-known/oauth-authorization-server/mcp":       {ownIssuer, "staff"},
		"/.well-known/oauth-authorization-server/customers": {customersIssuer, "customers"},
		"/.well-known/openid-configuration/customers":       {customersIssuer, "customers"},
		"/customers/.well-known/openid-configuration":       {customersIssuer, "customers"},
		"/.well-known/oauth-authorization-server":           {ownIssuer, "staff"},
		"/anywhere": {ownIssuer, "staff"},
	} {
		w := httptest.NewRecorder()
		combined.AuthorizationServerMetadata().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		got := w.Body.String()
		if w.Code != http.StatusOK || got != `{"issuer":"`+want.issuer+`","of":"`+want.of+`","code_challenge_methods_supported":["S256"]}` {
			t.Errorf("%s: got status %d and %s, want the document of %s under %s", path, w.Code, got, want.of, want.issuer)
		}
	}
	var metadata struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal(describe(combined, http.MethodGet).Body.Bytes(), &metadata); err != nil {
		t.Fatal(err)
	}
	want := []string{"https://login.microsoftonline.com/33333333-3333-4333-8333-333333333333/v2.0", ownIssuer, customersIssuer, ownIssuer + "/"}
	if metadata.Resource != ownIssuer || !slices.Equal(metadata.Servers, want) {
		t.Errorf("got %+v, want %s with %q", metadata, ownIssuer, want)
	}
	if got := combined.ResourceMetadataURL(); got != "https://api.contoso.example/.well-known/oauth-protected-resource/mcp" {
		t.Errorf("got the metadata's URL %q, want the first one's", got)
	}
	alone, err := entra.Combine(plain)
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(alone, http.MethodGet); w.Code != http.StatusNotFound || alone.ResourceMetadataURL() != "" {
		t.Errorf("without any issuer of its own: got status %d and %q, want 404 and none", w.Code, alone.ResourceMetadataURL())
	}
}
