package mcp_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// These tests show what happens without what the example does: each failure is one that people meet with these clients and
// Entra. Where one no longer fails, a part of the library or of the example can go.

// api is an API on a loopback port with its metadata, for clients that sign in and call nothing.
func api(t *testing.T, change func(*entra.Options)) (url string, client *http.Client) {
	t.Helper()
	return apiWith(t, tenantConfig, change)
}

func apiWith(t *testing.T, config func(url string) entratest.Config, change func(*entra.Options)) (url string, client *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	url = "http://" + server.Listener.Addr().String() + "/mcp"
	tenant := entratest.New(t, config(url))
	login, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	options := entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Audiences: []string{url},
		Resource: url, ResourceScopes: []string{url + "/" + entratest.ScopeRead}, AuthorizationServers: []string{url},
		HTTPClient:   &http.Client{Transport: toEntra{strings.TrimPrefix(login, "http://")}},
		ErrorHandler: withoutRealm, Logger: slog.New(slog.DiscardHandler),
	}
	change(&options)
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/.well-known/oauth-protected-resource/mcp", verifier.ResourceMetadata())
	mux.Handle("/.well-known/oauth-authorization-server/mcp", verifier.AuthorizationServerMetadata())
	mux.Handle("/mcp", verifier.Authenticate(http.NotFoundHandler()))
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return url, &http.Client{Transport: toEntra{strings.TrimPrefix(login, "http://")}}
}

func withoutRealm(w http.ResponseWriter, r *http.Request, err error) {
	if challenge, ok := strings.CutPrefix(w.Header().Get("WWW-Authenticate"), `Bearer realm="", `); ok {
		w.Header().Set("WWW-Authenticate", "Bearer "+challenge)
	}
	entra.WriteProblem(w, r, err)
}

// toEntra sends what is for Entra's login host to the fake tenant.
type toEntra struct{ addr string }

func (to toEntra) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == loginHost {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = "http", to.addr, to.addr
	}
	return http.DefaultTransport.RoundTrip(r)
}

// promising is Entra with one more member in its metadata.
type promising struct{ entra http.RoundTripper }

func (p promising) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.entra.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	text := strings.Replace(string(body), "{", `{"authorization_response_iss_parameter_supported":true,`, 1)
	response.Body, response.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return response, nil
}

// signInAt lets Go's client answer the API's 401.
func signInAt(t *testing.T, url string, config auth.AuthorizationCodeHandlerConfig) error {
	t.Helper()
	config.RedirectURL, config.AuthorizationCodeFetcher = "http://localhost:3118/callback", fetchCode
	handler, err := auth.NewAuthorizationCodeHandler(&config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusUnauthorized {
		t.Fatalf("got %s without a token, want 401", response.Status)
	}
	return handler.Authorize(t.Context(), request, response)
}

func TestWhatFailsForGosClient(t *testing.T) {
	registered := auth.AuthorizationCodeHandlerConfig{PreregisteredClient: &oauthex.ClientCredentials{ClientID: mcpClient}}
	for _, row := range []struct {
		name   string
		change func(*entra.Options)
		client auth.AuthorizationCodeHandlerConfig
		want   string // in the error; "": it works
	}{
		{"nothing, with what the example does", func(*entra.Options) {}, registered, ""},
		{"Entra's own document names no code challenge methods", func(o *entra.Options) { o.AuthorizationServers = nil }, registered,
			"does not implement PKCE"},
		{"Entra's own document for several tenants names a template as its issuer", func(o *entra.Options) {
			o.Tenants, o.AllowAnyTenant, o.AuthorizationServers = nil, true, nil
		}, registered, "does not match issuer URL"},
		{"the document of the API's own leads any tenant's users to Entra", func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = nil, true }, registered, ""},
		{"and those of several tenants", func(o *entra.Options) { o.Tenants = append(o.Tenants, entratest.OtherTenantID) }, registered, ""},
		{"no scopes, in challenge or metadata", func(o *entra.Options) { o.ResourceScopes = nil }, registered, "AADSTS900144"},
		{"the empty realm of a challenge", func(o *entra.Options) { o.ErrorHandler = nil }, registered, `no value for auth param "realm"`},
		{"an Entra that promises to name itself in its answers (RFC 9207)", func(o *entra.Options) {
			o.HTTPClient = &http.Client{Transport: promising{o.HTTPClient.Transport}}
		}, registered, "RFC 9207"},
		{"no registration: Entra has no dynamic one", func(*entra.Options) {}, auth.AuthorizationCodeHandlerConfig{
			DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
				Metadata: &oauthex.ClientRegistrationMetadata{RedirectURIs: []string{"http://localhost:3118/callback"}},
			},
		}, "no configured client registration methods are supported"},
	} {
		t.Run(row.name, func(t *testing.T) {
			url, client := api(t, row.change)
			row.client.Client = client
			err := signInAt(t, url, row.client)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want an error with %q (or none)", err, row.want)
			}
		})
	}
}

// Entra compares the parameter resource with the Application ID URIs of the application whose scopes are asked for.
func TestAResourceThatIsNoApplicationIDURI(t *testing.T) {
	unregistered := func(string) entratest.Config { return tenantConfig(entratest.APIURI) }
	url, client := apiWith(t, unregistered, func(o *entra.Options) {
		o.Audiences, o.ResourceScopes = nil, []string{entratest.APIURI + "/" + entratest.ScopeRead}
	})
	config := auth.AuthorizationCodeHandlerConfig{PreregisteredClient: &oauthex.ClientCredentials{ClientID: mcpClient}, Client: client}
	if err := signInAt(t, url, config); err == nil || !strings.Contains(err.Error(), "invalid_target: AADSTS9010010") {
		t.Errorf("got %v, want invalid_target: AADSTS9010010", err)
	}
}

// The issuer must be the URL under which the document is asked for, to the letter.
func TestTheInspectorComparesIssuers(t *testing.T) {
	for _, suffix := range []string{"", "x"} {
		front := httptest.NewUnstartedServer(nil)
		issuer := "http://" + front.Listener.Addr().String() + "/mcp"
		own, _ := api(t, func(*entra.Options) {})
		front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/.well-known/oauth-authorization-server/mcp" {
				http.NotFound(w, r)
				return
			}
			document := fetch(t, strings.Replace(own, "/mcp", r.URL.Path, 1))
			document["issuer"] = issuer + suffix
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(document)
		})
		front.Start()
		t.Cleanup(front.Close)
		url, _ := api(t, func(o *entra.Options) { o.AuthorizationServers = []string{issuer} })
		out, err := following(t, inspect(t, url, "--method", "tools/list"))
		// This API signs people in and has no tools: a client that gets so far fails there.
		signsIn := signInURL.MatchString(out)
		if err == nil || signsIn != (suffix == "") || !signsIn && !strings.Contains(out, issuer+"x") {
			t.Errorf("an issuer of %s under %s: got\n%s", issuer+suffix, issuer, out)
		}
	}
}

func fetch(t *testing.T, url string) (document map[string]any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(body, &document)
	}
	if err != nil {
		t.Errorf("%s: %v: %s", url, err, body)
	}
	return document
}
