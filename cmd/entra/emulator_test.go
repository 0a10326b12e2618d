package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/tests/programs"
)

const (
	ownTenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	ownClient = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
)

// output is a buffer that one goroutine writes and another reads.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serving is a command that serves until it is stopped.
type serving struct {
	stdout, stderr *output
	stop           context.CancelFunc
	status         chan int
}

// serve runs a command that serves, and waits until it has printed the text.
func serve(t *testing.T, until string, args ...string) *serving {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &serving{new(output), new(output), stop, make(chan int, 1)}
	go func() {
		c.status <- run(ctx, args, surroundings{stdin: strings.NewReader(""), stdout: c.stdout, stderr: c.stderr, env: func(string) string { return "" }})
	}()
	t.Cleanup(func() { c.end(t) })
	for !strings.Contains(c.stdout.String(), until) {
		select {
		case status := <-c.status:
			c.status <- status
			t.Fatalf("it ended with status %d:\n%s%s", status, c.stderr, c.stdout)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return c
}

// end interrupts the command and checks that it then ends well.
func (c *serving) end(t *testing.T) {
	t.Helper()
	c.stop()
	status := <-c.status
	c.status <- status
	if status != good {
		t.Errorf("interrupted: got status %d, want 0:\n%s%s", status, c.stderr, c.stdout)
	}
}

var anyPorts = []string{"-http", "localhost:0", "-https", "localhost:0"}

func startEmulator(t *testing.T, args ...string) *serving {
	t.Helper()
	return serve(t, "Ctrl-C", slices.Concat([]string{"emulator"}, anyPorts, args)...)
}

func TestTheCurlRecipeGetsAToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := startEmulator(t, "-ca", file).stdout.String()
	endpoint := regexp.MustCompile(`curl -s (\S+)`).FindStringSubmatch(text)
	if endpoint == nil {
		t.Fatalf("got no curl line in\n%s", text)
	}
	form := url.Values{}
	for _, field := range regexp.MustCompile(`(?:-d|--data-urlencode) (\w+)=(\S+)`).FindAllStringSubmatch(text, -1) {
		form.Set(field[1], field[2])
	}
	response, err := http.PostForm(endpoint[1], form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" || response.StatusCode != http.StatusOK {
		t.Errorf("got %d %s (%v), want a token", response.StatusCode, body, err)
	}
	if pem, err := os.ReadFile(file); err != nil || !bytes.Contains(pem, []byte("BEGIN CERTIFICATE")) || bytes.Contains(pem, []byte("PRIVATE")) {
		t.Errorf("-ca wrote %q (%v), want a certificate and no key", pem, err)
	}
}

// tokensOf returns the tokens of the printed curl lines: a user's and an application's.
func tokensOf(t *testing.T, text string) (user, app string) {
	t.Helper()
	lines := regexp.MustCompile(`curl -i \S+ -H 'Authorization: Bearer ([^']+)'`).FindAllStringSubmatch(text, -1)
	if len(lines) != 2 {
		t.Fatalf("got %d curl lines with tokens, want 2:\n%s", len(lines), text)
	}
	return lines[0][1], lines[1][1]
}

// What the emulator prints to paste makes a program in a module of its own accept the tokens that it prints.
func TestThePastedLinesWork(t *testing.T) {
	needsGo(t)
	for _, row := range []struct {
		name string
		args []string
	}{
		{"the sample tenant", nil},
		{"IDs of one's own", []string{"-tenant", strings.ToUpper(ownTenant), "-client", ownClient, "-scope", "Orders.Read", "-role", "Orders.Read.All"}},
		{"a URI of one's own", []string{"-client", ownClient, "-uri", "https://api.contoso.example/orders"}},
		{"an issuer of its own", []string{"-tenant", ownTenant, "-client", ownClient, "-local-issuer"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ca := filepath.Join(t.TempDir(), "ca.pem")
			text := startEmulator(t, append(row.args, "-ca", ca)...).stdout.String()
			options := regexp.MustCompile(`(?s)\tverifier, err := entra.NewVerifier\(.*?\n\t}\)\n`).FindString(text)
			transport := regexp.MustCompile(`(?s)\t// fakeEntra .*?\n\t}\n`).FindString(text)
			imports := "\t\"fmt\"\n\t\"log\"\n\t\"net/http\"\n\n\t\"github.com/entra-go/entra\"\n"
			dir := newModule(t, map[string]string{"main.go": "package main\n\nimport (\n" + imports + ")\n\n" + transport + `
func main() {
` + options + `
	if err != nil {
		log.Fatal(err)
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		fmt.Fprintln(w, claims.Kind, claims.Scopes, claims.Roles)
	})
	log.Fatal(http.ListenAndServe("ADDRESS", verifier.Authenticate(entra.Require(entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))(api))))
}
`})
			api := startProgram(t, dir, append(os.Environ(), "SSL_CERT_FILE="+ca))
			user, app := tokensOf(t, text)
			if got := get(t, api+"/orders", user); !strings.HasPrefix(got, "200 user token [Orders.Read") {
				t.Errorf("with the user's token: got %s, want 200", got)
			}
			if got := get(t, api+"/orders", app); !strings.HasPrefix(got, "200 application token [] [Orders.Read.All]") {
				t.Errorf("with the application's token: got %s, want 200", got)
			}
			if got := get(t, api+"/orders", "forged"); !strings.HasPrefix(got, "401") {
				t.Errorf("with a forged token: got %s, want 401", got)
			}
		})
	}
}

func TestMistakesWithTheEmulatorAreExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"a taken port", []string{"-http", taken.Addr().String(), "-https", anyPort}, bad, "another program has this port"},
		{"a taken port for https", []string{"-http", anyPort, "-https", taken.Addr().String()}, bad, "-https"},
		{"an address that others reach", []string{"-http", "0.0.0.0:0"}, bad, "loopback"},
		{"an unknown flag", []string{"-port", "80"}, misuse, "flag provided but not defined"},
		{"a stray argument", []string{"8080"}, misuse, "flags alone"},
		{"a file that cannot be written", append([]string{"-ca", filepath.Join(t.TempDir(), "no", "ca.pem")}, anyPorts...), bad, "-ca"},
		{"a tenant that is no GUID", []string{"-tenant", "contoso.com"}, misuse, "-tenant"},
		{"a client that is no GUID", []string{"-client", "orders"}, misuse, "-client"},
		{"the client ID of the sample's daemon", []string{"-client", "DDDDDDDD-dddd-4ddd-8ddd-dddddddddddd"}, misuse, "choose another"},
		{"a URI without a scheme", []string{"-uri", "orders"}, misuse, "-uri"},
		{"a URI that ends a string", []string{"-uri", `api://orders"`}, misuse, "-uri"},
		{"a scope that no API publishes", []string{"-scope", "Orders.Read,offline_access"}, misuse, "-scope offline_access"},
		{"all that was granted as a scope", []string{"-scope", ".default"}, misuse, "-scope .default"},
		{"a route that is no URL", []string{"-url", "localhost:8080/orders"}, misuse, "-url"},
		{"a route with a blank", []string{"-url", "http://localhost:8080/my orders"}, misuse, "-url"},
		{"a scope with its prefix", []string{"-scope", "api://x/Orders.Read"}, misuse, "bare name"},
	} {
		if got := (tool{args: append([]string{"emulator"}, row.args...)}).run(t); got.status != row.status || !strings.Contains(got.stderr, row.want) {
			t.Errorf("%s: got %+v, want status %d and %q", row.name, got, row.status, row.want)
		}
	}
}

