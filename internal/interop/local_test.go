package interop_test

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Identifiers of one's own, which the command entra is told.
const (
	ownTenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	ownClient = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
)

// local is a fake tenant that the command entra serves, as the recipes of docs/local.md begin.
type local struct {
	environment []string          // as printed
	variables   map[string]string // the same, by their names
	user, app   string            // the printed tokens
	client      *http.Client      // reaches the tenant as a browser does that trusts its certificate
	verifier    *entra.Verifier   // of the API
}

// localNames is a tenant under Microsoft's own host names: entra run, which prints the environment that leads there.
func localNames(t *testing.T) *local { return startLocal(t, "run") }

// localIssuer is a tenant whose issuer is where it listens.
func localIssuer(t *testing.T) *local {
	return startLocal(t, "emulator", "-local-issuer", "-http", "localhost:0", "-https", "localhost:0", "-ca", filepath.Join(t.TempDir(), "ca.pem"))
}

// localEndpoints is a tenant that keeps Microsoft's issuers and listens on ports of its own.
func localEndpoints(t *testing.T) *local {
	return startLocal(t, "emulator", "-http", "localhost:0", "-https", "localhost:0", "-ca", filepath.Join(t.TempDir(), "ca.pem"))
}

// startLocal runs the command until the test ends.
func startLocal(t *testing.T, command string, flags ...string) *local {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "entra")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/entra")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building cmd/entra: %v\n%s", err, out)
	}
	args := append([]string{command, "-tenant", ownTenant, "-client", ownClient, "-scope", "Orders.Read", "-role", "Orders.Read.All"}, flags...)
	lines := output(t, exec.Command(binary, args...))
	l := &local{variables: make(map[string]string)}
	variable := regexp.MustCompile(`^  export (\w+)=(.*)$`)
	token := regexp.MustCompile(`^  (?:(?:user|app)=|curl -i .*Bearer )([\w-]+\.[\w-]+\.[\w-]+)'?$`)
	for lines.Scan() && (lines.Text() != "" || len(l.variables) == 0) {
		if match := variable.FindStringSubmatch(lines.Text()); match != nil {
			l.environment = append(l.environment, match[1]+"="+match[2])
			l.variables[match[1]] = match[2]
		}
		if match := token.FindStringSubmatch(lines.Text()); match != nil {
			l.user, l.app = l.app, match[1] // The user's comes first.
		}
	}
	if len(l.variables) == 0 || l.user == "" {
		t.Fatalf("entra %s: got the environment %q and user's token %q (%v)", command, l.environment, l.user, lines.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, scanned{lines}) }() // so that it never waits for a reader
	l.reach(t)
	return l
}

// scanned reads what a scanner has left.
type scanned struct{ *bufio.Scanner }

func (s scanned) Read([]byte) (int, error) {
	if s.Scan() {
		return 0, nil
	}
	return 0, io.EOF
}

// output starts a program that is interrupted when the test ends, and returns what it prints.
func output(t *testing.T, command *exec.Cmd) *bufio.Scanner {
	t.Helper()
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	command.Stderr = &complaints
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt) // It may have ended.
		_ = command.Wait()                       // interrupted: it has nothing to say
		if t.Failed() {
			t.Logf("%s\n%s", command, &complaints)
		}
	})
	return bufio.NewScanner(out)
}

// reach makes the client and the Verifier with public options alone.
func (l *local) reach(t *testing.T) {
	t.Helper()
	pem, err := os.ReadFile(l.variables["SSL_CERT_FILE"])
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("the certificate: %v", err)
	}
	l.client = trusting(pool)
	if l.client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	options := entra.Options{Tenants: []string{ownTenant}, ClientID: ownClient, HTTPClient: l.client, Authority: l.variables["ENTRA_ISSUER"]}
	transport := l.client.Transport.(*http.Transport)
	if proxy := l.variables["HTTPS_PROXY"]; proxy != "" {
		transport.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() == "localhost" {
				return nil, nil
			}
			return url.Parse(proxy)
		}
	} else if options.Authority == "" {
		options.HTTPClient = &http.Client{Transport: toEmulator{l.variables["AZURE_AUTHORITY_HOST"], transport}}
	}
	if l.verifier, err = entra.NewVerifier(options); err != nil {
		t.Fatal(err)
	}
}

