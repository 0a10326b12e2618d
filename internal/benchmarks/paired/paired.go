// Package paired compares the speed of several pieces of work on a machine that others use too.
//
// Each round gives every piece of work one short slice of time, in an order drawn anew. What slows a whole round slows all
// of its slices, so their ratio holds; what slows only a part of a round is an outlier, which the median over many rounds
// ignores. Work on one core is measured in processor time, which does not count other processes, unless Wall is set. Work
// on several cores is measured in wall time, so that waiting of one core for another counts.
package paired

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Work is something to be done again and again, by several goroutines at once. Do gets the number of the repetition, by
// which it can choose among its inputs.
type Work struct {
	Name    string
	Cores   int  // GOMAXPROCS while this work runs
	Callers int  // goroutines that repeat the work; 0: as many as Cores
	Wall    bool // measure wall time on one core too
	Do      func(i int) error
}

// Plan says how long to measure.
type Plan struct {
	Rounds int
	Slice  time.Duration
}

// Result holds, for each piece of work and round, the nanoseconds that one repetition took.
type Result [][]float64

// Run measures. It returns the first error of any work.
func Run(plan Plan, works []Work) (Result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	result := make(Result, len(works))
	for round := range plan.Rounds + 1 {
		for _, i := range rand.Perm(len(works)) {
			nanoseconds, err := slice(works[i], plan.Slice)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", works[i].Name, err)
			}
			// The first round warms up.
			if round > 0 {
				result[i] = append(result[i], nanoseconds)
			}
		}
	}
	return result, nil
}

// slice repeats work until the time is over and returns the nanoseconds for one repetition.
func slice(work Work, d time.Duration) (float64, error) {
	// Repetitions between two readings of the clock, whose cost is then negligible.
	const batch = 16
	if runtime.GOMAXPROCS(0) != work.Cores {
		runtime.GOMAXPROCS(work.Cores)
	}
	callers := work.Callers
	if callers == 0 {
		callers = work.Cores
	}
	counts, errs := make([]int, callers), make([]error, callers)
	var wait sync.WaitGroup
	start, processor := time.Now(), processorTime()
	for caller := range callers {
		wait.Go(func() {
			n := caller * 1_000_003 // far apart, so that the callers use different inputs at any moment
			for first := n; time.Since(start) < d && errs[caller] == nil; counts[caller] = n - first {
				for range batch {
					if err := work.Do(n); err != nil {
						errs[caller] = err
					}
					n++
				}
			}
		})
	}
	wait.Wait()
	elapsed, total := time.Since(start), 0
	if work.Cores == 1 && !work.Wall {
		elapsed = processorTime() - processor
	}
	for caller := range callers {
		if errs[caller] != nil {
			return 0, errs[caller]
		}
		total += counts[caller]
	}
	return float64(elapsed) / float64(total), nil
}

// processorTime returns the processor time that this process has used, in user and system mode.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic("getrusage: " + err.Error())
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Median returns the median time of one repetition of work i, in nanoseconds.
func (r Result) Median(i int) float64 { return Median(r[i]) }

// Ratio returns the median over all rounds of the time of work i divided by that of work base in the same round.
func (r Result) Ratio(i, base int) float64 {
	ratios := make([]float64, len(r[i]))
	for round := range ratios {
		ratios[round] = r[i][round] / r[base][round]
	}
	return Median(ratios)
}

// Median returns the value below which half of values lie.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the share q of values lies.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
