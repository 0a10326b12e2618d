package examples_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/tests/programs"
)

// patience is how long a program may take to start or to answer on the slowest machine.
const patience = 2 * time.Minute

// The programs run unchanged: only their environment leads them to the fake tenant instead of Entra.
func TestTheExamplesRunAgainstTheFakeTenantUnchanged(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Go reads SSL_CERT_FILE on Linux")
	}
	// One of each kind; the others differ in their routers.
	servers := []struct{ folder, path, token, want string }{
		{"nethttp", "/orders", "user", "orders of user"},
		{"onbehalfof", "/profile", "user", "alice@contoso.example"},
		{"daemon/api", "/orders", "app", "all orders"},
	}
	dir := t.TempDir()
	folders := []string{"./daemon/oauth2", "./daemon/azidentity"}
	for _, server := range servers {
		folders = append(folders, "./"+server.folder)
	}
	build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", dir + string(filepath.Separator)}, folders...)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	environment, tokens := startTenant(t, dir)
	for _, server := range servers {
		t.Run(server.folder, func(t *testing.T) {
			url := startServer(t, filepath.Join(dir, filepath.Base(server.folder)), environment)
			if got := get(t, url+server.path, tokens[server.token]); !strings.HasPrefix(got, "200 ") || !strings.Contains(got, server.want) {
				t.Errorf("got %s, want 200 and %s", got, server.want)
			}
			if got := get(t, url+server.path, "forged"); !strings.HasPrefix(got, "401") {
				t.Errorf("got %s with a forged token, want 401", got)
			}
			if server.folder != "daemon/api" {
				return
			}
			for _, daemon := range []string{"oauth2", "azidentity"} {
				out, err := program(t, filepath.Join(dir, daemon), append(environment, "API_URL="+url)).CombinedOutput()
				if err != nil || !strings.HasPrefix(string(out), "all orders") {
					t.Errorf("%s: got %s and %v, want all orders", daemon, out, err)
				}
			}
		})
	}
}

// startTenant builds the command entra in dir, and returns the environment and the tokens that entra run prints.
func startTenant(t *testing.T, dir string) (environment []string, tokens map[string]string) {
	t.Helper()
	binary := filepath.Join(dir, "entra")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/entra")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := program(t, binary, nil, "run", "-scope", "Orders.Read,Profile.Read", "-role", "Orders.Read.All")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	tokens = make(map[string]string)
	variable := regexp.MustCompile(`^  (export )?(\w+)=(.*)$`)
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "MCP_RESOURCE"); {
		if match := variable.FindStringSubmatch(lines.Text()); match == nil {
			continue
		} else if match[1] != "" {
			environment = append(environment, match[2]+"="+match[3])
		} else {
			tokens[match[2]] = match[3]
		}
	}
	if len(environment) < 5 || len(tokens) != 2 {
		t.Fatalf("got environment %q and tokens %q", environment, tokens)
	}
	return environment, tokens
}

func startServer(t *testing.T, binary string, environment []string) (url string) {
	t.Helper()
	addr := "127.0.0.1:" + programs.Port(t)
	start(t, program(t, binary, environment, "-addr", addr))
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", addr)
		if err == nil {
			connection.Close()
			return "http://" + addr
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program does not listen: %v", err)
		}
	}
}

func program(t *testing.T, binary string, environment []string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...) // without the test's context, which would kill it before it has cleaned up
	cmd.Env = slices.Concat(os.Environ(), environment)
	return cmd
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

func get(t *testing.T, url, token string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
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