// toEmulator sends requests for Entra to the emulator, as the lines that it prints do.
type toEmulator struct {
	base      string
	transport http.RoundTripper
}

func (e toEmulator) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(e.base)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
	return e.transport.RoundTrip(r)
}

// api serves the sample API, and returns the URL of its orders.
func (l *local) api(t *testing.T) string {
	t.Helper()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprintf(w, "orders of %s", claims.ObjectID)
	})
	allowed := entra.Require(entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
	server := httptest.NewServer(l.verifier.Authenticate(allowed(orders)))
	t.Cleanup(server.Close)
	return server.URL + "/orders"
}

// serve runs a program of a recipe, which listens on PORT and on that of PAGE_URL, until the test ends.
func (l *local) serve(t *testing.T, name string, args ...string) (base string) {
	t.Helper()
	address := freePort(t)
	_, port, _ := net.SplitHostPort(address)
	command := exec.Command(name, args...)
	command.Env = append(append(os.Environ(), l.environment...), "PORT="+port, "PAGE_URL=http://"+address, "API_URL="+l.api(t))
	output(t, command)
	waitForPort(t, address)
	return "http://" + address
}

func waitForPort(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", address, err)
		}
	}
}

// textOf returns the status and the text of a URL, which the client follows to its end.
func textOf(t *testing.T, client *http.Client, url, token string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status[:3] + " " + string(body)
}

// asAlice is the client as a browser whose user picks the account of alice.
func (l *local) asAlice() *http.Client {
	browser := *l.client
	browser.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errors.New("it redirects in circles")
		}
		if strings.HasSuffix(request.URL.Path, "/authorize") {
			request.URL.RawQuery += "&login_hint=alice"
		}
		return nil
	}
	return &browser
}

// Web applications sign a user in, call the API for them, and renew their tokens.
func TestTheWebApplicationsOfTheLocalGuide(t *testing.T) {
	node(t)
	for _, way := range []struct {
		name  string
		start func(*testing.T) *local
	}{{"Microsoft's host names", localNames}, {"a local issuer", localIssuer}} {
		l := way.start(t)
		for _, program := range []string{"openid-client.mjs"} {
			t.Run(program+" at "+way.name, func(t *testing.T) {
				page := l.serve(t, "node", "local/"+program)
				if got, want := textOf(t, l.asAlice(), page, ""), "200 Alice Example: 200 orders of "+entratest.AliceObjectID; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// APIs in other languages accept the printed tokens and refuse others.
func TestTheAPIsOfTheLocalGuide(t *testing.T) {
	node(t)
	for _, way := range []struct {
		name  string
		start func(*testing.T) *local
	}{{"Microsoft's host names", localNames}, {"a local issuer", localIssuer}} {
		l := way.start(t)
		for _, program := range []string{"jose.mjs"} {
			t.Run(program+" at "+way.name, func(t *testing.T) {
				api := l.serve(t, "node", "local/"+program)
				if got, want := textOf(t, l.client, api, l.user), "200 orders of "+entratest.AliceObjectID; got != want {
					t.Errorf("a user's token: got %s, want %s", got, want)
				}
				if got := textOf(t, l.client, api, l.app); !strings.HasPrefix(got, "200 orders of ") {
					t.Errorf("an application's token: got %s, want 200", got)
				}
				forged := l.user[:strings.LastIndexByte(l.user, '.')] + l.app[strings.LastIndexByte(l.app, '.'):]
				for name, token := range map[string]string{"another token's signature": forged, "no token": "", "no JWS": "opaque"} {
					if got := textOf(t, l.client, api, token); !strings.HasPrefix(got, "401") {
						t.Errorf("%s: got %s, want 401", name, got)
					}
				}
			})
		}
	}
}
