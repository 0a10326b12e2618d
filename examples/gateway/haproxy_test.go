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

func TestHAProxyRemovesWhatAClientSaysOfItself(t *testing.T) {
	client := startHAProxy(t, newProgram(t), readConfig(t, "haproxy.cfg"))
	for _, lines := range append(hostileHeaders(t), "X-Auth-Anything: x") {
		t.Run(lines, func(t *testing.T) {
			status, text := sendLines(t, client, "token", lines)
			if want := "AUTHORIZATION=Bearer token\n"; status != 400 && (status != 200 || text != want) {
				t.Errorf("got %d and %q, want 400, or 200 and %q", status, text, want)
			}
		})
	}
}

func TestHAProxyNeedsABufferForTheLongestToken(t *testing.T) {
	const setting = "tune.bufsize 32768"
	config := readConfig(t, "haproxy.cfg")
	if !strings.Contains(config, setting) {
		t.Fatalf("haproxy.cfg lacks %s", setting)
	}
	token := entratest.New(t).Token(entratest.Claim("padding", strings.Repeat("x", 11_100)))
	if len(token) < 15<<10 || len(token) > 16<<10 {
		t.Fatalf("got a token of %d bytes, want between 15 and 16 KiB", len(token))
	}
	for _, test := range []struct {
		name, config string
		status       int
	}{
		{"with the setting it passes", config, 200},
		{"without it HAProxy answers 400", strings.Replace(config, setting, "", 1), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _ := sendLines(t, startHAProxy(t, newProgram(t), test.config), token, "Accept: */*")
			if status != test.status {
				t.Errorf("got %d, want %d", status, test.status)
			}
		})
	}
}

func readConfig(t *testing.T, name string) string {
	t.Helper()
	config, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

// startHAProxy runs HAProxy with the configuration, but for its addresses, and returns a client that reaches it.
func startHAProxy(t *testing.T, program, config string) *http.Client {
	t.Helper()
	binary := look(t, "haproxy", "haproxy")
	// A socket's path may have some 100 bytes only, and that of t.TempDir may be longer.
	dir, err := os.MkdirTemp("", "haproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, file := filepath.Join(dir, "socket"), filepath.Join(dir, "haproxy.cfg")
	config = strings.NewReplacer("127.0.0.1:8000", "unix@"+socket, "127.0.0.1:8080", strings.TrimPrefix(program, "http://")).Replace(config)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	haproxy := exec.Command(binary, "-db", "-f", file)
	haproxy.Stdout, haproxy.Stderr = &output, &output
	if err := haproxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = haproxy.Process.Kill()
		_ = haproxy.Wait() // killed: it has nothing to say
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	awaitListener(t, dial, func() string { return "" }) // the output is still being written
	return &http.Client{Transport: &http.Transport{DialContext: dial}}
}
