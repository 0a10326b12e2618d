package interop_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra"
)

// collection is the file that readers import into Postman.
const collection = "../../examples/bearer/bearer.postman_collection.json"

// newmanReport is what this reads of the report of newman, Postman's own runner.
type newmanReport struct {
	Run struct {
		Stats struct {
			Requests, Assertions struct{ Total, Failed int }
		}
		Failures []struct {
			Source struct{ Name string }
			Error  struct{ Message string }
		}
	}
}

// runCollection runs every request of the collection and its tests, with these values in place of its variables'.
func runCollection(t *testing.T, environment []string, variables map[string]string) {
	t.Helper()
	text, err := os.ReadFile(collection)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{"node_modules/newman/bin/newman.js", "run", collection, "--reporters", "json", "--reporter-json-export", file}
	for name, value := range variables {
		if !bytes.Contains(text, fmt.Appendf(nil, "{{%s}}", name)) {
			t.Fatalf("the collection has no variable %s", name)
		}
		args = append(args, "--env-var", name+"="+value)
	}
	command := exec.CommandContext(t.Context(), node(t), args...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	report, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatalf("newman: %v, %v\n%s", err, readErr, out)
	}
	var r newmanReport
	if err := json.Unmarshal(report, &r); err != nil {
		t.Fatal(err)
	}
	for _, failure := range r.Run.Failures {
		t.Errorf("%s: %s", failure.Source.Name, failure.Error.Message)
	}
	stats := r.Run.Stats
	requests, tests := bytes.Count(text, []byte(`"method":`)), bytes.Count(text, []byte("pm.test("))
	if err != nil || stats.Requests.Total != requests || stats.Assertions.Total != tests || stats.Assertions.Failed != 0 {
		t.Errorf("newman: got %v, %+v; want all of %d requests and %d tests passed\n%s", err, stats, requests, tests, out)
	}
}

// The collection runs as the first lines of examples/bearer say, and the program's log names the mistakes that it makes.
func TestPostmanCallsTheArticlesAPI(t *testing.T) {
	node(t)
	emulator := freePort(t)
	login := "http://" + emulator
	startLocal(t, "emulator", "-http", emulator, "-https", "localhost:0", "-ca", filepath.Join(t.TempDir(), "ca.pem"))
	address := freePort(t)
	api := exec.CommandContext(t.Context(), built(t, "../../examples", "./bearer"), "-addr", address, "-emulator", login)
	api.Env = append(os.Environ(), "ENTRA_TENANT_ID="+ownTenant, "ENTRA_CLIENT_ID="+ownClient)
	var log bytes.Buffer
	api.Stderr = &log
	if err := api.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = api.Process.Kill(); _ = api.Wait() }()
	waitForPort(t, address)
	runCollection(t, nil, map[string]string{
		"login": login, "tenantId": ownTenant, "apiUri": "api://" + ownClient, "api": "http://" + address,
	})
	_ = api.Process.Kill()
	_ = api.Wait() // Then all of the log is there.
	for _, want := range []string{
		`reason=invalid_request status=400 error="entra: the client sent a placeholder in brackets, braces`,
		"reason=signature status=401",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the log\n%s\nwant %s", &log, want)
		}
	}
}

func TestPostmanUnderOtherNames(t *testing.T) {
	node(t)
	for _, way := range []struct {
		name  string
		start func(*testing.T) *local
	}{{"Microsoft's host names", localNames}, {"a local issuer", localIssuer}} {
		t.Run(way.name, func(t *testing.T) {
			tenant := way.start(t)
			login := cmp.Or(strings.TrimSuffix(tenant.variables["AZURE_AUTHORITY_HOST"], "/"), "https://login.microsoftonline.com")
			mux := http.NewServeMux()
			read := entra.Require(entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All")))
			mux.Handle("GET /bearer", read(http.HandlerFunc(whoCalls)))
			api := httptest.NewServer(tenant.verifier.Authenticate(mux))
			defer api.Close()
			runCollection(t, tenant.environment, map[string]string{
				"login": login, "tenantId": ownTenant, "apiUri": "api://" + ownClient, "api": api.URL,
			})
		})
	}
}
