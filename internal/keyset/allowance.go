package keyset

import "time"

const (
	// After a fetch that did not bring the unknown key asked for, the next one for an unknown key starts no sooner
	// than unknownMin later, doubling to unknownMax: junk key IDs cost a handful of fetches, a key that Entra publishes
	// a moment late is found within seconds.
	unknownMin   = 5 * time.Second
	unknownMax   = 5 * time.Minute
	unknownReset = 10 * time.Minute // without any unknown key
	// After a failed fetch the next one starts no sooner than failureMin later, doubling.
	failureMin      = time.Second
	failureMax      = time.Minute
	failureMaxEmpty = 5 * time.Second // while no key is held and every request waits for one
)

// allowance says when the next fetch of a document may start. It is a value without lock or clock: whoever holds it
// tells it what happened and when. "Empty" means that no key is held, so that every request waits for the fetch. The
// zero value permits a fetch at once.
type allowance struct {
	unknownDelay time.Duration // 0: the next unknown key may start a fetch
	missed       time.Time     // the end of the last fetch that did not bring the key asked for
	lastUnknown  time.Time     // when an unknown key was last asked for
	failureDelay time.Duration // 0: the last fetch was good
	rest         time.Time     // after a failure, no fetch starts before
	restEmpty    time.Time     // the same while no key is held
}

// askedUnknown notes that a key was asked for that is not held.
func (a *allowance) askedUnknown(now time.Time) {
	if now.Sub(a.lastUnknown) >= unknownReset {
		a.unknownDelay = 0
	}
	a.lastUnknown = now
}

// permits reports whether a fetch for an unknown key may start now.
func (a *allowance) permits(now time.Time, empty bool) bool {
	if a.failureWait(now, empty) > 0 {
		return false
	}
	// Without any key the unknown ones are not to blame: a fetch is what everybody needs.
	return empty || a.unknownDelay == 0 || now.Sub(a.missed) >= a.unknownDelay
}

// failureWait returns how long the next fetch still has to wait after the last failure; not positive: it need not.
func (a *allowance) failureWait(now time.Time, empty bool) time.Duration {
	if empty {
		return a.restEmpty.Sub(now)
	}
	return a.rest.Sub(now)
}

// failed notes that a fetch failed, and how long the answer asked to wait (Retry-After). While no key is held the rest
// begins with the failed fetch, not with its end: one that hung for 10 seconds has rested long enough.
func (a *allowance) failed(started, now time.Time, retryAfter time.Duration, empty bool) {
	limit := failureMax
	if empty {
		limit = failureMaxEmpty
	}
	a.failureDelay = min(max(failureMin, 2*a.failureDelay), limit)
	a.rest = now.Add(max(a.failureDelay, min(retryAfter, failureMax)))
	a.restEmpty = later(started.Add(min(a.failureDelay, failureMaxEmpty)), now.Add(min(retryAfter, failureMaxEmpty)))
}

// succeeded notes a good fetch. Whether it brought the key asked for is said by found and notFound.
func (a *allowance) succeeded() {
	a.failureDelay, a.rest, a.restEmpty = 0, time.Time{}, time.Time{}
}

// found notes that a fetch brought the key asked for: it was worth it.
func (a *allowance) found() { a.unknownDelay = 0 }

// notFound notes that a good fetch did not bring the key asked for.
func (a *allowance) notFound(now time.Time) {
	a.unknownDelay = min(max(unknownMin, 2*a.unknownDelay), unknownMax)
	a.missed = now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
