package faults_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Twenty thousand requests come while one fetch hangs. So many wait as may; the others are answered at once, and those who
// leave make room for as many.
func TestWaitingRequestsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		held   bool
		cache  entra.KeyCache
		limit  int64
		atOnce string // the outcome of a request too many
	}{
		"with keys held":                 {true, nil, 1024, "unknown_key"},
		"without keys":                   {false, nil, 4096, "keys_unavailable"},
		"without keys, and with a cache": {false, new(testbed.Cache), 4096, "keys_unavailable"},
		"without keys, and with a cache that hangs": {false, &testbed.Cache{OnGet: func(ctx context.Context, _ []byte, _ error) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, 4096, "keys_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cachedIn(test.cache), func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if test.held {
					expect(t, v, tenant.Token(), accepted)
				}
				lasting := tenant.Token()
				tenant.HangKeys()
				before := tenant.KeyRequests()
				ctx, leave := context.WithCancel(t.Context())
				var waiting, refused atomic.Int64
				var all sync.WaitGroup
				crowd := func() {
					for range 20_000 {
						token := junkToken()
						waiting.Add(1)
						all.Go(func() {
							defer waiting.Add(-1)
							if _, err := v.Verify(ctx, token); outcome(err) == test.atOnce {
								refused.Add(1)
							}
						})
					}
					synctest.Wait()
					if got := waiting.Load(); got != test.limit {
						t.Errorf("got %d requests that wait, want %d", got, test.limit)
					}
				}
				start := time.Now()
				crowd()
				if got := refused.Load(); got != 20_000-test.limit || !time.Now().Equal(start) {
					t.Errorf("got %d refused after %v, want the other %d at once", got, time.Since(start), 20_000-test.limit)
				}
				if test.held {
					expect(t, v, lasting, accepted) // A known key waits for nobody.
				}
				time.Sleep(time.Second)
				if got := tenant.KeyRequests() - before; got != 1 {
					t.Errorf("got %d fetches, want 1", got)
				}
				leave()
				all.Wait()
				ctx, leave = context.WithCancel(t.Context())
				defer leave()
				crowd()
				time.Sleep(11 * time.Second)
				all.Wait()
			})
		})
	}
}

// A token of a new key among those who wait is accepted, however many junk key IDs wait with it.
func TestACrowdKeepsNoNewKeyOut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.RotateKeys()
		tenant.DelayKeys(9 * time.Second)
		token, published := tenant.Token(), time.Now()
		var all sync.WaitGroup
		for range 5000 {
			junk := junkToken()
			all.Go(func() { v.Verify(t.Context(), junk) }) //nolint:errcheck // It is refused.
		}
		synctest.Wait()
		expect(t, v, token, "unknown_key") // at once, as one too many
		all.Wait()
		expect(t, v, token, accepted)
		if got := time.Since(published); got > 10*time.Second {
			t.Errorf("got the new key kept out for %v, want a fetch at most", got)
		}
	})
}

// A server bounds how long its requests may take. While keys are held, a token of an unknown key that waits until then is
// refused as unknown, as it is without the bound: whoever sends one must not make the instance look unhealthy.
func TestADeadlineOfTheServerIsNoFaultOfTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		held   bool
		status int
		reason string
	}{
		"with keys held": {true, http.StatusUnauthorized, "unknown_key"},
		"without keys":   {false, http.StatusServiceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if test.held {
					expect(t, v, tenant.Token(), accepted)
				}
				tenant.HangKeys()
				handler := v.Authenticate(new(testbed.Spy))
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/orders", nil)
				r.Header.Set("Authorization", "Bearer "+junkToken())
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != test.status {
					t.Errorf("got status %d, want %d", w.Code, test.status)
				}
				if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != test.held {
					t.Errorf("got challenge %q, want one: %v", challenge, test.held)
				}
				_, err := v.Verify(ctx, junkToken())
				if got := string(entra.ReasonOf(err)); got != test.reason || errors.Is(err, context.DeadlineExceeded) == test.held {
					t.Errorf("got %v of reason %q, want reason %q", err, got, test.reason)
				}
			})
		})
	}
}
