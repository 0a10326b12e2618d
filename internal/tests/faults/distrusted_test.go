package faults_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// A key was compromised. Entra names it still, or again from a replica that is behind, and forgers sign with it.
func TestADistrustedKeyVerifiesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		stolen := tenant.Key()
		tenant.RotateKeys()
		all := testbed.NewVerifier(t, tenant, nil)
		v := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.DistrustedKeys = []string{"another", stolen.ID()} })
		forged := tenant.Token(entratest.SignedBy(stolen), entratest.Lifetime(100*time.Hour))
		expect(t, all, forged, accepted)
		before := tenant.KeyRequests()
		for range 50 {
			expect(t, v, forged, "distrusted_key")
			time.Sleep(time.Minute)
		}
		if got := tenant.KeyRequests() - before; got != 0 {
			t.Errorf("got %d fetches for a distrusted key, want none", got)
		}
		for range 50 {
			expect(t, all, tenant.Token(), accepted)
			expect(t, v, tenant.Token(), accepted)
			expect(t, v, forged, "distrusted_key")
			expect(t, v, tenant.Token(entratest.SignedBy(stolen.With("kid", "another"))), "distrusted_key")
			time.Sleep(time.Hour)
		}
		if got, want := v.Stats().Keys, all.Stats().Keys-1; got != want {
			t.Errorf("got %d keys held, want %d", got, want)
		}
		// It is no unknown key: the next new one is fetched for at once.
		tenant.RotateKeys()
		expect(t, v, tenant.Token(), accepted)
		tenant.Down()
		expect(t, v, forged, "distrusted_key")
		expect(t, testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.DistrustedKeys = []string{stolen.ID()} }), forged, "distrusted_key")
	})
}

// A program that swaps its Verifier refuses at once what the one before remembers.
func TestANewVerifierDistrustsWhatTheOldOneRemembers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		token := tenant.Token()
		expect(t, v, token, accepted)
		expect(t, v, token, accepted)
		next := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.DistrustedKeys = []string{tenant.Key().ID()} })
		expect(t, next, token, "distrusted_key")
		if got := next.Stats().Refused["distrusted_key"]; got != 1 {
			t.Errorf("got %d refusals counted, want 1", got)
		}
	})
}

// The option is copied, as all are.
func TestDistrustedKeysAreCopied(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, _ *entra.Verifier) {
		list := []string{tenant.Key().ID()}
		v := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.DistrustedKeys = list })
		list[0] = "another"
		expect(t, v, tenant.Token(), "distrusted_key")
	})
}

func TestADocumentOfDistrustedKeysAlone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, _ *entra.Verifier) {
		var list []string
		for _, k := range []*entratest.Key{tenant.Key(), tenant.RotateKeys()} {
			list = append(list, k.ID())
		}
		tenant.SetKeys(tenant.Key())
		v := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.DistrustedKeys = list })
		expect(t, v, tenant.Token(), "distrusted_key")
		expect(t, v, tenant.Token(entratest.SignedBy(tenant.UnknownKey())), "keys_unavailable")
	})
}

// Neither of two documents brings it.
func TestAnApplicationsOwnKeyCanBeDistrusted(t *testing.T) {
	network := new(twoDocuments)
	network.bubble(t, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier, general, own func() string) {
		expect(t, v, own(), accepted)
		ids := []string{testbed.KeyIDOf(own()), testbed.KeyIDOf(general())}
		for i, id := range ids {
			v := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.AppKeys, o.DistrustedKeys = true, []string{id} })
			want := []string{accepted, accepted}
			want[i] = "distrusted_key"
			if got := []string{verified(t, v, own()), verified(t, v, general())}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

func verified(t *testing.T, v *entra.Verifier, token string) string {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	return outcome(err)
}
