package counter_test

import (
	"sync"
	"testing"

	"github.com/entra-go/entra/internal/counter"
)

func TestCounter(t *testing.T) {
	var c counter.Counter
	if got := c.Load(); got != 0 {
		t.Errorf("got %d before anything happened, want 0", got)
	}
	const workers, each = 50, 1000
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range each {
				c.Add()
			}
		})
	}
	for last := uint64(0); last < workers*each/2; { // What is counted stays counted.
		now := c.Load()
		if now < last || now > workers*each {
			t.Fatalf("got %d after %d, want no less and %d at most", now, last, workers*each)
		}
		last = now
	}
	wait.Wait()
	if got := c.Load(); got != workers*each {
		t.Errorf("got %d, want %d", got, workers*each)
	}
}

func TestCountersAreApart(t *testing.T) {
	var a, b counter.Counter
	a.Add()
	if got := b.Load(); got != 0 || a.Load() != 1 {
		t.Errorf("got %d and %d, want 1 and 0", a.Load(), got)
	}
}
