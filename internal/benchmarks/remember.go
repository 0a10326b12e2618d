package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// remember measures what remembered tokens occupy: 4,096, the default of Options.CacheSize, and 100,000.
func (lab *laboratory) remember(ctx context.Context) error {
	counts := []int{4096, 100_000}
	if lab.quick {
		counts = counts[:1] // signing 100,000 tokens takes a minute
	}
	fmt.Fprint(lab.out, "\n| remembered tokens | together | each |\n|---|--:|--:|\n")
	for _, count := range counts {
		bytes, err := lab.occupied(ctx, count)
		if err != nil {
			return err
		}
		fmt.Fprintf(lab.out, "| %d | %.1f MB | %.0f bytes |\n", count, bytes/1e6, bytes/float64(count))
	}
	return nil
}

// occupied fills the memory of a Verifier and returns how much the heap has grown.
func (lab *laboratory) occupied(ctx context.Context, count int) (float64, error) {
	verifier, err := sample.Verifier(ctx, lab.tenant, count)
	if err != nil {
		return 0, err
	}
	before := heap()
	var once sync.Once
	var failure error
	sample.Each(lab.tenant, count, func(_ int, token string) {
		if _, err := verifier.Verify(ctx, token); err != nil {
			once.Do(func() { failure = err })
		}
	})
	grown := heap() - before
	runtime.KeepAlive(verifier)
	return grown, failure
}

// heap returns the bytes of all live objects.
func heap() float64 {
	var stats runtime.MemStats
	// The second collection frees what finalizers and pools held during the first.
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
