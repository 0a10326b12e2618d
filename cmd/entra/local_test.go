package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// The first program that a newcomer meets gets its first 200 in a module of its own, with its own IDs.
func TestTheSnippetOfTheReadmeRunsUnchanged(t *testing.T) {
	needsGo(t)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	snippet := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindSubmatch(readme)
	if snippet == nil {
		t.Fatal("got no program in README.md")
	}
	ids := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindAllString(string(snippet[1]), -1)
	if len(ids) != 2 || !bytes.Contains(snippet[1], []byte(`"localhost:8080"`)) {
		t.Fatalf("got %q in the snippet, want its tenant and client, and the address localhost:8080", ids)
	}
	// Only the address differs: another test may have the port.
	dir := newModule(t, map[string]string{"main.go": strings.Replace(string(snippet[1]), "localhost:8080", "ADDRESS", 1)})
	c := serve(t, "curl", "run", "-tenant", ids[0], "-client", ids[1], "-scope", "Orders.Read", "-role", "Orders.Read.All", dir)
	api := addressOf(t, dir)
	tokens := printedTokens(t, c.stdout.String())
	if got := get(t, api+"/orders", tokens["user"]); !strings.HasPrefix(got, "200 orders of "+ids[0]) {
		t.Errorf("got %s, want the user's orders", got)
	}
	if got := get(t, api+"/orders", tokens["app"]); !strings.HasPrefix(got, "403") {
		t.Errorf("got %s, want 403: the route is for users", got)
	}
	if got := get(t, api+"/orders", "forged"); !strings.HasPrefix(got, "401") {
		t.Errorf("got %s, want 401", got)
	}
	c.end(t)
}

func printedTokens(t *testing.T, text string) map[string]string {
	t.Helper()
	tokens := make(map[string]string)
	for _, line := range regexp.MustCompile(`(?m)^  (user|app)=(\S+)$`).FindAllStringSubmatch(text, -1) {
		tokens[line[1]] = line[2]
	}
	if len(tokens) != 2 {
		t.Fatalf("got the tokens %q, want two:\n%s", tokens, text)
	}
	return tokens
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	empty := t.TempDir()
	for _, row := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"a folder that does not exist", []string{"./none"}, misuse, "is no folder"},
		{"a folder without a program", []string{empty}, bad, "go build in"},
		{"no command", []string{"--"}, misuse, "a command must follow"},
		{"a command that does not exist", []string{"--", "no-such-command-here"}, bad, "no-such-command-here"},
		{"a command that fails", []string{"--", "false"}, bad, "exit status 1"},
		{"a command that is well", []string{"--", "true"}, good, "Running true"},
		{"an unknown flag", []string{"-port", "1"}, misuse, "not defined"},
		{"a tenant that is no GUID", []string{"-tenant", "contoso.com"}, misuse, "-tenant"},
	} {
		if row.status != misuse && row.args[0] != "--" {
			needsGo(t)
		}
		if got := (tool{args: append([]string{"run"}, row.args...)}).run(t); got.status != row.status || !strings.Contains(got.stderr, row.want) {
			t.Errorf("%s: got %+v, want status %d and %q", row.name, got, row.status, row.want)
		}
	}
	serve(t, "MCP_RESOURCE", "run").end(t)
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("got %v left behind, %v; want nothing", left, err)
	}
}

func TestTheEnvironmentNamesTheSampleAndTheCertificate(t *testing.T) {
	oddTemporaryFolder(t)
	c := serve(t, "MCP_RESOURCE", "run", "-client", ownClient)
	variables := pasted(t, c.stdout.String())
	if variables["ENTRA_TENANT_ID"] != entratest.TenantID || variables["ENTRA_CLIENT_ID"] != ownClient || variables["API_SCOPE"] != "api://"+ownClient+"/.default" {
		t.Errorf("got %q, want the sample's tenant and one's own client", variables)
	}
	pem, err := os.ReadFile(variables["SSL_CERT_FILE"])
	if err != nil || bytes.Contains(pem, []byte("PRIVATE")) || !bytes.Contains(pem, []byte("CERTIFICATE")) {
		t.Errorf("got %q and %v, want a certificate and no key", pem, err)
	}
	c.end(t)
	if _, err := os.Stat(variables["SSL_CERT_FILE"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v after the end, want the file gone", err)
	}
}

// oddTemporaryFolder lets temporary files have names that a shell and Node.js must read with care.
func oddTemporaryFolder(t *testing.T) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folder)
}

// pasted returns the variables of a shell into which the printed lines were pasted.
func pasted(t *testing.T, text string) map[string]string {
	t.Helper()
	lines := strings.Join(regexp.MustCompile(`(?m)^  export .*$`).FindAllString(text, -1), "\n")
	command := exec.CommandContext(t.Context(), "/bin/sh", "-c", lines+"\nexec env -0")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("/bin/sh: %v in\n%s", err, lines)
	}
	variables := make(map[string]string)
	for variable := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return variables
}

// The programs' own tokens explain themselves.
func TestTheToolExplainsItsOwnTokens(t *testing.T) {
	c := serve(t, "MCP_RESOURCE", "run", "-tenant", ownTenant, "-client", ownClient, "-scope", "Orders.Read")
	for name, token := range printedTokens(t, c.stdout.String()) {
		got := tool{args: []string{"explain", "-json", "-offline", "-tenant", ownTenant, "-client", ownClient}, stdin: token}.run(t)
		var r report
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || !r.Verdict.Accepted {
			t.Errorf("%s: got %+v, want it accepted", name, got)
		}
	}
}
