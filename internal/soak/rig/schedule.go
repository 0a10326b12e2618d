package rig

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// schedule is what happens to Entra and to the API, drawn from the seed: four courses of events, independent of each
// other.
type schedule struct {
	entra   *fakeEntra
	keyring *keyring
	api     *api
	report  *report
	flood   atomic.Bool
	running sync.WaitGroup
}

func (s *schedule) start(ctx context.Context, seed uint64) {
	s.running.Go(func() { s.report.stalls.watch(ctx, s.api.ledger.Stalled) })
	for i, course := range []func(context.Context, *rand.Rand){s.keys, s.health, s.deployments, s.floods} {
		s.running.Go(func() { course(ctx, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
}

// seconds draws a time from the range.
func seconds(r *rand.Rand, from, to float64) time.Duration {
	return time.Duration((from + (to-from)*r.Float64()) * float64(time.Second)).Round(time.Millisecond)
}

// event is something that is to happen to the keys.
type event struct {
	at  time.Time
	run func()
}

// keys rotates keys, takes some out of the document for a while, and mints tokens that are valid for seconds.
func (s *schedule) keys(ctx context.Context, r *rand.Rand) {
	next := time.Now().Add(seconds(r, 0.3, 1))
	var later []event
	for tick := 0; sleep(ctx, 250*time.Millisecond); tick++ {
		now := time.Now()
		if tick%4 == 0 {
			s.keyring.mintBrief(r)
		}
		later = slices.DeleteFunc(later, func(e event) bool {
			due := now.After(e.at)
			if due {
				e.run()
			}
			return due
		})
		if now.After(next) {
			later = append(later, s.keyEvent(now, r))
			next = now.Add(seconds(r, 0.5, 8))
		}
	}
}

// keyEvent rotates the keys, or takes a key away, and returns what puts the key into the document.
func (s *schedule) keyEvent(now time.Time, r *rand.Rand) event {
	var g *generation
	switch draw := r.IntN(10); {
	case draw < 4:
		s.keyring.rotate(false)
		return event{now, func() {}}
	case draw < 6:
		g = s.keyring.rotate(true)
	default:
		g = s.keyring.generations[r.IntN(len(s.keyring.generations))]
		s.keyring.withdraw(g)
	}
	return event{now.Add(seconds(r, 0.2, 10)), func() {
		if slices.Contains(s.keyring.generations, g) {
			s.keyring.publish(g)
		}
	}}
}

// health lets Entra be well, slow, or in trouble: every kind of trouble in turn, in an order drawn anew each time. After
// some trouble Entra stays well for longer than a Verifier may take to come back, so that this bound is put to the test.
func (s *schedule) health(ctx context.Context, r *rand.Rand) {
	var turn []int
	for wait := seconds(r, 0.3, 1.5); sleep(ctx, wait); {
		kinds := faults(r)
		if len(turn) == 0 {
			turn = r.Perm(len(kinds))
		}
		s.entra.trouble(kinds[turn[0]])
		turn = turn[1:]
		wait = seconds(r, 1, 15)
		if r.IntN(4) == 0 {
			s.deploy()
			wait = seconds(r, 13, 17)
		}
		if !sleep(ctx, seconds(r, 0.3, 4)) || r.IntN(4) == 0 && !sleep(ctx, seconds(r, 1, 21)) {
			return
		}
		latency := seconds(r, 0.3, 0.6)
		if r.IntN(5) == 0 {
			latency = seconds(r, 1, 3)
		}
		s.entra.beWell(latency)
	}
}

// deployments replace the Verifier by a new one, without keys, whatever happens meanwhile.
func (s *schedule) deployments(ctx context.Context, r *rand.Rand) {
	for wait := seconds(r, 0.5, 2); sleep(ctx, wait); wait = seconds(r, 3, 50) {
		s.deploy()
	}
}

func (s *schedule) deploy() {
	if err := s.api.deploy(); err != nil {
		s.report.violation(brokenCount, "a Verifier could not be made: "+err.Error())
	}
}

// floods let most clients send junk for a while.
func (s *schedule) floods(ctx context.Context, r *rand.Rand) {
	defer s.flood.Store(false)
	for sleep(ctx, seconds(r, 1, 20)) {
		s.flood.Store(true)
		if !sleep(ctx, seconds(r, 0.5, 6)) {
			return
		}
		s.flood.Store(false)
	}
}
