package keyset_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Materials of keys. Tests here verify nothing, so any number of a good size will do.
var first, second = testbed.Modulus(2048), testbed.Modulus(3072)

// key is a key as a document lists it.
func key(id, material string) string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","kid":%q,"n":%q,"e":"AQAB"}`, id, material)
}

// published is a key document that tests change. It is not for concurrent use: fetches run while the test waits.
type published struct {
	keys []string
	text string // the whole document, in place of keys
	down bool
}

// set returns a Set that fetches the document.
func (p *published) set() *keyset.Set {
	client := testbed.Client(func(r *http.Request) (*http.Response, error) {
		if p.down {
			return nil, errors.New("connection refused")
		}
		text := p.text
		if p.keys != nil {
			text = `{"keys":[` + strings.Join(p.keys, ",") + `]}`
		}
		return testbed.Response(r, http.StatusOK, text), nil
	})
	return keyset.New(keyset.Config{
		Client: fetch.New(client), Log: slog.New(slog.DiscardHandler), Sources: []keyset.Source{keyset.Source{KeysURL: "https://login.example/keys"}},
	})
}

// use does with a set what a Verifier does for a token with this header segment, and reports whether the header had to be
// read.
func use(t *testing.T, set *keyset.Set, segment, kid string) (read bool) {
	t.Helper()
	k := set.ByHeader(segment, time.Now())
	if k == nil {
		read = true
		var err error
		if k, err = set.Find(t.Context(), kid); err != nil {
			t.Fatalf("Find: got %v, want the key %s", err, kid)
		}
	}
	set.Learn(segment, k)
	return read
}

// change is something that happens to the published document while a set is used.
type change func(t *testing.T, p *published, set *keyset.Set)

// publish lets the set fetch a document of these keys, because of a key that does not exist.
func publish(keys ...string) change {
	return func(t *testing.T, p *published, set *keyset.Set) {
		t.Helper()
		p.keys = keys
		time.Sleep(10 * time.Minute)
		if _, err := set.Find(t.Context(), fmt.Sprint("junk at ", time.Now())); err == nil {
			t.Error("Find: got a key that does not exist, want an error")
		}
	}
}

// outage lasts two days. Afterwards the document has these keys.
func outage(keys ...string) change {
	return func(_ *testing.T, p *published, _ *keyset.Set) {
		p.down, p.keys = true, keys
		time.Sleep(48 * time.Hour)
		p.down = false
	}
}

// gone lets the set fetch a document of these keys now and two days later, so that it drops all others.
func gone(keys ...string) change {
	return func(t *testing.T, p *published, set *keyset.Set) {
		publish(keys...)(t, p, set)
		time.Sleep(48 * time.Hour)
		publish(keys...)(t, p, set)
	}
}

// A header is read once as long as its key stays what it is, and once more when its key is another. A set that kept the
// header of a dead key would have the header of every later token read, which no answer shows.
func TestAHeaderIsLearntAnew(t *testing.T) {
	a, changed, other := key("a", first), key("a", second), key("other", first)
	inTurn := func(changes ...change) change {
		return func(t *testing.T, p *published, set *keyset.Set) {
			for _, c := range changes {
				c(t, p, set)
			}
		}
	}
	for _, test := range []struct {
		name    string
		changes []change // with ten tokens before each and after the last
		reads   int
	}{
		{"nothing happens", nil, 1},
		{"a newer document has the same key", []change{publish(a)}, 1},
		{"a newer document lacks the key", []change{publish(other)}, 1},
		{"a key vanishes and comes back", []change{publish(other), publish(a, other)}, 1},
		{"a key comes back with other material", []change{publish(other), publish(changed)}, 2},
		{"a key gets other material", []change{publish(changed)}, 2},
		{"a key gets other material, and then the first again", []change{publish(changed), publish(a)}, 3},
		{"the same key after an outage that it did not outlive", []change{outage(a)}, 2},
		{"other material after an outage that the key did not outlive", []change{outage(changed)}, 2},
		{"the same key after it was dropped", []change{inTurn(gone(other), publish(a))}, 2},
		{"other material after the key was dropped", []change{inTurn(gone(other), publish(changed))}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &published{keys: []string{a}}
				set := p.set()
				reads := 0
				useTen := func() {
					for range 10 {
						if use(t, set, "header of a", "a") {
							reads++
						}
						synctest.Wait()
					}
				}
				useTen()
				for _, c := range test.changes {
					c(t, p, set)
					useTen()
				}
				if reads != test.reads {
					t.Errorf("got the header read %d times, want %d", reads, test.reads)
				}
			})
		})
	}
}
