package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// outcome is what a run of the tool left behind.
type outcome struct {
	status         int
	stdout, stderr string
}

// tool is a run of the tool in a test.
type tool struct {
	args    []string
	stdin   string
	env     map[string]string
	network http.RoundTripper // default: none
}

func (c tool) run(t *testing.T) outcome {
	t.Helper()
	var stdout, stderr strings.Builder
	network := c.network
	if network == nil {
		network = noNetwork{t}
	}
	status := run(t.Context(), c.args, surroundings{
		stdin: strings.NewReader(c.stdin), stdout: &stdout, stderr: &stderr, network: network,
		env: func(name string) string { return c.env[name] },
	})
	return outcome{status, stdout.String(), stderr.String()}
}

// noNetwork fails the test that uses it.
type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("got a request for %s, want none", r.URL)
	return nil, os.ErrPermission
}

// sample are the flags that describe the API of entratest's sample tenant.
var sample = []string{"-tenant", entratest.TenantID, "-client", entratest.APIClientID}

func TestUsage(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   []string
		status int
		stdout string // what it contains; "" if it is empty
		stderr string
	}{
		{"nothing", nil, misuse, "", "Usage: entra <command>"},
		{"help", []string{"help"}, good, "Usage: entra <command>", ""},
		{"-h", []string{"-h"}, good, "explain", ""},
		{"no command", []string{"decode"}, misuse, "", "no such command"},
		{"help on a command", []string{"explain", "-h"}, good, "Examples:", ""},
		{"flags of a command", []string{"explain", "-help"}, good, "$ENTRA_TENANT_ID", ""},
		{"no such flag", []string{"explain", "-tenants", "x"}, misuse, "", "not defined: -tenants"},
	} {
		got := tool{args: row.args}.run(t)
		if got.status != row.status || !strings.Contains(got.stdout, row.stdout) || (row.stdout == "") != (got.stdout == "") ||
			!strings.Contains(got.stderr, row.stderr) || (row.stderr == "") != (got.stderr == "") {
			t.Errorf("%s: got %+v, want status %d, %q and %q", row.name, got, row.status, row.stdout, row.stderr)
		}
	}
}

// Tokens that are given where other users of the machine see them are at least not repeated.
func TestAnArgumentIsNotRepeated(t *testing.T) {
	token := entratest.New(t).Token()
	for _, args := range [][]string{{token}, {"explain", token}, append([]string{"explain"}, append(sample, token)...)} {
		got := tool{args: args}.run(t)
		if got.status != misuse || strings.Contains(got.stdout+got.stderr, token[:40]) {
			t.Errorf("%.20q: got %+v, want status 2 and nothing of the token", args, got)
		}
	}
}

// Every command has a help with examples.
func TestEachCommandShowsExamples(t *testing.T) {
	for _, c := range commands {
		got := tool{args: []string{c.name, "-h"}}.run(t)
		if got.status != good || !strings.Contains(got.stdout, "Usage: entra "+c.name) || strings.Count(got.stdout, "\n  entra "+c.name) < 2 {
			t.Errorf("%s -h: got %+v, want its usage and examples", c.name, got)
		}
		for line := range strings.Lines(got.stdout) {
			if len([]rune(line)) > 140 {
				t.Errorf("%s -h: got a line of %d characters: %s", c.name, len(line), line)
			}
		}
	}
}
