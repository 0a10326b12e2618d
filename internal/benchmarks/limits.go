package main

import (
	"errors"
	"fmt"
)

// What the library may cost. Times are multiples of the bare signature check on one core.
const (
	maxNew          = 1.15     // a new token
	maxSeen         = 1.0 / 40 // a token seen before
	maxNewObjects   = 12       // allocations for a new token
	maxSeenObjects  = 1        // allocations for a token seen before
	minNewSustained = 0.85     // new tokens a second for each bare check a second, the collector included
	maxRefused      = 0.15     // a refusal with its answer
)

// findings are the measurements that have limits.
type findings struct {
	costs    costs
	refusals []refusal
}

// check returns an error that names every limit which the library exceeds.
func (f findings) check() error {
	var over []error
	limit := func(what string, got, most float64) {
		if !(got <= most) { // NaN exceeds every limit.
			over = append(over, fmt.Errorf("%s: got %.3f, want %.3f at most", what, got, most))
		}
	}
	fresh, seen := f.costs[newRow], f.costs[seenRow]
	limit("a new token, as a multiple of the bare signature check", fresh.one, maxNew)
	limit("a token seen before, as a multiple of the bare signature check", seen.one, maxSeen)
	limit("allocations for a new token", fresh.allocations, maxNewObjects)
	limit("allocations for a token seen before", seen.allocations, maxSeenObjects)
	limit("bare checks a second for each new token a second, the collector included", 1/fresh.sustained, 1/minNewSustained)
	for _, r := range f.refusals {
		limit("refusing with an answer, as a multiple of the bare signature check: "+r.name, r.answered, maxRefused)
	}
	return errors.Join(over...)
}
