package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// floodSchedule is when a flood of key IDs that do not exist causes fetches in an hour: 5 seconds after the first, then
// ever later, down to one a minute.
var floodSchedule = func() []time.Duration {
	at := seconds(0, 5, 15, 35)
	for second := 75; second < 3600; second += 60 {
		at = append(at, time.Duration(second)*time.Second)
	}
	return at
}()

func TestAFloodOfUnknownKeysCostsAHandfulOfFetches(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		start := time.Now()
		every(100*time.Millisecond, time.Hour, func() {
			expect(t, v, junkToken(), "unknown_key") // at once: no request waits for an allowance
		})
		got := fetches(tenant, 1, start)
		if !slices.Equal(got, floodSchedule) {
			t.Errorf("got fetches at %v, want %v", got, floodSchedule)
		}
		if in5Minutes, _ := slices.BinarySearch(got, 5*time.Minute); in5Minutes != 8 || len(got) != 63 {
			t.Errorf("got %d fetches in the first 5 minutes and %d in the hour, want the 8 and 63 that are promised", in5Minutes, len(got))
		}
	})
}

// Junk keeps a new key out for a minute and a fetch at most, from when Entra publishes it until its tokens are accepted,
// whether it comes in floods or now and then, and however slow Entra answers.
func TestJunkKeepsANewKeyOutForAMinuteAndAFetchAtMost(t *testing.T) {
	for _, junk := range []struct {
		name  string
		every time.Duration
	}{
		{"a flood", time.Second},
		{"one key ID a minute", time.Minute},
		{"one key ID in five minutes", 5 * time.Minute},
		{"one key ID in just less than ten minutes", 10*time.Minute - time.Second},
		{"one key ID in ten minutes", 10 * time.Minute},
	} {
		for _, slow := range seconds(0, 3, 9) {
			t.Run(fmt.Sprintf("%s, fetches of %v", junk.name, slow), func(t *testing.T) {
				worst := time.Duration(0)
				// The new key comes at any moment after a piece of junk, the worst ones among them: while its fetch runs.
				for _, after := range []time.Duration{0, time.Millisecond, slow / 2, slow + time.Millisecond, 30 * time.Second} {
					bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
						expect(t, v, tenant.Token(), accepted)
						worst = max(worst, keptOut(t, tenant, v, junk.every, slow, after))
					})
				}
				if limit := time.Minute + slow + time.Second; worst > limit {
					t.Errorf("got the new key kept out for %v, want %v at most", worst, limit)
				}
			})
		}
	}
}

// keptOut returns how long after its publication a new key's token is accepted. It is sent every second while junk comes as
// often as given, and published that long after a piece of junk that started a fetch.
func keptOut(t *testing.T, tenant *entratest.Server, v *entra.Verifier, step, slow, after time.Duration) time.Duration {
	t.Helper()
	tenant.DelayKeys(slow)
	send := func(token string) { v.Verify(t.Context(), token) } //nolint:errcheck // The new key's tokens count.
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			go send(junkToken())
			select {
			case <-stop:
				return
			case <-time.After(step):
			}
		}
	}()
	synctest.Wait()
	time.Sleep(12*step + 2*time.Minute)
	for before := tenant.KeyRequests(); tenant.KeyRequests() == before; {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(after)
	tenant.RotateKeys()
	published, token := time.Now(), tenant.Token()
	for {
		if _, err := v.Verify(t.Context(), token); err == nil {
			return time.Since(published)
		}
		if time.Since(published) > time.Hour {
			t.Fatal("the new key is kept out for an hour")
		}
		time.Sleep(time.Second)
	}
}

// A token of a new key that is sent once, while the delay runs, is refused at once; the old key is not affected.
func TestAFloodDoesNotKeepANewKeyOut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		old := tenant.Key()
		every(time.Second, 40*time.Minute, func() { expect(t, v, junkToken(), "unknown_key") })
		tenant.RotateKeys()
		rotated, token := time.Now(), tenant.Token()
		for {
			expect(t, v, junkToken(), "unknown_key")
			if _, err := v.Verify(t.Context(), token); err == nil {
				break
			}
			expect(t, v, tenant.Token(entratest.SignedBy(old)), accepted)
			if time.Since(rotated) > time.Minute {
				t.Fatal("the new key is refused a minute after Entra published it, want it accepted")
			}
			time.Sleep(time.Second)
		}
	})
}

