package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestAKeyLives25HoursAfterTheLastGoodDocument(t *testing.T) {
	tests := map[string]struct {
		fault  func(*entratest.Server)
		outage time.Duration
		want   string // of a token signed with a key that was held before
	}{
		"down for 20 hours":              {(*entratest.Server).Down, 20 * time.Hour, accepted},
		"hanging for 20 hours":           {(*entratest.Server).HangKeys, 20 * time.Hour, accepted},
		"failing for 20 hours":           {func(s *entratest.Server) { s.FailKeys(500) }, 20 * time.Hour, accepted},
		"just before 25 hours are over":  {(*entratest.Server).Down, 25*time.Hour - time.Second, accepted},
		"just after 25 hours are over":   {(*entratest.Server).Down, 25*time.Hour + time.Second, "keys_unavailable"},
		"down for 30 hours":              {(*entratest.Server).Down, 30 * time.Hour, "keys_unavailable"},
		"documents without keys for 30h": {func(s *entratest.Server) { s.SetKeys() }, 30 * time.Hour, "keys_unavailable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				expect(t, v, tenant.Token(), accepted)
				keys := v.Stats().Keys
				start := time.Now()
				test.fault(tenant)
				lasting := tenant.Token(entratest.Lifetime(100 * time.Hour))
				for range int(test.outage / time.Hour) {
					if time.Since(start) < 25*time.Hour {
						expect(t, v, lasting, accepted)
					}
					time.Sleep(time.Hour)
				}
				time.Sleep(test.outage - time.Since(start))
				for _, token := range []string{lasting, tenant.Token()} {
					if _, err := v.Verify(t.Context(), token); outcome(err) != test.want {
						t.Errorf("got %s (%v), want %s", outcome(err), err, test.want)
					}
				}
				if got := v.Stats().Keys; got != keys && test.want == accepted || got != 0 && test.want != accepted {
					t.Errorf("Stats counts %d keys after %v, %d before", got, test.outage, keys)
				}
			})
		})
	}
}

// A newer document changes nothing about the keys that it does not name.
func TestAKeyThatVanishesLives25HoursMore(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		old := tenant.Key()
		tenant.RotateKeys()
		byOld := func() string { return tenant.Token(entratest.SignedBy(old)) }
		expect(t, v, byOld(), accepted)
		tenant.Withdraw(old)
		hours := func(count int, want string) {
			for range count {
				time.Sleep(time.Hour)
				expect(t, v, tenant.Token(), accepted)
				expect(t, v, byOld(), want)
			}
		}
		hours(3, accepted) // as long as keys vanish at the median
		tenant.Publish(old)
		hours(2, accepted)
		tenant.Withdraw(old)
		hours(23, accepted)
		time.Sleep(3 * time.Hour)
		expect(t, v, byOld(), "unknown_key")
		hours(20, "unknown_key") // 48 hours in all, the longest time seen
		tenant.Publish(old)
		time.Sleep(5 * time.Second)
		expect(t, v, byOld(), accepted)
	})
}

