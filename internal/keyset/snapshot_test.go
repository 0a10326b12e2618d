package keyset

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"
)

// made returns a key with this material. Tests here verify nothing, so any number will do.
func made(id string, material int64, change ...func(*Key)) *Key {
	k := &Key{ID: id, public: &rsa.PublicKey{N: big.NewInt(material), E: 65537}}
	for _, c := range change {
		c(k)
	}
	return k
}

func documentOf(keys ...*Key) *fetched { return &fetched{keys: keys} }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// after returns a snapshot of one document whose versions were fetched an hour apart, the last one at start.
func after(versions ...*fetched) *snapshot {
	s := &snapshot{views: make([]view, 1)}
	for i, version := range versions {
		s = s.with(0, version, start.Add(time.Duration(i-len(versions)+1)*time.Hour))
	}
	return s
}

// held returns the keys of a snapshot by their IDs, as their materials.
func held(s *snapshot, now time.Time) map[string]int64 {
	all := make(map[string]int64)
	for _, v := range s.views {
		for id, h := range v.keys {
			if h.alive(now) {
				all[id] = h.public.N.Int64()
			}
		}
	}
	return all
}

func TestWhatDocumentsAmountTo(t *testing.T) {
	const life = 25 * time.Hour
	a, b := made("a", 1), made("b", 2)
	tests := map[string]struct {
		documents []*fetched // an hour apart
		now       time.Duration
		want      map[string]int64
	}{
		"one document":                      {[]*fetched{documentOf(a, b)}, 0, map[string]int64{"a": 1, "b": 2}},
		"a key that vanishes":               {[]*fetched{documentOf(a, b), documentOf(b)}, 0, map[string]int64{"a": 1, "b": 2}},
		"a new key beside a vanished one":   {[]*fetched{documentOf(a), documentOf(b)}, 0, map[string]int64{"a": 1, "b": 2}},
		"other material under an ID":        {[]*fetched{documentOf(a), documentOf(made("a", 3))}, 0, map[string]int64{"a": 3}},
		"a moment before it is too old":     {[]*fetched{documentOf(a)}, life - 1, map[string]int64{"a": 1}},
		"25 hours after the last document":  {[]*fetched{documentOf(a)}, life, map[string]int64{}},
		"25 hours after its own last one":   {[]*fetched{documentOf(a), documentOf(b)}, life - time.Hour, map[string]int64{"b": 2}},
		"just less than that":               {[]*fetched{documentOf(a), documentOf(b)}, life - time.Hour - 1, map[string]int64{"a": 1, "b": 2}},
		"the same for a key that came back": {[]*fetched{documentOf(a), documentOf(b), documentOf(a)}, life - time.Hour, map[string]int64{"a": 1}},
		"no document yet":                   {nil, 0, map[string]int64{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, now := after(test.documents...), start.Add(test.now)
			got := held(s, now)
			if !maps.Equal(got, test.want) {
				t.Errorf("got keys %v, want %v", got, test.want)
			}
			if s.count(now) != len(test.want) || s.has("", now) != (len(test.want) > 0) || s.has("c", now) {
				t.Errorf("got %d keys counted, any held %v, a key of no document held %v", s.count(now), s.has("", now), s.has("c", now))
			}
			for id := range test.want {
				if !s.has(id, now) {
					t.Errorf("got %s not held, want it held", id)
				}
			}
		})
	}
}

// A token that was verified with a key is told by the pointer, so the pointer changes with the content and only then.
func TestAKeyIsAnotherWithOtherContentOnly(t *testing.T) {
	old := made("a", 1, func(k *Key) { k.Issuer, k.Cloud = "issuer", "cloud" })
	again := func(change func(*Key)) *Key { k := *old; change(&k); return &k }
	for name, test := range map[string]struct {
		newer *Key
		same  bool
	}{
		"the same content": {again(func(*Key) {}), true},
		"other material":   {again(func(k *Key) { k.public = made("a", 2).public }), false},
		"another issuer":   {again(func(k *Key) { k.Issuer = "another" }), false},
		"no issuer":        {again(func(k *Key) { k.Issuer = "" }), false},
		"another cloud":    {again(func(k *Key) { k.Cloud = "another" }), false},
	} {
		s := after(documentOf(old), documentOf(test.newer))
		if got := s.views[0].keys["a"].Key; (got == old) != test.same || !got.same(test.newer) {
			t.Errorf("%s: got the old key %v, want %v, with the newer content", name, got == old, test.same)
		}
	}
}

