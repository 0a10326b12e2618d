package interop_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// program is one of the two older validators, running. It answers one question after the other.
type program struct {
	name    string
	answers *json.Decoder
	in      io.Writer
}

type answer struct {
	Accepted     bool    `json:"accepted"`
	Detail       string  `json:"detail"`
	Microseconds float64 `json:"microseconds"`
}

func start(t *testing.T, login, name string, environment []string, command ...string) *program {
	t.Helper()
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Env = append(os.Environ(), "LOGIN="+login, "TENANT="+entratest.TenantID, "CLIENT_ID="+entratest.APIClientID, "NO_PROXY=localhost")
	c.Env = append(c.Env, environment...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = in.Close() // Then the program ends.
		_ = c.Wait()
	})
	return &program{name, json.NewDecoder(bufio.NewReader(out)), in}
}

func (p *program) ask(t *testing.T, token string, repeat int) answer {
	t.Helper()
	question, _ := json.Marshal(map[string]any{"token": token, "repeat": repeat})
	if _, err := p.in.Write(append(question, '\n')); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	var a answer
	if err := p.answers.Decode(&a); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return a
}

func (a answer) verdict() string {
	switch {
	case a.Accepted:
		return "accepts"
	case strings.HasPrefix(a.Detail, "crashes"):
		return "crashes"
	}
	return "refuses"
}

// seedsVerifier is the library set up for the flows of the two programs: pages that send ID tokens, and applications that
// were given a secret and nothing else.
func seedsVerifier(t *testing.T, tenant *entratest.Server, cacheSize int) *entra.Verifier {
	t.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:                 []string{entratest.TenantID},
		ClientID:                entratest.APIClientID,
		AllowIDTokens:           true,
		AllowWithoutPermissions: true,
		CacheSize:               cacheSize,
		HTTPClient:              tenant.Client(),
		Logger:                  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func seedPython(t *testing.T) string {
	t.Helper()
	return programs.Python(t, "python3-jwt python3-cryptography python3-httpx", "jwt", "cryptography", "httpx")
}

const seedsPage = "../../docs/seeds.md"

func TestTheTwoProgramsBesideTheLibrary(t *testing.T) {
	nodePath, pythonPath := node(t), seedPython(t)
	tenant := entratest.New(t)
	login, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	usGov := entratest.NewKey().With("cloud_instance_name", "microsoftonline.us")
	foreign := entratest.NewKey().With("issuer", "https://login.microsoftonline.com/"+entratest.OtherTenantID+"/v2.0")
	tenant.Publish(usGov, foreign)
	js := start(t, login, "Node", nil, nodePath, "seeds/validate.mjs")
	py := start(t, login, "Python", nil, pythonPath, "seeds/validate.py")
	verifier := seedsVerifier(t, tenant, 0)

	var table strings.Builder
	for _, group := range []struct {
		title string
		rows  []seedRow
	}{{"Valid tokens", validRows()}, {"Tokens to refuse", invalidRows(usGov, foreign)}} {
		fmt.Fprintf(&table, "| %s | Node | Python | entra | why |\n|---|---|---|---|---|\n", group.title)
		for _, row := range group.rows {
			token := row.token(tenant)
			a, b := js.ask(t, token, 1).verdict(), py.ask(t, token, 1).verdict()
			_, err := verifier.Verify(t.Context(), token)
			here := "accepts"
			if err != nil {
				here = "`" + string(entra.ReasonOf(err)) + "`"
			}
			if (err == nil) != row.valid {
				t.Errorf("%s: got %v here, want accepted: %v", row.name, err, row.valid)
			}
			disagreed := (a == "accepts") != (err == nil) || (b == "accepts") != (err == nil)
			if disagreed != (row.why != "") {
				t.Errorf("%s: Node %s, Python %s, here %s; got the reason %q, want one exactly where they disagree", row.name, a, b, here, row.why)
			}
			fmt.Fprintf(&table, "| %s | %s | %s | %s | %s |\n", row.name, a, b, here, row.why)
		}
		table.WriteString("\n")
	}
	wantInPage(t, table.String())
}

// wantInPage checks that the documentation shows what was just seen, and leaves what it should show as an artefact.
func wantInPage(t *testing.T, table string) {
	t.Helper()
	path := filepath.Join(artifacts(t), "seeds.md")
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(seedsPage)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(table) {
		if !strings.Contains(string(page), line) {
			t.Errorf("docs/seeds.md has not the line\n%sthe whole table is in %s", line, path)
		}
	}
}

// artifacts is the folder for what a test leaves for people to look at.
func artifacts(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("ENTRA_ARTIFACTS")
	if folder == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestTheLibrarysDefaultsRefuseWhatNeedsASwitch(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	for _, row := range []struct {
		name  string
		token string
		want  entra.Reason
	}{
		{"ID token", tenant.Token(entratest.IDToken()), entra.ReasonIDToken},
		{"application without any permission", tenant.Token(entratest.App()), entra.ReasonNoPermissions},
	} {
		if _, err := verifier.Verify(t.Context(), row.token); entra.ReasonOf(err) != row.want {
			t.Errorf("%s: got %v, want the reason %s", row.name, err, row.want)
		}
	}
}

// An API with a signing key of its own: the programs ask for its keys by ?appid=, the library with AppKeys.
func TestAnApplicationWithItsOwnKey(t *testing.T) {
	nodePath, pythonPath := node(t), seedPython(t)
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{entratest.ScopeRead}, OwnKey: true},
	}})
	login, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	token := tenant.Token()
	for _, p := range []*program{
		start(t, login, "Node", nil, nodePath, "seeds/validate.mjs"), start(t, login, "Python", nil, pythonPath, "seeds/validate.py"),
	} {
		if a := p.ask(t, token, 1); !a.Accepted {
			t.Errorf("%s: got %+v, want accepted", p.name, a)
		}
	}
	for _, appKeys := range []bool{false, true} {
		verifier, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID,
			AppKeys: appKeys, HTTPClient: tenant.Client(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(t.Context(), token); (err == nil) != appKeys {
			t.Errorf("with AppKeys %v: got %v, want accepted: %v", appKeys, err, appKeys)
		}
	}
}

