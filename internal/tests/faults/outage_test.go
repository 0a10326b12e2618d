package faults_test

import (
	"context"
	"errors"
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

// fetchesWhileAsking asks with token every 100 milliseconds and returns when fetches were started, counted from the first.
func fetchesWhileAsking(t *testing.T, tenant *entratest.Server, v *entra.Verifier, token string, total time.Duration) []time.Duration {
	t.Helper()
	start, before := time.Now(), tenant.KeyRequests()
	every(100*time.Millisecond, total, func() { v.Verify(t.Context(), token) }) //nolint:errcheck // Only the fetches count.
	return fetches(tenant, before, start)
}

func TestAFailedFetchIsTriedAgainEverLater(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		tenant.Down()
		if got, want := fetchesWhileAsking(t, tenant, v, tenant.Token(), 23*time.Second), seconds(0, 1, 3, 7, 12, 17, 22); !slices.Equal(got, want) {
			t.Errorf("without keys: got fetches at %v, want %v", got, want)
		}
		tenant.Restore()
		time.Sleep(5 * time.Second)
		expect(t, v, tenant.Token(), accepted)

		withKeys := seconds(0, 1, 3, 7, 15, 31, 63, 123, 183, 243)
		tenant.Down()
		if got := fetchesWhileAsking(t, tenant, v, junkToken(), 250*time.Second); !slices.Equal(got, withKeys) {
			t.Errorf("for an unknown key, with keys held: got fetches at %v, want %v", got, withKeys)
		}
		time.Sleep(time.Hour)
		if got, want := fetchesWhileAsking(t, tenant, v, tenant.Token(), 200*time.Second), seconds(0, 60, 120, 180); !slices.Equal(got, want) {
			t.Errorf("for a refresh that fails on: got fetches at %v, want %v", got, want)
		}
		tenant.Restore()
		time.Sleep(time.Minute)
		expect(t, v, tenant.Token(), accepted) // A good fetch ends the outage.
		tenant.Down()
		time.Sleep(61 * time.Minute)
		if got := fetchesWhileAsking(t, tenant, v, tenant.Token(), 250*time.Second); !slices.Equal(got, withKeys) {
			t.Errorf("for a refresh, with keys held: got fetches at %v, want %v", got, withKeys)
		}
	})
}

// A failed fetch is not counted as one that did not bring the key asked for, so the allowance is the same after an outage.
func TestAFailedFetchCostsNoAllowance(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.Down()
		fetchesWhileAsking(t, tenant, v, junkToken(), 5*time.Minute)
		tenant.Restore()
		time.Sleep(time.Minute)
		if got, want := fetchesWhileAsking(t, tenant, v, junkToken(), 40*time.Second), seconds(0, 5, 15, 35); !slices.Equal(got, want) {
			t.Errorf("got fetches at %v, want %v", got, want)
		}
	})
}

func TestRetryAfterIsHonouredUpToTheCaps(t *testing.T) {
	date := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	tests := map[string]struct {
		status      int
		value       func() string
		empty, held time.Duration // when the second fetch starts, without keys and with
	}{
		"3 seconds":                   {429, text("3"), 3 * time.Second, 3 * time.Second},
		"30 seconds":                  {429, text("30"), 5 * time.Second, 30 * time.Second},
		"an hour":                     {429, text("3600"), 5 * time.Second, time.Minute},
		"less than the delay":         {429, text("0"), time.Second, time.Second},
		"a date in 20 seconds":        {429, date(20 * time.Second), 5 * time.Second, 20 * time.Second},
		"a date tomorrow":             {503, date(24 * time.Hour), 5 * time.Second, time.Minute},
		"no number and no date":       {429, text("soon"), time.Second, time.Second},
		"with an answer that is good": {200, text("30"), time.Second, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				held := testbed.NewVerifier(t, tenant, nil)
				expect(t, held, tenant.Token(), accepted)
				tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", test.value())
					w.WriteHeader(test.status)
				})
				for _, side := range []struct {
					v     *entra.Verifier
					token string
					want  time.Duration
				}{{v, tenant.Token(), test.empty}, {held, junkToken(), test.held}} {
					time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // Dates hold whole seconds.
					got := fetchesWhileAsking(t, tenant, side.v, side.token, side.want+100*time.Millisecond)
					if want := []time.Duration{0, side.want}; !slices.Equal(got, want) {
						t.Errorf("got fetches at %v, want %v", got, want)
					}
				}
			})
		})
	}
}

// Retry-After says how long it is until the next fetch may start.
func TestRetryAfterOfTheAnswer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "4")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		for _, want := range []string{"4", "4", "3", "3", "2", "2", "1", "1"} {
			w := testbed.Serve(v.Authenticate(new(testbed.Spy)), "Bearer "+tenant.Token())
			if got := w.Header().Get("Retry-After"); got != want {
				t.Errorf("got Retry-After %s, want %s", got, want)
			}
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
		}
	})
}

