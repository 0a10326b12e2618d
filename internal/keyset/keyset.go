// Package keyset keeps the signing keys of one authority. Keys are fetched when first needed, refreshed beside the
// requests that use them, and held while the authority's documents are away, broken or incomplete. A held key is
// returned at once, always; an unknown one waits for one fetch at most, if its [allowance] permits one.
package keyset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra/internal/fetch"
)

const (
	// fetchTimeout bounds a fetch of metadata and keys, and so how long a request can wait for one.
	fetchTimeout = fetch.Timeout
	// maxWaiting bounds the requests that wait for keys at one time, each of which costs memory until its fetch ends. While
	// no key is held everybody waits, not only those who send unknown key IDs.
	maxWaiting      = 1024
	maxWaitingEmpty = 4096
	// never is a time since the start of a Set that does not come.
	never = int64(1<<63 - 1)
)

// Set is the keys of one authority: those of its general document and, where an application has keys of its own, those
// of a second one. Each document has ages and failures of its own, so that one failing does not spoil the other. Its
// methods are safe for concurrent use; those that find a held key take no lock.
type Set struct {
	client     *fetch.Client
	log        *slog.Logger
	distrusted map[string]bool // by key ID
	cache      Cache           // nil: none
	start      time.Time
	documents  []*document // one or two

	current atomic.Pointer[snapshot] // replaced under mu
	mu      sync.Mutex               // guards waiting, and the documents' fields but for source, index, name and due
	waiting int                      // requests that wait for a fetch
}

// document is where keys come from, and what is known about its fetches.
type document struct {
	source Source
	index  int    // of its view in a snapshot
	name   string // of its entry in the cache
	// due is when the use of a key matters to the schedule, as the time since the Set's start; never while a fetch runs.
	due atomic.Int64

	running     *flight
	schedule    schedule
	allowance   allowance
	fetches     uint64
	failures    uint64
	lastFailure error // nil after a good fetch

	loading  *flight   // the reading of the cache that runs, perhaps for ever
	nextLoad time.Time // before, none starts
	newest   []byte    // the entry to put into the cache; nil: none
	putting  bool
}

// flight is one fetch, or one reading of the cache, shared by all who wait for it and tied to none of them.
type flight struct {
	started time.Time
	done    chan struct{} // closed when it has ended, well or badly
	kid     string        // the unknown key that started it; "" for none
	unknown bool          // an unknown key waits for it
}

// Config says whose keys a [Set] holds.
type Config struct {
	Client *fetch.Client
	// Log gets trouble with documents, at level Warn.
	Log *slog.Logger
	// Sources are where the documents are, one or two.
	Sources []Source
	// Distrusted are the IDs of keys that are never held, whatever a document says.
	Distrusted []string
	// Cache keeps documents across restarts; nil: none does. Owner tells Sets apart that share one.
	Cache Cache
	Owner string
}

// DistrustedError says that a key is one of those that the configuration distrusts.
type DistrustedError struct{ KeyID string }

func (e *DistrustedError) Error() string { return fmt.Sprintf("the key %q is distrusted", e.KeyID) }

// UnknownError says that a key is not held although others are, and that no fetch brought it.
type UnknownError struct {
	KeyID  string
	Held   int    // how many keys are held
	Why    string // what kept a fetch from bringing it that could have; "" if nothing did
	Failed string // why the last fetch of a document failed; "" if none did
}

func (e *UnknownError) Error() string { return fmt.Sprintf("no key %q among %d", e.KeyID, e.Held) }

// UnavailableError says that no key is held at all. It names the causes but does not wrap them: the deadline of a fetch
// is not the deadline of whoever asked.
type UnavailableError struct {
	RetryAfter time.Duration // until the next fetch may start; 0: at once
	Causes     []string      // why the last fetches failed, or how long the first one has run
}

func (e *UnavailableError) Error() string { return "no key is held: " + strings.Join(e.Causes, "; ") }

// Stats are what a Set has counted, and what it holds.
type Stats struct {
	Fetches, Failures uint64
	Keys              int
	LastFetch         time.Time // the end of the last good fetch; zero if there was none
}

