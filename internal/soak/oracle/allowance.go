package oracle

import (
	"fmt"
	"time"
)

// The bounds that package entra states for its fetches.
const (
	unknownMin      = 5 * time.Second
	unknownMax      = 5 * time.Minute
	unknownReset    = 10 * time.Minute
	failureMin      = time.Second
	failureMax      = time.Minute
	failureMaxEmpty = 5 * time.Second
	refreshAfter    = time.Hour
)

// allowance follows when a Verifier may fetch. From outside one cannot always see whether a fetch was asked for by an
// unknown key that it brought, which lifts the delay: atLeast takes it that it was, atMost that it was not.
type allowance struct {
	good    time.Time     // the end of the last good fetch
	failure time.Duration // the delay after the last fetch, if it failed
	// No fetch before waitsUntil, and none is held back after heldUntil: a delay may count from the begin of the
	// fetch that failed or from its end.
	waitsUntil, heldUntil time.Time

	atLeast, atMost time.Duration // the delay for unknown keys after good
	freshUntil      time.Time     // a fetch brought a new key: those who asked for it may still be about to say so
	fresh           bool          // the fetch that runs brought a new key
	lastBegan       time.Time
}

func (a allowance) String() string {
	return fmt.Sprintf("delay for unknown keys %s to %s after the last good fetch at %s, failure delay %s until %s",
		a.atLeast, a.atMost, a.good.Format("15:04:05.000"), a.failure, a.waitsUntil.Format("15:04:05.000"))
}

// earliest returns when the next fetch may begin, whatever asks for it now.
func (a *allowance) earliest(now time.Time) time.Time {
	if a.good.IsZero() || now.Sub(a.good) >= refreshAfter {
		return a.waitsUntil
	}
	if unknown := a.good.Add(a.atLeast); unknown.After(a.waitsUntil) {
		return unknown
	}
	return a.waitsUntil
}

// permittedBy returns from when on an unknown key surely starts a fetch.
func (a *allowance) permittedBy() time.Time {
	until := a.heldUntil
	if unknown := a.good.Add(a.atMost); !a.good.IsZero() && unknown.After(until) {
		until = unknown
	}
	return until.Add(Slack)
}

func (a *allowance) began(now time.Time) {
	// Ten minutes without a fetch may have been ten minutes without an unknown key, which lift the delay. And after an
	// hour without a good one nobody need have asked for this one, so that it does not double the delay.
	if now.Sub(a.lastBegan) >= unknownReset || now.Sub(a.good) >= refreshAfter {
		a.atLeast = 0
	}
	a.lastBegan = now
}

func (a *allowance) succeeded(now time.Time, fresh bool) {
	a.good, a.fresh = now, fresh
	a.failure, a.waitsUntil, a.heldUntil = 0, time.Time{}, time.Time{}
	a.atMost = min(max(unknownMin, 2*a.atMost), unknownMax)
	if fresh {
		a.freshUntil = now.Add(Slack)
	}
	if now.Before(a.freshUntil) {
		a.atLeast = 0
	} else {
		a.atLeast = min(max(unknownMin, 2*a.atLeast), unknownMax)
	}
}

// ended moves the end of a good fetch to where the answer was closed.
func (a *allowance) ended(now time.Time) { a.good = now }

// brought says that somebody who waited for the last good fetch got his key from it.
func (a *allowance) brought() { a.atMost = 0 }

func (a *allowance) failed(began, now time.Time, retryAfter time.Duration, empty bool) {
	limit := failureMax
	if empty {
		limit = failureMaxEmpty
	}
	a.failure = min(max(failureMin, 2*a.failure), limit)
	delay := min(max(a.failure, retryAfter), limit)
	a.waitsUntil, a.heldUntil = began.Add(delay), now.Add(delay)
}
