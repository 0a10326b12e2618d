package interop_test

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// Identifiers of one's own, which the command entra is told.
const (
	ownTenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	ownClient = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
)

// local is a fake tenant that the command entra serves, as the recipes of docs/local.md begin.
type local struct {
	text        string            // that it printed
	environment []string          // of it, the environment of programs
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
	args := append([]string{command, "-tenant", ownTenant, "-client", ownClient, "-scope", "Orders.Read", "-role", "Orders.Read.All"}, flags...)
	lines := output(t, exec.Command(built(t, "../..", "./cmd/entra"), args...))
	l := &local{variables: make(map[string]string)}
	variable := regexp.MustCompile(`^  export (\w+)=(.*)$`)
	token := regexp.MustCompile(`^  (?:(?:user|app)=|curl -i .*Bearer )([\w-]+\.[\w-]+\.[\w-]+)'?$`)
	for lines.Scan() && (lines.Text() != "" || len(l.variables) == 0) {
		l.text += lines.Text() + "\n"
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
	server := httptest.NewServer(l.orders())
	t.Cleanup(server.Close)
	return server.URL + "/orders"
}

func (l *local) orders() http.Handler {
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprintf(w, "orders of %s", claims.ObjectID)
	})
	allowed := entra.Require(entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
	return l.verifier.Authenticate(allowed(orders))
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

// run starts a program of a recipe that is no server, and returns what it prints.
func (l *local) run(t *testing.T, name string, args ...string) *bufio.Scanner {
	t.Helper()
	command := exec.Command(name, args...)
	command.Env = append(append(os.Environ(), l.environment...), "API_URL="+l.api(t))
	return output(t, command)
}

// localPython returns the path of a Python for the recipes.
func localPython(t *testing.T) string {
	t.Helper()
	return programs.Python(t, "python3-msal python3-authlib python3-requests python3-jwt", "msal", "authlib", "requests", "jwt")
}

// recipe is a program of docs/local.md.
type recipe struct {
	name string // of its file, or for Go its folder
	ways []localWay
}

type localWay struct {
	name  string
	start func(*testing.T) *local
}

var (
	names     = localWay{"Microsoft's names", localNames}
	anIssuer  = localWay{"a local issuer", localIssuer}
	endpoints = localWay{"local endpoints", localEndpoints}
)

// command returns how the program is run.
func (r recipe) command(t *testing.T) []string {
	t.Helper()
	switch filepath.Ext(r.name) {
	case ".mjs":
		return []string{node(t), r.name}
	case ".sh":
		return []string{"sh", r.name}
	case ".conf", ".html":
		return nil // The test runs what reads it.
	case ".py":
		return []string{localPython(t), r.name}
	}
	return []string{built(t, ".", "./"+r.name)}
}

// each runs a subtest for each way of each recipe, all ways of one kind with one tenant.
func each(t *testing.T, recipes []recipe, test func(t *testing.T, l *local, command []string)) {
	for _, way := range []localWay{names, anIssuer, endpoints} {
		t.Run(way.name, func(t *testing.T) {
			var l *local
			for _, r := range recipes {
				if !slices.ContainsFunc(r.ways, func(w localWay) bool { return w.name == way.name }) {
					continue
				}
				if l == nil {
					l = way.start(t)
				}
				t.Run(r.name, func(t *testing.T) { test(t, l, r.command(t)) })
			}
		})
	}
}

// Web applications sign a user in, call the API for them, and renew their tokens if the client does that.
func TestTheWebApplicationsOfTheLocalGuide(t *testing.T) {
	each(t, []recipe{
		{"local/openid-client.mjs", []localWay{names, anIssuer}},
		{"local/oauth4webapi.mjs", []localWay{names, anIssuer}},
		{"local/auth.mjs", []localWay{names, anIssuer}},
		{"local/go-oidc", []localWay{names, anIssuer}},
		{"local/express-openid-connect.mjs", []localWay{names, anIssuer}},
		{"local/zitadel-oidc", []localWay{names, anIssuer}},
		{"local/msal-node.mjs", []localWay{names, endpoints}},
		{"local/msal-python.py", []localWay{names, anIssuer, endpoints}},
		{"local/authlib-client.py", []localWay{names, anIssuer}},
	}, func(t *testing.T, l *local, command []string) {
		page := l.serve(t, command[0], command[1:]...)
		if strings.HasSuffix(command[len(command)-1], "auth.mjs") {
			l.signInWithAuthJS(t, page)
		}
		if got, want := textOf(t, l.asAlice(), page, ""), "200 Alice Example: 200 orders of "+entratest.AliceObjectID; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		response, err := l.asAlice().Get(page)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Content-Type"); strings.HasPrefix(got, "text/html") {
			t.Errorf("got the name of a user, who may choose it, in %s; want text", got)
		}
	})
}

