package oracle_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/soak/oracle"
)

// Rows tell of fetches that end as soon as they begin or hang for 10 seconds; the last one is judged.
func TestFetchesThatComeTooSoon(t *testing.T) {
	type fetch struct {
		at         float64
		brings     string // "" for a failure
		retryAfter time.Duration
		took       float64
	}
	good := func(at float64, keyIDs string) fetch { return fetch{at: at, brings: keyIDs} }
	bad := func(at float64) fetch { return fetch{at: at} }
	for _, row := range []struct {
		name    string
		fetches []fetch
		last    float64
		want    bool // too soon
	}{
		{"the first", nil, 0, false},
		{"at once after one that brought a new key", []fetch{good(0, "k")}, 0.1, false},
		{"within 5 s of a vain one", []fetch{good(0, "k"), good(9, "k")}, 13.9, true},
		{"5 s after a vain one", []fetch{good(0, "k"), good(9, "k")}, 14, false},
		{"within 10 s of a second vain one", []fetch{good(0, "k"), good(9, "k"), good(20, "k")}, 29.9, true},
		{"10 s after a second vain one", []fetch{good(0, "k"), good(9, "k"), good(20, "k")}, 30, false},
		{"at once after one that brought a new key at last", []fetch{good(0, "k"), good(9, "k"), good(20, "l")}, 20.1, false},
		{"at once after a vain one, those who waited for the one before may still say so", []fetch{good(0, "k"), good(1, "k")}, 1.1, false},
		{"a second after a failure", []fetch{bad(0)}, 1, false},
		{"within 2 s of a second failure", []fetch{bad(0), bad(10)}, 10.9, true},
		{"within 2 s of a second failure, but its request may have started late", []fetch{bad(0), bad(10)}, 11.1, false},
		{"5 s after many failures, without keys", []fetch{bad(0), bad(10), bad(20), bad(30), bad(40)}, 45, false},
		{"within 5 s of many failures, without keys", []fetch{bad(0), bad(10), bad(20), bad(30), bad(40)}, 43.9, true},
		{"within 8 s of four failures, with keys", []fetch{good(0, "k"), bad(10), bad(20), bad(30), bad(40)}, 46.9, true},
		{"a second after a failure that follows a good one", []fetch{bad(0), bad(10), good(20, "k"), bad(30)}, 31, false},
		{"within Retry-After", []fetch{good(0, "k"), {at: 10, retryAfter: 30 * time.Second}}, 39.9, true},
		{"after Retry-After", []fetch{good(0, "k"), {at: 10, retryAfter: 30 * time.Second}}, 40, false},
		{"after the cap on Retry-After, with keys", []fetch{good(0, "k"), {at: 10, retryAfter: time.Hour}}, 70, false},
		{"after the cap on Retry-After, without keys", []fetch{{at: 10, retryAfter: time.Hour}}, 15, false},
		{"within the cap on Retry-After, without keys", []fetch{{at: 10, retryAfter: time.Hour}}, 14.9, true},
		{"at once after one that hung, for which the delay is over", []fetch{bad(0), {at: 10, took: 10}}, 20, false},
		{"at once after one that hung, but within the delay", []fetch{good(0, "k"), bad(10), bad(20), bad(30), bad(40), {at: 60, took: 10}}, 74.9, true},
		{"within Retry-After of a late answer", []fetch{good(0, "k"), {at: 10, retryAfter: 30 * time.Second, took: 9}}, 48.9, true},
		{"the delay outlives a failure", []fetch{good(0, "k"), good(9, "k"), good(20, "k"), bad(30)}, 31, false},
		{"a refresh after an hour", []fetch{good(0, "k"), good(9, "k")}, 3609, false},
		{"ten minutes may have lifted the delay", []fetch{good(0, "k"), good(9, "k"), good(20, "k"), good(40, "k"), good(640, "k")}, 645, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := oracle.New()
			o.Started(1, at(0))
			for _, f := range row.fetches {
				began, err := o.Began(1, at(f.at))
				if err != nil {
					t.Fatalf("the fetch at %v s: got %v, want no error", f.at, err)
				}
				if f.brings != "" {
					began.Delivered(at(f.at), []string{f.brings})
				}
				if err := began.Ended(at(f.at+f.took), f.retryAfter); err != nil {
					t.Fatalf("the fetch at %v s: got %v, want no error", f.at, err)
				}
			}
			if _, err := o.Began(1, at(row.last)); (err != nil) != row.want {
				t.Errorf("got error %v, want one: %v", err, row.want)
			}
		})
	}
}

func TestOneFetchAtATime(t *testing.T) {
	c := well(t)
	running := c.begin(1)
	if _, err := c.Began(1, at(2)); err == nil {
		t.Error("a second fetch beside the first: got no error, want one")
	}
	if err := running.Ended(at(3), 0); err == nil {
		t.Error("a fetch that fails although Entra is well: got no error, want one")
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
	} {
		t.Run(row.name, func(t *testing.T) {
			c := well(t)
			f := c.begin(1)
			row.during(c)
			if err := f.Ended(at(2), 0); (err != nil) != row.want {
				t.Errorf("got error %v, want one: %v", err, row.want)
			}
		})
	}
}
