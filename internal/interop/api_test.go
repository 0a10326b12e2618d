package interop_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// caller is what the API answers: who it took the client for.
type caller struct {
	Kind       string   `json:"kind"`
	ClientID   string   `json:"client"`
	ClientAuth string   `json:"clientAuth"`
	ObjectID   string   `json:"object"`
	Scopes     []string `json:"scopes"`
	Roles      []string `json:"roles"`
	Contexts   []string `json:"contexts"`
}

// newAPI serves the sample API over TLS on a loopback port, as its owner would mount it.
func newAPI(t testing.TB, tenant *entratest.Server) *httptest.Server {
	t.Helper()
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	server := httptest.NewTLSServer(protected(verifier))
	t.Cleanup(server.Close)
	return server
}

func newVerifier(t testing.TB, tenant *entratest.Server, clientID string) *entra.Verifier {
	t.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   clientID,
		HTTPClient: tenant.Client(),
		// With all that a challenge can hold, for the clients that parse it.
		Resource:       "https://api.contoso.example/orders",
		ResourceScopes: []string{"api://" + clientID + "/" + entratest.ScopeRead, "api://" + clientID + "/" + entratest.ScopeWrite},
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

func protected(verifier *entra.Verifier) http.Handler {
	api := http.NewServeMux()
	route := func(pattern string, requirements ...entra.Requirement) {
		api.Handle(pattern, entra.Require(requirements...)(http.HandlerFunc(whoCalls)))
	}
	route("GET /export", entra.AppPermission(entratest.RoleDaemon))
	route("GET /orders", entra.Scope(entratest.ScopeRead))
	route("DELETE /orders", entra.Scope(entratest.ScopeWrite))
	route("POST /payments", entra.Scope(entratest.ScopeRead), entra.AuthContext("c1"))
	return verifier.Authenticate(api)
}

func whoCalls(w http.ResponseWriter, r *http.Request) {
	c, ok := entra.ClaimsFromContext(r.Context())
	if !ok {
		http.Error(w, "no claims", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(caller{c.Kind.String(), c.ClientID, c.ClientAuth, c.ObjectID, c.Scopes, c.Roles, c.AuthContexts})
}

// call sends a request with the bearer token, and returns the status and, for 200, the answer.
func call(t testing.TB, api *httptest.Server, method, path, token string) (int, caller) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, api.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := api.Client().Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	var who caller
	if response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(&who); err != nil {
			t.Fatalf("%s %s: decoding the answer: %v", method, path, err)
		}
	}
	return response.StatusCode, who
}

// wantDaemon checks that the API takes the token for the sample daemon's, with its permission.
func wantDaemon(t testing.TB, api *httptest.Server, token, clientAuth string) {
	t.Helper()
	status, who := call(t, api, http.MethodGet, "/export", token)
	if status != http.StatusOK || who.Kind != entra.AppToken.String() || who.ClientID != entratest.ClientID || who.ClientAuth != clientAuth {
		t.Errorf("GET /export: got %d %+v, want 200 for the application %s, proved by %q", status, who, entratest.ClientID, clientAuth)
	}
	if status, _ := call(t, api, http.MethodGet, "/orders", token); status != http.StatusForbidden {
		t.Errorf("GET /orders, which is for users: got %d, want 403", status)
	}
}

// wantUser checks that the API takes the token for one with which clientID acts for alice.
func wantUser(t testing.TB, api *httptest.Server, token, clientID string) {
	t.Helper()
	status, who := call(t, api, http.MethodGet, "/orders", token)
	if status != http.StatusOK || who.Kind != entra.UserToken.String() || who.ClientID != clientID || who.ObjectID != entratest.AliceObjectID {
		t.Errorf("GET /orders: got %d %+v, want 200 for alice through %s", status, who, clientID)
	}
	if status, _ := call(t, api, http.MethodGet, "/export", token); status != http.StatusForbidden {
		t.Errorf("GET /export, which is for applications: got %d, want 403", status)
	}
}

// door is a way by which clients reach the tenant.
type door struct {
	name      string
	authority string // what a client's configuration names, without a slash at the end
	client    *http.Client
	discovery bool // whether a client may ask which authorities there are
}

// doors are the two ways that the documentation of entratest describes: in process with production's own URLs, and a
// TLS listener on a loopback port.
func doors(t testing.TB, tenant *entratest.Server) []door {
	t.Helper()
	url, err := tenant.StartTLS()
	if err != nil {
		t.Fatalf("StartTLS: %v", err)
	}
	return []door{
		{"in process", "https://login.microsoftonline.com", tenant.Client(), true},
		{"TLS listener", url, trusting(tenant.CertPool()), false},
	}
}

func trusting(pool *x509.CertPool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}
}