// New returns a Set of the keys that c names. Nothing is fetched yet.
func New(c Config) *Set {
	s := &Set{client: c.Client, log: c.Log, distrusted: make(map[string]bool), cache: c.Cache, start: time.Now()}
	for _, id := range c.Distrusted {
		s.distrusted[id] = true
	}
	for i, source := range c.Sources {
		s.documents = append(s.documents, &document{source: source, index: i, name: nameOf(source, c.Owner)})
	}
	s.current.Store(&snapshot{views: make([]view, len(c.Sources))})
	return s
}

// ByHeader returns the held key whose tokens begin with this JOSE header segment, or nil if no token with it was
// verified before (see [Set.Learn]).
func (s *Set) ByHeader(segment string, now time.Time) *Key {
	headers := s.current.Load().headers
	for i := range headers {
		if h := &headers[i]; h.segment == segment && h.alive(now) {
			s.refreshIfDue(s.documents[h.document], now)
			return h.Key
		}
	}
	return nil
}

// Holds reports whether k is held, unchanged. Like every use of a key it starts a refresh if that is due.
func (s *Set) Holds(k *Key, now time.Time) bool {
	views := s.current.Load().views
	for i := range views {
		if h := views[i].keys[k.ID]; h.Key == k && h.alive(now) {
			s.refreshIfDue(s.documents[i], now)
			return true
		}
	}
	return false
}

// Learn remembers segment as a JOSE header of tokens that k signs. A token with it was verified with k.
func (s *Set) Learn(segment string, k *Key) {
	if s.current.Load().hasLearnt(segment, k) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Store(s.current.Load().learn(segment, k))
}

// Header returns segment in a copy that does not keep a whole token alive: the one that is remembered anyway, if it was
// learnt.
func (s *Set) Header(segment string) string {
	for _, h := range s.current.Load().headers {
		if h.segment == segment {
			return h.segment
		}
	}
	return strings.Clone(segment)
}

// Find returns the key kid. A held key is returned at once; for another Find waits for one fetch of each document, if
// their allowances permit one and not too many requests wait already. Its error is a [*DistrustedError], an
// [*UnknownError], an [*UnavailableError], or that of ctx. Where keys are held, a deadline of ctx that ends while Find waits is no error of
// its own: whoever sends unknown key IDs must not make a server that bounds its requests look unhealthy.
func (s *Set) Find(ctx context.Context, kid string) (*Key, error) {
	if s.distrusted[kid] {
		return nil, &DistrustedError{kid}
	}
	now := time.Now()
	if k := s.held(kid, now); k != nil {
		return k, nil
	}
	found := false
	err := s.await(ctx, kid, now, func() bool {
		found = s.held(kid, time.Now()) != nil
		return found
	})
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	if found {
		s.foundUnknown()
	}
	now = time.Now()
	if k := s.held(kid, now); k != nil {
		return k, nil
	}
	if count := s.current.Load().count(now); count > 0 {
		return nil, &UnknownError{kid, count, whyUnknown(err), s.lastFailure()}
	}
	if err != nil && err != errCrowded {
		return nil, err
	}
	return nil, s.unavailable(now)
}

func whyUnknown(err error) string {
	switch err {
	case nil:
		return ""
	case errCrowded:
		return err.Error()
	}
	return "the request's time was over before the fetch"
}

// lastFailure says why the last fetch of a document failed, "" if none did.
func (s *Set) lastFailure() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.documents {
		if d.lastFailure != nil {
			return d.lastFailure.Error()
		}
	}
	return ""
}

// Ready returns nil once a key is held. It fetches if none is, unless a fetch failed a moment ago. Its error is an
// [*UnavailableError], or that of ctx.
func (s *Set) Ready(ctx context.Context) error {
	now := time.Now()
	holdsAny := func() bool { return s.current.Load().has("", time.Now()) }
	if holdsAny() {
		return nil
	}
	if err := s.await(ctx, "", now, holdsAny); err != nil && err != errCrowded {
		return err
	}
	if holdsAny() {
		return nil
	}
	return s.unavailable(time.Now())
}

// Issuer returns the issuer that the metadata of a [Source] names, "" as long as none was read.
func (s *Set) Issuer() string {
	views := s.current.Load().views
	for i := range views {
		if views[i].issuer != "" {
			return views[i].issuer
		}
	}
	return ""
}

