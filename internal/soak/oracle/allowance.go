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

// startup is what may lie between the start of a fetch, from which a delay counts, and its request, which is seen.
const startup = time.Second

// allowance follows when a Verifier may fetch. From outside one cannot always see whether a fetch was asked for by an
// unknown key that it brought, which lifts the delay: atLeast takes it that it was, atMost that it was not.
type allowance struct {
	good    time.Time     // the end of the last good fetch
	failure time.Duration // the delay after the last fetch, if it failed
	// No fetch before waitsUntil, and none is held back after heldUntil: a delay counts from the begin of the fetch that
	// failed, which a hung one has kept already, but nobody need rely on that.
	waitsUntil, heldUntil time.Time

	atLeast, atMost time.Duration // the delay for unknown keys after good
	freshUntil      time.Time     // a fetch brought a new key: those who asked for it may still be about to say so
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
	return later(a.waitsUntil, a.good.Add(a.atLeast))
}

// permittedBy returns from when on an unknown key surely starts a fetch.
func (a *allowance) permittedBy() time.Time {
	if a.good.IsZero() {
		return a.heldUntil.Add(Slack)
	}
	return later(a.heldUntil, a.good.Add(a.atMost)).Add(Slack)
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
	a.good = now
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
	asked := now.Add(min(retryAfter, limit))
	a.waitsUntil, a.heldUntil = later(began.Add(a.failure-startup), asked), later(now.Add(a.failure), asked)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
