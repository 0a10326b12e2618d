package keyset

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/keydoc"
)

const (
	// keyLifetime is how long a key is held after the last good document that named it. Entra's key endpoint is
	// eventually consistent: keys vanish from it and come back, for three hours at the median, 48 hours at most. Many come
	// back after whole days, which the hour beyond one covers.
	keyLifetime = 25 * time.Hour
	// maxKeys bounds the keys held for one document. Entra publishes about ten.
	maxKeys = keydoc.MaxKeys
	// maxHeaders bounds the header segments remembered for a key. Entra signs tokens of versions 1.0 and 2.0 with the same
	// keys, and those of version 1.0 name the key twice, as kid and x5t.
	maxHeaders = 2
)

// snapshot is what the good documents so far amount to. It never changes, so that requests read it without a lock.
type snapshot struct {
	views   []view   // one a document
	headers []header // so few that going through them is quicker than a map
}

// view is what the good versions of one document amount to.
type view struct {
	keys     map[string]heldKey
	issuer   string
	lastGood time.Time
}

type heldKey struct {
	*Key
	seen time.Time // when a good document last named it
}

// header is a JOSE header segment of the tokens that a key signs.
type header struct {
	heldKey
	document int // whose key it is
	segment  string
}

func (h heldKey) alive(now time.Time) bool { return h.Key != nil && now.Sub(h.seen) < keyLifetime }

// has reports whether the key kid is held, for kid "" whether any is.
func (s *snapshot) has(kid string, now time.Time) bool {
	for i := range s.views {
		if kid != "" && s.views[i].keys[kid].alive(now) {
			return true
		}
		if kid == "" && s.views[i].holdsAny(now) {
			return true
		}
	}
	return false
}

func (v *view) holdsAny(now time.Time) bool {
	for _, h := range v.keys {
		if h.alive(now) {
			return true
		}
	}
	return false
}

// count returns how many keys are held. One that two documents name counts once.
func (s *snapshot) count(now time.Time) (n int) {
	for i := range s.views {
		for kid, h := range s.views[i].keys {
			if h.alive(now) && (i == 0 || !s.views[0].keys[kid].alive(now)) {
				n++
			}
		}
	}
	return n
}

// with returns s with a newer version of one document merged in.
func (s *snapshot) with(document int, got *fetched, now time.Time) *snapshot {
	next := &snapshot{views: slices.Clone(s.views)}
	next.views[document] = s.views[document].merge(got, now)
	for _, h := range s.headers {
		// A key with other material is another Key: its header is left out here and learnt anew.
		if held := next.views[h.document].keys[h.ID]; held.Key == h.Key {
			next.headers = append(next.headers, header{held, h.document, h.segment})
		}
	}
	return next
}

// merge returns the keys of v with those of a newer document: new content replaces old, keys that the document does not
// name stay until they are too old.
func (v view) merge(got *fetched, now time.Time) view {
	merged := view{keys: make(map[string]heldKey, len(got.keys)), issuer: got.issuer, lastGood: now}
	for _, k := range got.keys {
		if old := v.keys[k.ID].Key; old != nil && old.same(k) {
			k = old
		}
		merged.keys[k.ID] = heldKey{k, now}
	}
	for _, h := range v.newestFirst() {
		if _, named := merged.keys[h.ID]; !named && h.alive(now) && len(merged.keys) < maxKeys {
			merged.keys[h.ID] = h
		}
	}
	return merged
}

func (v view) newestFirst() []heldKey {
	return slices.SortedFunc(maps.Values(v.keys), func(a, b heldKey) int {
		return cmp.Or(b.seen.Compare(a.seen), cmp.Compare(a.ID, b.ID))
	})
}

// learn returns s with segment as a header of tokens that k signs, or s itself if that adds nothing or k has enough
// headers.
func (s *snapshot) learn(segment string, k *Key) *snapshot {
	if s.hasLearnt(segment, k) {
		return s
	}
	for i := range s.views {
		if held := s.views[i].keys[k.ID]; held.Key == k {
			// A copy of segment, lest the header keep the whole token alive.
			return &snapshot{s.views, append(slices.Clone(s.headers), header{held, i, strings.Clone(segment)})}
		}
	}
	return s
}

// hasLearnt reports whether segment is known as a header of k, or k has as many as it may have.
func (s *snapshot) hasLearnt(segment string, k *Key) bool {
	n := 0
	for i := range s.headers {
		if h := &s.headers[i]; h.Key == k {
			if h.segment == segment {
				return true
			}
			n++
		}
	}
	return n >= maxHeaders
}
