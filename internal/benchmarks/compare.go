package main

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// cost is what one contender needs for a token. Times are multiples of the bare signature check.
type cost struct {
	name              string
	one, all          float64 // on one core; on all cores
	sustained         float64 // tokens a second for each bare check a second, on one core, the collector included
	nanoseconds       float64 // on one core
	allocations, heap float64 // objects and bytes allocated for a token
}

// The rows of costs that check looks at.
const (
	bareRow = iota
	seenRow
	newRow
)

type costs []cost

// compare lets each contender verify the same tokens with the same keys, in turns with the bare signature check: this
// library and, unless it is alone, the others.
func (lab *laboratory) compare(ctx context.Context, alone bool) (costs, error) {
	contenders, err := lab.library(ctx)
	if err != nil {
		return nil, err
	}
	var others []contender
	if !alone {
		if others, err = peers(ctx, lab.tenant.Client()); err != nil {
			return nil, err
		}
	}
	cores := runtime.NumCPU()
	var table costs
	for _, c := range append(contenders, others...) {
		one, nanoseconds, err := lab.pair(c, 1)
		if err != nil {
			return nil, err
		}
		all, _, err := lab.pair(c, cores)
		if err != nil {
			return nil, err
		}
		sustained, err := lab.sustained(c)
		if err != nil {
			return nil, err
		}
		allocations, heap := lab.allocations(c)
		table = append(table, cost{c.name, one, all, sustained, nanoseconds, allocations, heap})
	}
	table.print(lab, cores)
	return table, nil
}

// pair returns what a contender needs for a token as a multiple of the bare signature check, and in nanoseconds.
func (lab *laboratory) pair(c contender, cores int) (ratio, nanoseconds float64, err error) {
	// Most slices of this length lie between two runs of the collector, so the median is the time that one token takes.
	// The sustained rates include the collector.
	result, err := lab.run(1000, 2*time.Millisecond, []paired.Work{lab.work(lab.bare, cores), lab.work(c, cores)})
	if err != nil {
		return 0, 0, err
	}
	return result.Ratio(1, 0), result.Median(1), nil
}

// sustained returns how many tokens a contender verifies in the time of one bare check, in slices long enough for the
// collector to run in each of them, beside a live heap.
func (lab *laboratory) sustained(c contender) (float64, error) {
	head := liveHeap()
	defer runtime.KeepAlive(head)
	result, err := lab.run(40, 250*time.Millisecond, []paired.Work{lab.work(lab.bare, 1), lab.work(c, 1)})
	if err != nil {
		return 0, err
	}
	return result.Ratio(0, 1), nil
}

// library returns the bare signature check and this library with and without a memory, each in its row.
func (lab *laboratory) library(ctx context.Context) ([]contender, error) {
	seen, err := library(ctx, lab.tenant, "entra, seen before", 0)
	if err != nil {
		return nil, err
	}
	fresh, err := library(ctx, lab.tenant, "entra, new token", -1)
	return []contender{bareRow: lab.bare, seenRow: seen, newRow: fresh}, err
}

// allocations returns how many objects and bytes a contender allocates for a token.
func (lab *laboratory) allocations(c contender) (objects, bytes float64) {
	const runs = 2000
	var before, after runtime.MemStats
	i := 0
	runtime.ReadMemStats(&before)
	objects = testing.AllocsPerRun(runs, func() {
		// An error would have ended the measurement of the time before.
		_ = c.verify(lab.tokens[i%len(lab.tokens)])
		i++
	})
	runtime.ReadMemStats(&after)
	return objects, float64(after.TotalAlloc-before.TotalAlloc) / (runs + 1)
}

func (table costs) print(lab *laboratory, cores int) {
	fmt.Fprintf(lab.out, "\n| one token | one core | %d cores | sustained rate | time on one core | allocations |\n|---|--:|--:|--:|--:|--:|\n", cores)
	for _, row := range table {
		fmt.Fprintf(lab.out, "| %s | %s | %s | %.2f | %.1f µs | %.0f, %.1f KB |\n",
			row.name, multiple(row.one), multiple(row.all), row.sustained, row.nanoseconds/1000, row.allocations, row.heap/1000)
	}
}

// multiple writes a small ratio as a fraction too, which is easier to compare.
func multiple(ratio float64) string {
	if ratio < 0.1 {
		return fmt.Sprintf("%.3f (1/%.0f)", ratio, 1/ratio)
	}
	return fmt.Sprintf("%.2f", ratio)
}
