package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// patience is how long a request waits for a cache that does not answer.
const patience = 50 * time.Millisecond

func cachedIn(cache entra.KeyCache) func(*entra.Options) {
	return func(o *entra.Options) { o.KeyCache = cache }
}

// A process starts while Entra is away. Another one fetched the keys some time ago.
func TestARestartWhileEntraIsAwayServes(t *testing.T) {
	for name, fault := range map[string]func(*entratest.Server){
		"refused connections":    (*entratest.Server).Down,
		"requests that get lost": loseRequests,
		"status 503":             func(s *entratest.Server) { s.FailKeys(503) },
		"no keys":                func(s *entratest.Server) { s.SetKeys() },
	} {
		for _, test := range []struct {
			age     time.Duration
			want    string
			fetches int // that the first request causes
		}{
			{0, accepted, 0},
			{30 * time.Minute, accepted, 0},
			{time.Hour - time.Second, accepted, 0},
			{time.Hour, accepted, 1},
			{24 * time.Hour, accepted, 1},
			{25*time.Hour - time.Second, accepted, 1},
			{25 * time.Hour, "keys_unavailable", 1},
			{1000 * time.Hour, "keys_unavailable", 1},
		} {
			t.Run(fmt.Sprint(name, ", keys of ", test.age), func(t *testing.T) {
				cache, written := new(testbed.Cache), &testbed.Journal{Level: slog.LevelDebug}
				bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
					expect(t, v, tenant.Token(), accepted)
					fetched := v.Stats().LastFetch
					fault(tenant)
					time.Sleep(time.Until(fetched.Add(test.age)))
					before := tenant.KeyRequests()
					next := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.KeyCache, o.Logger = cache, slog.New(written) })
					if test.want != accepted {
						if _, err := next.Verify(t.Context(), tenant.Token()); outcome(err) != test.want {
							t.Errorf("got %v, want %s", err, test.want)
						}
						return
					}
					for range 3 {
						expect(t, next, tenant.Token(), accepted)
					}
					if got := tenant.KeyRequests() - before; got != test.fetches {
						t.Errorf("got %d fetches, want %d beside the requests", got, test.fetches)
					}
					if err := next.Ready(t.Context()); err != nil {
						t.Errorf("Ready: got %v, want nil", err)
					}
					if got, want := next.Stats(), v.Stats(); got.LastFetch != fetched || got.Keys != want.Keys {
						t.Errorf("got %d keys of %v, want %d of %v", got.Keys, got.LastFetch, want.Keys, fetched)
					}
					_, err := next.Verify(t.Context(), junkToken())
					if got := outcome(err); got != "unknown_key" && test.age <= 24*time.Hour { // A fetch that hangs can outlast older ones.
						t.Errorf("an unknown key: got %s, want unknown_key: keys are held", got)
					}
					for _, line := range written.Lines() {
						if strings.Contains(line["(message)"], "cache") {
							t.Errorf("got the line %v, want none about the cache", line)
						}
					}
				})
			})
		}
	}
}

// What a cache brought is as old as it is: it lives no longer than if this process had fetched it, and is refreshed as soon.
func TestKeysFromTheCacheAgeOn(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		time.Sleep(20 * time.Minute)
		next := testbed.NewVerifier(t, tenant, cachedIn(cache))
		start, lasting := time.Now(), tenant.Token(entratest.Lifetime(50*time.Hour))
		every(time.Minute, 150*time.Minute, func() { expect(t, next, lasting, accepted) })
		if got, want := fetches(tenant, 1, start), seconds(40*60, 100*60); !slices.Equal(got, want) {
			t.Errorf("got fetches at %v, want %v", got, want)
		}
		tenant.Down()
		last := next.Stats().LastFetch
		time.Sleep(10 * time.Hour)
		third := testbed.NewVerifier(t, tenant, cachedIn(cache))
		expect(t, third, lasting, accepted)
		time.Sleep(time.Until(last.Add(25*time.Hour - time.Second)))
		expect(t, third, lasting, accepted)
		time.Sleep(time.Second)
		if _, err := third.Verify(t.Context(), lasting); outcome(err) != "keys_unavailable" {
			t.Errorf("25 hours after the last good fetch: got %v, want keys_unavailable", err)
		}
	})
}