func TestADocumentReplacesWhatAKeyIs(t *testing.T) {
	const (
		elsewhere  = "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"
		government = "microsoftonline.us"
	)
	tests := map[string]struct {
		change   func(old, other *entratest.Key) *entratest.Key
		want     string // of a token that was remembered, and of a fresh one
		newToken string // of a token signed with the other material under the same kid
	}{
		"nothing":      {func(old, _ *entratest.Key) *entratest.Key { return old }, accepted, "signature"},
		"the order":    {func(old, _ *entratest.Key) *entratest.Key { return old.With("x5c", nil).With("use", nil) }, accepted, "signature"},
		"the material": {func(old, other *entratest.Key) *entratest.Key { return other.With("kid", old.ID()) }, "signature", accepted},
		"the issuer":   {func(old, _ *entratest.Key) *entratest.Key { return old.With("issuer", elsewhere) }, "key_issuer", "signature"},
		"no issuer":    {func(old, _ *entratest.Key) *entratest.Key { return old.With("issuer", nil) }, accepted, "signature"},
		"the cloud":    {func(old, _ *entratest.Key) *entratest.Key { return old.With("cloud_instance_name", government) }, "key_issuer", "signature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				old, other := tenant.Key(), tenant.UnknownKey()
				remembered := tenant.Token(entratest.Lifetime(24 * time.Hour))
				expect(t, v, remembered, accepted)
				expect(t, v, remembered, accepted)
				if got := v.Stats().Remembered; got != 1 {
					t.Fatalf("got %d tokens from memory, want 1", got)
				}
				tenant.Publish(test.change(old, other))
				time.Sleep(61 * time.Minute)
				expect(t, v, remembered, accepted) // The document is as old as its last good fetch; this use starts the next.
				expect(t, v, remembered, test.want)
				expect(t, v, tenant.Token(), test.want)
				expect(t, v, tenant.Token(entratest.SignedBy(other.With("kid", old.ID()))), test.newToken)
			})
		})
	}
}

func TestOneDocumentWithTwoMaterialsForAKeyID(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		first, second := tenant.Key(), tenant.UnknownKey()
		good := tenant.RotateKeys()
		evil := second.With("kid", first.ID())
		byFirst := func() string { return tenant.Token(entratest.SignedBy(first)) }
		byEvil := func() string { return tenant.Token(entratest.SignedBy(evil)) }

		for _, keys := range [][]*entratest.Key{{first, evil, good}, {evil, good, first}, {first, evil, first, good}} {
			fresh := testbed.NewVerifier(t, tenant, nil)
			tenant.SetKeys(keys...)
			expect(t, fresh, byFirst(), "unknown_key")
			expect(t, fresh, byEvil(), "unknown_key")
			expect(t, fresh, tenant.Token(), accepted)
		}

		tenant.SetKeys(first, first, good) // The same key twice is one key.
		expect(t, v, byFirst(), accepted)
		tenant.SetKeys(evil, first, good)
		for range 20 {
			time.Sleep(time.Hour)
			expect(t, v, byFirst(), accepted) // The one held stays.
			expect(t, v, byEvil(), "signature")
		}
		time.Sleep(6 * time.Hour) // But no document named it for 25 hours.
		expect(t, v, byFirst(), "unknown_key")
		expect(t, v, byEvil(), "unknown_key")
	})
}

func TestAThousandKeysAtMost(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		good, filler := tenant.Key(), tenant.UnknownKey().With("x5c", nil)
		for round := range 3 {
			keys := []*entratest.Key{good}
			for i := range 1200 {
				keys = append(keys, filler.With("kid", fmt.Sprintf("round-%d-%d", round, i)))
			}
			tenant.SetKeys(keys...)
			expect(t, v, tenant.Token(), accepted)
			newest := tenant.Token(entratest.SignedBy(keys[500]))
			expect(t, v, newest, accepted)
			if got := v.Stats().Keys; got != 1000 {
				t.Errorf("round %d: got %d keys, want 1000", round, got)
			}
			time.Sleep(2 * time.Hour)
		}
	})
}

// Key IDs and tokens that a caller invents are not kept.
func TestInventedKeysLeaveNothingBehind(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		before := v.Stats()
		for range 10_000 {
			v.Verify(t.Context(), junkToken()) //nolint:errcheck // Counted below.
		}
		synctest.Wait()
		after := v.Stats()
		if after.Keys != before.Keys || after.Verified != before.Verified || after.Refused["unknown_key"] != 10_000 {
			t.Errorf("got %+v, want the keys and tokens of %+v, and 10,000 refusals", after, before)
		}
		if len(after.Refused) != 1 || strings.Contains(fmt.Sprint(after), "junk") {
			t.Errorf("got %+v, want nothing that the caller sent in it", after)
		}
	})
}
