package interop_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// nodeJob is what node/client.mjs does: configuration and request of msal-node as its documentation has them.
type nodeJob struct {
	MSAL    string         `json:"msal"` // the package: msal-node in one of its versions
	Auth    map[string]any `json:"auth"`
	Request map[string]any `json:"request"`
	Calls   []nodeCall     `json:"calls"`
}

type nodeCall struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Azure  bool   `json:"azure"` // through the pipeline of the Azure SDKs
}

type nodeAnswer struct {
	Status    int               `json:"status"`
	Body      caller            `json:"body"`
	Challenge map[string]string `json:"challenge"` // as MSAL.js reads it
	Asked     []string          `json:"asked"`     // claims of the token requests
	Error     string            `json:"error"`
	Number    int               `json:"number"`
}

// do runs the job in a Node.js that trusts the certificates.
func (j nodeJob) do(t *testing.T, trusted ...[]byte) []nodeAnswer {
	t.Helper()
	question, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trust, bytes.Join(trusted, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node(t), "node/client.mjs")
	command.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+trust)
	command.Stdin = bytes.NewReader(question)
	var said, complained bytes.Buffer
	command.Stdout, command.Stderr = &said, &complained
	if err := command.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, &complained)
	}
	var answers []nodeAnswer
	if err := json.Unmarshal(said.Bytes(), &answers); err != nil {
		t.Fatalf("node: %v\n%s", err, &said)
	}
	return answers
}

func pemOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// confidentialAuth is the configuration in production, but for authorityMetadata, which leads to the fake tenant.
func confidentialAuth(tenant *entratest.Server) map[string]any {
	return map[string]any{
		"clientId":          entratest.ClientID,
		"authority":         "https://login.microsoftonline.com/" + entratest.TenantID,
		"authorityMetadata": tenant.AuthorityMetadata(),
		"clientSecret":      entratest.ClientSecret,
	}
}

// msalNodes are the pinned msal-node, the major version before it, and an old one that is still in use.
var msalNodes = []string{"@azure/msal-node", "msal-node-6", "msal-node-3"}

func TestMSALNodeGetsTokensForItself(t *testing.T) {
	tenant, id := newTenant(t)
	api := newAPI(t, tenant)
	if _, err := tenant.Start(); err != nil {
		t.Fatal(err)
	}
	secret := confidentialAuth(tenant)
	certified := confidentialAuth(tenant)
	delete(certified, "clientSecret")
	certified["clientCertificate"] = certificateFor(t, id)
	for _, version := range msalNodes {
		for _, row := range []struct {
			name  string
			auth  map[string]any
			proof string
		}{{"secret", secret, "1"}, {"certificate", certified, "2"}} {
			t.Run(version+", "+row.name, func(t *testing.T) {
				answers := nodeJob{
					MSAL: version, Auth: row.auth, Request: map[string]any{"scopes": []string{apiScopes}},
					Calls: []nodeCall{{Method: "GET", URL: api.URL + "/export"}, {Method: "GET", URL: api.URL + "/orders"}},
				}.do(t, pemOf(api))
				if len(answers) != 2 || answers[0].Status != http.StatusOK || answers[0].Body.Kind != entra.AppToken.String() ||
					answers[0].Body.ClientID != entratest.ClientID || answers[0].Body.ClientAuth != row.proof {
					t.Fatalf("GET /export: got %+v, want 200 for the application, proved by %q", answers, row.proof)
				}
				if answers[1].Status != http.StatusForbidden || answers[1].Challenge["error"] != "insufficient_scope" {
					t.Errorf("GET /orders, which is for users: got %+v, want 403 insufficient_scope", answers[1])
				}
			})
		}
	}
}

// certificateFor returns the client's certificate as msal-node wants it.
func certificateFor(t *testing.T, id identity) map[string]any {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		t.Fatal(err)
	}
	thumbprint := sha256.Sum256(id.certificate.Raw)
	return map[string]any{
		"thumbprintSha256": hex.EncodeToString(thumbprint[:]),
		"privateKey":       string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	}
}

func TestMSALNodeOverTLS(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	authority, err := tenant.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	answers := nodeJob{
		MSAL: msalNodes[0],
		Auth: map[string]any{"clientId": entratest.ClientID, "clientSecret": entratest.ClientSecret,
			"authority": authority + "/" + entratest.TenantID, "knownAuthorities": []string{strings.TrimPrefix(authority, "https://")}},
		Request: map[string]any{"scopes": []string{apiScopes}},
		Calls:   []nodeCall{{Method: "GET", URL: api.URL + "/export"}},
	}.do(t, tenant.CertPEM(), pemOf(api))
	if len(answers) != 1 || answers[0].Status != http.StatusOK {
		t.Errorf("got %+v, want 200", answers)
	}
}

func TestMSALNodeReadsTheTenantsRefusals(t *testing.T) {
	tenant, _ := newTenant(t)
	if _, err := tenant.Start(); err != nil {
		t.Fatal(err)
	}
	auth := confidentialAuth(tenant)
	auth["clientSecret"] = "wrong"
	answers := nodeJob{MSAL: msalNodes[0], Auth: auth, Request: map[string]any{"scopes": []string{apiScopes}},
		Calls: []nodeCall{{Method: "GET", URL: "https://127.0.0.1:9/never"}}}.do(t)
	if len(answers) != 1 || answers[0].Error != "invalid_client" || answers[0].Number != 7000215 {
		t.Errorf("wrong secret: got %+v, want invalid_client with 7000215", answers)
	}
}

func TestMSALNodeAndTheAzureSDKStepUp(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	if _, err := tenant.Start(); err != nil {
		t.Fatal(err)
	}
	auth := confidentialAuth(tenant)
	auth["clientCapabilities"] = []string{"CP1"}
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	for _, version := range msalNodes {
		t.Run(version, func(t *testing.T) {
			answers := nodeJob{
				MSAL: version, Auth: auth,
				Request: map[string]any{"oboAssertion": userAtMiddle(tenant), "scopes": []string{entratest.APIURI + "/" + entratest.ScopeRead}},
				Calls: []nodeCall{
					{Method: "GET", URL: api.URL + "/orders"},
					{Method: "POST", URL: api.URL + "/payments"},
					{Method: "POST", URL: api.URL + "/payments", Azure: true},
				},
			}.do(t, pemOf(api))
			if len(answers) != 3 || answers[0].Status != http.StatusOK || answers[0].Body.ObjectID != entratest.AliceObjectID {
				t.Fatalf("GET /orders on behalf of alice: got %+v, want 200 for her", answers)
			}
			challenge := answers[1].Challenge
			if answers[1].Status != http.StatusUnauthorized || challenge["error"] != "insufficient_claims" {
				t.Errorf("the challenge as MSAL.js reads it: got %d %v, want 401 insufficient_claims", answers[1].Status, challenge)
			}
			// MSAL's parser cuts values at "=", and so the padding off; decoders of JavaScript do without it.
			if got := unpadded(t, challenge["claims"]); got != claims {
				t.Errorf("the claims as MSAL.js reads them: got %s, want %s", got, claims)
			}
			if asked := answers[2].Asked; answers[2].Status != http.StatusOK || len(asked) != 2 || asked[1] != claims {
				t.Errorf("through the Azure SDK's pipeline: got %+v, want 200 after a second token with the claims", answers[2])
			}
		})
	}
}

func unpadded(t *testing.T, text string) string {
	t.Helper()
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		t.Errorf("base64 %q: %v", text, err)
	}
	return string(b)
}