// Another process of a shared cache reaches Entra, and this one does not.
func TestACacheIsReadAgainWhileNoKeyIsHeld(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, _ *entra.Verifier) {
		cutOff := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
			o.KeyCache = cache
			o.HTTPClient = testbed.Client(func(*http.Request) (*http.Response, error) { return nil, errors.New("cut off") })
		})
		token := tenant.Token()
		every(100*time.Millisecond, time.Minute, func() { expect(t, cutOff, token, "keys_unavailable") })
		if got := cache.Gets(); got > 13 {
			t.Errorf("got the cache read %d times in a minute of requests, want once in 5 seconds", got)
		}
		other := testbed.NewVerifier(t, tenant, cachedIn(cache))
		expect(t, other, token, accepted)
		time.Sleep(5 * time.Second)
		expect(t, cutOff, token, accepted)
		read := cache.Gets()
		every(time.Second, 10*time.Minute, func() {
			expect(t, cutOff, token, accepted)
			expect(t, cutOff, junkToken(), "unknown_key")
		})
		if got := cache.Gets(); got != read {
			t.Errorf("got the cache read %d times more while keys are held, want never", got-read)
		}
	})
}

// Whatever a cache does, a request gets what it would get without one, at once or after the moment that a cache is given.
func TestACacheThatMisbehaves(t *testing.T) {
	damaged := func(change func([]byte) []byte) func(*testbed.Cache) {
		return func(c *testbed.Cache) {
			c.OnGet = func(_ context.Context, data []byte, err error) ([]byte, error) { return change(data), err }
		}
	}
	gets := func(get func(ctx context.Context) ([]byte, error)) func(*testbed.Cache) {
		return func(c *testbed.Cache) {
			c.OnGet = func(ctx context.Context, _ []byte, _ error) ([]byte, error) { return get(ctx) }
		}
	}
	tests := map[string]struct {
		fault func(*testbed.Cache)
		wait  time.Duration // that its first request takes while Entra answers at once
	}{
		"it fails": {gets(func(context.Context) ([]byte, error) { return nil, errors.New(strings.Repeat("no ", 1<<20)) }), 0},
		"it fails and returns an entry": {func(c *testbed.Cache) {
			c.OnGet = func(_ context.Context, data []byte, _ error) ([]byte, error) { return data, errors.New("no") }
		}, 0},
		"it fails after a second":         {gets(func(context.Context) ([]byte, error) { time.Sleep(time.Second); return nil, errors.New("no") }), patience},
		"it hangs until its context ends": {gets(func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }), patience},
		"it hangs for an hour":            {gets(func(context.Context) ([]byte, error) { time.Sleep(time.Hour); return nil, errors.New("no") }), patience},
		"it panics":                       {gets(func(context.Context) ([]byte, error) { panic("a cache") }), 0},
		"it panics with an error":         {gets(func(context.Context) ([]byte, error) { panic(errors.New("a cache")) }), 0},
		"it returns nothing":              {gets(func(context.Context) ([]byte, error) { return nil, nil }), 0},
		"it returns HTML":                 {gets(func(context.Context) ([]byte, error) { return []byte("<html>"), nil }), 0},
		"it returns a key document":       {gets(func(context.Context) ([]byte, error) { return []byte(testbed.KeyDocument(entratest.NewKey())), nil }), 0},
		"it returns a gigantic entry":     {gets(func(context.Context) ([]byte, error) { return make([]byte, 64<<20), nil }), 0},
		"half an entry":                   {damaged(func(b []byte) []byte { return b[:len(b)/2] }), 0},
		"an entry without its last byte":  {damaged(func(b []byte) []byte { return b[:len(b)-1] }), 0},
		"an entry with a byte more":       {damaged(func(b []byte) []byte { return append(b, ' ') }), 0},
		"an entry twice":                  {damaged(func(b []byte) []byte { return append(b, b...) }), 0},
		"an entry and half another":       {damaged(func(b []byte) []byte { return append(b[:len(b)/3], b[len(b)/2:]...) }), 0},
		"an entry of zeros":               {damaged(func(b []byte) []byte { return make([]byte, len(b)) }), 0},
		"another first byte":              {damaged(func(b []byte) []byte { b[0] ^= 1; return b }), 0},
		"another byte in the middle":      {damaged(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), 0},
		"another byte in the checksum":    {damaged(func(b []byte) []byte { b[len(b)-3] ^= 1; return b }), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cache, written := new(testbed.Cache), &testbed.Journal{Level: slog.LevelDebug}
			bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				expect(t, v, tenant.Token(), accepted)
				test.fault(cache)
				make := func() *entra.Verifier {
					return testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.KeyCache, o.Logger = cache, slog.New(written) })
				}
				next, token := make(), tenant.Token()
				expectAfter(t, next, token, accepted, test.wait)
				expect(t, next, token, accepted)
				tenant.Down()
				cutOff := make()
				expectAfter(t, cutOff, token, "keys_unavailable", test.wait)
				expect(t, cutOff, token, "keys_unavailable") // Nobody waits for a cache that hangs twice.
				time.Sleep(11 * time.Second)
				var about int
				for _, line := range written.Lines() {
					if strings.Contains(line["(message)"], "key cache not read") {
						about++
						if line["(level)"] != "WARN" || len(line["error"]) > 1000 || line["name"] == "" {
							t.Errorf("got the line %v, want a short one of level WARN with the name of the entry", line)
						}
					}
				}
				if about != 2 {
					t.Errorf("got %d lines about the cache, want one for each of two Verifiers", about)
				}
				time.Sleep(2 * time.Hour) // One that hangs has ended by now.
			})
		})
	}
}