// Whenever Entra returns, and whatever it did before, tokens are accepted 10 seconds later, whether others asked all the time
// or nobody did.
func TestServedWithinTenSecondsOfEntrasReturn(t *testing.T) {
	for name, fault := range map[string]func(*entratest.Server){
		"refused connections":    (*entratest.Server).Down,
		"requests that get lost": loseRequests,
		"status 503 with a Retry-After of an hour": func(s *entratest.Server) {
			s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusServiceUnavailable)
			})
		},
	} {
		for _, outage := range seconds(1, 3, 7, 9, 12, 14, 15, 17, 20, 24, 29, 600) {
			t.Run(fmt.Sprint(name, " for ", outage), func(t *testing.T) {
				bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
					fault(tenant)
					start, token := time.Now(), tenant.Token()
					var crowd sync.WaitGroup
					for time.Since(start) < outage {
						crowd.Go(func() { v.Verify(t.Context(), token) }) //nolint:errcheck // The last one counts.
						time.Sleep(500 * time.Millisecond)
					}
					tenant.Restore()
					time.Sleep(10 * time.Second)
					expect(t, v, tenant.Token(), accepted)
					crowd.Wait()
				})
			})
		}
	}
}

// TestNoKeysIsNoDeadlineOfTheCaller verifies while Entra hangs, with a context that has no deadline.
func TestNoKeysIsNoDeadlineOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.HangKeys()
		_, err := testbed.NewVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token())
		if !errors.Is(err, entra.ErrKeysUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrKeysUnavailable and no deadline", err)
		}
	})
}

// Entra returns with a new key, at any moment of an outage and whatever kind of outage it was, while junk comes all the
// time and others have asked for the new key before.
func TestANewKeyAfterAnOutage(t *testing.T) {
	for name, fault := range map[string]func(*entratest.Server){
		"refused connections":    (*entratest.Server).Down,
		"requests that get lost": loseRequests,
		"status 429 with a Retry-After of an hour": func(s *entratest.Server) {
			s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
			})
		},
	} {
		for _, outage := range seconds(1, 14, 59, 61, 130, 600, 615, 625, 655) {
			t.Run(fmt.Sprint(name, " for ", outage), func(t *testing.T) {
				bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
					expect(t, v, tenant.Token(), accepted)
					every(time.Second, 3*time.Minute, func() { expect(t, v, junkToken(), "unknown_key") })
					fault(tenant)
					tenant.RotateKeys()
					token := tenant.Token(entratest.Lifetime(5 * time.Hour))
					send := func() { v.Verify(t.Context(), token) } //nolint:errcheck // The last one counts.
					for start := time.Now(); time.Since(start) < outage; time.Sleep(time.Second) {
						go send()
						go v.Verify(t.Context(), junkToken()) //nolint:errcheck // It is refused.
					}
					tenant.Restore()
					back := time.Now()
					for {
						if _, err := v.Verify(t.Context(), token); err == nil {
							break
						}
						time.Sleep(time.Second)
					}
					if got := time.Since(back); got > 71*time.Second {
						t.Errorf("got the new key kept out for %v, want a minute and a fetch at most", got)
					}
				})
			})
		}
	}
}

// docs/replicas.md has the pauses between fetches that fail at once, and says what a fetch that hangs makes of them.
func TestPausesAfterFetchesThatHang(t *testing.T) {
	for name, row := range map[string]struct {
		held bool
		want []int // seconds from the end of the first fetch that hangs to the beginnings of the next ones
	}{
		"keys held":   {true, []int{1, 13, 27, 45, 71, 113, 173, 233}},
		"no key held": {false, []int{0, 10, 20, 30, 40}},
	} {
		t.Run(name, func(t *testing.T) {
			begun := make(chan time.Time, 100)
			var hangs atomic.Bool
			hangs.Store(!row.held)
			change := func(o *entra.Options) {
				inner := o.HTTPClient.Transport
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					if !hangs.Load() {
						return inner.RoundTrip(r)
					}
					begun <- time.Now()
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				lasting := tenant.Token(entratest.Lifetime(10 * time.Hour))
				if row.held {
					expect(t, v, lasting, accepted)
					time.Sleep(2 * time.Hour)
					hangs.Store(true)
				}
				for len(begun) <= len(row.want) {
					_, _ = v.Verify(t.Context(), lasting) // to use its key, or to want it
					if row.held {
						time.Sleep(time.Second)
					}
				}
				first := <-begun
				var got []int
				for range row.want {
					got = append(got, int((<-begun).Sub(first.Add(10*time.Second)).Seconds()))
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("got fetches after %v seconds, want %v", got, row.want)
				}
			})
		})
	}
}
