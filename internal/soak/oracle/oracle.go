// Package oracle decides whether the answer to a request was right, from what the fake Entra published, from what each
// Verifier fetched, and from the bounds that package entra states. It shares no code with what it judges.
//
// Requests and fetches overlap, so that often two answers are right. The oracle then accepts both; where one of them
// can be excluded it says by which [Ground]. Whatever it takes for certain follows from the order of events, or is
// allowed [Slack].
package oracle

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// Slack is what a busy machine may add to every bound.
	Slack = 2 * time.Second
	// LongStall is a time for which a machine that stands still leaves nothing certain about what went on meanwhile.
	LongStall = Slack / 2
	// starved is what it may add to a wait: of hundreds of requests one may come off badly.
	starved = 5 * time.Second
	// longestWait is how long an answer may wait for a fetch.
	longestWait = 10 * time.Second
	// comeback is how soon after Entra's return a Verifier without any key has some.
	comeback = 10 * time.Second
	// margin lies between the arrival of a request and its look at the keys, at the most.
	margin = 250 * time.Millisecond
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

// The answers that depend on the keys held rather than on the token.
var (
	unknownKey  = Answer{401, "unknown_key"}
	unavailable = Answer{503, "keys_unavailable"}
	expired     = Answer{401, "expired"}
	notYetValid = Answer{401, "not_yet_valid"}
)

// Token is what a request carries, as far as the right answer depends on it.
type Token struct {
	// KeyID names the key that must be held for the token to be judged; "" if no key is looked up for it.
	KeyID string
	// Merit is the answer that the token deserves once its key is held.
	Merit Answer
	// From and Until bound the time in which Merit holds, where they are set. Before, the token is not valid yet;
	// from Until on it has expired.
	From, Until time.Time
}

// merits returns the answers that the token deserves if it is judged between two times.
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
	Instance int           // the Verifier that answered
	Arrived  time.Time     // at the API
	Ended    time.Time     // when the client had read the answer
	Stalled  time.Duration // how long the machine stood still meanwhile
	Answer   Answer
}

// Oracle holds what is known. It is safe for concurrent use.
type Oracle struct {
	mu        sync.Mutex
	listed    map[string]time.Time // keys in Entra's document, and since when
	wellSince time.Time            // zero while Entra is in trouble
	instances map[int]*instance
}

// New returns an Oracle that takes Entra to be in trouble and its document to be empty.
func New() *Oracle {
	return &Oracle{listed: make(map[string]time.Time), instances: make(map[int]*instance)}
}

// instance is one Verifier, known from outside.
type instance struct {
	started   time.Time
	delivered map[string]time.Time // keys that a good document named to it, and when it first did
	carried   map[string]time.Time // the same keys, and when that document's fetch began
	held      map[string]time.Time // the same keys, and from when on they are surely held
	allowance allowance
	fetches   []*Fetch // the last few, oldest first
}

const (
	instancesKept = 50
	fetchesKept   = 64
)

// Listed says that the keys are in Entra's document now. Call it when they are.
func (o *Oracle) Listed(now time.Time, keyIDs ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range keyIDs {
		if o.listed[id].IsZero() {
			o.listed[id] = now
		}
	}
}

// Unlisted says that the keys are about to leave Entra's document. Call it before they do.
func (o *Oracle) Unlisted(keyIDs ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range keyIDs {
		delete(o.listed, id)
	}
}

// Well says that Entra answers every request from now on, within a few seconds.
func (o *Oracle) Well(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wellSince = now
}

// Troubled says that Entra is about to answer badly or not at all. Call it before that begins.
func (o *Oracle) Troubled() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wellSince = time.Time{}
}

// Stalled says that the machine stood still for long until now. What was to happen within a time may not have.
func (o *Oracle) Stalled(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.wellSince.IsZero() {
		o.wellSince = now
	}
}

// Started says that there is a new Verifier, with a number one higher than the last one's.
func (o *Oracle) Started(number int, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.instances[number] = &instance{
		started:   now,
		delivered: make(map[string]time.Time),
		carried:   make(map[string]time.Time),
		held:      make(map[string]time.Time),
	}
	delete(o.instances, number-instancesKept)
}

// Keys returns how many keys a Verifier was told of in good documents.
func (o *Oracle) Keys(number int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.instances[number].delivered)
}

// Fetch is one fetch of the key document by a Verifier.
type Fetch struct {
	oracle       *Oracle
	in           *instance
	began, ended time.Time
	good         bool
	// From when on the next fetch is surely permitted: for an unknown key, and while no key is held.
	permitted, permittedEmpty time.Time
}

// Began says that a Verifier begins a fetch. The error tells how that breaks the bounds.
func (o *Oracle) Began(number int, now time.Time) (*Fetch, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := o.instances[number]
	f := &Fetch{oracle: o, in: in, began: now}
	var err error
	if last := in.last(now); last != nil && last.ended.IsZero() {
		err = fmt.Errorf("a fetch began while another one ran, begun %s before", now.Sub(last.began))
	} else if earliest := in.allowance.earliest(now); now.Before(earliest) {
		err = fmt.Errorf("a fetch began %s too soon: %s", earliest.Sub(now), in.allowance)
	}
	in.allowance.began(now)
	in.fetches = append(in.fetches, f)
	if len(in.fetches) > fetchesKept {
		in.fetches = slices.Delete(in.fetches, 0, 1)
	}
	return f, err
}

// Delivered says that a good document with these usable keys is about to reach the Verifier. Call it before it has.
func (f *Fetch) Delivered(now time.Time, keyIDs []string) {
	f.oracle.mu.Lock()
	defer f.oracle.mu.Unlock()
	fresh := false
	for _, id := range keyIDs {
		if f.in.delivered[id].IsZero() {
			f.in.delivered[id], f.in.carried[id], f.in.held[id] = now, f.began, now.Add(Slack)
			fresh = true
		}
	}
	f.good = true
	f.in.allowance.succeeded(now, fresh)
}

// Ended says that the Verifier has closed the answer, or got none. retryAfter is what the answer asked for. The error
// tells that the fetch failed without a reason.
func (f *Fetch) Ended(now time.Time, retryAfter time.Duration) (err error) {
	f.oracle.mu.Lock()
	defer f.oracle.mu.Unlock()
	f.ended = now
	if well := f.oracle.wellSince; !f.good && !well.IsZero() && well.Before(f.began) {
		err = fmt.Errorf("a fetch of %s failed although Entra was well", now.Sub(f.began))
	}
	if f.good {
		f.in.allowance.ended(now)
	} else {
		f.in.allowance.failed(f.began, now, retryAfter, len(f.in.delivered) == 0)
	}
	f.permitted, f.permittedEmpty = f.in.allowance.permittedBy(), f.in.allowance.heldUntil.Add(Slack)
	return err
}

// last returns the last fetch that began by then, or nil.
func (in *instance) last(then time.Time) *Fetch {
	for _, f := range slices.Backward(in.fetches) {
		if !f.began.After(then) {
			return f
		}
	}
	return nil
}

// failedSince reports whether a fetch ended badly after then.
func (in *instance) failedSince(then time.Time) bool {
	return slices.ContainsFunc(in.fetches, func(f *Fetch) bool { return !f.good && f.ended.After(then) })
}
