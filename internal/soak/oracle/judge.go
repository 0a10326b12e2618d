package oracle

import (
	"slices"
	"time"
)

// Ground is what a judgement rests on.
type Ground int

// The grounds.
const (
	Always Ground = iota // the answer does not depend on keys
	Held                 // the key was surely held, so that the token is judged on its merits
	Found                // the key was not held, but the bounds permitted a fetch and Entra listed it: it must be found
	Never                // no document named the key to this Verifier: the token must not be judged
	Open                 // either of these
)

func (g Ground) String() string {
	return [...]string{"always", "key held", "key must be found", "key never named", "open"}[g]
}

// Fault is what is wrong with an answer.
type Fault int

// The faults. Accepted and Refused are the grave ones.
const (
	None     Fault = iota
	Accepted       // a request was let in that must be refused
	Refused        // a request was refused that must be let in
	Other          // refused as it must be, with the wrong status or reason
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
	// Found is how long after it could first have been found a new key was, if this exchange is the first proof.
	Found time.Duration
}

// Judge judges an exchange. Call it soon after the exchange: what Entra does now is taken for what it did then, unless
// that changed meanwhile.
func (o *Oracle) Judge(x Exchange) Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := o.instances[x.Instance]
	merits := x.merits(x.Arrived, x.Ended)
	v := Verdict{Ground: Always, Expected: merits}
	if x.KeyID != "" {
		v.Ground, v.Expected = o.expect(in, x, merits)
	}
	v.Fault = fault(x, v)
	if v.Fault == None && x.KeyID != "" && slices.Contains(merits, x.Answer) {
		v.Found = o.learn(in, x)
	}
	return v
}

// expect returns the right answers to a request whose token names a key.
func (o *Oracle) expect(in *instance, x Exchange, merits []Answer) (Ground, []Answer) {
	if since := in.held[x.KeyID]; !since.IsZero() && since.Before(x.Arrived) {
		return Held, merits
	}
	if o.mustFind(in, x) {
		return Found, merits
	}
	var without []Answer
	mustHaveKeys := o.mustHaveKeys(in, x)
	if !mustHaveKeys {
		without = append(without, unavailable)
	}
	if mustHaveKeys || in.toldBy(x.Ended) {
		without = append(without, unknownKey)
	}
	if told := in.delivered[x.KeyID]; told.IsZero() || told.After(x.Ended) {
		return Never, without
	}
	return Open, slices.Concat(merits, without)
}

// mustFind reports whether the request had to find its key. It came while a fetch ran that brings the key, so that it
// waits for that; or Entra listed the key and was well all the while, and a new fetch was permitted.
func (o *Oracle) mustFind(in *instance, x Exchange) bool {
	if began := in.carried[x.KeyID]; !began.IsZero() && !began.After(x.Arrived) {
		return true
	}
	since := o.listed[x.KeyID]
	if since.IsZero() || since.After(x.Arrived) || !o.wellDuring(in, x) {
		return false
	}
	last := in.last(x.Arrived)
	switch {
	case last == nil:
		return true
	case last.ended.IsZero():
		return since.Before(last.began) && o.wellSince.Before(last.began)
	}
	return last.over(x.Arrived) && last.permitted.Before(x.Arrived)
}

// mustHaveKeys reports whether the Verifier had to hold some key in the end.
func (o *Oracle) mustHaveKeys(in *instance, x Exchange) bool {
	for _, since := range in.held {
		if since.Before(x.Arrived) {
			return true
		}
	}
	if !o.wellDuring(in, x) {
		return false
	}
	last := in.last(x.Arrived)
	switch {
	case last == nil, o.wellSince.Add(comeback + Slack).Before(x.Arrived):
		return true
	case last.ended.IsZero():
		return o.wellSince.Before(last.began)
	}
	return last.over(x.Arrived) && last.permittedEmpty.Before(x.Arrived)
}

// wellDuring reports whether Entra was well all the while, and seen to be.
func (o *Oracle) wellDuring(in *instance, x Exchange) bool {
	return x.Stalled < LongStall && !o.wellSince.IsZero() && !o.wellSince.After(x.Arrived) && !in.failedSince(x.Arrived)
}

// over reports whether the fetch had ended by then, and what it brought was surely held.
func (f *Fetch) over(then time.Time) bool {
	return !f.ended.IsZero() && f.ended.Add(Slack).Before(then)
}

// toldBy reports whether any good document had reached the Verifier by then.
func (in *instance) toldBy(then time.Time) bool {
	for _, since := range in.delivered {
		if !since.After(then) {
			return true
		}
	}
	return false
}

func fault(x Exchange, v Verdict) Fault {
	took := x.Ended.Sub(x.Arrived) - x.Stalled
	switch {
	case slices.Contains(v.Expected, x.Answer):
		if took > longestWait+starved || v.Ground <= Held && took > starved {
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

// letIn reports whether the token was believed: permissions are asked for afterwards.
func (a Answer) letIn() bool { return a.Status == 200 || a.Status == 403 }

// learn notes that the exchange proves its key held, and returns how long a key that Entra still lists took to be found.
func (o *Oracle) learn(in *instance, x Exchange) time.Duration {
	told := in.delivered[x.KeyID]
	in.noteWait(x, told)
	if since := in.held[x.KeyID]; since.Before(x.Ended) {
		return 0
	}
	in.held[x.KeyID] = x.Ended
	since := slices.MaxFunc([]time.Time{o.listed[x.KeyID], o.wellSince, in.started}, time.Time.Compare)
	if o.listed[x.KeyID].IsZero() || o.wellSince.IsZero() || told.Before(since) {
		return 0
	}
	return told.Sub(since)
}

// noteWait lifts the delay for unknown keys if the exchange waited for the last fetch and got its key from it: whoever
// came well before that fetch ended did, unless the machine kept him from asking.
func (in *instance) noteWait(x Exchange, told time.Time) {
	last := in.last(x.Ended)
	if last == nil || !last.good || last.ended.IsZero() || told.Before(last.began) {
		return
	}
	if x.Stalled == 0 && x.Arrived.Add(margin).Before(told) {
		in.allowance.brought()
		last.permitted = in.allowance.permittedBy()
	}
}
