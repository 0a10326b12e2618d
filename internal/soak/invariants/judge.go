package invariants

import (
	"fmt"
	"slices"
	"time"
)

// Answer is what a client sees of an answer.
type Answer struct {
	Status int
	Reason string // of the problem document; "" if there was none
}

func (a Answer) String() string {
	if a.Reason == "" {
		return fmt.Sprint(a.Status)
	}
	return fmt.Sprint(a.Status, " ", a.Reason)
}

// The answers that depend on the keys held and on the clock, not on the token alone.
var (
	unknownKey  = Answer{401, "unknown_key"}
	unavailable = Answer{503, "keys_unavailable"}
	expired     = Answer{401, "expired"}
	notYetValid = Answer{401, "not_yet_valid"}
)

// letIn reports whether the token was believed: permissions are asked for afterwards.
func (a Answer) letIn() bool { return a.Status == 200 || a.Status == 403 }

// Token is what a request carries, as far as the right answer depends on it.
type Token struct {
	// KeyID names the key without which the token is not judged; "" if it is refused before any key is looked up.
	KeyID string
	// Merit is the answer that the token deserves once its key is held.
	Merit Answer
	// From and Until bound the time in which Merit holds, where they are set: before From the token is not valid yet,
	// from Until on it has expired.
	From, Until time.Time
}

// merits returns the answers that the token deserves if it is judged at some moment between two times.
func (t Token) merits(from, to time.Time) (answers []Answer) {
	if !t.From.IsZero() && from.Before(t.From) {
		answers = append(answers, notYetValid)
	}
	if (t.From.IsZero() || !to.Before(t.From)) && (t.Until.IsZero() || from.Before(t.Until)) {
		answers = append(answers, t.Merit)
	}
	if !t.Until.IsZero() && !to.Before(t.Until) {
		answers = append(answers, expired)
	}
	return answers
}

// Exchange is a request and its answer.
type Exchange struct {
	Token
	Verifier int           // the number of the one that answered
	Arrived  time.Time     // at the API
	Ended    time.Time     // when the client had read the answer
	Stalled  time.Duration // how long the machine stood still meanwhile
	Answer   Answer
}

// Ground is what a judgement rests on.
type Ground int

// The grounds.
const (
	Always Ground = iota // the answer does not depend on keys
	Held                 // the key had been named to the Verifier, so the token is judged on its merits, at once
	Joined               // the fetch that brought the key ran, so the token waits for it and is judged on its merits
	Back                 // the key had not, but Entra was back for so long that it must be
	Never                // no document has named the key to this Verifier, so the token is refused for want of it
	Open                 // the key was being delivered: either of these
)

func (g Ground) String() string {
	return [...]string{"always", "key held", "key being fetched", "Entra back", "key never named", "open"}[g]
}

// Fault is what is wrong with an answer.
type Fault int

// The faults. Accepted and Refused are the grave ones.
const (
	None     Fault = iota
	Accepted       // a request was let in that must be refused
	Refused        // a request was refused that must be let in
	Other          // rightly refused, with the wrong status or reason
	Late           // right, but later than promised
)

func (f Fault) String() string {
	return [...]string{"right", "wrongly accepted", "wrongly refused", "wrong answer", "late"}[f]
}

// Verdict is a judgement.
type Verdict struct {
	Fault    Fault
	Ground   Ground
	Expected []Answer // those that would have been right
}

// Judge judges an exchange. Call it soon after the exchange: what Entra lists now is taken for what it listed then,
// unless that changed meanwhile.
func (l *Ledger) Judge(x Exchange) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Verdict{Ground: Always, Expected: x.merits(x.Arrived, x.Ended)}
	if x.KeyID != "" {
		v.Ground, v.Expected = l.expect(l.verifiers[x.Verifier], x, v.Expected)
	}
	v.Fault = fault(x, v)
	return v
}

// expect returns the right answers to a request whose token names a key.
func (l *Ledger) expect(v *verifier, x Exchange, merits []Answer) (Ground, []Answer) {
	named, known := v.keys[x.KeyID]
	switch {
	case known && named.at.Add(Slack).Before(x.Arrived):
		return Held, merits
	case known && !named.began.After(x.Arrived):
		return Joined, merits
	}
	withKeys := v.hadKeysFor(x.Arrived)
	back := l.back(v, x)
	if listed := l.listed[x.KeyID]; back && !withKeys && !listed.IsZero() && listed.Before(x.Arrived.Add(-comeback-Slack)) {
		return Back, merits
	}
	var without []Answer
	if !withKeys && !back {
		without = append(without, unavailable)
	}
	if withKeys || back || v.toldBy(x.Ended) {
		without = append(without, unknownKey)
	}
	if !known || named.at.After(x.Ended) {
		return Never, without
	}
	return Open, slices.Concat(merits, without)
}

// back reports whether Entra has been well for so long that the Verifier must hold keys, whatever was before.
func (l *Ledger) back(v *verifier, x Exchange) bool {
	since := latest(l.wellSince, v.started)
	return x.Stalled < LongStall && !l.wellSince.IsZero() && since.Add(comeback+Slack).Before(x.Arrived)
}

// hadKeysFor reports whether a request that arrived then surely found some key held, or waited for a fetch that brought one.
func (v *verifier) hadKeysFor(then time.Time) bool {
	for _, d := range v.keys {
		if !d.began.After(then) {
			return true
		}
	}
	return false
}

// toldBy reports whether any good document had reached the Verifier by then.
func (v *verifier) toldBy(then time.Time) bool {
	for _, d := range v.keys {
		if !d.at.After(then) {
			return true
		}
	}
	return false
}

func fault(x Exchange, v Verdict) Fault {
	switch {
	case slices.Contains(v.Expected, x.Answer):
		took := x.Ended.Sub(x.Arrived) - x.Stalled
		if took > comeback+starved || v.Ground <= Held && took > starved {
			return Late
		}
		return None
	case x.Answer.letIn() && !slices.ContainsFunc(v.Expected, Answer.letIn), x.Answer.Status == 200:
		return Accepted
	case slices.ContainsFunc(v.Expected, Answer.letIn):
		return Refused
	}
	return Other
}
