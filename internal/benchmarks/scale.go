package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// record stands for the objects of an ordinary program: small ones that point at each other.
type record struct {
	Next *record
	Name *[32]byte
	Text [96]byte
}

// megabytes is the size of the live heap beside sustained measurements. With less, the collector would run far more often
// than in a real program, and each time briefly.
const megabytes = 64

// liveHeap returns the head of a list of records that keeps these megabytes alive.
func liveHeap() *record {
	var head *record
	for range megabytes << 20 / 160 {
		head = &record{Next: head, Name: new([32]byte)}
	}
	return head
}

// scale measures sustained rates, the collector's work included, and how much more two cores do than one, in a process
// with a live heap as programs have it.
func (lab *laboratory) scale(ctx context.Context) error {
	head := liveHeap()
	defer runtime.KeepAlive(head)
	contenders, err := lab.library(ctx)
	if err != nil {
		return err
	}
	measured := []int{bareRow, newRow, seenRow}
	var works []paired.Work
	for _, row := range measured {
		one, two := lab.work(contenders[row], 1), lab.work(contenders[row], 2)
		one.Wall = true
		works = append(works, one, two)
	}
	// Slices are long enough for the collector to run in each of them.
	result, err := lab.run(24, 250*time.Millisecond, works)
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
