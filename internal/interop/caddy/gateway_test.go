package caddy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/logging"

	"github.com/entra-go/entra/internal/tests/programs"
)

const folder = "../../../examples"

// patience is how long the slowest machine may take to start a program, or for an answer.
const patience = 2 * time.Minute

func TestCaddyAsksTheGateway(t *testing.T) {
	tenant := startTenant(t)
	proxy := startCaddy(t, startGateway(t, tenant.environment), newProgram(t))
	for _, test := range []struct {
		name, method, token string
		status              int
		header, value       string // contained in the header's value
		body                string // contained
	}{
		{"a user reaches the program", "GET", tenant.user, 200, "", "", "X_AUTH_SCOPES=Orders.Read Orders.Write"},
		{"so does a daemon", "GET", tenant.app, 200, "", "", "X_AUTH_ROLES=Orders.Read.All"},
		{"the body of a request passes whole", "POST", tenant.user, 200, "", "", "body=POST of the client"},
		{"the program does not see the token", "GET", tenant.user, 200, "", "", "AUTHORIZATION=\n"},
		{"a daemon may not write", "POST", tenant.app, 403, "Www-Authenticate", `error="insufficient_scope"`, ""},
		{"nobody passes without a token", "GET", "", 401, "Www-Authenticate", "authorization_uri=", ""},
		{"nor with a forged one", "GET", tenant.user[:len(tenant.user)-8] + "AAAAAAAA", 401, "Www-Authenticate", `error="invalid_token"`, ""},
		{"nor with a malformed header", "GET", "one two", 401, "Www-Authenticate", `error="invalid_request"`, ""},
		{"HEAD is reading", "HEAD", tenant.app, 200, "", "", ""},
		{"DELETE is writing", "DELETE", tenant.app, 403, "Www-Authenticate", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var lines string
			if test.token != "" {
				lines = "Authorization: Bearer " + test.token + "\r\n"
			}
			status, header, body := send(t, proxy, test.method, lines, test.method+" of the client")
			if status != test.status || !strings.Contains(header.Get(test.header), test.value) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, %v and %q; want %d, %s with %q and %q", status, header, body, test.status, test.header, test.value, test.body)
			}
		})
	}
}

func TestWhatAClientSaysOfItselfDoesNotPassCaddy(t *testing.T) {
	tenant := startTenant(t)
	proxy := startCaddy(t, startGateway(t, tenant.environment), newProgram(t))
	hostile, err := os.ReadFile(filepath.Join(folder, "gateway/testdata/hostile-headers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	identity := func(lines string) (status int, identity string) {
		status, _, body := send(t, proxy, "GET", lines+"\r\nAuthorization: Bearer "+tenant.app+"\r\n", "")
		identity, _, _ = strings.Cut(body, "AUTHORIZATION=")
		return status, identity
	}
	status, want := identity("Accept: */*")
	if status != 200 || !strings.Contains(want, "X_AUTH_SCOPES=-\n") || strings.Count(want, "X_AUTH") != 6 {
		t.Fatalf("got %d and %q, want 200 and six headers, X_AUTH_SCOPES=- among them", status, want)
	}
	asked := 0
	for line := range strings.Lines(string(hostile)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		asked++
		t.Run(line, func(t *testing.T) {
			status, got := identity(strings.ReplaceAll(line, " | ", "\r\n"))
			if status != 400 && (status != 200 || got != want) {
				t.Errorf("got %d and %q, want 400, or 200 and %q", status, got, want)
			}
		})
	}
	if asked < 20 {
		t.Errorf("got %d requests, want 20 at least", asked)
	}
}

func TestCaddyPassesOnThatNoKeyIsHeld(t *testing.T) {
	tenant := startTenant(t)
	environment := slices.Clone(tenant.environment)
	for i, variable := range environment {
		if strings.HasPrefix(variable, "HTTPS_PROXY=") {
			environment[i] = "HTTPS_PROXY=http://" + freeAddress(t) // where nobody listens
		}
	}
	proxy := startCaddy(t, startGateway(t, environment), newProgram(t))
	status, header, _ := send(t, proxy, "GET", "Authorization: Bearer "+tenant.user+"\r\n", "")
	if status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q; want 503 and some seconds", status, header.Get("Retry-After"))
	}
}