// Requests and fetches do not know of a cache that cannot be written.
func TestACacheThatCannotBeWritten(t *testing.T) {
	for name, put := range map[string]func(context.Context, []byte) error{
		"it fails":                        func(context.Context, []byte) error { return errors.New("read-only") },
		"it hangs until its context ends": func(ctx context.Context, _ []byte) error { <-ctx.Done(); return ctx.Err() },
		"it hangs for an hour":            func(context.Context, []byte) error { time.Sleep(time.Hour); return nil },
		"it panics":                       func(context.Context, []byte) error { panic("a cache") },
	} {
		t.Run(name, func(t *testing.T) {
			written := &testbed.Journal{Level: slog.LevelWarn}
			var running, most atomic.Int64
			cache := &testbed.Cache{OnPut: func(ctx context.Context, data []byte) error {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				return put(ctx, data)
			}}
			bubble(t, func(o *entra.Options) { o.KeyCache, o.Logger = cache, slog.New(written) }, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				for range 20 {
					expect(t, v, tenant.Token(), accepted)
					tenant.RotateKeys()
					expect(t, v, tenant.Token(), accepted)
					time.Sleep(time.Second)
				}
				if got := v.Stats(); got.Fetches < 20 || got.FetchFailures != 0 {
					t.Errorf("got %d fetches and %d failures, want one each second", got.Fetches, got.FetchFailures)
				}
				if most.Load() != 1 {
					t.Errorf("got %d writings at a time, want 1", most.Load())
				}
				time.Sleep(11 * time.Second)
				if lines := written.Lines(); len(lines) == 0 || !strings.Contains(lines[0]["(message)"], "key cache not written") {
					t.Errorf("got lines %v, want one that says that the cache was not written", lines)
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// While a writing hangs, newer documents come. The last of them is written in the end.
func TestTheNewestDocumentIsWrittenInTheEnd(t *testing.T) {
	slow := true
	cache := &testbed.Cache{OnPut: func(context.Context, []byte) error {
		if slow {
			slow = false
			time.Sleep(8 * time.Second)
		}
		return nil
	}}
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		for range 3 {
			expect(t, v, tenant.Token(), accepted)
			time.Sleep(time.Second)
			tenant.RotateKeys()
		}
		expect(t, v, tenant.Token(), accepted)
		newest := tenant.Token()
		time.Sleep(8 * time.Second)
		tenant.Down()
		expect(t, testbed.NewVerifier(t, tenant, cachedIn(cache)), newest, accepted)
	})
}

// The cache answers after a fetch has brought other material for a key ID.
func TestANewerFetchWinsOverTheCache(t *testing.T) {
	for _, slow := range []time.Duration{100 * time.Millisecond, 3 * time.Second, 2 * time.Hour} {
		t.Run(slow.String(), func(t *testing.T) {
			cache := new(testbed.Cache)
			bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				old := tenant.Key()
				expect(t, v, tenant.Token(), accepted)
				time.Sleep(time.Minute)
				cache.OnGet = func(_ context.Context, data []byte, err error) ([]byte, error) {
					time.Sleep(slow)
					return data, err
				}
				changed := tenant.UnknownKey().With("kid", old.ID())
				tenant.SetKeys(changed)
				entries := cache.Entries()
				next := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
					o.KeyCache = cache
				})
				cache.OnPut = func(context.Context, []byte) error { return errors.New("read-only") }
				good := tenant.Token(entratest.SignedBy(changed), entratest.Lifetime(10*time.Hour))
				expectAfter(t, next, good, accepted, patience)
				time.Sleep(slow + time.Second)
				expect(t, next, good, accepted)
				expect(t, next, tenant.Token(entratest.SignedBy(old)), "signature")
				if got := next.Stats().LastFetch; time.Since(got) > slow+2*time.Second {
					t.Errorf("got the last good fetch at %v, want the one of this process", got)
				}
				if !maps.EqualFunc(entries, cache.Entries(), bytes.Equal) {
					t.Error("the cache was changed by a writing that failed")
				}
				time.Sleep(3 * time.Hour)
			})
		})
	}
}

