package entra

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// snapshot is what the good documents so far amount to. Only its headers change.
type snapshot struct {
	keys     map[string]heldKey
	issuer   string
	lastGood time.Time
	headers  atomic.Pointer[map[string]headed] // one a key
}

// headed is a key with the header segment of the tokens that it signs.
type headed struct {
	heldKey
	segment string
}

type heldKey struct {
	*key
	seen time.Time // when a good document last named it
}

func (h heldKey) alive(now time.Time) bool { return h.key != nil && now.Sub(h.seen) < keyLifetime }

// merge returns the keys of s with those of a newer document: new content replaces old, keys that the document does not
// name stay until they are too old.
func (s *snapshot) merge(got *fetched, now time.Time) *snapshot {
	merged := &snapshot{keys: make(map[string]heldKey, len(got.keys)), issuer: got.issuer, lastGood: now}
	for _, k := range got.keys {
		if old := s.keys[k.id].key; old != nil && old.same(k) {
			k = old
		}
		merged.keys[k.id] = heldKey{k, now}
	}
	for _, h := range s.newestFirst() {
		if _, named := merged.keys[h.id]; !named && h.alive(now) && len(merged.keys) < maxKeys {
			merged.keys[h.id] = h
		}
	}
	merged.inheritHeaders(s)
	return merged
}

func (s *snapshot) newestFirst() []heldKey {
	return slices.SortedFunc(maps.Values(s.keys), func(a, b heldKey) int {
		return cmp.Or(b.seen.Compare(a.seen), cmp.Compare(a.id, b.id))
	})
}

func (s *snapshot) inheritHeaders(old *snapshot) {
	known := old.headers.Load()
	if known == nil {
		return
	}
	headers := make(map[string]headed, len(*known))
	for segment, before := range *known {
		if now := s.keys[before.id]; now.key == before.key {
			headers[segment] = headed{now, segment}
		}
	}
	s.headers.Store(&headers)
}

// byHeader is held for a header segment that was verified before.
func (d *document) byHeader(segment string, now time.Time) *key {
	headers := d.snapshot.Load().headers.Load()
	if headers == nil {
		return nil
	}
	return d.use((*headers)[segment].heldKey, now)
}

// header returns the remembered copy of a header segment.
func (d *document) header(segment string) (string, bool) {
	headers := d.snapshot.Load().headers.Load()
	if headers == nil {
		return "", false
	}
	known, ok := (*headers)[segment]
	return known.segment, ok
}

// learn remembers segment as the header of tokens that k signs: the first one of each key, so that there are never
// more than keys.
func (d *document) learn(segment string, k *key) {
	s := d.snapshot.Load()
	if headers := s.headers.Load(); headers != nil && hasValue(*headers, k) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s = d.snapshot.Load()
	held := s.keys[k.id]
	if held.key != k {
		return
	}
	headers := make(map[string]headed)
	if known := s.headers.Load(); known != nil {
		if hasValue(*known, k) {
			return
		}
		maps.Copy(headers, *known)
	}
	// A copy, lest the header keep the whole token alive.
	segment = strings.Clone(segment)
	headers[segment] = headed{held, segment}
	s.headers.Store(&headers)
}

func hasValue(headers map[string]headed, k *key) bool {
	for _, known := range headers {
		if known.key == k {
			return true
		}
	}
	return false
}