func TestWithoutTheGatewayNobodyPassesCaddy(t *testing.T) {
	tenant := startTenant(t)
	proxy := startCaddy(t, freeAddress(t), newProgram(t))
	if status, _, _ := send(t, proxy, "GET", "Authorization: Bearer "+tenant.user+"\r\n", ""); status != 502 {
		t.Errorf("got %d, want 502", status)
	}
}

func TestTheLongestTokenPassesCaddy(t *testing.T) {
	tenant := startTenant(t)
	proxy := startCaddy(t, startGateway(t, tenant.environment), newProgram(t))
	status, header, _ := send(t, proxy, "GET", "Authorization: Bearer "+strings.Repeat("x", 16<<10)+"\r\n", "")
	// The gateway decides, not Caddy: the text is no token.
	if status != 401 || !strings.Contains(header.Get("Www-Authenticate"), `error="invalid_token"`) {
		t.Errorf("got %d and %q, want the gateway's 401", status, header.Get("Www-Authenticate"))
	}
}

// tenant is what entra run prints: the environment that leads programs to a fake Entra, and two tokens of it.
type tenant struct {
	environment []string
	user, app   string
}

func startTenant(t *testing.T) tenant {
	t.Helper()
	local := built(t, "../../..", "./cmd/entra", "run")
	out, err := local.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, local)
	var printed tenant
	line := regexp.MustCompile(`^  (export )?(\w+)=(.*)$`)
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "MCP_RESOURCE"); {
		switch match := line.FindStringSubmatch(lines.Text()); {
		case match == nil:
		case match[1] != "":
			printed.environment = append(printed.environment, match[2]+"="+match[3])
		case match[2] == "user":
			printed.user = match[3]
		case match[2] == "app":
			printed.app = match[3]
		}
	}
	if len(printed.environment) < 5 || printed.user == "" || printed.app == "" {
		t.Fatalf("got %+v from entra run", printed)
	}
	return printed
}

// startGateway runs examples/gateway and returns its address.
func startGateway(t *testing.T, environment []string) (address string) {
	t.Helper()
	address = freeAddress(t)
	gateway := command(t, "gateway", "-addr", address)
	gateway.Env = append(os.Environ(), environment...)
	start(t, gateway)
	await(t, address)
	return address
}

// startCaddy runs Caddy in this process, with the Caddyfile of the example but for its addresses.
func startCaddy(t *testing.T, gateway, program string) (address string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "gateway/Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	address = freeAddress(t)
	file := strings.NewReplacer(":8080", address[strings.LastIndexByte(address, ':'):], "127.0.0.1:9000", gateway, "127.0.0.1:9001", program).Replace(string(text))
	// The administration endpoint has a port of its own, and Caddy would write the configuration to the user's folder.
	file = strings.Replace(file, "{\n", "{\n\tadmin off\n\tpersist_config off\n\tlog {\n\t\toutput discard\n\t}\n", 1)
	config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(file), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range warnings {
		if !strings.Contains(warning.Message, "not formatted") { // the lines above are not
			t.Errorf("Caddy warns: %v", warning)
		}
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	await(t, address)
	return address
}

// newProgram starts a program behind the proxy, which says what reaches it, with names as CGI, WSGI and PHP make them: they
// cannot tell X_Auth_Roles from X-Auth-Roles.
func newProgram(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var lines []string
		for name, values := range r.Header {
			name = regexp.MustCompile(`[^A-Z0-9]`).ReplaceAllString(strings.ToUpper(name), "_")
			if strings.Contains(name, "AUTH") {
				lines = append(lines, name+"="+strings.Join(values, "|")+"\n")
			}
		}
		slices.Sort(lines)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%sAUTHORIZATION=%s\nbody=%s\n", strings.Join(lines, ""), r.Header.Get("Authorization"), body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// send sends a request as these bytes: Go's client would refuse some of them.
func send(t *testing.T, address, method, lines, body string) (status int, header http.Header, text string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(connection, "%s / HTTP/1.1\r\nHost: proxy\r\nContent-Length: %d\r\n%s\r\n%s", method, len(body), lines, body); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(read)
}

// command builds a program of the examples and prepares to run it.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return built(t, folder, "./"+name, args...)
}

// built is command for a program of any module.
func built(t *testing.T, module, program string, args ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, program)
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", program, err, out)
	}
	return exec.Command(binary, args...)
}

func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()                       // interrupted: it has nothing to say
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + programs.Port(t)
}

func await(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody listens on %s: %v", address, err)
		}
	}
}
