package oracle_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/soak/oracle"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// course is what happened before a request: the oracle, and Verifier 1.
type course struct {
	t *testing.T
	*oracle.Oracle
}

// well is an Entra that lists the key "k", and a Verifier without keys.
func well(t *testing.T) course {
	c := course{t, oracle.New()}
	c.Listed(at(0), "k")
	c.Well(at(0))
	c.Started(1, at(0))
	return c
}

// begin begins a fetch that must be within the bounds.
func (c course) begin(when float64) *oracle.Fetch {
	c.t.Helper()
	f, err := c.Began(1, at(when))
	if err != nil {
		c.t.Fatalf("the fetch at %v s: got %v, want no error", when, err)
	}
	return f
}

// brings is a fetch of 300 ms that brings the keys.
func (c course) brings(when float64, keyIDs ...string) {
	c.t.Helper()
	f := c.begin(when)
	f.Delivered(at(when+0.3), keyIDs)
	if err := f.Ended(at(when+0.3), 0); err != nil {
		c.t.Fatalf("the fetch at %v s: got %v, want no error", when, err)
	}
}

// fails is a fetch of 300 ms that fails.
func (c course) fails(when float64) {
	c.t.Helper()
	_ = c.begin(when).Ended(at(when+0.3), 0) // Entra may be well: it is the fetch after it that matters.
}

// asks is a request with a good token of the key, answered at once.
func asks(keyID string, when float64, answer oracle.Answer) oracle.Exchange {
	return oracle.Exchange{
		Token:    oracle.Token{KeyID: keyID, Merit: ok},
		Instance: 1,
		Arrived:  at(when),
		Ended:    at(when + 0.001),
		Answer:   answer,
	}
}

var (
	ok          = oracle.Answer{Status: 200}
	lacksScope  = oracle.Answer{Status: 403, Reason: "scope"}
	unknownKey  = oracle.Answer{Status: 401, Reason: "unknown_key"}
	badlySigned = oracle.Answer{Status: 401, Reason: "signature"}
	unavailable = oracle.Answer{Status: 503, Reason: "keys_unavailable"}
	expired     = oracle.Answer{Status: 401, Reason: "expired"}
	early       = oracle.Answer{Status: 401, Reason: "not_yet_valid"}
	malformed   = oracle.Answer{Status: 401, Reason: "malformed"}
)

func TestVerdicts(t *testing.T) {
	held := func(c course) { c.brings(1, "k") }
	never := func(c course) { c.brings(1, "other") }
	none := func(course) {}
	down := func(c course) { c.Troubled() }
	for _, row := range []struct {
		name   string
		before func(course)
		asks   oracle.Exchange
		fault  oracle.Fault
		ground oracle.Ground
	}{
		{"a held key is accepted", held, asks("k", 10, ok), oracle.None, oracle.Held},
		{"a held key is refused", held, asks("k", 10, unknownKey), oracle.Refused, oracle.Held},
		{"a held key is refused while Entra is down", func(c course) { held(c); c.Troubled() }, asks("k", 10, unknownKey), oracle.Refused, oracle.Held},
		{"a held key is refused after Entra has withdrawn it", func(c course) { held(c); c.Unlisted("k") }, asks("k", 10, unknownKey), oracle.Refused, oracle.Held},
		{"503 although keys are held", held, asks("k", 10, unavailable), oracle.Refused, oracle.Held},
		{"a good token gets 403", held, asks("k", 10, lacksScope), oracle.Refused, oracle.Held},

		{"a key in no document is unknown", never, asks("k", 1.4, unknownKey), oracle.None, oracle.Never},
		{"a key in no document is accepted", never, asks("k", 1.4, ok), oracle.Accepted, oracle.Never},
		{"a key in no document is judged", never, asks("k", 1.4, badlySigned), oracle.Other, oracle.Never},
		{"a key in no document, and 503 although others are held", never, asks("k", 10, unavailable), oracle.Refused, oracle.Found},
		{"a junk key ID is unknown", held, asks("junk", 10, unknownKey), oracle.None, oracle.Never},
		{"a junk key ID is accepted", held, asks("junk", 10, ok), oracle.Accepted, oracle.Never},
		{"a junk key ID gets 503 although keys are held", held, asks("junk", 10, unavailable), oracle.Other, oracle.Never},

		{"no key held and Entra down", down, asks("k", 10, unavailable), oracle.None, oracle.Never},
		{"no key held, and 401", down, asks("k", 10, unknownKey), oracle.Other, oracle.Never},
		{"no key held, and accepted", down, asks("k", 10, ok), oracle.Accepted, oracle.Never},
		{"no key held and none asked for, but Entra is well", none, asks("k", 1, unavailable), oracle.Refused, oracle.Found},
		{"no key held, a fetch failed a moment ago", func(c course) { c.fails(1) }, asks("k", 1.5, unavailable), oracle.None, oracle.Never},
		{"no key held, a fetch failed long ago", func(c course) { c.fails(1) }, asks("k", 5, unavailable), oracle.Refused, oracle.Found},
		{"no key held 12 seconds after Entra's return", func(c course) { c.begin(1); c.Troubled(); c.Well(at(5)) }, asks("junk", 17.1, unavailable), oracle.Other, oracle.Never},
		{"no key held 12 seconds after Entra's return, for most of which the machine stood still", func(c course) { c.begin(1); c.Troubled(); c.Well(at(5)); c.Stalled(at(16)) }, asks("junk", 17.1, unavailable), oracle.None, oracle.Never},
		{"no key held 9 seconds after Entra's return", func(c course) { c.begin(1); c.Troubled(); c.Well(at(5)) }, asks("junk", 14, unavailable), oracle.None, oracle.Never},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			row.before(c)
			got := c.Judge(row.asks)
			if got.Fault != row.fault || got.Ground != row.ground {
				t.Errorf("got %q because %q (expected %v), want %q because %q", got.Fault, got.Ground, got.Expected, row.fault, row.ground)
			}
		})
	}
}

