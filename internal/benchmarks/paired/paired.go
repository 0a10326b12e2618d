// Package paired compares the speed of several pieces of work on a machine that others use too.
//
// Each round gives every piece of work one short slice of time, in an order drawn anew. What slows a whole round slows all
// of its slices, so their ratio holds; what slows only a part of a round is an outlier, which the median over many rounds
// ignores. Work on one core is measured in processor time, which does not count other processes, unless Wall is set. Work
// on several cores is measured in wall time, so that waiting of one core for another counts.
//
// A page of memory that the process touches for the first time costs microseconds, and whichever work meets it pays for
// the others. Rounds that met more than a few are left out, and others are measured in their place.
package paired

import (
	"cmp"
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
	Rounds int // that count; at most triesPerRound times as many are measured
	Slice  time.Duration
}

const (
	triesPerRound = 3
	// faultCost is what a fresh page costs at most on the machines at hand, and faultShare the share of a slice that
	// fresh pages may take: none in slices of two milliseconds, a hundred in slices of a quarter second.
	faultCost  = 5 * time.Microsecond
	faultShare = 1.0 / 500
)

// Round is one measurement of every piece of work.
type Round struct {
	Nanoseconds []float64 // for each piece of work, what one repetition took
	Faults      float64   // the largest share of a slice that fresh pages took, by estimate
}

// Result holds the rounds that count.
type Result struct {
	Rounds  []Round
	LeftOut int // rounds that met too many fresh pages
}

// Run measures. It returns the first error of any work.
func Run(plan Plan, works []Work) (Result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	// The first round warms up.
	if _, err := measure(plan.Slice, works); err != nil {
		return Result{}, err
	}
	var all []Round
	for good := 0; good < plan.Rounds && len(all) < triesPerRound*plan.Rounds; {
		round, err := measure(plan.Slice, works)
		if err != nil {
			return Result{}, err
		}
		all = append(all, round)
		if round.Faults <= faultShare {
			good++
		}
	}
	return choose(all, plan.Rounds), nil
}

// choose leaves out the rounds that met too many fresh pages. If that left less than a quarter of the rounds wanted, it
// fills the quarter up with those that met the fewest.
func choose(all []Round, wanted int) Result {
	slices.SortStableFunc(all, func(a, b Round) int { return cmp.Compare(a.Faults, b.Faults) })
	kept := len(all)
	for kept > 0 && all[kept-1].Faults > faultShare {
		kept--
	}
	kept = min(max(kept, (wanted+3)/4), len(all))
	return Result{Rounds: all[:kept], LeftOut: len(all) - kept}
}

// measure gives each piece of work one slice.
func measure(d time.Duration, works []Work) (Round, error) {
	round := Round{Nanoseconds: make([]float64, len(works))}
	for _, i := range rand.Perm(len(works)) {
		before := freshPages()
		nanoseconds, err := slice(works[i], d)
		if err != nil {
			return round, fmt.Errorf("%s: %w", works[i].Name, err)
		}
		round.Nanoseconds[i] = nanoseconds
		round.Faults = max(round.Faults, float64(freshPages()-before)*float64(faultCost)/float64(d))
	}
	return round, nil
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
	used := usage()
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// freshPages returns how many pages this process has touched for the first time: page faults without input or output.
func freshPages() int64 { return int64(usage().Minflt) }

func usage() (used syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic("getrusage: " + err.Error())
	}
	return used
}

// Median returns the median time of one repetition of work i, in nanoseconds.
func (r Result) Median(i int) float64 {
	times := make([]float64, len(r.Rounds))
	for j, round := range r.Rounds {
		times[j] = round.Nanoseconds[i]
	}
	return Median(times)
}

// Ratio returns the median over all rounds of the time of work i divided by that of work base in the same round.
func (r Result) Ratio(i, base int) float64 {
	ratios := make([]float64, len(r.Rounds))
	for j, round := range r.Rounds {
		ratios[j] = round.Nanoseconds[i] / round.Nanoseconds[base]
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