// The cache answers late, while Entra hangs: whoever waits for the fetch need not wait for its end.
func TestASlowCacheIsHeardWhileAFetchHangs(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.HangKeys()
		cache.OnGet = func(_ context.Context, data []byte, err error) ([]byte, error) {
			time.Sleep(2 * time.Second)
			return data, err
		}
		expectAfter(t, testbed.NewVerifier(t, tenant, cachedIn(cache)), tenant.Token(), accepted, 2*time.Second)
	})
}

// entriesAt returns what a cache holds after a fetch at that time, of the keys of tenant.
func entriesAt(t *testing.T, at time.Duration, keys []*entratest.Key) map[string][]byte {
	t.Helper()
	cache := new(testbed.Cache)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(at)
		tenant := entratest.New(t)
		tenant.SetKeys(keys...)
		if err := testbed.NewVerifier(t, tenant, cachedIn(cache)).Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
	return cache.Entries()
}

// The clock is another one after the restart: the machine is another, its battery is empty, or somebody set it.
func TestClocksThatJumpBetweenTwoProcesses(t *testing.T) {
	const day = 24 * time.Hour
	key := entratest.NewKey().With("issuer", testbed.PublicOwner)
	for _, test := range []struct {
		name          string
		before, after time.Duration // of the clock, at the fetch and at the restart
		want          string
		logged        bool
	}{
		{"not at all", day, day, accepted, false},
		{"ahead by a second", day, day + time.Second, accepted, false},
		{"ahead by a day", day, 2 * day, accepted, false},
		{"ahead by 25 hours", day, day + 25*time.Hour, "keys_unavailable", false},
		{"ahead by ten years", day, 3650 * day, "keys_unavailable", false},
		{"back by a nanosecond", day, day - 1, "keys_unavailable", true},
		{"back by a minute", day, day - time.Minute, "keys_unavailable", true},
		{"back by ten years", 3650 * day, 0, "keys_unavailable", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			entries := entriesAt(t, test.before, []*entratest.Key{key})
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(test.after)
				cache, written := new(testbed.Cache), &testbed.Journal{Level: slog.LevelWarn}
				for name, data := range entries {
					cache.Set(name, data)
				}
				tenant := entratest.New(t)
				tenant.Down()
				v := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.KeyCache, o.Logger = cache, slog.New(written) })
				expect(t, v, tenant.Token(entratest.SignedBy(key)), test.want)
				logged := slices.ContainsFunc(written.Lines(), func(l testbed.Line) bool { return strings.Contains(l["error"], "ahead of this machine's clock") })
				if logged != test.logged {
					t.Errorf("got lines %v, want one about the clock: %v", written.Lines(), test.logged)
				}
			})
		})
	}
}

