package interop_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// page is the example examples/spa beside a fake tenant.
type page struct {
	url    string
	tenant *entratest.Server
	clock  *clock
}

// clock is the tenant's, which the test may set wrong.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

// startPage runs the example with MSAL.js from the folder of node_modules, and a tenant as strict as Entra.
func startPage(t *testing.T, msal string) *page {
	t.Helper()
	p := &page{clock: new(clock)}
	p.tenant = entratest.New(t, entratest.Config{Strict: true, Clock: p.clock.now, Apps: []entratest.AppRegistration{
		{
			ClientID: entratest.APIClientID,
			Name:     "Orders API",
			Scopes:   []string{entratest.ScopeRead, entratest.ScopeWrite},
		},
		{
			ClientID:        entratest.SPAClientID,
			Name:            "Orders",
			SPARedirectURIs: []string{"http://localhost/", "http://localhost/redirect.html"},
		},
	}})
	emulator, err := p.tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	p.url = runPage(t, emulator, msal)
	return p
}

// runPage builds examples/spa and runs it as its first lines say, on ports of its own. It returns its URL.
func runPage(t *testing.T, emulator, msal string) string {
	t.Helper()
	node(t) // For MSAL.js.
	folder, err := filepath.Abs(filepath.Join("node_modules", msal, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	runExample(t, "spa", "-emulator", emulator, "-page", address, "-api", freePort(t), "-msal", folder)
	waitFor(t, "http://"+address)
	return "http://" + address
}

// runExample builds a program of the examples and runs it until the test ends.
func runExample(t *testing.T, name string, args ...string) {
	t.Helper()
	runProgram(t, "../../examples", "./"+name, args...)
}

// runTool runs the command entra.
func runTool(t *testing.T, args ...string) {
	t.Helper()
	runProgram(t, "../..", "./cmd/entra", args...)
}

func runProgram(t *testing.T, module, folder string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), built(t, module, folder), args...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	return "localhost:" + programs.Port(t)
}

func waitFor(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", url, err)
		}
	}
}

// count returns how many requests with this method and end of the path the tenant got.
func (p *page) count(method, suffix string) int {
	n := 0
	for _, r := range p.tenant.Requests() {
		if r.Method == method && strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}
