package rig

import (
	"context"
	"sync"
	"time"
)

// stalls are the times at which the machine did not let the program run: nobody's fault that is under test.
type stalls struct {
	mu      sync.Mutex
	recent  []stall // oldest first
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

// watch notes how late its own ticks come, until ctx ends.
func (s *stalls) watch(ctx context.Context) {
	for last := time.Now(); sleep(ctx, tick); {
		now := time.Now()
		if by := now.Sub(last) - tick; by > notAtOnceBy {
			s.note(stall{now, by})
		}
		last = now
	}
}

func (s *stalls) note(one stall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longest = max(s.longest, one.by)
	s.recent = append(s.recent, one)
	if len(s.recent) > stallsKept {
		s.recent = s.recent[1:]
	}
}

// since returns how long the stalls were that ended after then.
func (s *stalls) since(then time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.recent {
		if one.end.After(then) {
			sum += one.by
		}
	}
	return sum
}
