package rig

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/soak/invariants"
)

// What can be wrong beside verdicts.
const (
	wrongToken   = "tokens let in to which the oracle objects"
	brokenAnswer = "flawed answers"
	brokenFetch  = "fetches outside the bounds"
	brokenCount  = "wrong counts"
	brokenLog    = "flawed logs"
)

// violationsShown bounds how many violations are printed; all are counted.
const violationsShown = 20

// report counts what happens and prints violations at once.
type report struct {
	began  time.Time
	stalls stalls
	mu     sync.Mutex
	out    io.Writer

	classes    map[string]*classCount
	grounds    map[invariants.Ground]int
	faults     map[invariants.Fault]int
	broken     map[string]int
	shown      int
	wanting    int // good tokens that were rightly refused for want of a key
	held       durations
	found      durations // new keys
	returns    durations // Verifiers without keys
	deployed   int
	fromCache  int // Verifiers that began with keys of the cache
	inTrouble  int // of these, while Entra was in trouble
	verified   uint64
	remembered uint64
	fetches    uint64
	failures   uint64
	logLines   int
}

// classCount is what became of the requests of one class.
type classCount struct{ accepted, refused, left int }

func newReport(out io.Writer) *report {
	return &report{
		began:   time.Now(),
		out:     out,
		classes: make(map[string]*classCount),
		grounds: make(map[invariants.Ground]int),
		faults:  make(map[invariants.Fault]int),
		broken:  make(map[string]int),
	}
}

func (r *report) printf(format string, args ...any) {
	fmt.Fprintf(r.out, format, args...) //nolint:errcheck // Whoever closes the output does not want it.
}

func (r *report) class(name string) *classCount {
	if r.classes[name] == nil {
		r.classes[name] = new(classCount)
	}
	return r.classes[name]
}

// exchange counts a judged exchange.
func (r *report) exchange(cr *credential, x invariants.Exchange, v invariants.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	class := r.class(cr.class)
	if x.Answer.Status == 200 {
		class.accepted++
	} else {
		class.refused++
	}
	r.grounds[v.Ground]++
	r.faults[v.Fault]++
	if v.Ground == invariants.Held {
		r.held.add(x.Ended.Sub(x.Arrived))
	}
	if v.Fault == invariants.None && x.Merit == letIn && (x.Answer.Reason == "unknown_key" || x.Answer.Status == 503) {
		r.wanting++
	}
	if v.Fault != invariants.None {
		r.show(v.Fault.String(), fmt.Sprintf("%s (key %.8s) at instance %d after %s: got %s, want one of %v (%s)",
			cr.class, x.KeyID, x.Verifier, x.Ended.Sub(x.Arrived).Round(time.Millisecond), x.Answer, v.Expected, v.Ground))
	}
}

// delivered counts waits that a document has ended.
func (r *report) delivered(over invariants.Waits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if over.Return > 0 {
		r.returns.add(over.Return)
	}
	for _, t := range over.New {
		r.found.add(t)
	}
}

// restored counts a Verifier that begins with the keys of its cache.
func (r *report) restored(inTrouble bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fromCache++
	if inTrouble {
		r.inTrouble++
	}
}

// left counts a client that did not wait for its answer.
func (r *report) left(class string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.class(class).left++
}

// violation counts and prints something that breaks the invariants.
func (r *report) violation(kind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken[kind]++
	r.show(kind, text)
}

func (r *report) show(kind, text string) {
	if r.shown++; r.shown <= violationsShown {
		r.printf("%s  WRONG  %s: %s\n", r.age(), kind, text)
	}
}

func (r *report) retired(s entra.Stats, logLines int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deployed++
	r.verified += s.Verified
	r.remembered += s.Remembered
	r.fetches += s.Fetches
	r.failures += s.FetchFailures
	r.logLines += logLines
}

func (r *report) age() string {
	return fmt.Sprintf("%7s", time.Since(r.began).Truncate(time.Second))
}

// sum returns the counts of all classes together. The caller holds the lock.
func (r *report) sum() (all classCount) {
	for _, c := range r.classes {
		all.accepted += c.accepted
		all.refused += c.refused
		all.left += c.left
	}
	return all
}

// wrong returns what makes the soak fail, the gravest first. The caller holds the lock.
func (r *report) wrong() (lines []string) {
	for _, fault := range []invariants.Fault{invariants.Accepted, invariants.Refused, invariants.Other, invariants.Late} {
		if n := r.faults[fault]; n > 0 {
			lines = append(lines, fmt.Sprintf("%d answers %s", n, fault))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.broken)) {
		lines = append(lines, fmt.Sprintf("%d %s", r.broken[kind], kind))
	}
	return lines
}