func TestOldKeysMakeRoom(t *testing.T) {
	many := func(from, count int) *fetched {
		got := new(fetched)
		for i := range count {
			got.keys = append(got.keys, made(fmt.Sprintf("%04d", from+i), int64(from+i)))
		}
		return got
	}
	s := after(many(0, 600), many(600, 600), many(1200, 300))
	all := held(s, start)
	if len(all) != 1000 {
		t.Errorf("got %d keys, want 1000", len(all))
	}
	for id, want := range map[string]bool{"1200": true, "1499": true, "0600": true, "1199": true, "0000": true, "0099": true, "0100": false, "0599": false} {
		if _, got := all[id]; got != want {
			t.Errorf("key %s: got it held %v, want %v: those that were named last stay", id, got, want)
		}
	}
}

func TestTwoDocumentsAreKeptApart(t *testing.T) {
	general, own := made("general", 1), made("own", 2)
	s := &snapshot{views: make([]view, 2)}
	s = s.with(0, documentOf(general, made("shared", 3)), start)
	s = s.with(1, &fetched{keys: []*Key{own, made("shared", 4)}, issuer: "issuer"}, start.Add(time.Hour))
	if got := s.count(start.Add(time.Hour)); got != 3 {
		t.Errorf("got %d keys, want 3: one ID counts once", got)
	}
	later := start.Add(25*time.Hour + time.Minute)
	if s.has("general", later) || !s.has("own", later) || !s.has("shared", later) || s.count(later) != 2 {
		t.Errorf("got %v, want the keys of the younger document alone", held(s, later))
	}
	if s.views[0].lastGood != start || s.views[0].issuer != "" || s.views[1].issuer != "issuer" {
		t.Errorf("got %+v, want ages and issuers apart", s.views)
	}
}

func TestSnapshotsNeverChange(t *testing.T) {
	k := made("a", 1)
	first := after(documentOf(k))
	learnt := first.learn("header", k)
	_ = learnt.with(0, documentOf(made("a", 2), made("b", 3)), start.Add(time.Hour))
	if got := held(first, start); !maps.Equal(got, map[string]int64{"a": 1}) || len(first.headers) != 0 {
		t.Errorf("got %v and headers %v, want the first snapshot as it was", got, first.headers)
	}
	if len(learnt.headers) != 1 || learnt.headers[0].segment != "header" {
		t.Errorf("got headers %v, want the one learnt", learnt.headers)
	}
}

func TestEachKeyHasTwoHeadersAtMost(t *testing.T) {
	a, b, gone := made("a", 1), made("b", 2), made("a", 3)
	s := after(documentOf(a, b))
	for _, step := range []struct {
		segment string
		key     *Key
		want    []string
	}{
		{"header of a", a, []string{"header of a"}},
		{"header of a", a, []string{"header of a"}},
		{"other header of a", a, []string{"header of a", "other header of a"}},
		{"other header of a", a, []string{"header of a", "other header of a"}},
		{"third header of a", a, []string{"header of a", "other header of a"}},
		{"header of b", b, []string{"header of a", "other header of a", "header of b"}},
		{"header of a key that is not held", gone, []string{"header of a", "other header of a", "header of b"}},
		{"header of a key that no document named", made("c", 4), []string{"header of a", "other header of a", "header of b"}},
	} {
		s = s.learn(step.segment, step.key)
		var got []string
		for _, h := range s.headers {
			got = append(got, h.segment)
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("after %q: got headers %q, want %q", step.segment, got, step.want)
		}
	}
}
