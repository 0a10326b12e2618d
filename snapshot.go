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
	headers  atomic.Pointer[[]headed] // one a key, so few that going through them is quicker than a map
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
	var headers []headed
	for _, before := range old.known() {
		if held := s.keys[before.id]; held.key == before.key {
			headers = append(headers, headed{held, before.segment})
		}
	}
	s.headers.Store(&headers)
}

func (s *snapshot) known() []headed {
	if headers := s.headers.Load(); headers != nil {
		return *headers
	}
	return nil
}

// byHeader is held for a header segment that was verified before.
func (d *document) byHeader(segment string, now time.Time) *key {
	known := d.snapshot.Load().known()
	for i := range known {
		if known[i].segment == segment {
			return d.use(known[i].heldKey, now)
		}
	}
	return nil
}

// header returns the remembered copy of a header segment.
func (d *document) header(segment string) (string, bool) {
	for _, known := range d.snapshot.Load().known() {
		if known.segment == segment {
			return known.segment, true
		}
	}
	return "", false
}

// learn remembers segment as the header of tokens that k signs: the first one of each key, so that there are never
// more than keys.
func (d *document) learn(segment string, k *key) {
	if d.snapshot.Load().knows(k) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.snapshot.Load()
	held := s.keys[k.id]
	if held.key != k || s.knows(k) {
		return
	}
	// A copy, lest the header keep the whole token alive.
	headers := append(slices.Clone(s.known()), headed{held, strings.Clone(segment)})
	s.headers.Store(&headers)
}

// knows reports whether a header of k's tokens is remembered.
func (s *snapshot) knows(k *key) bool {
	return slices.ContainsFunc(s.known(), func(h headed) bool { return h.key == k })
}
