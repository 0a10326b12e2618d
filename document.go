package entra

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// After a fetch that did not bring the unknown key asked for, the next one for an unknown key starts no sooner
	// than unknownMin later, doubling to unknownMax: junk key IDs cost a handful of fetches, a key that Entra publishes
	// a moment late is found within seconds.
	unknownMin   = 5 * time.Second
	unknownMax   = 5 * time.Minute
	unknownReset = 10 * time.Minute // without any unknown key
	// After a failed fetch the next one starts no sooner than failureMin later, doubling.
	failureMin      = time.Second
	failureMax      = time.Minute
	failureMaxEmpty = 5 * time.Second // while no key is held and every request waits for one
)

// document is a key document and all that is known about it. Reading is free of locks; one fetch runs at a time, beside
// the requests.
type document struct {
	source source
	set    *keySet // that it belongs to
	fetch  *fetcher
	log    *slog.Logger

	snapshot atomic.Pointer[snapshot]
	// due is when a used key starts a refresh, as the time since start; never while a fetch runs.
	due      atomic.Int64
	start    time.Time
	fetches  atomic.Uint64
	failures atomic.Uint64

	mu           sync.Mutex
	running      *fetch
	unknownDelay time.Duration // 0: the next unknown key may start a fetch
	unknownSince time.Time     // the end of the fetch that did not bring the key asked for
	unknownLast  time.Time     // when an unknown key was last asked for
	failureDelay time.Duration // 0: the last fetch was good
	rest         time.Time     // no fetch starts before, after a failed one
	restEmpty    time.Time     // the same while no key is held
	failure      error
}

// fetch is one fetch, shared by all who wait for it and tied to none of them.
type fetch struct {
	start time.Time
	done  chan struct{} // closed when it has ended, well or badly
	kid   string        // the unknown key that started it; "" for none
	asked bool          // an unknown key waits for it
}

func newDocument(src source, set *keySet, fetch *fetcher, log *slog.Logger) *document {
	d := &document{source: src, set: set, fetch: fetch, log: log, start: time.Now()}
	d.snapshot.Store(new(snapshot))
	return d
}

// held returns the key kid at once, and starts a refresh beside the request if the document has become old.
func (d *document) held(kid string, now time.Time) *key {
	return d.use(d.snapshot.Load().keys[kid], now)
}

func (d *document) use(h heldKey, now time.Time) *key {
	if !h.alive(now) {
		return nil
	}
	if int64(now.Sub(d.start)) >= d.due.Load() {
		d.refresh(now)
	}
	return h.key
}

func (d *document) refresh(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil && int64(now.Sub(d.start)) >= d.due.Load() {
		d.begin("")
	}
}

// fetchFor returns the fetch to wait for so that the unknown key kid may become known ("": any key): the one that runs,
// or a new one. It returns nil where the allowance permits none, so that nobody ever waits for an allowance.
func (d *document) fetchFor(kid string, now time.Time) *fetch {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Another request's fetch may have brought it since it was looked for.
	if kid != "" && d.set.has(kid, now) || kid == "" && d.set.holdsAny(now) {
		return nil
	}
	if kid != "" {
		if now.Sub(d.unknownLast) >= unknownReset {
			d.unknownDelay = 0
		}
		d.unknownLast = now
	}
	empty := !d.set.holdsAny(now)
	if d.running == nil {
		spent := d.unknownDelay > 0 && now.Sub(d.unknownSince) < d.unknownDelay
		if d.failureWait(now, empty) > 0 || spent && !empty {
			return nil
		}
		d.begin(kid)
	}
	d.running.asked = d.running.asked || kid != ""
	return d.running
}

// failureWait is how long after the last failure the next fetch has to wait still.
func (d *document) failureWait(now time.Time, empty bool) time.Duration {
	if empty {
		return d.restEmpty.Sub(now)
	}
	return d.rest.Sub(now)
}

// begin starts a fetch. The caller holds the lock.
func (d *document) begin(kid string) {
	f := &fetch{start: time.Now(), done: make(chan struct{}), kid: kid}
	d.running = f
	d.due.Store(int64(1<<63 - 1))
	d.fetches.Add(1)
	go d.run(f)
}

func (d *document) run(f *fetch) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	got, err := d.source.get(ctx, d.fetch)
	d.mu.Lock()
	now := time.Now()
	d.running = nil
	if err != nil {
		d.failed(f, err, now)
	} else {
		d.succeeded(f, got, now)
	}
	d.mu.Unlock()
	// First the log, so that whoever sees the outcome finds its cause there.
	d.report(got, err)
	close(f.done)
}

// failed notes how long fetches rest. While no key is held the rest begins with the failed fetch, not with its end: one
// that hung for 10 seconds has rested long enough, and everybody waits for Entra's return.
func (d *document) failed(f *fetch, err error, now time.Time) {
	d.failures.Add(1)
	d.failure = err
	limit := failureMax
	if !d.set.holdsAny(now) {
		limit = failureMaxEmpty
	}
	d.failureDelay = min(max(failureMin, 2*d.failureDelay), limit)
	asked := retryAfter(err)
	d.rest = now.Add(max(d.failureDelay, min(asked, failureMax)))
	d.restEmpty = later(f.start.Add(min(d.failureDelay, failureMaxEmpty)), now.Add(min(asked, failureMaxEmpty)))
	d.due.Store(int64(later(d.rest, d.snapshot.Load().lastGood.Add(refreshAfter)).Sub(d.start)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (d *document) succeeded(f *fetch, got *fetched, now time.Time) {
	d.failure, d.failureDelay = nil, 0
	d.rest, d.restEmpty = time.Time{}, time.Time{}
	s := d.snapshot.Load().merge(got, now)
	d.snapshot.Store(s)
	d.due.Store(int64(now.Add(refreshAfter).Sub(d.start)))
	if !f.asked {
		return
	}
	if _, brought := s.keys[f.kid]; brought {
		d.unknownDelay = 0
		return
	}
	// One of those who joined later may have asked for a key that is there now: it says so itself, by brought.
	d.unknownDelay = min(max(unknownMin, 2*d.unknownDelay), unknownMax)
	d.unknownSince = now
}

func (d *document) brought() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unknownDelay = 0
}

// trouble returns when the next fetch may start and why the last one failed.
func (d *document) trouble(now time.Time) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(0, d.failureWait(now, !d.set.holdsAny(now))), d.failure
}

func (d *document) issuer() string { return d.snapshot.Load().issuer }

// report logs trouble with the document: once a fetch, of which there are few.
func (d *document) report(got *fetched, err error) {
	// A panicking log handler would take down the process here, where no server recovers it.
	defer func() { _ = recover() }()
	ctx := context.Background()
	if err != nil {
		d.log.LogAttrs(ctx, slog.LevelWarn, "entra: signing keys not refreshed", slog.String("url", d.source.url()), slog.Any("error", err))
		return
	}
	if len(got.skipped) > 0 {
		d.log.LogAttrs(ctx, slog.LevelWarn, "entra: signing keys passed over", slog.String("url", d.source.url()),
			slog.Int("count", len(got.skipped)), slog.String("first", got.skipped[0].Error()))
	}
}
