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
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
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

func start(t *testing.T, args ...string) (*output, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := new(output), make(chan error, 1)
	go func() { done <- run(ctx, args, out) }()
	for !strings.Contains(out.String(), "Ctrl-C") {
		select {
		case err := <-done:
			t.Fatalf("the emulator ended: %v\n%s", err, out)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return out, func() error { cancel(); return <-done }
}

func TestTheCurlRecipeGetsAToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	out, stop := start(t, "-http", "localhost:0", "-https", "localhost:0", "-ca", file)
	text := out.String()
	endpoint := regexp.MustCompile(`curl -s (\S+)`).FindStringSubmatch(text)
	if endpoint == nil {
		t.Fatalf("no curl line in\n%s", text)
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
	if err := stop(); err != nil {
		t.Errorf("interrupted: got %v, want no error", err)
	}
}

func TestMistakesAreExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	rows := []struct {
		name string
		args []string
		want string
	}{
		{"a taken port", []string{"-http", taken.Addr().String()}, "another program has this port"},
		{"a taken port for https", []string{"-http", "localhost:0", "-https", taken.Addr().String()}, "-https"},
		{"an address that others reach", []string{"-http", "0.0.0.0:0"}, "loopback"},
		{"an unknown flag", []string{"-port", "80"}, "flag provided but not defined"},
		{"a stray argument", []string{"8080"}, `unexpected argument "8080"`},
		{"a file that cannot be written", []string{"-http", "localhost:0", "-https", "localhost:0", "-ca", filepath.Join(t.TempDir(), "no", "ca.pem")}, "-ca"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := run(t.Context(), row.args, io.Discard)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}
