package invariants_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// course is what happened before a request, to Verifier 1.
type course struct {
	t *testing.T
	*invariants.Ledger
}

// well is an Entra that lists the usable keys "k" and "l", and a Verifier without keys.
func well(t *testing.T) course {
	c := course{t, invariants.New()}
	c.Usable("k", "l", "new")
	c.Listed(at(0), "k", "l")
	c.Well(at(0))
	c.Started(1, at(0))
	return c
}

// begin begins a fetch that must be within the bounds.
func (c course) begin(when float64) *invariants.Fetch {
	c.t.Helper()
	f, err := c.Began(1, at(when))
	if err != nil {
		c.t.Fatalf("the fetch at %v s: got %v, want no error", when, err)
	}
	return f
}

// brings is a fetch of 300 ms whose document names the keys.
func (c course) brings(when float64, keyIDs ...string) {
	c.t.Helper()
	f := c.begin(when)
	f.Delivered(at(when+0.3), keyIDs)
	if err := f.Ended(at(when + 0.3)); err != nil {
		c.t.Fatalf("the fetch at %v s: got %v, want no error", when, err)
	}
}

// restores gives the Verifier these keys from its cache.
func (c course) restores(when float64, keyIDs ...string) {
	c.t.Helper()
	if !c.Restored(1, at(when), keyIDs) {
		c.t.Fatalf("the cache at %v s: got no keys from it, want some", when)
	}
}

func TestACacheCountsBeforeAnyFetchAlone(t *testing.T) {
	c := well(t)
	if c.Restored(1, at(1), []string{"junk"}) || c.Keys(1) != 0 {
		t.Errorf("got %d keys of a document without usable ones, want none", c.Keys(1))
	}
	c.brings(2, "l")
	if c.Restored(1, at(3), []string{"k"}) || c.Keys(1) != 1 {
		t.Errorf("got %d keys after a fetch, want the one of the fetch: it is newer", c.Keys(1))
	}
}

func TestOneFetchAtATime(t *testing.T) {
	c := well(t)
	running := c.begin(1)
	if _, err := c.Began(1, at(2)); err == nil {
		t.Error("a second fetch beside the first: got no error, want one")
	}
	c.Started(2, at(2))
	if _, err := c.Began(2, at(2)); err != nil {
		t.Errorf("another Verifier's fetch: got %v, want no error", err)
	}
	running.Delivered(at(3), []string{"k"})
	if err := running.Ended(at(3)); err != nil {
		t.Errorf("its end: got %v, want no error", err)
	}
}

func TestFetchesInAMinute(t *testing.T) {
	for _, row := range []struct {
		name    string
		apart   float64 // seconds between fetches
		keys    int     // how many of the fetches bring a new key
		allowed int     // fetches in the first minute
	}{
		{"fetches that bring nothing new", 1, 0, 20},
		{"one key allows four more", 1, 1, 24},
		{"seven keys", 1, 7, 48},
		{"rare fetches", 4, 0, 60}, // 15 a minute
	} {
		t.Run(row.name, func(t *testing.T) {
			c := course{t, invariants.New()}
			ids := []string{"0", "1", "2", "3", "4", "5", "6"}
			c.Usable(ids...)
			c.Started(1, at(0))
			for i := range row.allowed {
				f := c.begin(float64(i) * row.apart)
				if i < row.keys {
					f.Delivered(at(float64(i)*row.apart), ids[:i+1])
				}
				_ = f.Ended(at(float64(i) * row.apart)) // Entra is not well, so fetches may fail.
			}
			if _, err := c.Began(1, at(float64(row.allowed)*row.apart)); (err == nil) != (row.apart > 3) {
				t.Errorf("fetch number %d: got error %v", row.allowed+1, err)
			}
		})
	}
}

func TestFetchesThatMayFail(t *testing.T) {
	for _, row := range []struct {
		name   string
		during func(course)
		want   bool
	}{
		{"Entra was well", func(course) {}, true},
		{"Entra is in trouble", func(c course) { c.Troubled() }, false},
		{"Entra was in trouble", func(c course) { c.Troubled(); c.Well(at(1.5)) }, false},
		{"the machine stood still", func(c course) { c.Stalled(at(1.5)) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			f := c.begin(1)
			row.during(c)
			if err := f.Ended(at(2)); (err != nil) != row.want {
				t.Errorf("got error %v, want one: %v", err, row.want)
			}
		})
	}
}

func TestDelivered(t *testing.T) {
	c := well(t)
	for _, row := range []struct {
		name   string
		keyIDs []string
		good   bool
		keys   int
	}{
		{"no key", nil, false, 0},
		{"keys that verify nothing", []string{"enc", ""}, false, 0},
		{"one key twice", []string{"k", "k"}, true, 1},
		{"a key that is known", []string{"k"}, true, 1},
		{"a key more", []string{"enc", "k", "l"}, true, 2},
	} {
		f := c.begin(1)
		if good, _ := f.Delivered(at(2), row.keyIDs); good != row.good || c.Keys(1) != row.keys {
			t.Errorf("%s: got good %v and %d keys, want %v and %d", row.name, good, c.Keys(1), row.good, row.keys)
		}
		_ = f.Ended(at(2)) // Entra was well, so that one without keys is an error, of another test.
	}
}

func TestHowLongKeysTake(t *testing.T) {
	c := well(t)
	f := c.begin(4)
	if _, over := f.Delivered(at(4.5), []string{"k"}); over.Return != 4500*time.Millisecond {
		t.Errorf("got %+v, want a return after 4.5s", over)
	}
	_ = f.Ended(at(4.5)) // It brought a key.
	c.Listed(at(5), "new")
	_, over := c.begin(7).Delivered(at(7.3), []string{"k", "new"})
	if over.Return != 0 || len(over.New) != 1 || over.New[0] != 2300*time.Millisecond {
		t.Errorf("got %+v, want no return, and 2.3s from listing to delivery", over)
	}
}
