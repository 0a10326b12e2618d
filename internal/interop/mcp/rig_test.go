package mcp_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

const loginHost = "login.microsoftonline.com"

// mcpClient is a client registered for the server, without a secret: programs on a desktop cannot keep one.
const mcpClient = "abababab-abab-4bab-8bab-abababababab"

// server is the program examples/mcp, which takes the fake tenant for Entra.
type server struct {
	url    string // the endpoint of the protocol, and the API's resource identifier
	tenant *entratest.Server
	login  string // where the tenant's endpoints are, for clients
	output *lockedBuffer
}

// tenantConfig is a tenant with the server, whose Application ID URI is its URL, a client for people and one for itself.
func tenantConfig(url string) entratest.Config {
	return entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Name: "Orders for agents", AppIDURIs: []string{url}, Scopes: []string{entratest.ScopeRead, entratest.ScopeWrite}},
		{ClientID: mcpClient, Name: "An agent", RedirectURIs: []string{"http://localhost"}},
		{
			ClientID: entratest.ClientID, Name: "A daemon", Secrets: []string{entratest.ClientSecret},
			Permissions: map[string][]string{entratest.APIClientID: {entratest.RoleDaemon}},
		},
	}}
}

// start builds and runs the program. Further environment variables follow its usual ones.
func start(t *testing.T, environment ...string) *server {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	s := &server{url: "http://" + addr + "/mcp", output: new(lockedBuffer)}
	s.tenant = entratest.New(t, tenantConfig(s.url))
	if s.login, err = s.tenant.Start(); err != nil {
		t.Fatal(err)
	}
	proxy, ca := proxyTo(t, s.login)
	command := exec.Command(binary, "-addr", addr)
	command.Env = append(os.Environ(), "HTTPS_PROXY="+proxy, "NO_PROXY=", "SSL_CERT_FILE="+ca,
		"ENTRA_TENANT_ID="+entratest.TenantID, "ENTRA_CLIENT_ID="+entratest.APIClientID, "MCP_RESOURCE="+s.url)
	command.Env = append(command.Env, environment...)
	command.Stdout, command.Stderr = s.output, s.output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Kill() // it serves until it is stopped
		<-ended
		if t.Failed() {
			t.Logf("the server said:\n%s", s.output)
		}
	})
	for {
		connection, err := net.Dial("tcp", addr)
		if err == nil {
			_ = connection.Close()
			return s
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v\n%s", err, s.output)
		case <-t.Context().Done():
			t.Fatal("the server does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var builtIn string // the folder to remove in the end

var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "entra-mcp")
	if err != nil {
		return "", err
	}
	builtIn = folder
	binary := filepath.Join(folder, "mcp")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "./mcp")
	build.Dir = "../../../examples"
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return "localhost:" + programs.Port(t)
}

// proxyTo starts an HTTP proxy that answers for Entra's login host with what is at target, and refuses every other host. It
// returns the proxy's URL and the file of the certificate to trust.
func proxyTo(t *testing.T, target string) (proxy, ca string) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	entra := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, ErrorLog: quiet})
	certificate, text := certificateFor(t, loginHost)
	entra.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	entra.Config.ErrorLog = quiet
	entra.StartTLS()
	t.Cleanup(entra.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != loginHost+":443" {
			http.Error(w, "this proxy leads to the fake tenant alone", http.StatusForbidden)
			return
		}
		tunnel(w, entra.Listener.Addr().String())
	}))
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, ca
}

// tunnel is what CONNECT asks for (RFC 9110 section 9.3.6).
func tunnel(w http.ResponseWriter, addr string) {
	there, err := net.Dial("tcp", addr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = there.Close()
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, buffered)
		_ = there.Close()
	}()
	go func() {
		_, _ = io.Copy(here, there)
		_ = here.Close()
	}()
}

// certificateFor makes a certificate for host that is its own authority, and returns it in PEM too.
func certificateFor(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's, never to be trusted elsewhere"}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// visit opens a page of the tenant, picks alice's account there, and returns where her browser is sent: to the client.
func visit(ctx context.Context, address string) (*url.URL, error) {
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	sent, text, err := open(browser, page)
	if sent != nil || err != nil {
		return sent, err // An error is told to the client at once.
	}
	form := url.Values{"entratest_account": {entratest.AliceObjectID}}
	for _, field := range hiddenField.FindAllStringSubmatch(text, -1) {
		form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	picked, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.Split(address, "?")[0], strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	picked.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if sent, text, err = open(browser, picked); sent == nil && err == nil {
		err = fmt.Errorf("the sign-in page sends nowhere:\n%s", text)
	}
	return sent, err
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// open returns where the answer leads, or else the page.
func open(browser *http.Client, request *http.Request) (sent *url.URL, page string, err error) {
	response, err := browser.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	if sent, err := response.Location(); err == nil {
		return sent, "", nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sign-in page: %s\n%s", response.Status, body)
	}
	return nil, string(body), err
}

// lockedBuffer gathers the output of a program while a test may read it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