// A user who accepts the certificate once signs in by a click, as the guide says.
func TestABrowserSignsInAtALocalIssuer(t *testing.T) {
	l := localIssuer(t)
	b := newBrowser(t)
	if _, err := chromedp.Call(b.ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(l.serve(t, node(t), "local/openid-client.mjs")))
	b.sees("body", "Pick an account")
	b.click(alice)
	b.sees("body", "Alice Example: 200 orders of "+entratest.AliceObjectID)
}

// signInWithAuthJS does what the sign-in page of Auth.js does.
func (l *local) signInWithAuthJS(t *testing.T, page string) {
	t.Helper()
	var csrf struct{ CSRFToken string }
	text := textOf(t, l.client, page+"/auth/csrf", "")
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "200 ")), &csrf); err != nil {
		t.Fatalf("the page's form: %v in %s", err, text)
	}
	response, err := l.asAlice().PostForm(page+"/auth/signin/microsoft-entra-id", url.Values{"csrfToken": {csrf.CSRFToken}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

// APIs in other languages accept the printed tokens and refuse others.
func TestTheAPIsOfTheLocalGuide(t *testing.T) {
	each(t, []recipe{
		{"local/express-oauth2-jwt-bearer.mjs", []localWay{names, anIssuer}},
		{"local/jose.mjs", []localWay{names, anIssuer}},
		{"local/jsonwebtoken.mjs", []localWay{names, anIssuer}},
		{"local/passport-azure-ad.mjs", []localWay{names}},
		{"local/pyjwt.py", []localWay{names, anIssuer}},
	}, func(t *testing.T, l *local, command []string) {
		api := l.serve(t, command[0], command[1:]...)
		if got, want := textOf(t, l.client, api, l.user), "200 orders of "+entratest.AliceObjectID; got != want {
			t.Errorf("a user's token: got %s, want %s", got, want)
		}
		if got := textOf(t, l.client, api, l.app); !strings.HasPrefix(got, "200 orders of ") {
			t.Errorf("an application's token: got %s, want 200", got)
		}
		forged := l.user[:strings.LastIndexByte(l.user, '.')] + l.app[strings.LastIndexByte(l.app, '.'):]
		for name, token := range map[string]string{"another token's signature": forged, "no token": "", "no JWS": "opaque"} {
			if got := textOf(t, l.client, api, token); !strings.HasPrefix(got, "4") {
				t.Errorf("%s: got %s, want it refused", name, got)
			}
		}
	})
}

// Daemons get a token for themselves and call the API.
func TestTheDaemonsOfTheLocalGuide(t *testing.T) {
	each(t, []recipe{
		{"local/azidentity", []localWay{names, anIssuer, endpoints}},
		{"local/msal-go", []localWay{names, anIssuer, endpoints}},
		{"local/oauth2", []localWay{names, anIssuer, endpoints}},
	}, func(t *testing.T, l *local, command []string) {
		lines := l.run(t, command[0], command[1:]...)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "200 orders of ") {
			t.Errorf("got %q, want the orders", lines.Text())
		}
	})
}

// A program without a browser waits until its user has entered the code elsewhere.
func TestTheDeviceCodeOfTheLocalGuide(t *testing.T) {
	t.Parallel() // It polls every five seconds, as Entra asks.
	each(t, []recipe{
		{"local/oauth2-device", []localWay{names, anIssuer, endpoints}},
	}, func(t *testing.T, l *local, command []string) {
		lines := l.run(t, command[0], command[1:]...)
		lines.Scan()
		match := regexp.MustCompile(`^Open (\S+) and enter (\S+)$`).FindStringSubmatch(lines.Text())
		if match == nil {
			t.Fatalf("got %q, want a page and a code", lines.Text())
		}
		enter(t, l.client, match[1], match[2], "alice")
		if want := "200 orders of " + entratest.AliceObjectID; !lines.Scan() || lines.Text() != want {
			t.Errorf("got %q, want %s", lines.Text(), want)
		}
	})
}