func TestTheAllowanceStartsAnew(t *testing.T) {
	// Each row begins after fetches at 0, 5, 15, 35 and 75 seconds; the next would be due a minute after the last.
	tests := map[string]struct {
		between func(*testing.T, *entratest.Server, *entra.Verifier)
		want    []time.Duration // the fetches of 50 seconds of flood after that
	}{
		"after nothing": {
			func(*testing.T, *entratest.Server, *entra.Verifier) {},
			seconds(),
		},
		"after a fetch that brought the key asked for": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				time.Sleep(81 * time.Second)
				tenant.RotateKeys()
				expect(t, v, tenant.Token(), accepted)
			},
			seconds(0, 0, 5, 15, 35), // The first 0 is the fetch that brought it.
		},
		"after a fetch that brought the key asked for, and none for others who had started it": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				time.Sleep(78 * time.Second)
				tenant.RotateKeys()
				tenant.DelayKeys(2 * time.Second)
				time.Sleep(2 * time.Second)
				go v.Verify(t.Context(), junkToken())
				synctest.Wait()
				expectAfter(t, v, tenant.Token(), accepted, 2*time.Second)
				synctest.Wait()
				tenant.Restore()
			},
			seconds(-2, 0, 5, 15, 35),
		},
		"after ten minutes without an unknown key": {
			func(*testing.T, *entratest.Server, *entra.Verifier) { time.Sleep(10 * time.Minute) },
			seconds(0, 5, 15, 35),
		},
		"not after nine": {
			func(*testing.T, *entratest.Server, *entra.Verifier) { time.Sleep(9 * time.Minute) },
			seconds(0),
		},
		"not after ten with an unknown key that was refused at once": {
			func(t *testing.T, _ *entratest.Server, v *entra.Verifier) {
				time.Sleep(50 * time.Second)
				expect(t, v, junkToken(), "unknown_key")
				time.Sleep(9*time.Minute + 10*time.Second)
			},
			seconds(0),
		},
		"not after known keys and bad signatures": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				expect(t, v, tenant.Token(), accepted)
				expect(t, v, tenant.Token()+"AAAA", "signature")
			},
			seconds(),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				expect(t, v, tenant.Token(), accepted)
				every(time.Second, 76*time.Second, func() { expect(t, v, junkToken(), "unknown_key") })
				before := len(tenant.Requests())
				test.between(t, tenant, v)
				start := time.Now()
				every(time.Second, 50*time.Second, func() { expect(t, v, junkToken(), "unknown_key") })
				var got []time.Duration
				for _, r := range tenant.Requests()[before:] {
					got = append(got, r.Time.Sub(start))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got fetches at %v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestOneFetchAtATimeForAThousandRequests(t *testing.T) {
	for name, held := range map[string]bool{"with keys held": true, "without keys": false} {
		t.Run(name, func(t *testing.T) {
			var running, most atomic.Int64
			var inner http.RoundTripper
			change := func(o *entra.Options) {
				inner = o.HTTPClient.Transport
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					most.Store(max(most.Load(), running.Add(1)))
					defer running.Add(-1)
					return inner.RoundTrip(r)
				})
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if held {
					expect(t, v, tenant.Token(), accepted)
				}
				tenant.RotateKeys()
				token := tenant.Token()
				tenant.DelayKeys(2 * time.Second)
				before := tenant.KeyRequests()
				var wait sync.WaitGroup
				for i := range 1000 {
					wait.Go(func() {
						if i%2 == 0 {
							expectAfter(t, v, token, accepted, 2*time.Second)
							return
						}
						expectAfter(t, v, junkToken(), "unknown_key", 2*time.Second)
					})
				}
				wait.Wait()
				if got := tenant.KeyRequests() - before; got != 1 || most.Load() != 1 {
					t.Errorf("got %d fetches, %d at a time, want 1 and 1", got, most.Load())
				}
			})
		})
	}
}

func TestAThousandCallersWhoLeave(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.RotateKeys()
		token := tenant.Token()
		tenant.DelayKeys(5 * time.Second)
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		var wait sync.WaitGroup
		for range 1000 {
			wait.Go(func() {
				if _, err := v.Verify(ctx, token); err != context.Canceled { //nolint:errorlint // The bare error is promised.
					t.Errorf("got %v, want context.Canceled", err)
				}
			})
		}
		wait.Wait()
		expectAfter(t, v, token, accepted, 4*time.Second)
	})
}

// A flood of junk key IDs goes on all the time. Entra fails for an hour, and meanwhile publishes a new key and stops
// naming the old one.
func TestRotationDuringAFloodDuringAnOutage(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		old := tenant.Key()
		lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
		flood := func(total time.Duration) {
			every(time.Second, total, func() {
				expect(t, v, junkToken(), "unknown_key")
				expect(t, v, lasting, accepted)
			})
			expect(t, v, tenant.Token(entratest.SignedBy(old)), accepted)
		}
		flood(20 * time.Minute)
		before := tenant.KeyRequests()
		tenant.Down()
		flood(30 * time.Minute)
		tenant.RotateKeys()
		tenant.Withdraw(old)
		expect(t, v, tenant.Token(), "unknown_key")
		flood(30 * time.Minute)
		if got := tenant.KeyRequests() - before; got > 65 {
			t.Errorf("got %d fetches in an hour of outage and flood, want one a minute or fewer", got)
		}
		tenant.Restore()
		flood(time.Minute)
		expect(t, v, tenant.Token(), accepted)
	})
}
