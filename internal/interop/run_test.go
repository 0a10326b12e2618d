package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// Programs in other languages reach the fake tenant of entra run under Microsoft's names.
func TestCommandsInOtherLanguagesReachTheFakeTenant(t *testing.T) {
	const metadata = issuer + "/.well-known/openid-configuration"
	const fetch = `fetch("` + metadata + `").then(r => r.json()).then(m => console.log("fetch", m.issuer));`
	const https = `require("node:https").get("` + metadata + `", r => { let s = ""; r.on("data", d => s += d); r.on("end", () => console.log("https", JSON.parse(s).issuer)) });`
	const tls = `require("node:tls").connect(443, "login.microsoftonline.com", { servername: "login.microsoftonline.com" }, function () { console.log("tls", this.authorized); this.end() });`
	tool := built(t, "../..", "./cmd/entra")
	odd := filepath.Join(t.TempDir(), "it's a folder") // Node.js reads a path in it out of NODE_OPTIONS.
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", odd)
	for _, row := range []struct {
		debian  string
		command []string
		want    []string
	}{
		{"nodejs", []string{"node", "-e", fetch + https + tls}, []string{"fetch " + issuer, "https " + issuer, "tls true"}},
		{"curl", []string{"curl", "-s", metadata}, []string{`"issuer":"` + issuer + `"`}},
		{"python3", []string{"python3", "-c", "import json, urllib.request; print('python', json.load(urllib.request.urlopen('" + metadata + "'))['issuer'])"}, []string{"python " + issuer}},
	} {
		t.Run(row.command[0], func(t *testing.T) {
			programs.Look(t, row.debian, row.command[0])
			out, err := exec.CommandContext(t.Context(), tool, append([]string{"run", "-tenant", entratest.TenantID, "--"}, row.command...)...).CombinedOutput()
			for _, want := range row.want {
				if err != nil || !strings.Contains(string(out), want) {
					t.Errorf("got %v and\n%s\nwant %q", err, out, want)
				}
			}
		})
	}
}