// The snippet of the README is a program that listens on this port.
func TestTheEmulatorLeavesThePortOfTheReadmeFree(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{defaultHTTP, defaultHTTPS} {
		if strings.Contains(string(readme), `ListenAndServe("`+address) {
			t.Errorf("got %s as default, which the README's snippet listens on", address)
		}
	}
}

// The guide to local development has a section and a row for each client that the emulator prints a recipe for in its two modes,
// and none that the emulator is silent about.
func TestTheEmulatorAgreesWithTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "local.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| \[([^]]+)\]\(#[^)]+\) \| .* \| (yes )?\| (yes )?\| (yes )?\|$`).FindAllStringSubmatch(string(guide), -1)
	for _, mode := range []struct {
		args   []string
		column int
	}{{nil, 4}, {[]string{"-local-issuer"}, 3}} {
		var want []string
		for _, row := range rows {
			if row[mode.column] != "" {
				want = append(want, row[1])
			}
		}
		text := startEmulator(t, mode.args...).stdout.String()
		_, recipes, _ := strings.Cut(text, "\nGet tokens as a client does\n")
		recipes, strict, _ := strings.Cut(recipes, "\nClients that insist")
		var got []string
		for _, name := range regexp.MustCompile(`(?m)^(\S+(?: \S+)*)(?:  |$)`).FindAllStringSubmatch(recipes, -1) {
			if name[1] != "curl" { // which needs no program
				got = append(got, name[1])
			}
		}
		if slices.Contains(mode.args, "-local-issuer") {
			got = append(got, strings.Split(strings.TrimSpace(strings.Split(strict, "\n")[1]), ", ")...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%q: got recipes for %q, want those of docs/local.md, %q", mode.args, got, want)
		}
	}
}

