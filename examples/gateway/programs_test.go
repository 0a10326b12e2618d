package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// look returns the path of a program, which may be in a folder that is not in everybody's PATH. Without it the test fails,
// since go test shows no skipped test without -v. Package internal/tests/programs of the repository does the same; a copy
// of this folder could not import it.
func look(t *testing.T, program, debian string) (path string) {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	what := program + " is not installed; on Debian: apt-get install " + debian
	if os.Getenv("ENTRA_SKIP_MISSING") == "1" && os.Getenv("ENTRA_CI_REQUIRE") != "1" {
		t.Skipf("NOT RUN: %s", what)
	}
	t.Fatalf("NOT RUN: %s. ENTRA_SKIP_MISSING=1 in the environment skips tests that lack their program", what)
	return ""
}

// newProgram starts a program behind the proxy, which says what reaches it of the headers with AUTH in their names. It names
// them as CGI, WSGI and PHP do, which cannot tell X_Auth_Roles from X-Auth-Roles.
func newProgram(t *testing.T) (url string) {
	t.Helper()
	program := http.NewServeMux()
	program.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var lines []string
		for name, values := range r.Header {
			if name = variable(name); strings.Contains(name, "AUTH") {
				for _, value := range values {
					lines = append(lines, name+"="+value+"\n")
				}
			}
		}
		slices.Sort(lines)
		io.WriteString(w, strings.Join(lines, ""))
	})
	for _, status := range []int{403, 500} {
		program.HandleFunc(fmt.Sprintf("/%d", status), func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, fmt.Sprintf("the program says %d", status), status)
		})
	}
	server := httptest.NewServer(program)
	t.Cleanup(server.Close)
	return server.URL
}

func variable(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// hostileHeaders returns the requests of testdata/hostile-headers.txt.
func hostileHeaders(t *testing.T) (requests []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile-headers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			requests = append(requests, strings.TrimSuffix(line, "\n"))
		}
	}
	if len(requests) < 20 {
		t.Fatalf("got %d requests, want 20 at least", len(requests))
	}
	return requests
}

// sendLines sends a request as these bytes: Go's client would refuse some of them.
func sendLines(t *testing.T, client *http.Client, token, lines string) (status int, text string) {
	t.Helper()
	connection, err := client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "proxy:80")
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, err = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: proxy\r\nAuthorization: Bearer "+token+"\r\n"+
		strings.ReplaceAll(lines, " | ", "\r\n")+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// awaitListener waits until a proxy accepts connections, which takes long on a busy machine.
func awaitListener(t *testing.T, dial dialer, output func() string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		connection, err := dial(t.Context(), "", "")
		if err == nil {
			connection.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the proxy does not start: %v\n%s", err, output())
		}
	}
}