// A new key may be refused within the allowances for fetches and not beyond them.
func TestNewKeys(t *testing.T) {
	// The Verifier holds "k"; Entra lists "new" from second 2 on; at second 10 a junk key ID has cost a fetch.
	list := func(c course) { c.brings(1, "k"); c.Listed(at(2), "new") }
	for _, row := range []struct {
		name   string
		before func(course)
		asks   oracle.Exchange
		fault  oracle.Fault
	}{
		{"refused at once after a fetch that did not bring it", list, asks("new", 2.1, unknownKey), oracle.None},
		{"refused within 5 seconds of that fetch", list, asks("new", 6, unknownKey), oracle.None},
		{"refused beyond 5 seconds and slack", list, asks("new", 8.4, unknownKey), oracle.Refused},
		{"accepted beyond 5 seconds", list, asks("new", 8.4, ok), oracle.None},
		{"accepted before any document named it", list, asks("new", 6, ok), oracle.Accepted},
		{"refused beyond 5 seconds, but Entra is down", func(c course) { list(c); c.Troubled() }, asks("new", 9, unknownKey), oracle.None},
		{"refused beyond 5 seconds, but Entra was down a moment ago", func(c course) { list(c); c.Troubled(); c.Well(at(9.0005)) }, asks("new", 9, unknownKey), oracle.None},
		{"refused beyond 5 seconds, but the machine stood still a moment ago", func(c course) { list(c); c.Stalled(at(9.0005)) }, asks("new", 9, unknownKey), oracle.None},
		{"refused beyond 5 seconds, and the machine stood still before", func(c course) { list(c); c.Stalled(at(8)) }, asks("new", 9, unknownKey), oracle.Refused},
		{"refused beyond 5 seconds, but withdrawn", func(c course) { list(c); c.Unlisted("new") }, asks("new", 9, unknownKey), oracle.None},
		{"refused beyond 5 seconds, but that fetch failed", func(c course) { list(c); c.fails(9.0002) },
			oracle.Exchange{Token: oracle.Token{KeyID: "new", Merit: ok}, Instance: 1, Arrived: at(9), Ended: at(9.4), Answer: unknownKey}, oracle.None},
		{"refused within 10 seconds of a second vain fetch", func(c course) { c.brings(1, "k"); c.brings(8, "k"); c.Listed(at(9), "new") }, asks("new", 18, unknownKey), oracle.None},
		{"refused beyond 10 seconds and slack", func(c course) { c.brings(1, "k"); c.brings(8, "k"); c.Listed(at(9), "new") }, asks("new", 20.4, unknownKey), oracle.Refused},
		{"refused while a fetch runs that it must wait for", func(c course) { list(c); c.begin(7) }, asks("new", 7.1, unknownKey), oracle.Refused},
		{"refused while a fetch ran that began before it was listed", func(c course) { c.brings(1, "k"); c.begin(7); c.Listed(at(7.1), "new") }, asks("new", 7.2, unknownKey), oracle.None},
		{"refused although a fetch brought it", func(c course) { list(c); c.brings(7, "k", "new") }, asks("new", 7.2, unknownKey), oracle.Refused},
		{"accepted when a fetch brought it", func(c course) { list(c); c.brings(7, "k", "new") }, asks("new", 7.2, ok), oracle.None},
		{"refused long after a fetch brought it, with Entra down", func(c course) { list(c); c.brings(7, "k", "new"); c.Troubled() }, asks("new", 9.9, unknownKey), oracle.Refused},
		{"refused a moment after a failed fetch", func(c course) { list(c); c.fails(9) }, asks("new", 10, unknownKey), oracle.None},
		{"refused long after a failed fetch", func(c course) { list(c); c.fails(9) }, asks("new", 12.4, unknownKey), oracle.Refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			row.before(c)
			if got := c.Judge(row.asks); got.Fault != row.fault {
				t.Errorf("got %q because %q (expected %v), want %q", got.Fault, got.Ground, got.Expected, row.fault)
			}
		})
	}
}

