package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func TestNginxAsksTheGateway(t *testing.T) {
	tenant := entratest.New(t)
	client := startNginx(t, serve(t, tenant, http.StatusNoContent), newProgram(t))
	reader := "Bearer " + tenant.Token(entratest.Scopes("Orders.Read"))
	for _, test := range []struct {
		name, method, path, authorization string
		status                            int
		challenge, body                   string // what they contain
	}{
		{"a reader reaches the program", "GET", "/", reader, 200, "", "X_AUTH_OBJECT=" + entratest.AliceObjectID},
		{"so does a daemon", "GET", "/", "Bearer " + tenant.Token(entratest.App("Orders.Read.All")), 200, "", "X_AUTH_ROLES=Orders.Read.All"},
		{"and a writer", "POST", "/", "Bearer " + tenant.Token(entratest.Scopes("Orders.Write")), 200, "", "X_AUTH_SCOPES=Orders.Write"},
		{"a reader may not write", "POST", "/", reader, 403, `scope="api://` + entratest.APIClientID + `/Orders.Write"`, ""},
		{"nobody passes without a token", "GET", "/", "", 401, "authorization_uri=", ""},
		{"nor with an old one", "GET", "/", "Bearer " + tenant.Token(entratest.Expired()), 401, `error="invalid_token"`, ""},
		{"nor with a malformed header", "GET", "/", "Bearer one two", 401, `error="invalid_request"`, ""},
		{"the gateway cannot be asked from outside", "GET", "/_auth", reader, 404, "", ""},
		{"the program's own 403 stays its own", "GET", "/403", reader, 403, "", "the program says 403"},
		{"the program's own 500 stays its own", "GET", "/500", reader, 500, "", "the program says 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := send(t, client, test.method, "http://nginx"+test.path, http.Header{"Authorization": {test.authorization}})
			challenges := got.Header["Www-Authenticate"]
			if got.StatusCode != test.status || !strings.Contains(strings.Join(challenges, "\n"), test.challenge) || !strings.Contains(got.text, test.body) {
				t.Errorf("got %s, challenges %q, body %q; want %d, %q, %q", got.Status, challenges, got.text, test.status, test.challenge, test.body)
			}
			if want := min(1, len(test.challenge)); len(challenges) != want {
				t.Errorf("got %d challenges, want %d", len(challenges), want)
			}
		})
	}
}

func TestWhatAClientSaysOfItselfDoesNotReachTheProgram(t *testing.T) {
	tenant := entratest.New(t)
	client := startNginx(t, serve(t, tenant, http.StatusNoContent), newProgram(t))
	token := tenant.Token(entratest.Scopes("Orders.Read"), entratest.Without("roles"))
	want := "X_AUTH_CLIENT=" + entratest.ClientID + "\nX_AUTH_KIND=user token\nX_AUTH_OBJECT=" + entratest.AliceObjectID +
		"\nX_AUTH_ROLES=-\nX_AUTH_SCOPES=Orders.Read\nX_AUTH_TENANT=" + entratest.TenantID + "\n"
	for _, lines := range hostileHeaders(t) {
		t.Run(lines, func(t *testing.T) {
			status, text := sendLines(t, client, token, lines)
			if status != 400 && (status != 200 || text != want) {
				t.Errorf("got %d and %q, want 400, or 200 and %q", status, text, want)
			}
		})
	}
}

func TestTheLongestTokenPasses(t *testing.T) {
	tenant := entratest.New(t)
	client := startNginx(t, serve(t, tenant, http.StatusNoContent), newProgram(t))
	token := tenant.Token(entratest.Scopes("Orders.Read"), entratest.Claim("padding", strings.Repeat("x", 11_000)))
	if got := get(t, client, "http://nginx/", http.Header{"Authorization": {"Bearer " + token}}); got.StatusCode != 200 {
		t.Errorf("got %s for a token of %d bytes, want 200", got.Status, len(token))
	}
}

func TestWithoutKeysNginxAnswers503(t *testing.T) {
	tenant := entratest.New(t)
	tenant.Down()
	client := startNginx(t, serve(t, tenant, http.StatusNoContent), newProgram(t))
	got := get(t, client, "http://nginx/", http.Header{"Authorization": {"Bearer " + tenant.Token()}})
	if got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("got %s, Retry-After %q; want 503 and some seconds", got.Status, got.Header.Get("Retry-After"))
	}
}

func TestWithoutTheGatewayNobodyPasses(t *testing.T) {
	tenant := entratest.New(t)
	client := startNginx(t, "http://127.0.0.1:1", newProgram(t)) // a port that no program is given by chance
	got := get(t, client, "http://nginx/", http.Header{"Authorization": {"Bearer " + tenant.Token()}})
	if got.StatusCode != 500 {
		t.Errorf("got %s, want 500", got.Status)
	}
}

// startNginx runs nginx with nginx.conf, in which it replaces the addresses, and returns a client whose every request
// goes to it, whatever the host.
func startNginx(t *testing.T, gateway, program string) *http.Client {
	t.Helper()
	binary := look(t, "nginx", "nginx-light")
	site, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	// A socket's path may have some 100 bytes only, and that of t.TempDir may be longer.
	dir, err := os.MkdirTemp("", "nginx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	config := strings.NewReplacer(
		"SITE", strings.NewReplacer("127.0.0.1:8080", "unix:"+socket, "http://127.0.0.1:9000", gateway, "http://127.0.0.1:9001", program).Replace(string(site)),
		"DIR", dir,
	).Replace(`
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events {}
http {
	access_log off;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
SITE
}`)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	nginx := exec.Command(binary, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	nginx.Stdout, nginx.Stderr = &output, &output
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Kill()
		_ = nginx.Wait() // killed: it has nothing to say
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	awaitListener(t, dial, func() string {
		log, _ := os.ReadFile(filepath.Join(dir, "error.log")) // there may be none
		return output.String() + string(log)
	})
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