// Each Verifier finds its own entries, and none of another's, under whatever name they are put.
func TestVerifiersOfOtherOptionsAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := []entratest.AppRegistration{{ClientID: entratest.APIClientID, Scopes: []string{entratest.ScopeRead}, OwnKey: true}, {ClientID: entratest.ClientID}}
		tenant := entratest.New(t, entratest.Config{Apps: apps})
		good := tenant.Transport()
		// Every document that a Verifier may ask for is there, with the same key.
		client := testbed.Client(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
				issuer := "https://" + r.URL.Host + "/" + entratest.TenantID + "/v2.0"
				return testbed.Response(r, http.StatusOK, testbed.MetadataDocument(issuer, "https://"+r.URL.Host+"/keys")), nil
			}
			if r.URL.Host == "login.microsoftonline.com" && strings.Contains(r.URL.Path, entratest.TenantID) {
				return good.RoundTrip(r)
			}
			return testbed.Response(r, http.StatusOK, testbed.KeyDocument(tenant.Key())), nil
		})
		variants := map[string]func(*entra.Options){
			"one tenant":     func(*entra.Options) {},
			"another tenant": func(o *entra.Options) { o.Tenants = []string{entratest.OtherTenantID} },
			"two tenants":    func(o *entra.Options) { o.Tenants = []string{entratest.TenantID, entratest.OtherTenantID} },
			"personal too":   func(o *entra.Options) { o.Tenants = []string{entratest.TenantID, entra.PersonalAccounts} },
			"another cloud":  func(o *entra.Options) { o.Cloud = entra.USGovernment },
			"China":          func(o *entra.Options) { o.Cloud = entra.China },
			"another API":    func(o *entra.Options) { o.ClientID = entratest.SPAClientID },
			"an authority":   func(o *entra.Options) { o.Tenants, o.Authority = nil, testbed.ExternalID },
			"a B2C policy":   func(o *entra.Options) { o.Tenants, o.Authority = nil, testbed.B2C },
			"another policy": func(o *entra.Options) {
				o.Tenants, o.Authority = nil, strings.Replace(testbed.B2C, "SignIn", "Edit", 1)
			},
			"application keys": func(o *entra.Options) { o.AppKeys = true },
		}
		kept, names := make(map[string]map[string][]byte), make(map[string]string)
		for name, change := range variants {
			for range 2 { // A second process of the same options has the same names.
				cache := new(testbed.Cache)
				v := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
					o.KeyCache, o.HTTPClient = cache, client
					change(o)
				})
				if err := v.Ready(t.Context()); err != nil {
					t.Fatalf("%s: got %v", name, err)
				}
				time.Sleep(time.Second)
				entries := cache.Entries()
				if before := kept[name]; before != nil && !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(entries))) {
					t.Errorf("%s: got the names %v and %v, want the same", name, before, entries)
				}
				kept[name] = entries
			}
			for entry := range kept[name] {
				if strings.ContainsFunc(entry, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) || len(entry) > 60 {
					t.Errorf("got the name %q, want a short one of letters, digits and hyphens", entry)
				}
				// The general document is the same with the application's own keys and without.
				if other := names[entry]; other != "" && name != "application keys" && other != "application keys" {
					t.Errorf("%s and %s have the same name %s", name, other, entry)
				}
				names[entry] = name
			}
		}
		if got := len(kept["application keys"]); got != 2 {
			t.Errorf("got %d entries with application keys, want one for each document", got)
		}
		// Somebody copies the files of one to the names of another.
		for name, change := range variants {
			for from, entries := range kept {
				if from == name {
					continue
				}
				cache := new(testbed.Cache)
				for own := range kept[name] {
					for foreign, data := range entries {
						if foreign != own {
							cache.Set(own, data)
						}
					}
				}
				v := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
					o.KeyCache = cache
					o.HTTPClient = testbed.Client(func(*http.Request) (*http.Response, error) { return nil, errors.New("away") })
					change(o)
				})
				if err := v.Ready(t.Context()); !errors.Is(err, entra.ErrKeysUnavailable) {
					t.Errorf("%s with the entries of %s: got %v, want no keys", name, from, err)
				}
			}
		}
	})
}