// The guide shows the lines of Go as the emulator prints them at its usual address for the README's program.
func TestTheGuideShowsTheLinesOfGo(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "local.md"))
	if err != nil {
		t.Fatal(err)
	}
	f := fakeFlags{tenant: ownTenant, client: ownClient}
	config, err := f.config()
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := newFake(config)
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	var text strings.Builder
	if err := (recipe{tenant: tenant, HTTP: "http://" + defaultHTTP, HTTPS: "https://" + defaultHTTPS, URL: defaultURL}).print(&text); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?s)\n\tverifier, err := .*?\n\t}\n\n  Or`).FindString(text.String())
	want := strings.ReplaceAll(strings.TrimSuffix(lines, "\n  Or"), "\n\t", "\n    ")
	if want == "" || !strings.Contains(string(guide), want) {
		t.Errorf("docs/local.md does not show\n%s", want)
	}
}

// The printed lines for Kubernetes have the values of the file that the tests give to its authenticator.
func TestTheRecipeOfKubernetesIsTheGuides(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("..", "..", "internal", "interop", "local", "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := startEmulator(t, "-tenant", ownTenant, "-client", ownClient).stdout.String()
	variables := make(map[string]string)
	for _, line := range regexp.MustCompile(`(?m)^  export (\w+)=(.*)$`).FindAllStringSubmatch(text, -1) {
		variables[line[1]] = line[2]
	}
	config := os.Expand(string(file), func(name string) string { return variables[name] })
	for _, field := range []string{"url", "discoveryURL"} {
		value := regexp.MustCompile(`(?m)^ +` + field + `: (\S+)$`).FindStringSubmatch(config)
		if value == nil || !strings.Contains(text, field+`: "`+value[1]+`"`) {
			t.Errorf("got no %s %q in\n%s", field, value, text)
		}
	}
}

// needsGo skips a test that runs Go programs where Go reads its certificates elsewhere.
func needsGo(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("Go does not read SSL_CERT_FILE on " + runtime.GOOS)
	}
}

// newModule makes a module that uses package entra as README.md says, in a folder of its own. ADDRESS in a file stands for
// a free address.
func newModule(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + programs.Port(t)
	files["go.mod"], files["address"] = "module example.com/orders\n\ngo 1.26\n", address
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "ADDRESS", address)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, "mod", "edit", "-require=github.com/entra-go/entra@v0.0.0", "-replace=github.com/entra-go/entra="+root)
	goCommand(t, dir, "mod", "tidy")
	return dir
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
}

// addressOf returns the address that the program of the folder listens on, once it does.
func addressOf(t *testing.T, dir string) string {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", string(address))
		if err == nil {
			connection.Close()
			return "http://" + string(address)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program does not listen: %v", err)
		}
	}
}

// startProgram builds the program of the folder, runs it in the environment and returns its URL.
func startProgram(t *testing.T, dir string, environment []string) (url string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	goCommand(t, dir, "build", "-o", binary, ".")
	command := exec.CommandContext(t.Context(), binary)
	command.Env = environment
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // killed: it has nothing to say
	})
	return addressOf(t, dir)
}

func get(t *testing.T, url, token string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status[:3] + " " + string(body)
}
