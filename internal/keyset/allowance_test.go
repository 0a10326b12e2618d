package keyset

import (
	"slices"
	"testing"
	"time"
)

// event is something that an allowance is told of, that long after the first one.
type event struct {
	after time.Duration
	tell  func(a *allowance, now time.Time)
}

func asked(after time.Duration) event {
	return event{after, func(a *allowance, now time.Time) { a.askedUnknown(now) }}
}

// missed is a good fetch that did not bring the key asked for.
func missed(after time.Duration) event { return missedIn(0, after) }

// missedIn is one that took so long.
func missedIn(took, after time.Duration) event {
	return event{after, func(a *allowance, now time.Time) { a.askedUnknown(now); a.succeeded(); a.notFound(now.Add(-took), now) }}
}

func found(after time.Duration) event {
	return event{after, func(a *allowance, _ time.Time) { a.succeeded(); a.found() }}
}

func good(after time.Duration) event {
	return event{after, func(a *allowance, _ time.Time) { a.succeeded() }}
}

// failed is a fetch that failed after it had run for took.
func failed(after, took, retryAfter time.Duration, empty bool) event {
	return event{after, func(a *allowance, now time.Time) { a.failed(now.Add(-took), now, retryAfter, empty) }}
}

// first returns how long after the last event a fetch for an unknown key may start.
func (a *allowance) first(last time.Time, empty bool) time.Duration {
	for wait := time.Duration(0); wait < time.Hour; wait += time.Second {
		if a.permits(last.Add(wait), empty) {
			return wait
		}
	}
	return time.Hour
}

