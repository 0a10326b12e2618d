package rig

import (
	"context"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

// stalls are the times in which the machine did not let the program run, for which nothing under test is to blame.
type stalls struct {
	mu      sync.Mutex
	last    time.Time // the last tick; zero while nobody watches
	recent  []stall   // oldest first
	longest time.Duration
}

type stall struct {
	end time.Time
	by  time.Duration
}

const (
	tick        = 50 * time.Millisecond
	stallsKept  = 100
	notAtOnceBy = 2 * tick
)

// watch records how late its own ticks come, until ctx ends, and calls long after each stall longer than LongStall.
func (s *stalls) watch(ctx context.Context, long func(time.Time)) {
	for s.tick(time.Now()); sleep(ctx, tick); {
		now := time.Now()
		if s.tick(now) > invariants.LongStall {
			long(now)
		}
	}
}

// tick notes a tick, and returns how late it came.
func (s *stalls) tick(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := s.lateness(now)
	s.last = now
	if by == 0 {
		return 0
	}
	s.longest = max(s.longest, by)
	s.recent = append(s.recent, stall{now, by})
	if len(s.recent) > stallsKept {
		s.recent = s.recent[1:]
	}
	return by
}

// lateness returns how late the next tick is, 0 if it is not. The caller holds the lock.
func (s *stalls) lateness(now time.Time) time.Duration {
	by := now.Sub(s.last) - tick
	if s.last.IsZero() || by < notAtOnceBy {
		return 0
	}
	return by
}

// since returns how long all stalls were that ended after then, including one that has not ended yet.
func (s *stalls) since(then time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum = s.lateness(time.Now())
	for _, one := range s.recent {
		if one.end.After(then) {
			sum += one.by
		}
	}
	return sum
}
