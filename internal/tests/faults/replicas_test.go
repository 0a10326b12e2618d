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
