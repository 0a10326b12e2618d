package kubernetes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// azureKubelogin runs a recipe with github.com/Azure/kubelogin, the credential plugin of AKS, which knows Microsoft's host
// names alone.
func azureKubelogin(t *testing.T, settings ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "go", "-C", "../kubelogin", "tool", "-n", "kubelogin").Output()
	if err != nil {
		t.Fatalf("building kubelogin: %v", err)
	}
	folder := t.TempDir()
	if err := os.Symlink(strings.TrimSpace(string(path)), filepath.Join(folder, "kubelogin")); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "sh", "../local/azure-kubelogin.sh", "--cache-dir", folder)
	// It keeps tokens in a folder of its own below these, whatever --cache-dir says.
	command.Env = append(os.Environ(), "HOME="+folder, "XDG_CACHE_HOME="+folder, "PATH="+folder+":"+os.Getenv("PATH"),
		"SSL_CERT_FILE="+trustFile(t), "HTTPS_PROXY="+microsoft.hosts.Proxy,
		"AZURE_TENANT_ID="+entratest.TenantID, "ENTRA_CLIENT_ID="+entratest.APIClientID, "ENTRA_PAGE_CLIENT_ID="+entratest.SPAClientID)
	command.Env = append(command.Env, settings...)
	return command
}

func trustFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, microsoft.hosts.CertPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// credential runs a credential plugin and returns the token that it hands to kubectl. A device code is entered for alice.
func credential(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var out, said bytes.Buffer
	command.Stdout = &out
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	asked := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		page, code := devicePage.FindString(said.String()), deviceCode.FindStringSubmatch(said.String())
		if page != "" && code != nil && !asked {
			asked = true
			enter(t, page, code[1])
		}
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", command.Path, err, &said)
	}
	var answer struct {
		Kind   string `json:"kind"`
		Status struct {
			Token      string `json:"token"`
			Expiration string `json:"expirationTimestamp"`
		} `json:"status"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.Kind != "ExecCredential" || answer.Status.Expiration == "" {
		t.Fatalf("%s: got %v, a %q that expires at %q; want an ExecCredential\n%s", command.Path, err, answer.Kind, answer.Status.Expiration, &said)
	}
	return answer.Status.Token
}

var (
	devicePage = regexp.MustCompile(`https://\S+/deviceauth\b`)
	deviceCode = regexp.MustCompile(`\bcode (?:when asked in your browser: )?([A-Z0-9]{9})\b`)
)

// enter does what the user of a device does in a browser elsewhere.
func enter(t *testing.T, page, userCode string) {
	t.Helper()
	response, err := microsoft.tenant.Client().PostForm(page, url.Values{"user_code": {userCode}, "entratest_account": {"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the page of the device code: got status %d", response.StatusCode)
	}
}

func TestAzureKubelogin(t *testing.T) {
	for _, row := range []struct {
		name     string
		settings []string
		kind     entra.Kind
	}{
		{"client credentials", []string{"AZURE_CLIENT_ID=" + entratest.ClientID, "AZURE_CLIENT_SECRET=" + entratest.ClientSecret}, entra.AppToken},
		{"device code", nil, entra.UserToken},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel() // A device code is polled for every five seconds, as Entra asks.
			believed(t, credential(t, azureKubelogin(t, row.settings...)), row.kind)
		})
	}
}

// kubelogin runs github.com/int128/kubelogin, also called kubectl oidc-login.
func kubelogin(t *testing.T, path string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, append([]string{"get-token", "--certificate-authority", trustFile(t), "--token-cache-dir", t.TempDir(),
		"--oidc-issuer-url", microsoftIssuer, "--skip-open-browser"}, arguments...)...)
	command.Env = append(os.Environ(), "HTTPS_PROXY="+microsoft.hosts.Proxy)
	return command
}

// TestKubelogin runs where the program is installed. The module proxy refuses its module, so that the gate cannot have it.
func TestKubelogin(t *testing.T) {
	path, err := exec.LookPath("kubectl-oidc_login")
	if err != nil {
		t.Skip("github.com/int128/kubelogin is not in PATH as kubectl-oidc_login; the Go module proxy answers 403 for its module, and Debian and npm have " +
			"none. Others run its flows: github.com/Azure/kubelogin client credentials, device code and ExecCredential, and golang.org/x/oauth2 with " +
			"go-oidc, which it is made of, discovery and device code")
	}
	for _, row := range []struct {
		name      string
		arguments []string
		kind      entra.Kind
	}{
		{
			"client credentials",
			[]string{
				"--grant-type", "client-credentials", "--oidc-client-id", entratest.ClientID, "--oidc-client-secret", entratest.ClientSecret,
				"--oidc-extra-scope", entratest.APIURI + "/.default", "--oidc-use-access-token",
			},
			entra.AppToken,
		},
		{
			"device code",
			[]string{
				"--grant-type", "device-code", "--oidc-client-id", entratest.SPAClientID,
				"--oidc-extra-scope", entratest.APIURI + "/" + entratest.ScopeRead, "--oidc-use-access-token",
			},
			entra.UserToken,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			believed(t, credential(t, kubelogin(t, path, row.arguments...)), row.kind)
		})
	}
}

// believed checks that Kubernetes and the library take a token of a credential plugin for the same identity's.
func believed(t *testing.T, token string, kind entra.Kind) {
	t.Helper()
	w := ways(t)[1] // Microsoft's names
	claims, err := w.verifier(t).Verify(t.Context(), token)
	if err != nil || claims.Kind != kind {
		t.Fatalf("the library: got %+v, %v; want a %v", claims, err, kind)
	}
	answer, ok, err := w.authenticator(t).AuthenticateToken(t.Context(), token)
	if !ok || answer.User.GetName() != "entra:"+claims.ObjectID {
		t.Fatalf("Kubernetes: got %+v, %v; want entra:%s", answer, err, claims.ObjectID)
	}
}
