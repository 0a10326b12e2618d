// Package paired compares the speed of several pieces of work on a machine that others use too.
//
// Each round gives every piece of work one short slice of time, in an order that changes. What disturbs a round disturbs
// all of its slices, so that their ratio holds; the median over many rounds passes over those that were disturbed in
// part. Work on one core is measured in processor time, which runs only while the process does, unless Wall is set; work
// on several cores in wall time, in which waiting for each other counts.
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

// Work is something to be done again and again, by several goroutines at once. Do gets the number of the repetition, so
// that it can take turns with its inputs.
type Work struct {
	Name  string
	Cores int  // value of GOMAXPROCS meanwhile, and number of goroutines
	Wall  bool // measure wall time on one core too
	Do    func(i int) error
}

// Plan says how long to measure.
type Plan struct {
	Rounds int
	Slice  time.Duration
}

// Result is what the rounds brought: for each piece of work and round, the nanoseconds from one repetition to the next.
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
	// Between two looks at the clock, so that looking does not count.
	const batch = 16
	if runtime.GOMAXPROCS(0) != work.Cores {
		runtime.GOMAXPROCS(work.Cores)
	}
	counts, errs := make([]int, work.Cores), make([]error, work.Cores)
	var wait sync.WaitGroup
	start, processor := time.Now(), processorTime()
	for core := range work.Cores {
		wait.Go(func() {
			n := core * 1_000_003 // so that the cores do not walk through the inputs side by side
			for first := n; time.Since(start) < d && errs[core] == nil; counts[core] = n - first {
				for range batch {
					if err := work.Do(n); err != nil {
						errs[core] = err
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
	for core := range work.Cores {
		if errs[core] != nil {
			return 0, errs[core]
		}
		total += counts[core]
	}
	return float64(elapsed) / float64(total), nil
}

// processorTime is how long processors have worked for this process.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic("getrusage: " + err.Error())
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Median returns the median time of one repetition of work i, in nanoseconds.
func (r Result) Median(i int) float64 { return Median(r[i]) }

// Ratio returns the median of the rounds' ratios between the times of work i and work base.
func (r Result) Ratio(i, base int) float64 {
	ratios := make([]float64, len(r[i]))
	for round := range ratios {
		ratios[round] = r[i][round] / r[base][round]
	}
	return Median(ratios)
}

// Median returns the middle one of values.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the share q of values lies.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
