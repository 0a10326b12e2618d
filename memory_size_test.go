package entra_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// A remembered token of 1.4 KB may occupy 2 KB: 8 MB by default, 200 MB for a hundred thousand. So many would take a
// minute to sign here; internal/benchmarks does.
func TestRememberedTokensOccupyLittle(t *testing.T) {
	tests := []struct {
		name             string
		cacheSize, count int
		most             float64 // MB
	}{
		{"as many as by default", 4096, 4096, 8},
		{"a flood of four times as many as the memory holds", 1024, 4096, 2},
		{"ten thousand", 10_000, 10_000, 20},
	}
	tenant := entratest.New(t)
	var tokens []string
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.count > 4096 && testing.Short() {
				t.Skip("signing the tokens takes seconds")
			}
			tokens = append(tokens, benchTokens(tenant, max(0, test.count-len(tokens)))...)
			got := rememberedSize(t, tenant, test.cacheSize, tokens[:test.count]) / 1e6
			t.Logf("%d tokens of %d bytes in a memory for %d: %.2f MB", test.count, len(tokens[0]), test.cacheSize, got)
			if got > test.most {
				t.Errorf("got %.2f MB, want %.0f MB at most", got, test.most)
			}
		})
	}
}

// rememberedSize verifies the tokens and returns by how many bytes that made the heap grow.
func rememberedSize(t *testing.T, tenant *entratest.Server, cacheSize int, tokens []string) float64 {
	t.Helper()
	verifier := benchVerifier(t, tenant, cacheSize)
	before := liveHeap()
	for _, token := range tokens {
		// A copy, as each request brings one: what keeps a piece of it alive shall count.
		testbed.MustVerify(t, verifier, strings.Clone(token))
	}
	grown := liveHeap() - before
	if got := verifier.Stats().Verified; got != uint64(len(tokens)) {
		t.Errorf("got %d tokens verified, want %d", got, len(tokens))
	}
	return grown
}

// liveHeap returns the bytes of all objects in use.
func liveHeap() float64 {
	var stats runtime.MemStats
	// The second run frees what pools kept during the first.
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