// Who waited for a fetch and got his key from it lifts the delay for the next unknown key.
func TestAFetchThatBroughtItsKeyLiftsTheDelay(t *testing.T) {
	for _, row := range []struct {
		name    string
		arrived float64
		stalled time.Duration
		fault   oracle.Fault
	}{
		{"somebody surely waited", 8.01, 0, oracle.Refused},
		{"somebody may have come after it", 8.29, 0, oracle.None},
		{"somebody may have been kept from asking before", 8.01, time.Millisecond, oracle.None},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			c.brings(1, "k")
			c.Listed(at(2), "new")
			c.brings(8, "k", "new")
			waited := asks("new", row.arrived, ok)
			waited.Ended, waited.Stalled = at(8.31), row.stalled
			if got := c.Judge(waited); got.Fault != oracle.None {
				t.Fatalf("got %q, want the new key accepted", got.Fault)
			}
			c.Listed(at(9), "newer")
			if got := c.Judge(asks("newer", 11, unknownKey)); got.Fault != row.fault {
				t.Errorf("refused 2.7 s after the fetch: got %q, want %q", got.Fault, row.fault)
			}
		})
	}
}

func TestTokensThatNeedNoKey(t *testing.T) {
	x := oracle.Exchange{Token: oracle.Token{Merit: malformed}, Instance: 1, Arrived: at(1), Ended: at(1.1)}
	for _, row := range []struct {
		answer oracle.Answer
		fault  oracle.Fault
	}{
		{malformed, oracle.None},
		{badlySigned, oracle.Other},
		{unavailable, oracle.Other},
		{lacksScope, oracle.Accepted},
		{ok, oracle.Accepted},
	} {
		x.Answer = row.answer
		if got := well(t).Judge(x); got.Fault != row.fault {
			t.Errorf("%s: got %q, want %q", row.answer, got.Fault, row.fault)
		}
	}
}

func TestTokensThatLackAPermission(t *testing.T) {
	for _, row := range []struct {
		answer oracle.Answer
		fault  oracle.Fault
	}{
		{lacksScope, oracle.None},
		{ok, oracle.Accepted},
		{badlySigned, oracle.Refused},
	} {
		c := well(t)
		c.brings(1, "k")
		x := asks("k", 10, row.answer)
		x.Merit = lacksScope
		if got := c.Judge(x); got.Fault != row.fault {
			t.Errorf("%s: got %q, want %q", row.answer, got.Fault, row.fault)
		}
	}
}

func TestTokensThatBeginAndEnd(t *testing.T) {
	for _, row := range []struct {
		name           string
		arrived, ended float64
		answer         oracle.Answer
		fault          oracle.Fault
	}{
		{"before it begins", 8, 8.1, early, oracle.None},
		{"accepted before it begins", 8, 8.1, ok, oracle.Accepted},
		{"while it begins, refused", 9.9, 10, early, oracle.None},
		{"while it begins, accepted", 9.9, 10, ok, oracle.None},
		{"within", 10, 10.1, ok, oracle.None},
		{"refused within", 10, 10.1, expired, oracle.Refused},
		{"while it ends, accepted", 19.9, 20, ok, oracle.None},
		{"while it ends, refused", 19.9, 20, expired, oracle.None},
		{"after its end", 20, 20.1, expired, oracle.None},
		{"accepted after its end", 20, 20.1, ok, oracle.Accepted},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			c.brings(1, "k")
			x := asks("k", row.arrived, row.answer)
			x.Ended, x.From, x.Until = at(row.ended), at(10), at(20)
			if got := c.Judge(x); got.Fault != row.fault {
				t.Errorf("got %q (expected %v), want %q", got.Fault, got.Expected, row.fault)
			}
		})
	}
}

func TestLateAnswers(t *testing.T) {
	for _, row := range []struct {
		name   string
		key    string
		answer oracle.Answer
		took   float64
		stall  time.Duration
		fault  oracle.Fault
	}{
		{"a held key at once", "k", ok, 1, 0, oracle.None},
		{"a held key that waits", "k", ok, 5.1, 0, oracle.Late},
		{"a held key that waits for the machine", "k", ok, 5.1, time.Second, oracle.None},
		{"an unknown key that waits for a fetch", "junk", unknownKey, 10, 0, oracle.None},
		{"an unknown key that waits for longer", "junk", unknownKey, 15.1, 0, oracle.Late},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			c.brings(1, "k")
			x := asks(row.key, 10, row.answer)
			x.Ended, x.Stalled = at(10+row.took), row.stall
			if got := c.Judge(x); got.Fault != row.fault {
				t.Errorf("got %q, want %q", got.Fault, row.fault)
			}
		})
	}
}

func TestHowLongANewKeyTakes(t *testing.T) {
	c := well(t)
	c.brings(1, "k")
	c.Listed(at(2), "new")
	c.brings(7, "k", "new")
	if got := c.Judge(asks("new", 8, ok)); got.Found.Round(time.Millisecond) != 5300*time.Millisecond {
		t.Errorf("got %s, want 5.3s from listing to delivery", got.Found)
	}
	if got := c.Judge(asks("new", 9, ok)); got.Found != 0 {
		t.Errorf("the second time: got %s, want 0", got.Found)
	}
}
