package faults_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// TestFetchesOfManyReplicas runs a hundred replicas of a service for a day of virtual time, each with a request every
// minute or so and one rotation of the keys at noon: docs/replicas.md quotes what it prints.
func TestFetchesOfManyReplicas(t *testing.T) {
	const replicas, hours = 100, 24
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		random := rand.New(rand.NewPCG(1, 2))
		verifiers := make([]*entra.Verifier, replicas)
		for i := range verifiers {
			verifiers[i] = testbed.NewVerifier(t, tenant, nil)
		}
		busiest, before := 0, 0
		for hour := range hours {
			if hour == hours/2 {
				tenant.RotateKeys()
			}
			token := tenant.Token(entratest.Lifetime(2 * time.Hour))
			for range 60 {
				for _, i := range random.Perm(replicas) {
					time.Sleep(time.Minute / replicas)
					if _, err := verifiers[i].Verify(t.Context(), token); err != nil {
						t.Fatalf("hour %d, replica %d: %v", hour, i, err)
					}
				}
			}
			synctest.Wait()
			fetched := tenant.KeyRequests() - before
			before += fetched
			busiest = max(busiest, fetched)
		}
		perHour := float64(before) / replicas / hours
		t.Logf("%d replicas, %d hours, one rotation: %d fetches, %.2f an hour and replica; %d in the busiest hour", replicas, hours, before, perHour, busiest)
		if perHour > 1.1 {
			t.Errorf("got %.2f fetches an hour and replica, want about one", perHour)
		}
		if busiest > 2*replicas {
			t.Errorf("got %d fetches in the busiest hour, want at most two a replica", busiest)
		}
	})
}

// TestReplicasThatStartTogetherRefreshApart starts a thousand replicas in the same second and uses each of them once a
// second, so that without more ado all would find their keys an hour old in the same second. Idle ones do not wait.
func TestReplicasThatStartTogetherRefreshApart(t *testing.T) {
	const replicas, hours = 1000, 3
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifiers := make([]*entra.Verifier, replicas)
		for i := range verifiers {
			verifiers[i] = testbed.NewVerifier(t, tenant, nil)
		}
		start, token := time.Now(), tenant.Token(entratest.Lifetime(2*hours*time.Hour))
		useAll := func() (fetched int) {
			before := tenant.KeyRequests()
			for _, verifier := range verifiers {
				expect(t, verifier, token, accepted)
			}
			synctest.Wait()
			return tenant.KeyRequests() - before
		}
		if got := useAll(); got != replicas {
			t.Fatalf("at the start: got %d fetches, want one a replica", got)
		}
		for hour := 1; hour <= hours; hour++ {
			last := time.Duration(hour) * time.Hour
			time.Sleep(time.Until(start.Add(last - 2*time.Minute)))
			fetched, busiest, first := 0, 0, time.Duration(0)
			for fetched < replicas && time.Since(start) <= last+time.Duration(hour)*time.Minute {
				now := useAll()
				if first == 0 && now > 0 {
					first = time.Since(start)
				}
				fetched += now
				busiest = max(busiest, now)
				time.Sleep(time.Second)
			}
			t.Logf("hour %d: %d fetches from %v to %v, %d in the busiest second", hour, fetched, first, time.Since(start), busiest)
			if first < last || fetched != replicas {
				t.Errorf("hour %d: got %d fetches, the first after %v; want one a replica, from %v on", hour, fetched, first, last)
			}
			// About 17 are expected in a second; that a second has more than 60 by chance does not happen.
			if busiest > 60 {
				t.Errorf("hour %d: got %d fetches in one second, want the %d spread over a minute", hour, busiest, replicas)
			}
		}
		time.Sleep(61 * time.Minute)
		if got := useAll(); got != replicas {
			t.Errorf("idle for more than an hour: got %d fetches at the first use, want one a replica", got)
		}
	})
}

// A probe keeps no keys fresh: it fetches when there are none.
func TestAnIdleReplicaThatIsProbedFetchesWhenItsKeysAreGone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, _ *entratest.Server, v *entra.Verifier) {
		for began := time.Now(); time.Since(began) < 60*time.Hour; time.Sleep(10 * time.Second) {
			if err := v.Ready(t.Context()); err != nil {
				t.Fatalf("after %v: got %v, want nil", time.Since(began), err)
			}
		}
		if got := v.Stats().Fetches; got != 3 {
			t.Errorf("got %d fetches in 60 hours, want one at the start and one every 25 hours", got)
		}
	})
}
