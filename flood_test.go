package entra_test

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

// floodSchedule is when a flood of key IDs that do not exist causes fetches: 5 seconds after the first, then ever
// later, down to one in 5 minutes.
var floodSchedule = jwksSeconds(0, 5, 15, 35, 75, 155, 315, 615, 915, 1215, 1515, 1815, 2115, 2415, 2715, 3015, 3315)

// floodNumber makes the next key ID that nobody has seen.
var floodNumber atomic.Int64

func floodToken() string { return testbed.JunkToken(fmt.Sprint("junk-", floodNumber.Add(1))) }

func TestAFloodOfUnknownKeysCostsAHandfulOfFetches(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		start := time.Now()
		jwksEvery(100*time.Millisecond, time.Hour, func() {
			jwksWant(t, v, floodToken(), "unknown_key") // at once: no request waits for an allowance
		})
		got := jwksFetches(tenant, 1, start)
		if !slices.Equal(got, floodSchedule) {
			t.Errorf("got fetches at %v, want %v", got, floodSchedule)
		}
	})
}

func TestAFloodDoesNotKeepANewKeyOut(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		old := tenant.Key()
		jwksEvery(time.Second, 40*time.Minute, func() { jwksWant(t, v, floodToken(), "unknown_key") })
		tenant.RotateKeys()
		rotated, token := time.Now(), tenant.Token()
		for {
			jwksWant(t, v, floodToken(), "unknown_key")
			if _, err := v.Verify(t.Context(), token); err == nil {
				break
			}
			if time.Since(rotated)%time.Minute == 0 {
				jwksWant(t, v, tenant.Token(entratest.SignedBy(old)), keyAccepted)
			}
			if time.Since(rotated) > 5*time.Minute {
				t.Fatal("the new key is refused 5 minutes after Entra published it, want it accepted")
			}
			time.Sleep(time.Second)
		}
	})
}

func TestTheAllowanceStartsAnew(t *testing.T) {
	// Each row begins after fetches at 0, 5, 15, 35 and 75 seconds; the next would be due 80 seconds after the last.
	tests := map[string]struct {
		between func(*testing.T, *entratest.Server, *entra.Verifier)
		want    []time.Duration // the fetches of a minute of flood after that
	}{
		"after nothing": {
			func(*testing.T, *entratest.Server, *entra.Verifier) {},
			jwksSeconds(),
		},
		"after a fetch that brought the key asked for": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				time.Sleep(81 * time.Second)
				tenant.RotateKeys()
				jwksWant(t, v, tenant.Token(), keyAccepted)
			},
			jwksSeconds(0, 0, 5, 15, 35), // The first 0 is the fetch that brought it.
		},
		"after a fetch that brought the key asked for, and none for others who had started it": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				time.Sleep(78 * time.Second)
				tenant.RotateKeys()
				tenant.DelayKeys(2 * time.Second)
				time.Sleep(2 * time.Second)
				go v.Verify(t.Context(), floodToken())
				synctest.Wait()
				jwksWantAfter(t, v, tenant.Token(), keyAccepted, 2*time.Second)
				synctest.Wait()
				tenant.Restore()
			},
			jwksSeconds(-2, 0, 5, 15, 35),
		},
		"after ten minutes without an unknown key": {
			func(*testing.T, *entratest.Server, *entra.Verifier) { time.Sleep(10 * time.Minute) },
			jwksSeconds(0, 5, 15, 35),
		},
		"not after nine": {
			func(*testing.T, *entratest.Server, *entra.Verifier) { time.Sleep(9 * time.Minute) },
			jwksSeconds(0),
		},
		"not after ten with an unknown key that was refused at once": {
			func(t *testing.T, _ *entratest.Server, v *entra.Verifier) {
				time.Sleep(time.Minute)
				jwksWant(t, v, floodToken(), "unknown_key")
				time.Sleep(9 * time.Minute)
			},
			jwksSeconds(0),
		},
		"not after known keys and bad signatures": {
			func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				jwksWant(t, v, tenant.Token(), keyAccepted)
				jwksWant(t, v, tenant.Token()+"AAAA", "signature")
			},
			jwksSeconds(),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				jwksWant(t, v, tenant.Token(), keyAccepted)
				jwksEvery(time.Second, 76*time.Second, func() { jwksWant(t, v, floodToken(), "unknown_key") })
				before := len(tenant.Requests())
				test.between(t, tenant, v)
				start := time.Now()
				jwksEvery(time.Second, time.Minute, func() { jwksWant(t, v, floodToken(), "unknown_key") })
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
			jwksBubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if held {
					jwksWant(t, v, tenant.Token(), keyAccepted)
				}
				tenant.RotateKeys()
				token := tenant.Token()
				tenant.DelayKeys(2 * time.Second)
				before := tenant.KeyRequests()
				var wait sync.WaitGroup
				for i := range 1000 {
					wait.Go(func() {
						if i%2 == 0 {
							jwksWantAfter(t, v, token, keyAccepted, 2*time.Second)
							return
						}
						jwksWantAfter(t, v, floodToken(), "unknown_key", 2*time.Second)
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
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		tenant.RotateKeys()
		token := tenant.Token()
		tenant.DelayKeys(5 * time.Second)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		var wait sync.WaitGroup
		for range 1000 {
			wait.Go(func() {
				if _, err := v.Verify(ctx, token); err != context.DeadlineExceeded { //nolint:errorlint // The bare error is promised.
					t.Errorf("got %v, want context.DeadlineExceeded", err)
				}
			})
		}
		wait.Wait()
		jwksWantAfter(t, v, token, keyAccepted, 4*time.Second)
	})
}

// A flood of junk key IDs goes on all the time. Entra fails for an hour, and meanwhile publishes a new key and stops
// naming the old one.
func TestRotationDuringAFloodDuringAnOutage(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		old := tenant.Key()
		lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
		flood := func(total time.Duration) {
			jwksEvery(time.Second, total, func() {
				jwksWant(t, v, floodToken(), "unknown_key")
				jwksWant(t, v, lasting, keyAccepted)
			})
			jwksWant(t, v, tenant.Token(entratest.SignedBy(old)), keyAccepted)
		}
		flood(20 * time.Minute)
		before := tenant.KeyRequests()
		tenant.Down()
		flood(30 * time.Minute)
		tenant.RotateKeys()
		tenant.Withdraw(old)
		jwksWant(t, v, tenant.Token(), "unknown_key")
		flood(30 * time.Minute)
		if got := tenant.KeyRequests() - before; got > 65 {
			t.Errorf("got %d fetches in an hour of outage and flood, want one a minute or fewer", got)
		}
		tenant.Restore()
		flood(time.Minute)
		jwksWant(t, v, tenant.Token(), keyAccepted)
	})
}
