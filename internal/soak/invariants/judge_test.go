package invariants_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

// asks is a request with a good token of the key, answered at once.
func asks(keyID string, when float64, answer invariants.Answer) invariants.Exchange {
	return invariants.Exchange{
		Token:    invariants.Token{KeyID: keyID, Merit: ok},
		Verifier: 1,
		Arrived:  at(when),
		Ended:    at(when + 0.001),
		Answer:   answer,
	}
}

var (
	ok          = invariants.Answer{Status: 200}
	lacksScope  = invariants.Answer{Status: 403, Reason: "scope"}
	unknownKey  = invariants.Answer{Status: 401, Reason: "unknown_key"}
	badlySigned = invariants.Answer{Status: 401, Reason: "signature"}
	unavailable = invariants.Answer{Status: 503, Reason: "keys_unavailable"}
	expired     = invariants.Answer{Status: 401, Reason: "expired"}
	early       = invariants.Answer{Status: 401, Reason: "not_yet_valid"}
	malformed   = invariants.Answer{Status: 401, Reason: "malformed"}
)

func TestVerdicts(t *testing.T) {
	held := func(c course) { c.brings(1, "k") }
	other := func(c course) { c.brings(1, "l") }
	none := func(course) {}
	down := func(c course) { c.Troubled() }
	for _, row := range []struct {
		name   string
		before func(course)
		asks   invariants.Exchange
		fault  invariants.Fault
		ground invariants.Ground
	}{
		{"a held key is accepted", held, asks("k", 10, ok), invariants.None, invariants.Held},
		{"a held key is refused", held, asks("k", 10, unknownKey), invariants.Refused, invariants.Held},
		{"a held key is refused while Entra is down", func(c course) { held(c); c.Troubled() }, asks("k", 10, unknownKey), invariants.Refused, invariants.Held},
		{"a held key is refused after Entra has withdrawn it", func(c course) { held(c); c.Unlisted("k") }, asks("k", 10, unknownKey), invariants.Refused, invariants.Held},
		{"503 although keys are held", held, asks("k", 10, unavailable), invariants.Refused, invariants.Held},
		{"a good token gets 403", held, asks("k", 10, lacksScope), invariants.Refused, invariants.Held},
		{"refused although it came while the fetch ran that brought its key", held, asks("k", 1.1, unknownKey), invariants.Refused, invariants.Joined},
		{"refused a moment before the fetch began", held, asks("k", 0.9999, unknownKey), invariants.Other, invariants.Never},
		{"503 a moment before the fetch began", held, asks("k", 0.9999, unavailable), invariants.None, invariants.Never},

		{"a key in no document is unknown", other, asks("k", 2, unknownKey), invariants.None, invariants.Never},
		{"a key in no document is accepted", other, asks("k", 2, ok), invariants.Accepted, invariants.Never},
		{"a key in no document is judged", other, asks("k", 2, badlySigned), invariants.Other, invariants.Never},
		{"a key in no document, and 503 although others are held", other, asks("k", 2, unavailable), invariants.Other, invariants.Never},
		{"a junk key ID is unknown", held, asks("junk", 10, unknownKey), invariants.None, invariants.Never},
		{"a junk key ID is accepted", held, asks("junk", 10, ok), invariants.Accepted, invariants.Never},
		{"a junk key ID gets 503 although keys are held", held, asks("junk", 10, unavailable), invariants.Other, invariants.Never},

		{"a restored key is accepted", func(c course) { c.restores(1, "k") }, asks("k", 3.1, ok), invariants.None, invariants.Held},
		{"a restored key is refused", func(c course) { c.restores(1, "k") }, asks("k", 3.1, unknownKey), invariants.Refused, invariants.Held},
		{"a restored key is refused while Entra is down", func(c course) { c.restores(1, "k"); c.Troubled() }, asks("k", 3.1, unavailable), invariants.Refused, invariants.Held},
		{"a restored key may not be held at once", func(c course) { c.Troubled(); c.restores(1, "k") }, asks("k", 1.5, unavailable), invariants.None, invariants.Open},
		{"a key that was not restored is accepted", func(c course) { c.restores(1, "l") }, asks("k", 4, ok), invariants.Accepted, invariants.Never},
		{"503 although keys were restored", func(c course) { c.Troubled(); c.restores(1, "l") }, asks("k", 4, unavailable), invariants.Other, invariants.Never},

		{"no key held and Entra down", down, asks("k", 60, unavailable), invariants.None, invariants.Never},
		{"no key held, and 401", down, asks("k", 60, unknownKey), invariants.Other, invariants.Never},
		{"no key held, and accepted", down, asks("k", 60, ok), invariants.Accepted, invariants.Never},
		{"no key held 11 seconds after Entra's return", none, asks("k", 11, unavailable), invariants.None, invariants.Never},
		{"no key held 13 seconds after Entra's return", none, asks("k", 13, unavailable), invariants.Refused, invariants.Back},
		{"no key held 13 seconds after Entra's return, and 401", none, asks("k", 13, unknownKey), invariants.Refused, invariants.Back},
		{"accepted 13 seconds after Entra's return", func(c course) { c.brings(13.0001, "k") }, asks("k", 13, ok), invariants.None, invariants.Back},
		{"a new key is unknown 13 seconds after Entra's return", func(c course) { c.Listed(at(2), "new") }, asks("new", 13, unknownKey), invariants.None, invariants.Never},
		{"junk gets 503 13 seconds after Entra's return", none, asks("junk", 13, unavailable), invariants.Other, invariants.Never},
		{"no key held by a Verifier of 11 seconds", func(c course) { c.Started(1, at(5)) }, asks("k", 16, unavailable), invariants.None, invariants.Never},
		{"no key held by a Verifier of 13 seconds", func(c course) { c.Started(1, at(5)) }, asks("k", 18, unavailable), invariants.Refused, invariants.Back},
		{"no key held, but the machine stood still", func(c course) { c.Stalled(at(5)) }, asks("k", 13, unavailable), invariants.None, invariants.Never},
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

// A key that is being delivered may be found or not.
func TestWhileAKeyIsDelivered(t *testing.T) {
	for _, row := range []struct {
		answer invariants.Answer
		fault  invariants.Fault
	}{
		{ok, invariants.None},
		{unknownKey, invariants.None},
		{unavailable, invariants.Refused}, // Others are held.
		{badlySigned, invariants.Refused},
	} {
		c := well(t)
		c.brings(1, "l")
		c.brings(8, "k", "l")
		x := asks("k", 7.9, row.answer)
		x.Ended = at(8.31)
		if got := c.Judge(x); got.Fault != row.fault || got.Ground != invariants.Open {
			t.Errorf("%s: got %q because %q, want %q because %q", row.answer, got.Fault, got.Ground, row.fault, invariants.Open)
		}
	}
}

func TestTokensThatNeedNoKey(t *testing.T) {
	x := invariants.Exchange{Token: invariants.Token{Merit: malformed}, Verifier: 1, Arrived: at(1), Ended: at(1.1)}
	for _, row := range []struct {
		answer invariants.Answer
		fault  invariants.Fault
	}{
		{malformed, invariants.None},
		{badlySigned, invariants.Other},
		{unavailable, invariants.Other},
		{lacksScope, invariants.Accepted},
		{ok, invariants.Accepted},
	} {
		x.Answer = row.answer
		if got := well(t).Judge(x); got.Fault != row.fault {
			t.Errorf("%s: got %q, want %q", row.answer, got.Fault, row.fault)
		}
	}
}

func TestTokensThatLackAPermission(t *testing.T) {
	for _, row := range []struct {
		answer invariants.Answer
		fault  invariants.Fault
	}{
		{lacksScope, invariants.None},
		{ok, invariants.Accepted},
		{badlySigned, invariants.Refused},
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
		answer         invariants.Answer
		fault          invariants.Fault
	}{
		{"before it begins", 8, 8.1, early, invariants.None},
		{"accepted before it begins", 8, 8.1, ok, invariants.Accepted},
		{"while it begins, refused", 9.9, 10, early, invariants.None},
		{"while it begins, accepted", 9.9, 10, ok, invariants.None},
		{"within", 10, 10.1, ok, invariants.None},
		{"refused within", 10, 10.1, expired, invariants.Refused},
		{"while it ends, accepted", 19.9, 20, ok, invariants.None},
		{"while it ends, refused", 19.9, 20, expired, invariants.None},
		{"after its end", 20, 20.1, expired, invariants.None},
		{"accepted after its end", 20, 20.1, ok, invariants.Accepted},
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
		answer invariants.Answer
		took   float64
		stall  time.Duration
		fault  invariants.Fault
	}{
		{"a held key at once", "k", ok, 1, 0, invariants.None},
		{"a held key that waits", "k", ok, 5.1, 0, invariants.Late},
		{"a held key that waits for the machine", "k", ok, 5.1, time.Second, invariants.None},
		{"a token that needs no key", "", ok, 5.1, 0, invariants.Late},
		{"an unknown key that waits for a fetch", "junk", unknownKey, 10, 0, invariants.None},
		{"an unknown key that waits for longer", "junk", unknownKey, 15.1, 0, invariants.Late},
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