// Stats returns the counts so far.
func (s *Set) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.current.Load()
	stats := Stats{Keys: current.count(time.Now())}
	for i, d := range s.documents {
		stats.Fetches += d.fetches
		stats.Failures += d.failures
		stats.LastFetch = later(stats.LastFetch, current.views[i].lastGood)
	}
	return stats
}

// held returns the key kid, or nil if it is not held, and starts a refresh beside the request if its document has
// become old.
func (s *Set) held(kid string, now time.Time) *Key {
	views := s.current.Load().views
	for i := range views {
		if h := views[i].keys[kid]; h.alive(now) {
			s.refreshIfDue(s.documents[i], now)
			return h.Key
		}
	}
	return nil
}

func (s *Set) refreshIfDue(d *document, now time.Time) {
	if int64(now.Sub(s.start)) < d.due.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d.running != nil: // Another request may have started it in between.
	case d.schedule.use(now, rand.N(refreshSpread)):
		s.begin(d, "")
	default:
		d.due.Store(s.since(d.schedule.next))
	}
}

// plan sets when the next refresh is due. The caller holds the lock, and no fetch runs.
func (s *Set) plan(d *document, lastGood time.Time) {
	d.schedule = scheduled(lastGood, d.allowance.rest)
	d.due.Store(s.since(d.schedule.next))
}

// begin starts a fetch. The caller holds the lock.
func (s *Set) begin(d *document, kid string) {
	d.running = &flight{started: time.Now(), done: make(chan struct{}), kid: kid}
	d.due.Store(never)
	d.fetches++
	go s.run(d, d.running)
}

func (s *Set) run(d *document, f *flight) {
	// Not the context of the request that started it: others wait for it too.
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	got, err := d.source.get(ctx, s.client, s.distrusted)
	s.end(d, f, got, err)
	// The log comes first, so that whoever sees the outcome finds its cause there.
	s.report(d, got, err)
	close(f.done)
	if err == nil && s.cache != nil {
		s.put(d, got)
	}
}

// end notes the outcome of a fetch.
func (s *Set) end(d *document, f *flight, got *fetched, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	d.running, d.lastFailure = nil, err
	if err != nil {
		d.failures++
		current := s.current.Load()
		d.allowance.failed(f.started, now, fetch.RetryAfter(err), !current.has("", now))
		s.plan(d, current.views[d.index].lastGood)
		return
	}
	d.allowance.succeeded()
	got.at = now
	next := s.current.Load().with(d.index, got, now)
	s.current.Store(next)
	s.plan(d, now)
	if !f.unknown {
		return
	}
	if _, ok := next.views[d.index].keys[f.kid]; ok {
		d.allowance.found()
		return
	}
	// A request that joined later may find its key in this document; Find then resets the delay.
	d.allowance.notFound(f.started, now)
}

// since is t as the time since the Set was made.
func (s *Set) since(t time.Time) int64 { return int64(t.Sub(s.start)) }

// foundUnknown resets the allowances for unknown keys: the last fetch brought one.
func (s *Set) foundUnknown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.documents {
		d.allowance.found()
	}
}

func (s *Set) unavailable(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	empty := !s.current.Load().has("", now)
	e := new(UnavailableError)
	for _, d := range s.documents {
		e.RetryAfter = max(e.RetryAfter, d.allowance.failureWait(now, empty))
		switch {
		case d.lastFailure != nil:
			e.Causes = append(e.Causes, d.lastFailure.Error())
		case d.running != nil:
			e.Causes = append(e.Causes, fmt.Sprintf("%s: the fetch has run for %v and has not ended", d.source.url(), now.Sub(d.running.started).Round(time.Second/10)))
		}
	}
	return e
}

// report logs trouble with a document: once a fetch, of which there are few.
func (s *Set) report(d *document, got *fetched, err error) {
	// A panicking log handler would take down the process here, where no server recovers it.
	defer func() { _ = recover() }()
	ctx := context.Background()
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "entra: signing keys not refreshed", slog.String("url", d.source.url()), slog.Any("error", err))
		return
	}
	if got.skipped.Count > 0 {
		s.log.LogAttrs(ctx, slog.LevelWarn, "entra: signing keys passed over", slog.String("url", d.source.url()),
			slog.Int("count", got.skipped.Count), slog.Any("first", errors.Join(got.skipped.First...)))
	}
}
