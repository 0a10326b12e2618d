package testbed

import (
	"runtime"
	"runtime/debug"
)

// Cost is what a call allocates, on average.
type Cost struct{ Allocations, Bytes float64 }

// CostOf calls f so many times, after once for its pools, and returns what a call allocates. No test that uses it may run
// beside others.
func CostOf(runs int, f func()) Cost {
	// A collection would empty the pools.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return Cost{float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)}
}
