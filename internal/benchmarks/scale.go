package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// record is what an ordinary heap consists of: small objects that point at each other.
type record struct {
	Next *record
	Name *[32]byte
	Text [96]byte
}

// liveHeap returns the head of a list that keeps about size bytes alive.
func liveHeap(size int) *record {
	var head *record
	for range size / 160 {
		head = &record{Next: head, Name: new([32]byte)}
	}
	return head
}

// scale measures how much more two cores do than one, in a process with a live heap as programs have it: with a small
// one the collector would run all the time, and never for long.
func (lab *laboratory) scale(ctx context.Context) error {
	const megabytes = 64
	head := liveHeap(megabytes << 20)
	defer runtime.KeepAlive(head)
	contenders, err := lab.library(ctx)
	if err != nil {
		return err
	}
	measured := []int{bareRow, coldRow, warmRow}
	var works []paired.Work
	for _, row := range measured {
		one, two := lab.work(contenders[row], 1), lab.work(contenders[row], 2)
		one.Wall = true
		works = append(works, one, two)
	}
	// Long enough for the collector to run in each slice.
	result, err := paired.Run(lab.plan(24, 250*time.Millisecond), works)
	if err != nil {
		return err
	}
	fmt.Fprintf(lab.out, "\n| beside %d MB of other objects | tokens a second, one core | of the bare checks | two cores | two over one |\n|---|--:|--:|--:|--:|\n", megabytes)
	for i, row := range measured {
		fmt.Fprintf(lab.out, "| %s | %.0f | %.2f | %.0f | %.2f |\n", contenders[row].name,
			1e9/result.Median(2*i), result.Ratio(2*bareRow, 2*i), 1e9/result.Median(2*i+1), result.Ratio(2*i, 2*i+1))
	}
	return nil
}
