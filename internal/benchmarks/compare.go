package main

import (
	"context"
	"errors"
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
	nanoseconds       float64 // on one core
	allocations, heap float64 // objects and bytes allocated for a token
}

// The rows of costs that check looks at.
const (
	bareRow = iota
	warmRow
	coldRow
)

type costs []cost

// compare lets each contender verify the same tokens with the same keys, in turns with the bare signature check.
func (lab *laboratory) compare(ctx context.Context) (costs, error) {
	contenders, err := lab.library(ctx)
	if err != nil {
		return nil, err
	}
	others, err := peers(ctx, lab.tenant.Client())
	if err != nil {
		return nil, err
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
		allocations, heap := lab.allocations(c)
		table = append(table, cost{c.name, one, all, nanoseconds, allocations, heap})
	}
	table.print(lab, cores)
	return table, nil
}

// pair returns what a contender needs for a token as a multiple of the bare signature check, and in nanoseconds.
func (lab *laboratory) pair(c contender, cores int) (ratio, nanoseconds float64, err error) {
	// Most slices of this length lie between two runs of the collector, so the median is the time that one token takes.
	// The sustained rates of scale include the collector.
	result, err := paired.Run(lab.plan(1000, 2*time.Millisecond), []paired.Work{lab.work(lab.bare, cores), lab.work(c, cores)})
	if err != nil {
		return 0, 0, err
	}
	return result.Ratio(1, 0), result.Median(1), nil
}

// library returns the bare signature check and this library with and without a memory, each in its row.
func (lab *laboratory) library(ctx context.Context) ([]contender, error) {
	warm, err := library(ctx, lab.tenant, "entra, seen before", 0)
	if err != nil {
		return nil, err
	}
	cold, err := library(ctx, lab.tenant, "entra, new token", -1)
	return []contender{bareRow: lab.bare, warmRow: warm, coldRow: cold}, err
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
	fmt.Fprintf(lab.out, "\n| one token | one core | %d cores | time on one core | allocations |\n|---|--:|--:|--:|--:|\n", cores)
	for _, row := range table {
		fmt.Fprintf(lab.out, "| %s | %s | %s | %.1f µs | %.0f, %.1f KB |\n",
			row.name, multiple(row.one), multiple(row.all), row.nanoseconds/1000, row.allocations, row.heap/1000)
	}
}

// multiple writes a small ratio as a fraction too, which is easier to compare.
func multiple(ratio float64) string {
	if ratio < 0.1 {
		return fmt.Sprintf("%.3f (1/%.0f)", ratio, 1/ratio)
	}
	return fmt.Sprintf("%.2f", ratio)
}

// check returns an error that names every limit which the library exceeds.
func (table costs) check() error {
	var over []error
	limit := func(what string, got, most float64) {
		if got > most {
			over = append(over, fmt.Errorf("%s: got %.3f, want %.3f at most", what, got, most))
		}
	}
	cold, warm := table[coldRow], table[warmRow]
	limit("a new token, as a multiple of the bare signature check", cold.one, 1.20)
	limit("a token seen before, as a multiple of the bare signature check", warm.one, 1.0/25)
	limit("allocations for a new token", cold.allocations, 25)
	limit("allocations for a token seen before", warm.allocations, 6)
	return errors.Join(over...)
}
