package keyset

import "time"

const (
	// After a fetch that did not bring the unknown key asked for, the next one for an unknown key starts no sooner than
	// unknownMin later, doubling to unknownMax: a key that Entra publishes a moment late is found within seconds, and junk
	// costs a fetch a minute at most. Whoever sends a junk key ID every few minutes keeps the delay at unknownMax, so that
	// this is how long a new key can be kept out.
	unknownMin   = 5 * time.Second
	unknownMax   = time.Minute
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
	nextUnknown  time.Time     // before, none may, unless unknownDelay is 0
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
	return empty || a.unknownDelay == 0 || !now.Before(a.nextUnknown)
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
	a.rest = later(delayed(started, now, a.failureDelay, failureMax), now.Add(min(retryAfter, failureMax)))
	a.restEmpty = later(started.Add(min(a.failureDelay, failureMaxEmpty)), now.Add(min(retryAfter, failureMaxEmpty)))
}

// succeeded notes a good fetch. Whether it brought the key asked for is said by found and notFound.
func (a *allowance) succeeded() {
	a.failureDelay, a.rest, a.restEmpty = 0, time.Time{}, time.Time{}
}

// found notes that a fetch brought the key asked for: it was worth it.
func (a *allowance) found() { a.unknownDelay = 0 }

// notFound notes that a good fetch did not bring the key asked for.
func (a *allowance) notFound(started, now time.Time) {
	a.unknownDelay = min(max(unknownMin, 2*a.unknownDelay), unknownMax)
	a.nextUnknown = delayed(started, now, a.unknownDelay, unknownMax)
}

// delayed returns the end of a delay after a fetch. It counts from the end of the fetch, but is over at the latest that
// long after its start: a slow fetch keeps a new key out for no longer than a quick one.
func delayed(started, ended time.Time, delay, latest time.Duration) time.Time {
	// A transport that ignores its context can take longer than a fetch may, which is no reason to skip the delay.
	took := min(ended.Sub(started), fetchTimeout)
	return ended.Add(min(delay, latest-took))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