// TestTimingBesideThePrograms prints what one validation of the same valid token costs, in one run on one machine. It
// judges nothing.
func TestTimingBesideThePrograms(t *testing.T) {
	nodePath, pythonPath := node(t), seedPython(t)
	tenant := entratest.New(t)
	login, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	js := start(t, login, "Node", nil, nodePath, "seeds/validate.mjs")
	jsCached := start(t, login, "Node, keys kept", []string{"CACHE_KEYS=1"}, nodePath, "seeds/validate.mjs")
	py := start(t, login, "Python", nil, pythonPath, "seeds/validate.py")
	fresh, remembering := seedsVerifier(t, tenant, -1), seedsVerifier(t, tenant, 0)
	token := tenant.Token()
	const repeat = 100
	here := func(v *entra.Verifier) float64 {
		begin := time.Now()
		for range repeat {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		return float64(time.Since(begin).Nanoseconds()) / 1e3 / repeat
	}
	there := func(p *program) float64 {
		a := p.ask(t, token, repeat)
		if !a.Accepted {
			t.Fatalf("%s: got %+v, want accepted", p.name, a)
		}
		return a.Microseconds
	}
	var table strings.Builder
	table.WriteString("| validation of one valid token | best of 25 rounds of 100, µs each |\n|---|---|\n")
	for _, row := range []struct {
		name    string
		measure func() float64
	}{
		{"Node, which fetches the keys each time", func() float64 { return there(js) }},
		{"Node, keys kept", func() float64 { return there(jsCached) }},
		{"Python, keys kept", func() float64 { return there(py) }},
		{"entra, signature checked each time (`CacheSize: -1`)", func() float64 { return here(fresh) }},
		{"entra, as it comes", func() float64 { return here(remembering) }},
	} {
		best := row.measure()
		for range 24 {
			best = min(best, row.measure())
		}
		digits := 1
		if best >= 100 {
			digits = 0
		}
		fmt.Fprintf(&table, "| %s | %.*f |\n", row.name, digits, best)
	}
	t.Log("\n" + table.String())
	if err := os.WriteFile(filepath.Join(artifacts(t), "seeds-timing.md"), []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