func TestWhenAFetchMayStart(t *testing.T) {
	const held, empty = false, true
	repeat := func(e event, count int) (all []event) {
		for i := range count {
			all = append(all, event{e.after * time.Duration(i), e.tell})
		}
		return all
	}
	tests := map[string]struct {
		events      []event
		held, empty time.Duration // until a fetch for an unknown key may start: with keys held, and without any
	}{
		"nothing has happened yet":                        {nil, 0, 0},
		"an unknown key was asked for":                    {[]event{asked(0)}, 0, 0},
		"a fetch did not bring the key":                   {[]event{missed(0)}, 5 * time.Second, 0},
		"a second one did not":                            {repeat(missed(5*time.Second), 2), 10 * time.Second, 0},
		"a third one did not":                             {repeat(missed(10*time.Second), 3), 20 * time.Second, 0},
		"a fourth one did not":                            {repeat(missed(20*time.Second), 4), 40 * time.Second, 0},
		"a fifth one did not":                             {repeat(missed(time.Minute), 5), time.Minute, 0},
		"a hundredth one did not":                         {repeat(missed(9*time.Minute), 100), time.Minute, 0},
		"a slow fetch did not bring the key":              {[]event{missedIn(9*time.Second, 0)}, 5 * time.Second, 0},
		"a fourth slow one did not":                       {repeat(missedIn(9*time.Second, 20*time.Second), 4), 40 * time.Second, 0},
		"a hundredth slow one did not":                    {repeat(missedIn(9*time.Second, time.Minute), 100), 51 * time.Second, 0},
		"one that ignored its context for an hour":        {repeat(missedIn(time.Hour, time.Minute), 100), 50 * time.Second, 0},
		"a seventh slow failure":                          {repeat(failed(time.Minute, 10*time.Second, 0, held), 7), 50 * time.Second, 0},
		"a slow failure that asked for an hour":           {[]event{failed(0, 10*time.Second, time.Hour, held)}, time.Minute, 5 * time.Second},
		"the key came":                                    {[]event{missed(0), missed(5 * time.Second), found(15 * time.Second)}, 0, 0},
		"a good fetch for a refresh":                      {[]event{missed(0), missed(5 * time.Second), good(5 * time.Second)}, 10 * time.Second, 0},
		"ten minutes without an unknown key":              {[]event{missed(0), missed(5 * time.Second), asked(10*time.Minute + 5*time.Second)}, 0, 0},
		"less than ten minutes without an unknown key":    {[]event{missed(0), missed(5 * time.Second), asked(10 * time.Minute), missed(10 * time.Minute)}, 20 * time.Second, 0},
		"unknown keys all the time for ten minutes":       {[]event{missed(0), asked(5 * time.Minute), missed(10 * time.Minute)}, 10 * time.Second, 0},
		"a failed fetch":                                  {[]event{failed(0, 0, 0, held)}, time.Second, time.Second},
		"a second failed fetch":                           {repeat(failed(time.Second, 0, 0, held), 2), 2 * time.Second, 2 * time.Second},
		"a seventh failed fetch":                          {repeat(failed(time.Minute, 0, 0, held), 7), time.Minute, 5 * time.Second},
		"a failed fetch without keys":                     {[]event{failed(0, 0, 0, empty)}, time.Second, time.Second},
		"a seventh failed fetch without keys":             {repeat(failed(5*time.Second, 0, 0, empty), 7), 5 * time.Second, 5 * time.Second},
		"a failed fetch that took ten seconds":            {[]event{failed(0, 10*time.Second, 0, empty)}, time.Second, 0},
		"a seventh one that took three seconds":           {repeat(failed(8*time.Second, 3*time.Second, 0, empty), 7), 5 * time.Second, 2 * time.Second},
		"an answer that asked for three seconds":          {[]event{failed(0, 0, 3*time.Second, held)}, 3 * time.Second, 3 * time.Second},
		"an answer that asked for less than the delay":    {append(repeat(failed(time.Second, 0, 0, held), 3), failed(7*time.Second, 0, time.Second, held)), 8 * time.Second, 5 * time.Second},
		"an answer that asked for an hour":                {[]event{failed(0, 0, time.Hour, held)}, time.Minute, 5 * time.Second},
		"an answer without keys that asked for an hour":   {[]event{failed(0, 0, time.Hour, empty)}, time.Minute, 5 * time.Second},
		"an answer after ten seconds that asked for four": {[]event{failed(0, 10*time.Second, 4*time.Second, empty)}, 4 * time.Second, 4 * time.Second},
		"a good fetch after failed ones":                  {append(repeat(failed(time.Minute, 0, 0, held), 7), good(7*time.Minute)), 0, 0},
		"a failed fetch after a good one":                 {append(repeat(failed(time.Minute, 0, 0, held), 7), good(7*time.Minute), failed(8*time.Minute, 0, 0, held)), time.Second, time.Second},
		"a failed fetch is not one that missed the key":   {[]event{missed(0), failed(6*time.Second, 0, 0, held)}, time.Second, time.Second},
		"a failed fetch within the delay of a missed key": {[]event{missed(0), missed(5 * time.Second), failed(6*time.Second, 0, 0, held)}, 9 * time.Second, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			var a allowance
			last := start
			for _, e := range test.events {
				last = start.Add(e.after)
				e.tell(&a, last)
			}
			if got := a.first(last, held); got != test.held {
				t.Errorf("with keys held: got a fetch after %v, want %v", got, test.held)
			}
			if got := a.first(last, empty); got != test.empty {
				t.Errorf("without keys: got a fetch after %v, want %v", got, test.empty)
			}
		})
	}
}

// An unknown key every second for an hour, and a fetch whenever one may start.
func TestFetchesDuringAFlood(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var a allowance
	var got []int
	for second := range 3600 {
		now := start.Add(time.Duration(second) * time.Second)
		a.askedUnknown(now)
		if a.permits(now, false) {
			got = append(got, second)
			a.succeeded()
			a.notFound(now, now)
		}
	}
	want := []int{0, 5, 15, 35}
	for second := 75; second < 3600; second += 60 {
		want = append(want, second)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got fetches at %v seconds, want %v", got, want)
	}
}

// What a client is told to wait is what is left of the wait, and nothing once it is over.
func TestWaitThatIsLeft(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var a allowance
	a.failed(start, start, 4*time.Second, true)
	for after, want := range map[time.Duration]time.Duration{0: 4 * time.Second, 1500 * time.Millisecond: 2500 * time.Millisecond, 4 * time.Second: 0} {
		if got := a.failureWait(start.Add(after), true); got != want {
			t.Errorf("after %v: got %v, want %v", after, got, want)
		}
	}
	if got := a.failureWait(start.Add(time.Hour), true); got > 0 {
		t.Errorf("an hour later: got %v, want no wait", got)
	}
}
