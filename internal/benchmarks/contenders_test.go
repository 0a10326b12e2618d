package main

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

func newTestLaboratory(t *testing.T) *laboratory {
	t.Helper()
	lab, err := newLaboratory(io.Discard, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.tenant.Close)
	return lab
}

// What is compared must do the same: accept what is valid, and refuse what is not.
func TestEveryContenderVerifies(t *testing.T) {
	lab := newTestLaboratory(t)
	own, err := lab.library(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	others, err := peers(t.Context(), lab.tenant.Client())
	if err != nil {
		t.Fatal(err)
	}
	forged := lab.tokens[0][:strings.LastIndexByte(lab.tokens[0], '.')] + lab.tokens[1][strings.LastIndexByte(lab.tokens[1], '.'):]
	// The bare signature check knows its tokens beforehand.
	for _, c := range append(own[seenRow:], others...) {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				if err := c.verify(lab.tokens[0]); err != nil {
					t.Errorf("a valid token: got %v, want no error", err)
				}
			}
			for name, token := range map[string]string{
				"another token's signature": forged,
				"an expired token":          sample.Token(lab.tenant, entratest.Expired()),
				"another audience":          sample.Token(lab.tenant, entratest.Audience(entratest.ClientID)),
				"another issuer":            sample.Token(lab.tenant, entratest.Tenant(entratest.OtherTenantID), entratest.Claim("oid", entratest.AliceObjectID)),
			} {
				if err := c.verify(token); err == nil {
					t.Errorf("%s: got no error, want one", name)
				}
			}
		})
	}
}

func TestTheBareCheckFindsEverySignatureGood(t *testing.T) {
	lab := newTestLaboratory(t)
	for i, token := range lab.tokens {
		if err := lab.bare.verify(token); err != nil {
			t.Errorf("token %d: got %v, want no error", i, err)
		}
	}
}

func TestEveryHostileTokenIsRefused(t *testing.T) {
	lab := newTestLaboratory(t)
	verifier, err := sample.Verifier(t.Context(), lab.tenant, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range lab.hostiles() {
		if _, err := verifier.Verify(t.Context(), h.token); err == nil {
			t.Errorf("%s: got no error, want one", h.name)
		}
	}
}

func TestLimits(t *testing.T) {
	atLimits := func() findings {
		return findings{
			costs: costs{
				seenRow: {one: maxSeen, allocations: maxSeenObjects},
				newRow:  {one: maxNew, allocations: maxNewObjects, sustained: minNewSustained},
			},
			refusals: []refusal{{"unsigned", 0.1, maxRefused}, {"unknown key", 0.1, maxRefused}},
		}
	}
	if err := atLimits().check(); err != nil {
		t.Errorf("at the limits: got %v, want no error", err)
	}
	for name, exceed := range map[string]func(findings){
		"a slow new token":               func(f findings) { f.costs[newRow].one *= 1.01 },
		"a slow token seen before":       func(f findings) { f.costs[seenRow].one *= 1.01 },
		"allocations, new token":         func(f findings) { f.costs[newRow].allocations++ },
		"allocations, token seen before": func(f findings) { f.costs[seenRow].allocations++ },
		"a low sustained rate":           func(f findings) { f.costs[newRow].sustained *= 0.99 },
		"no sustained rate":              func(f findings) { f.costs[newRow].sustained = math.NaN() },
		"a slow refusal":                 func(f findings) { f.refusals[1].answered *= 1.01 },
	} {
		found := atLimits()
		exceed(found)
		if found.check() == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

func TestFiguresForTheChart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "costs.json")
	table := costs{bareRow: {name: "the limit", one: 1}, seenRow: {name: "seen", one: 0.03704}, newRow: {name: "new", one: 1.2}, {name: "a \"peer\"", one: 2.5}}
	if err := table.writeFigures(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "costs": [
    {"name":"seen","of":"library","multiple":0.037},
    {"name":"the limit","of":"standard library","multiple":1},
    {"name":"new","of":"library","multiple":1.2},
    {"name":"a \"peer\"","of":"peer","multiple":2.5}
  ]
}
`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAWholeRequestIsAnswered(t *testing.T) {
	lab := newTestLaboratory(t)
	server, err := lab.serveOrders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, row := range []struct {
		path string
		want bool
	}{{"/open", true}, {"/seen", true}, {"/new", true}, {"/unknown", false}} {
		idle, err := lab.connect(server.Listener.Addr().String(), row.path, 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := idle.exchange(0); (err == nil) != row.want {
				t.Errorf("%s: got %v, want an answer with status 200: %v", row.path, err, row.want)
			}
		}
	}
}