// Each document has an entry, and one whose fetch fails is served from its own.
func TestTwoDocumentsHaveEntriesOfTheirOwn(t *testing.T) {
	network := new(twoDocuments)
	network.bubble(t, func(t *testing.T, tenant *entratest.Server, _ *entra.Verifier, general, own func() string) {
		cache := new(testbed.Cache)
		make := func() *entra.Verifier {
			return testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.AppKeys, o.KeyCache = true, cache
				inner := tenant.Transport()
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					if fault := network.fault(r); fault != nil {
						return fault(r)
					}
					return inner.RoundTrip(r)
				})
			})
		}
		first := make()
		expect(t, first, own(), accepted)
		expect(t, first, general(), accepted)
		network.fail(hang, hang)
		next := make()
		expect(t, next, own(), accepted)
		expect(t, next, general(), accepted)
		network.fail(nil, hang)
		for name := range cache.Entries() {
			cache.Set(name, nil)
		}
		third := make()
		expect(t, third, general(), accepted)
		time.Sleep(11 * time.Second)
	})
}

// The metadata of an authority is kept with its keys: its issuer is known after a restart.
func TestAnAuthorityIsServedFromTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, tenant := new(testbed.Cache), entratest.New(t)
		documents := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, testbed.ExternalIDIssuer, tenant.Key())}
		make := func() *entra.Verifier {
			return testbed.NewVerifierAt(t, documents, entra.Options{Authority: testbed.ExternalID, KeyCache: cache})
		}
		token := testbed.SignClaims(tenant.Key(), testbed.UserClaims(testbed.ExternalIDIssuer, entratest.TenantID, "2.0"))
		stranger := testbed.SignClaims(tenant.Key(), testbed.UserClaims(testbed.CustomDomainIssuer, entratest.TenantID, "2.0"))
		expect(t, make(), token, accepted)
		documents.Documents = nil
		next := make()
		expect(t, next, token, accepted)
		expect(t, next, stranger, "issuer")
	})
}

// A key that is distrusted now stands in an entry of before.
func TestTheCacheBringsNoDistrustedKey(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		stolen := tenant.Key()
		tenant.RotateKeys()
		expect(t, v, tenant.Token(), accepted)
		tenant.Down()
		next := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.KeyCache, o.DistrustedKeys = cache, []string{stolen.ID()} })
		expect(t, next, tenant.Token(), accepted)
		expect(t, next, tenant.Token(entratest.SignedBy(stolen)), "distrusted_key")
		if got, want := next.Stats().Keys, v.Stats().Keys-1; got != want {
			t.Errorf("got %d keys held, want %d", got, want)
		}
	})
}

// A document that is good but for odd keys is kept as it came, invalid UTF-8 included.
func TestACachedDocumentReadsAsItDid(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		good := testbed.KeyDocument(tenant.Key())
		odd := strings.Replace(testbed.KeyDocument(tenant.UnknownKey()), `"kty"`, "\"x\":\"\xff\",\"kty\"", 1)
		answer(200, strings.TrimSuffix(good, "]}")+","+strings.TrimPrefix(odd, `{"keys":[`))(tenant)
		byOdd := tenant.Token(entratest.SignedBy(tenant.UnknownKey()))
		expect(t, v, tenant.Token(), accepted)
		expect(t, v, byOdd, "unknown_key")
		tenant.Down()
		next := testbed.NewVerifier(t, tenant, cachedIn(cache))
		expect(t, next, tenant.Token(), accepted)
		expect(t, next, byOdd, "unknown_key")
	})
}

// Requests of a crowd wait for one reading, and for one fetch, as many as may.
func TestACrowdWaitsForOneReading(t *testing.T) {
	cache := new(testbed.Cache)
	bubble(t, cachedIn(cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.Down()
		cache.OnGet = func(_ context.Context, data []byte, err error) ([]byte, error) {
			time.Sleep(10 * time.Millisecond)
			return data, err
		}
		next, token, before := testbed.NewVerifier(t, tenant, cachedIn(cache)), tenant.Token(), cache.Gets()
		results := make(chan string, 5000)
		for range 5000 {
			go func() {
				_, err := next.Verify(t.Context(), token)
				results <- outcome(err)
			}()
		}
		counts := make(map[string]int)
		for range 5000 {
			counts[<-results]++
		}
		if counts[accepted] != 4096 || counts["keys_unavailable"] != 904 || cache.Gets()-before != 1 {
			t.Errorf("got %v and %d readings, want 4096 that wait and one reading", counts, cache.Gets()-before)
		}
	})
}
