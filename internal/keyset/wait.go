package keyset

import (
	"context"
	"errors"
	"time"
)

// errCrowded says that too many requests wait already.
var errCrowded = errors.New("too many requests wait for keys already")

// await waits for what may bring the unknown key kid ("": any key) until enough says so: first, for a moment, for the cache,
// where no key is held; then for one fetch of each document, which it starts where none runs and one may. It returns nil
// when nothing is left to wait for, ctx's error if that comes first, and errCrowded at once if too many requests wait
// already.
func (s *Set) await(ctx context.Context, kid string, now time.Time, enough func() bool) error {
	w := waiter{set: s, ctx: ctx, enough: enough}
	defer w.leave()
	if s.cache != nil {
		patience, err := w.joinCache(now)
		if err != nil {
			return err
		}
		if done, err := w.wait(&w.loads, patience); done || err != nil {
			return err
		}
	}
	if err := w.joinFetches(kid, time.Now()); err != nil {
		return err
	}
	// A transport that ignores its context must not hold requests longer than promised.
	_, err := w.wait(&w.fetches, fetchTimeout)
	return err
}

// waiter is a request that waits for keys.
type waiter struct {
	set     *Set
	ctx     context.Context
	enough  func() bool
	counted bool // among those who wait
	fetches ends
	loads   ends
}

// ends are the ends of the fetches, or of the readings of the cache, that a request waits for, one a document. A nil
// channel is one that it does not wait for.
type ends [2]<-chan struct{}

// wait waits until each of the given ends has come or the time is over, or until something that comes meanwhile brings
// enough, which it reports.
func (w *waiter) wait(all *ends, patience time.Duration) (enough bool, err error) {
	if *all == (ends{}) || patience <= 0 {
		return false, nil
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for *all != (ends{}) {
		select {
		case <-w.fetches[0]:
			w.fetches[0] = nil
		case <-w.fetches[1]:
			w.fetches[1] = nil
		case <-w.loads[0]:
			w.loads[0] = nil
		case <-w.loads[1]:
			w.loads[1] = nil
		case <-limit.C:
			return false, nil
		case <-w.ctx.Done():
			return false, w.ctx.Err()
		}
		if w.enough() {
			return true, nil
		}
	}
	return false, nil
}

// joinCache begins to read the cache where that may bring keys, or joins who does, and returns how long to wait for it.
func (w *waiter) joinCache(now time.Time) (patience time.Duration, err error) {
	s := w.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := w.enter(now); err != nil {
		return 0, err
	}
	for i, d := range s.documents {
		if l := s.loadFor(d, now); l != nil {
			w.loads[i] = l.done
			// Nobody waits for a cache that hangs longer than the first who found it hanging.
			patience = max(patience, l.started.Add(cachePatience).Sub(now))
		}
	}
	w.count()
	return patience, nil
}

// joinFetches starts or joins the fetches that may bring the key kid.
func (w *waiter) joinFetches(kid string, now time.Time) error {
	s := w.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := w.enter(now); err != nil {
		return err
	}
	for i, d := range s.documents {
		if f := s.fetchFor(d, kid, now); f != nil {
			w.fetches[i] = f.done
		}
	}
	w.count()
	return nil
}

// enter returns errCrowded if the request would be one too many to wait. The caller holds the lock.
func (w *waiter) enter(now time.Time) error {
	limit := maxWaiting
	if !w.set.current.Load().has("", now) {
		limit = maxWaitingEmpty
	}
	// Whoever waits already may go on: the bound is on how many, not on how long.
	if !w.counted && w.set.waiting >= limit {
		return errCrowded
	}
	return nil
}

// count counts the request if it is going to wait. The caller holds the lock.
func (w *waiter) count() {
	if !w.counted && (w.fetches != (ends{}) || w.loads != (ends{})) {
		w.counted = true
		w.set.waiting++
	}
}

func (w *waiter) leave() {
	if !w.counted {
		return
	}
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.set.waiting--
}

// fetchFor returns the fetch to wait for so that the unknown key kid may become known ("": any key): the one that runs,
// or a new one. It returns nil where the allowance permits none, so that nobody ever waits for an allowance. The caller
// holds the lock.
func (s *Set) fetchFor(d *document, kid string, now time.Time) *flight {
	current := s.current.Load()
	// Another request's fetch may have brought it since it was looked for.
	if current.has(kid, now) {
		return nil
	}
	// Ready asks for no key, and must not use up what unknown keys may cost.
	if kid != "" {
		d.allowance.askedUnknown(now)
	}
	if d.running == nil {
		if !d.allowance.permits(now, !current.has("", now)) {
			return nil
		}
		s.begin(d, kid)
	}
	d.running.unknown = d.running.unknown || kid != ""
	return d.running
}
