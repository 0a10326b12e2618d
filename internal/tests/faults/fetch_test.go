package faults_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestNewVerifierAsksNobody(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
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
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		tenant.HangKeys()
		go v.Verify(t.Context(), testbed.JunkToken("hangs"))
		synctest.Wait()
		remembered := tenant.Token()
		expect(t, v, remembered, accepted) // while a fetch for another key hangs
		expect(t, v, remembered, accepted)
		time.Sleep(61 * time.Minute)
		fresh := tenant.Token()
		expect(t, v, fresh, accepted) // starts a refresh, which hangs
		expect(t, v, fresh, accepted)
		expect(t, v, tenant.Token(), accepted)
	})
}

func TestAUseAfterAnHourStartsOneRefreshBesideTheRequest(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		start := time.Now()
		expect(t, v, tenant.Token(), accepted)
		lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
		expect(t, v, lasting, accepted)
		time.Sleep(59 * time.Minute)
		expect(t, v, tenant.Token(), accepted)
		expect(t, v, lasting, accepted)
		if got, want := fetches(tenant, 0, start), seconds(0); !slices.Equal(got, want) {
			t.Errorf("within the first hour: got fetches at %v, want %v", got, want)
		}

		time.Sleep(2 * time.Minute)
		tenant.DelayKeys(3 * time.Second)
		for range 100 { // A remembered token is a use of its key too.
			expect(t, v, lasting, accepted)
		}
		expect(t, v, tenant.Token(), accepted)
		time.Sleep(time.Minute)
		expect(t, v, lasting, accepted)
		if got, want := fetches(tenant, 0, start), seconds(0, 3660); !slices.Equal(got, want) {
			t.Errorf("after an hour: got fetches at %v, want %v", got, want)
		}

		time.Sleep(10 * time.Hour)
		if got, want := len(fetches(tenant, 0, start)), 2; got != want {
			t.Errorf("without any use: got %d fetches, want %d", got, want)
		}
		expect(t, v, tenant.Token(), accepted)
		if got, want := len(fetches(tenant, 0, start)), 3; got != want {
			t.Errorf("a use after ten hours: got %d fetches, want %d", got, want)
		}
	})
}

func TestAnUnknownKeyJoinsTheFetchUnderWay(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		before := tenant.KeyRequests()
		tenant.DelayKeys(3 * time.Second)
		tenant.RotateKeys()
		go expectAfter(t, v, tenant.Token(), accepted, 3*time.Second)
		time.Sleep(time.Second)
		expectAfter(t, v, tenant.Token(), accepted, 2*time.Second)
		if got := tenant.KeyRequests() - before; got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
	})
}

func TestAnUnknownKeyJoinsARefresh(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		time.Sleep(2 * time.Hour)
		tenant.DelayKeys(3 * time.Second)
		before := tenant.KeyRequests()
		expect(t, v, tenant.Token(), accepted)
		tenant.RotateKeys()
		expectAfter(t, v, tenant.Token(), accepted, 3*time.Second)
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
		"a caller with less patience":          {held: true, patience: 2 * time.Second, fault: (*entratest.Server).HangKeys, want: "unknown_key", wait: 2 * time.Second},
		"a caller with less patience, no keys": {patience: 2 * time.Second, fault: (*entratest.Server).HangKeys, want: "context deadline exceeded", wait: 2 * time.Second},
		"a slow answer":                        {held: true, fault: func(s *entratest.Server) { s.DelayKeys(9 * time.Second) }, want: accepted, wait: 9 * time.Second},
		"a slow answer, no keys":               {fault: func(s *entratest.Server) { s.DelayKeys(9 * time.Second) }, want: accepted, wait: 9 * time.Second},
		"an answer that comes too late":        {held: true, fault: func(s *entratest.Server) { s.DelayKeys(11 * time.Second) }, want: "unknown_key", wait: timeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				if test.held {
					expect(t, v, tenant.Token(), accepted)
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
				if got := outcome(err); got != test.want {
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
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
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
			wait.Go(func() { expectAfter(t, v, tenant.Token(), accepted, 3*time.Second) })
		}
		time.Sleep(time.Second)
		leave()
		wait.Wait()
		if got := tenant.KeyRequests() - before; got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
		if refused := v.Stats().Refused; len(refused) != 0 {
			t.Errorf("got refusals %v, want none: a caller that went away is not counted as refused", refused)
		}
	})
}
