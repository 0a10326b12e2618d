package paired_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

func TestRatioPairsRounds(t *testing.T) {
	// The second round was disturbed, the third one on the second work's side only.
	result := paired.Result{Rounds: []paired.Round{
		{Nanoseconds: []float64{10, 20}}, {Nanoseconds: []float64{1000, 2000}}, {Nanoseconds: []float64{11, 90}}, {Nanoseconds: []float64{10, 20}},
	}}
	if got := result.Ratio(1, 0); got != 2 {
		t.Errorf("got ratio %v, want 2", got)
	}
	if got := result.Ratio(0, 1); got != 0.5 {
		t.Errorf("got ratio %v, want 0.5", got)
	}
}

func TestQuantileLeavesItsInputAlone(t *testing.T) {
	values := []float64{3, 1, 2, 5, 4}
	for _, want := range []struct{ q, value float64 }{{0, 1}, {0.5, 3}, {0.99, 5}, {1, 5}} {
		if got := paired.Quantile(values, want.q); got != want.value {
			t.Errorf("quantile %v: got %v, want %v", want.q, got, want.value)
		}
	}
	if values[0] != 3 {
		t.Errorf("got %v, want the order as it was", values)
	}
}

func TestRunGivesEachWorkEachRound(t *testing.T) {
	var calls [2]atomic.Int64
	work := func(i int) func(int) error {
		return func(int) error { calls[i].Add(1); return nil }
	}
	plan := paired.Plan{Rounds: 3, Slice: time.Millisecond}
	result, err := paired.Run(plan, []paired.Work{{Name: "one", Cores: 1, Wall: true, Do: work(0)}, {Name: "two", Cores: 2, Do: work(1)}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		if calls[i].Load() == 0 || result.Median(i) <= 0 {
			t.Errorf("work %d: got %d calls and a median of %v ns, want some", i, calls[i].Load(), result.Median(i))
		}
	}
	if n := len(result.Rounds); n == 0 || n > plan.Rounds {
		t.Errorf("got %d rounds, want at most %d", n, plan.Rounds)
	}
}

func TestRunEndsWithTheWorksError(t *testing.T) {
	want := errors.New("no longer")
	_, err := paired.Run(paired.Plan{Rounds: 1, Slice: time.Millisecond}, []paired.Work{
		{Name: "failing", Cores: 2, Do: func(int) error { return want }},
	})
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
