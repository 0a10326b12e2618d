package keyset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/quote"
	"github.com/go-json-experiment/json"
)

const (
	// cachePatience is how long a request waits for the cache before it asks Entra. A fetch waits for no cache: this is
	// the moment in which a folder or a server nearby answers, so that a restart within the hour needs no fetch.
	cachePatience = 50 * time.Millisecond
	// cacheTimeout ends a reading of the cache, or a writing.
	cacheTimeout = 10 * time.Second
	// loadRest lies between two readings of the cache while no key is held.
	loadRest = 5 * time.Second
	// maxEntry bounds an entry of the cache: two documents of 1 MiB as base64.
	maxEntry = 3 << 20
)

// Cache keeps the last good documents across restarts. See KeyCache of package entra.
type Cache interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, data []byte) error
}

// nameOf returns the name of a document's entry: the same for every process of one API, another one for another document or
// API. It gives nothing away, and is fit for a file.
func nameOf(s Source, owner string) string {
	sum := sha256.Sum256([]byte(s.url() + "\n" + owner))
	return "entra-keys-" + hex.EncodeToString(sum[:16])
}

// entry is what the cache holds of a document: JSON, with the SHA-256 of it in a line of its own. The sum finds out what was
// written by halves, or by two at once. It is no protection against whoever can write there: nothing would be.
type entry struct {
	Name     string    `json:"name"` // of the entry, so that one under another's name is told
	Fetched  time.Time `json:"fetched"`
	Metadata []byte    `json:"metadata,omitempty"` // as base64: a document may hold what no JSON string can
	Keys     []byte    `json:"keys"`
}

func (e *entry) encode() ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(text, "\n%x\n", sha256.Sum256(text)), nil
}

func decodeEntry(data []byte) (e entry, err error) {
	if len(data) > maxEntry {
		return e, fmt.Errorf("the entry is larger than %d bytes", maxEntry)
	}
	text, sum, _ := bytes.Cut(data, []byte("\n"))
	if want := fmt.Sprintf("%x\n", sha256.Sum256(text)); string(sum) != want {
		return e, errors.New("the entry is incomplete or damaged: its checksum is wrong")
	}
	if json.Unmarshal(text, &e) != nil {
		return e, errors.New("the entry is not of the form that this version writes")
	}
	return e, nil
}

var errTooOld = errors.New("the entry is too old")

// held returns what the entry brings if it is this document's and young enough. Its documents are read as strictly as if
// they had just been fetched.
func (e *entry) held(d *document, distrusted map[string]bool, now time.Time) (*fetched, error) {
	if e.Name != d.name {
		return nil, fmt.Errorf("the entry is one of the name %s: it was moved", quote.Text(e.Name))
	}
	// By the clock on the wall, since a monotonic one counts from the start of the machine.
	age := now.Round(0).Sub(e.Fetched)
	switch {
	case age < 0:
		return nil, fmt.Errorf("the entry is of %s, %v ahead of this machine's clock: a clock is or was wrong", e.Fetched.UTC().Format(time.RFC3339), -age)
	case age >= keyLifetime:
		return nil, errTooOld
	}
	got := &fetched{at: now.Add(-age)}
	if d.source.MetadataURL != "" {
		if _, err := got.readMetadata(d.source, e.Metadata); err != nil {
			return nil, err
		}
	}
	if err := got.read(e.Keys, distrusted); err != nil {
		return nil, err
	}
	return got, nil
}

// loadFor returns the reading of the cache that may bring keys of d, which it begins if none runs. It returns nil where keys
// of d are held, and for a while after a reading that brought none. The caller holds the lock.
func (s *Set) loadFor(d *document, now time.Time) *flight {
	switch {
	case s.current.Load().views[d.index].holdsAny(now):
		return nil
	case d.loading != nil:
		return d.loading
	case now.Before(d.nextLoad):
		return nil
	}
	d.loading = &flight{started: now, done: make(chan struct{})}
	go s.load(d, d.loading)
	return d.loading
}

// load reads the cache. A cache that ignores its context keeps this goroutine, and no second one is started.
func (s *Set) load(d *document, f *flight) {
	defer close(f.done)
	var got *fetched
	s.useCache(d, "read", func(ctx context.Context) error {
		data, err := s.cache.Get(ctx, d.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := decodeEntry(data)
		if err != nil {
			return err
		}
		got, err = e.held(d, s.distrusted, time.Now())
		if err == errTooOld {
			return nil
		}
		return err
	})
	s.endLoad(d, got)
}

func (s *Set) endLoad(d *document, got *fetched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	d.loading, d.nextLoad = nil, now.Add(loadRest)
	current := s.current.Load()
	// A fetch may have brought keys meanwhile: it is the newer one, or else as good.
	if got == nil || current.views[d.index].holdsAny(now) || !got.at.After(current.views[d.index].lastGood) {
		return
	}
	s.current.Store(current.with(d.index, got, got.at))
	if d.running == nil {
		s.plan(d, got.at)
	}
}

// put writes what a good fetch brought into the cache, beside the requests. One writing runs at a time; of several fetches
// that end meanwhile the last one counts.
func (s *Set) put(d *document, got *fetched) {
	// Without the monotonic clock, which means nothing to another process.
	data, err := (&entry{d.name, got.at.Round(0).UTC(), got.metadata, got.text}).encode()
	if err != nil {
		s.warnOfCache(d, "written", err)
		return
	}
	s.mu.Lock()
	d.newest = data
	if d.putting {
		s.mu.Unlock()
		return
	}
	d.putting = true
	s.mu.Unlock()
	for {
		s.mu.Lock()
		data, d.newest = d.newest, nil
		d.putting = data != nil
		s.mu.Unlock()
		if data == nil {
			return
		}
		s.useCache(d, "written", func(ctx context.Context) error { return s.cache.Put(ctx, d.name, data) })
	}
}

// useCache calls use and logs its error, or that it hangs.
func (s *Set) useCache(d *document, what string, use func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	watch := time.AfterFunc(cacheTimeout, func() { s.warnOfCache(d, what, errHangs) })
	// A panicking cache would take down the process here, where no server recovers it.
	defer func() {
		if p := recover(); p != nil && watch.Stop() {
			s.warnOfCache(d, what, fmt.Errorf("the cache panicked: %v", p))
		}
	}()
	if err := use(ctx); watch.Stop() && err != nil {
		s.warnOfCache(d, what, err)
	}
}

var errHangs = fmt.Errorf("the cache did not answer within %v", cacheTimeout)

func (s *Set) warnOfCache(d *document, what string, err error) {
	// A panicking log handler would take down the process here.
	defer func() { _ = recover() }()
	s.log.LogAttrs(context.Background(), slog.LevelWarn, "entra: key cache not "+what,
		slog.String("url", d.source.url()), slog.String("name", d.name), slog.String("error", cut(err.Error())))
}

// cut keeps short what a cache says: it may be anybody's.
func cut(text string) string {
	const limit = 300
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "..."
	}
	return text
}
