package interop_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// settings is what entra run and entra emulator print, for a tenant of a test, where a program without rights may read it.
func (w way) settings(t *testing.T) []string {
	t.Helper()
	trust := publicFile(t, "ca.pem", w.trust)
	settings := []string{
		"SSL_CERT_FILE=" + trust,
		"ENTRA_TENANT_ID=" + entratest.TenantID, "ENTRA_CLIENT_ID=" + entratest.APIClientID,
		"AZURE_TENANT_ID=" + entratest.TenantID, "AZURE_CLIENT_ID=" + entratest.ClientID, "AZURE_CLIENT_SECRET=" + entratest.ClientSecret,
		"API_SCOPE=" + apiScopes,
	}
	if w.hosts {
		return append(settings, "HTTPS_PROXY="+w.proxy, "NO_PROXY=localhost,127.0.0.1")
	}
	return append(settings, "ENTRA_ISSUER="+w.issuer)
}

// publicFile writes a file that every user of this machine may read.
func publicFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "entra")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	name = filepath.Join(folder, name)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// proxied is an API behind a proxy, which a recipe of docs/local.md starts.
type proxied struct {
	url string
	mu  sync.Mutex
	api arrivals
}

// arrivals is what the API has seen.
type arrivals struct {
	requests int
	header   http.Header // of the last one
	token    string      // ID of the last token that it accepted
}

func (p *proxied) arrivals() arrivals {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.api
}

func (p *proxied) note(change func(*arrivals)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.api)
}

// proxy runs the recipe until the test ends. Its program is found at path, and the API judges what reaches it.
func proxy(t *testing.T, verifier *entra.Verifier, path string, settings []string, command ...string) *proxied {
	t.Helper()
	p := &proxied{}
	judged := verifier.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		p.note(func(a *arrivals) { a.token = claims.TokenID })
		fmt.Fprintf(w, "%v of %s", claims.Kind, claims.ObjectID)
	}))
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.note(func(a *arrivals) { a.requests, a.header = a.requests+1, r.Header.Clone() })
		if token := r.Header.Get("X-Forwarded-Access-Token"); token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		judged.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	address := freePort(t)
	_, port, _ := net.SplitHostPort(address)
	p.url = "http://" + address
	program := exec.Command(command[0], command[1:]...)
	program.Env = append(os.Environ(), settings...)
	program.Env = append(program.Env, "PATH="+path+":"+os.Getenv("PATH"), "PORT="+port, "PAGE_URL="+p.url, "API_URL="+api.URL+"/orders")
	listen(t, program, address)
	p.url += "/orders"
	return p
}

// written is what a program wrote.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// listen runs a server until the test ends, and returns once it accepts connections at address.
func listen(t *testing.T, command *exec.Cmd, address string) {
	t.Helper()
	said := &written{}
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // It may have ended.
		select {
		case <-ended:
		case <-time.After(patience):
			_ = command.Process.Kill()
			t.Errorf("%s does not end when it is told to", command)
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", command, said)
		}
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err // for the cleanup
			t.Fatalf("%s ended: %v", command, err)
		default:
		}
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody listens on %s: %v", address, err)
		}
	}
}

// asPerson is asAlice for servers that send nobody but a person's browser to sign in.
func (l *local) asPerson() *http.Client {
	browser := l.asAlice()
	browser.Transport = wantsPages{browser.Transport}
	return browser
}

type wantsPages struct{ next http.RoundTripper }

func (b wantsPages) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	return b.next.RoundTrip(r)
}

// attempt is a request to an API behind a proxy, and what becomes of it.
type attempt struct {
	name, token string
	status      int
	reached     bool
}

// judged are tokens that a proxy must not let through unless the library accepts them.
func (w way) judged(refused int) []attempt {
	return []attempt{
		{"a user's token", w.tenant.Token(), 200, true},
		{"an application's token", w.tenant.Token(entratest.App(entratest.RoleDaemon)), 200, true},
		{"an expired token", w.tenant.Token(entratest.Expired()), refused, false},
		{"a token of an unknown key", w.tenant.Token(entratest.SignedBy(w.tenant.UnknownKey())), refused, false},
		{"a token for another API", w.tenant.Token(entratest.Audience(entratest.SPAClientID)), refused, false},
		{"a token of another tenant", w.tenant.Token(entratest.Tenant(entratest.OtherTenantID)), refused, false},
		{"no JWS", "opaque", refused, false},
	}
}

func (p *proxied) check(t *testing.T, verifier *entra.Verifier, rows []attempt) {
	t.Helper()
	for _, row := range rows {
		before := p.arrivals().requests
		got := textOf(t, http.DefaultClient, p.url, row.token)
		reached := p.arrivals().requests > before
		if !strings.HasPrefix(got, fmt.Sprint(row.status)) || reached != row.reached {
			t.Errorf("%s: got %s, the API reached: %t; want %d, %t", row.name, got, reached, row.status, row.reached)
		}
		if _, err := verifier.Verify(t.Context(), row.token); (err == nil) != (row.status == 200) {
			t.Errorf("%s: got %d, and the library says %v", row.name, row.status, err)
		}
	}
}

// linked returns a folder for PATH in which a recipe finds a program by the name that it calls it by.
func linked(t *testing.T, name, path string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestTheProxiesOfTheLocalGuideSignUsersIn(t *testing.T) {
	each(t, []recipe{
		{"local/apache-sign-in.conf", []localWay{names, anIssuer}},
		{"local/oauth2-proxy.sh", []localWay{names, anIssuer}},
	}, func(t *testing.T, l *local, command []string) {
		if command != nil {
			oauth2ProxySignsUsersIn(t, l, command)
			return
		}
		t.Run("and refresh", func(t *testing.T) { apacheSignsUsersIn(t, l) })
		t.Run("and read userinfo", func(t *testing.T) { apacheReadsUserInfo(t, l) })
	})
}
