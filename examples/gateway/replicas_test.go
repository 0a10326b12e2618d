package main

import (
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// The figures of README.md on what many replicas cost the key endpoint, in virtual time.
func TestManyReplicas(t *testing.T) {
	for _, test := range []struct {
		name     string
		replicas int
		every    time.Duration // a request to each replica
		token    func(*entratest.Server) string
		rotate   bool  // half an hour after the start
		want     []int // fetches of a replica in each hour
	}{
		{"ordinary traffic", 100, 10 * time.Minute, good, false, []int{1, 1, 1}},
		{"a new key in the first hour", 100, 10 * time.Minute, good, true, []int{2, 1, 1}},
		{"key IDs that do not exist", 20, 5 * time.Second, junk, false, []int{63, 60, 60}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := entratest.New(t)
				verifiers := newReplicas(t, tenant, test.replicas)
				start, token := time.Now(), ""
				for hour, want := range test.want {
					before := tenant.KeyRequests()
					for time.Since(start) < time.Duration(hour+1)*time.Hour {
						elapsed := time.Since(start)
						if test.rotate && elapsed == 30*time.Minute {
							tenant.RotateKeys()
						}
						if elapsed%(30*time.Minute) == 0 {
							token = test.token(tenant)
						}
						for _, verifier := range verifiers {
							_, _ = verifier.Verify(t.Context(), token) // junk is refused
						}
						time.Sleep(test.every)
					}
					if got := tenant.KeyRequests() - before; got != want*test.replicas {
						t.Errorf("got %d fetches by %d replicas in hour %d, want %d each", got, test.replicas, hour+1, want)
					}
				}
			})
		})
	}
}

func good(tenant *entratest.Server) string { return tenant.Token() }

func junk(tenant *entratest.Server) string {
	return tenant.Token(entratest.SignedBy(tenant.UnknownKey()))
}

func newReplicas(t *testing.T, tenant *entratest.Server, n int) []*entra.Verifier {
	t.Helper()
	verifiers := make([]*entra.Verifier, n)
	for i := range verifiers {
		var err error
		verifiers[i], err = entra.NewVerifier(entra.Options{
			Tenants:    []string{entratest.TenantID},
			ClientID:   entratest.APIClientID,
			HTTPClient: tenant.Client(),
			Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return verifiers
}
