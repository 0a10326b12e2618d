package entra_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

const keyAccepted = "accepted"

// jwksBubble runs f with virtual time, a fake tenant and a Verifier for it. A goroutine that is left behind for longer
// than a fetch may take fails the test. change may be nil.
func jwksBubble(t *testing.T, change func(*entra.Options), f func(*testing.T, *entratest.Server, *entra.Verifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		f(t, tenant, testbed.NewVerifier(t, tenant, change))
		time.Sleep(11 * time.Second)
	})
}

// jwksOutcome is how a token fared: "accepted", the reason, or the error of a context that ended.
func jwksOutcome(err error) string {
	switch reason := entra.ReasonOf(err); {
	case err == nil:
		return keyAccepted
	case reason != "":
		return string(reason)
	}
	return err.Error()
}

// jwksWant expects token to fare like that, without any waiting.
func jwksWant(t *testing.T, v *entra.Verifier, token, want string) {
	t.Helper()
	jwksWantAfter(t, v, token, want, 0)
	// A fetch beside the request is over by now, unless Entra takes its time.
	synctest.Wait()
}

// jwksWantAfter expects token to fare like that when wait is over, not sooner and not later.
func jwksWantAfter(t *testing.T, v *entra.Verifier, token, want string, wait time.Duration) {
	t.Helper()
	start := time.Now()
	_, err := v.Verify(t.Context(), token)
	if got := jwksOutcome(err); got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	if waited := time.Since(start); waited != wait {
		t.Errorf("the call took %v, want %v", waited, wait)
	}
}

// jwksFetches returns when the key document was asked for, but for the first times, counted from start.
func jwksFetches(tenant *entratest.Server, first int, start time.Time) (at []time.Duration) {
	for _, r := range tenant.Requests() {
		if strings.HasSuffix(r.Path, "/keys") {
			at = append(at, r.Time.Sub(start))
		}
	}
	return at[first:]
}

// jwksEvery calls f at once and after each step, until total is over.
func jwksEvery(step, total time.Duration, f func()) {
	for start := time.Now(); time.Since(start) < total; time.Sleep(step) {
		f()
		synctest.Wait()
	}
}

func jwksSeconds(seconds ...int) (list []time.Duration) {
	for _, s := range seconds {
		list = append(list, time.Duration(s)*time.Second)
	}
	return list
}

func TestNewVerifierAsksNobody(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		time.Sleep(time.Hour)
		if got, stats := len(tenant.Requests()), v.Stats(); got != 0 || stats.Fetches != 0 || stats.Keys != 0 {
			t.Errorf("got %d requests and %+v, want none before a token or Ready asks", got, stats)
		}
		if err := v.Ready(t.Context()); err != nil || v.Stats().Keys == 0 {
			t.Errorf("Ready: got %v and %d keys, want nil and some", err, v.Stats().Keys)
		}
	})
}

func TestAKnownKeyNeverWaits(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		tenant.HangKeys()
		go v.Verify(t.Context(), testbed.JunkToken("hangs"))
		synctest.Wait()
		remembered := tenant.Token()
		jwksWant(t, v, remembered, keyAccepted) // while a fetch for another key hangs
		jwksWant(t, v, remembered, keyAccepted)
		time.Sleep(61 * time.Minute)
		fresh := tenant.Token()
		jwksWant(t, v, fresh, keyAccepted) // starts a refresh, which hangs
		jwksWant(t, v, fresh, keyAccepted)
		jwksWant(t, v, tenant.Token(), keyAccepted)
	})
}

func TestAUseAfterAnHourStartsOneRefreshBesideTheRequest(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		start := time.Now()
		jwksWant(t, v, tenant.Token(), keyAccepted)
		lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
		jwksWant(t, v, lasting, keyAccepted)
		time.Sleep(59 * time.Minute)
		jwksWant(t, v, tenant.Token(), keyAccepted)
		jwksWant(t, v, lasting, keyAccepted)
		if got, want := jwksFetches(tenant, 0, start), jwksSeconds(0); !slices.Equal(got, want) {
			t.Errorf("within the first hour: got fetches at %v, want %v", got, want)
		}

		time.Sleep(2 * time.Minute)
		tenant.DelayKeys(3 * time.Second)
		for range 100 { // A remembered token is a use of its key too.
			jwksWant(t, v, lasting, keyAccepted)
		}
		jwksWant(t, v, tenant.Token(), keyAccepted)
		time.Sleep(time.Minute)
		jwksWant(t, v, lasting, keyAccepted)
		if got, want := jwksFetches(tenant, 0, start), jwksSeconds(0, 3660); !slices.Equal(got, want) {
			t.Errorf("after an hour: got fetches at %v, want %v", got, want)
		}

		time.Sleep(10 * time.Hour)
		if got, want := len(jwksFetches(tenant, 0, start)), 2; got != want {
			t.Errorf("without any use: got %d fetches, want %d", got, want)
		}
		jwksWant(t, v, tenant.Token(), keyAccepted)
		if got, want := len(jwksFetches(tenant, 0, start)), 3; got != want {
			t.Errorf("a use after ten hours: got %d fetches, want %d", got, want)
		}
	})
}

