// Package invariants checks what must hold of every Verifier, whatever happens to the Entra that it depends on:
//
//   - Nobody is let in whose token is not good.
//   - A good token is not refused once a document has named its key to the Verifier, be it Entra's or one of its cache.
//   - A Verifier without keys serves within ten seconds of Entra's return.
//   - A token of a key that is held waits for nothing, any other for ten seconds at most.
//   - Fetches run one at a time, a bounded number in a minute, and do not fail while Entra is well.
//
// It knows what Entra listed, what each Verifier fetched, and when; it does not know by which rules a Verifier decides to
// fetch. Requests and fetches overlap, so often two answers are right, and both pass. Whatever it takes for certain
// follows from the order of events or is allowed [Slack].
package invariants

import (
	"fmt"
	"sync"
	"time"
)

const (
	// Slack is what a busy machine may add to every bound.
	Slack = 2 * time.Second
	// LongStall is a pause of the whole machine after which nothing is certain about what happened meanwhile.
	LongStall = Slack / 2
	// starved is what a busy machine may add to one wait: of hundreds of requests some are served last.
	starved = 5 * time.Second
	// comeback is how soon after Entra's return a Verifier without keys has some, and how long any request may wait.
	comeback = 10 * time.Second
	// A Verifier may begin fetchesAMinute fetches in any minute, and fetchesANewKey more for each that brought a new key.
	// SECURITY.md promises less for each single cause; here causes mix.
	fetchesAMinute, fetchesANewKey = 20, 4
)

// Ledger records what happens. It is safe for concurrent use.
type Ledger struct {
	mu        sync.Mutex
	usable    map[string]bool      // keys that can verify a token
	listed    map[string]time.Time // keys in Entra's document, and since when
	wellSince time.Time            // zero while Entra is in trouble
	verifiers map[int]*verifier
}

// New returns a Ledger in which Entra is in trouble and its document is empty.
func New() *Ledger {
	return &Ledger{usable: make(map[string]bool), listed: make(map[string]time.Time), verifiers: make(map[int]*verifier)}
}

// verifier is what is known of one Verifier.
type verifier struct {
	started time.Time
	keys    map[string]delivery
	fetches []*Fetch // those that began in the last minute, oldest first
}

// delivery is the first good document that named a key to a Verifier.
type delivery struct {
	began time.Time // its fetch, or for a cache when it is over; whoever asks for the key from then on waits for it or finds it
	at    time.Time // when the document had arrived
}

// verifiersKept is more than can answer requests at the same time.
const verifiersKept = 50

// Usable says that keys with these IDs can verify tokens. Call it before Entra lists them for the first time.
func (l *Ledger) Usable(keyIDs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range keyIDs {
		l.usable[id] = true
	}
}

// Listed says that the keys are in Entra's document. Call it after they were added.
func (l *Ledger) Listed(now time.Time, keyIDs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range keyIDs {
		if l.listed[id].IsZero() {
			l.listed[id] = now
		}
	}
}

// Unlisted says that the keys leave Entra's document. Call it before they are removed.
func (l *Ledger) Unlisted(keyIDs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range keyIDs {
		delete(l.listed, id)
	}
}

// Well says that Entra answers every request within a few seconds. Call it after that has begun.
func (l *Ledger) Well(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wellSince = now
}

// Troubled says that Entra answers badly or not at all. Call it before that begins.
func (l *Ledger) Troubled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wellSince = time.Time{}
}

// Stalled says that the machine stood still for a long time until now, so that bounds of time count from now on.
func (l *Ledger) Stalled(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.wellSince.IsZero() {
		l.wellSince = now
	}
}

// Started says that there is a new Verifier. Numbers count upwards.
func (l *Ledger) Started(number int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.verifiers[number] = &verifier{started: now, keys: make(map[string]delivery)}
	delete(l.verifiers, number-verifiersKept)
}

// Keys returns how many keys good documents have named to a Verifier.
func (l *Ledger) Keys(number int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.verifiers[number].keys)
}

// Restored says that its cache gives a Verifier the document of an earlier one, with these key IDs; call it before it has.
// It reports whether that brings keys, which it does not once a fetch has. They are held within [Slack]: requests that come
// before may find them or not.
func (l *Ledger) Restored(number int, now time.Time, keyIDs []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.verifiers[number]
	if v == nil || len(v.keys) > 0 {
		return false
	}
	for _, id := range keyIDs {
		if l.usable[id] {
			v.keys[id] = delivery{now.Add(Slack), now}
		}
	}
	return len(v.keys) > 0
}

// Fetch is one fetch of the key document by a Verifier.
type Fetch struct {
	ledger       *Ledger
	by           *verifier
	began, ended time.Time
	good, fresh  bool // it brought a key; it brought a new one
}

// Began says that a Verifier begins a fetch. The error says which bound that breaks.
func (l *Ledger) Began(number int, now time.Time) (*Fetch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.verifiers[number]
	v.forget(now.Add(-time.Minute))
	err := v.mayFetch(now)
	f := &Fetch{ledger: l, by: v, began: now}
	v.fetches = append(v.fetches, f)
	return f, err
}

// forget drops fetches that began before then.
func (v *verifier) forget(then time.Time) {
	for len(v.fetches) > 0 && v.fetches[0].began.Before(then) {
		v.fetches = v.fetches[1:]
	}
}

func (v *verifier) mayFetch(now time.Time) error {
	limit := fetchesAMinute
	for _, f := range v.fetches {
		if f.ended.IsZero() {
			return fmt.Errorf("a fetch began while another one ran, begun %s before", now.Sub(f.began))
		}
		if f.fresh {
			limit += fetchesANewKey
		}
	}
	if len(v.fetches) >= limit {
		return fmt.Errorf("fetch number %d of one minute; expected at most %d", len(v.fetches)+1, limit)
	}
	return nil
}

// Waits are times for which a Verifier was without keys that Entra had.
type Waits struct {
	Return time.Duration   // since Entra was well, if the Verifier held no key
	New    []time.Duration // of each new key, since Entra was well and listed it
}

// Delivered says that a whole document with these key IDs reaches the Verifier; call it before it has. It reports whether
// the document is a good one, that is, names a usable key, and which waits it ends.
func (f *Fetch) Delivered(now time.Time, keyIDs []string) (good bool, over Waits) {
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	well := f.ledger.wellSince
	without := len(f.by.keys) == 0 && !well.IsZero()
	for _, id := range keyIDs {
		if !f.ledger.usable[id] {
			continue
		}
		f.good = true
		if _, known := f.by.keys[id]; known {
			continue
		}
		f.fresh = true
		f.by.keys[id] = delivery{f.began, now}
		if listed := f.ledger.listed[id]; !listed.IsZero() && !well.IsZero() {
			over.New = append(over.New, now.Sub(latest(listed, well, f.by.started)))
		}
	}
	if f.good && without {
		over.Return = now.Sub(latest(well, f.by.started))
	}
	return f.good, over
}

// Ended says that the Verifier has closed the answer, or got none. The error says that the fetch failed without a reason.
func (f *Fetch) Ended(now time.Time) error {
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	f.ended = now
	if well := f.ledger.wellSince; !f.good && !well.IsZero() && well.Before(f.began) {
		return fmt.Errorf("a fetch of %s failed although Entra was well", now.Sub(f.began))
	}
	return nil
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