func TestAnUnknownKeyJoinsTheFetchUnderWay(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		before := tenant.KeyRequests()
		tenant.DelayKeys(3 * time.Second)
		tenant.RotateKeys()
		go jwksWantAfter(t, v, tenant.Token(), keyAccepted, 3*time.Second)
		time.Sleep(time.Second)
		jwksWantAfter(t, v, tenant.Token(), keyAccepted, 2*time.Second)
		if got := tenant.KeyRequests() - before; got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
	})
}

func TestAnUnknownKeyJoinsARefresh(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		time.Sleep(2 * time.Hour)
		tenant.DelayKeys(3 * time.Second)
		before := tenant.KeyRequests()
		jwksWant(t, v, tenant.Token(), keyAccepted)
		tenant.RotateKeys()
		jwksWantAfter(t, v, tenant.Token(), keyAccepted, 3*time.Second)
		if got := tenant.KeyRequests() - before; got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
	})
}

func TestAnUnknownKeyWaitsForOneFetchAndNoLonger(t *testing.T) {
	const timeout = 10 * time.Second
	tests := map[string]struct {
		held     bool
		patience time.Duration // of the caller; 0: without end
		fault    func(*entratest.Server)
		want     string
		wait     time.Duration
	}{
		"a hanging fetch, keys held":           {held: true, fault: (*entratest.Server).HangKeys, want: "unknown_key", wait: timeout},
		"a hanging fetch, no keys":             {fault: (*entratest.Server).HangKeys, want: "keys_unavailable", wait: timeout},
		"a caller with less patience":          {held: true, patience: 2 * time.Second, fault: (*entratest.Server).HangKeys, want: "context deadline exceeded", wait: 2 * time.Second},
		"a caller with less patience, no keys": {patience: 2 * time.Second, fault: (*entratest.Server).HangKeys, want: "context deadline exceeded", wait: 2 * time.Second},
		"a slow answer":                        {held: true, fault: func(s *entratest.Server) { s.DelayKeys(9 * time.Second) }, want: keyAccepted, wait: 9 * time.Second},
		"a slow answer, no keys":               {fault: func(s *entratest.Server) { s.DelayKeys(9 * time.Second) }, want: keyAccepted, wait: 9 * time.Second},
		"an answer that comes too late":        {held: true, fault: func(s *entratest.Server) { s.DelayKeys(11 * time.Second) }, want: "unknown_key", wait: timeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if test.held {
					jwksWant(t, v, tenant.Token(), keyAccepted)
				}
				tenant.RotateKeys()
				test.fault(tenant)
				ctx := t.Context()
				if test.patience > 0 {
					patient, cancel := context.WithTimeout(ctx, test.patience)
					defer cancel()
					ctx = patient
				}
				start := time.Now()
				_, err := v.Verify(ctx, tenant.Token())
				if got := jwksOutcome(err); got != test.want {
					t.Errorf("got %s (%v), want %s", got, err, test.want)
				}
				if got := time.Since(start); got != test.wait {
					t.Errorf("the call took %v, want %v", got, test.wait)
				}
			})
		})
	}
}

func TestACallerWhoLeavesTakesNobodyAlong(t *testing.T) {
	jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		jwksWant(t, v, tenant.Token(), keyAccepted)
		tenant.RotateKeys()
		tenant.DelayKeys(3 * time.Second)
		before := tenant.KeyRequests()
		ctx, leave := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { // The first: its request started the fetch.
			if _, err := v.Verify(ctx, tenant.Token()); err != context.Canceled { //nolint:errorlint // The bare error is promised.
				t.Errorf("who left got %v, want context.Canceled", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wait.Go(func() { jwksWantAfter(t, v, tenant.Token(), keyAccepted, 3*time.Second) })
		}
		time.Sleep(time.Second)
		leave()
		wait.Wait()
		if got := tenant.KeyRequests() - before; got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
		if refused := v.Stats().Refused; len(refused) != 0 {
			t.Errorf("got refusals %v, want none: to leave is no offence", refused)
		}
	})
}
