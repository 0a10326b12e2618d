package faults_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// keyText is a key as a document lists it.
func keyText(t *testing.T, k *entratest.Key) string {
	t.Helper()
	text, err := json.Marshal(k.JWK())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// publishTexts makes these texts, in this order, the keys of the document.
func publishTexts(tenant *entratest.Server, keys ...string) {
	tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"keys":[` + strings.Join(keys, ",") + `]}`)) //nolint:errcheck // The fetch fails by itself.
	})
}

// A document with ten thousand odd keys and a good one brings the good one.
func TestManyOddKeys(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		keys := slices.Repeat([]string{`{}`, `null`, `{"kty":"EC","kid":"x"}`, `{"kty":"RSA","kid":"y","n":"AQAB","e":"AQAB"}`, "{\"\xff\":0}"}, 2000)
		publishTexts(tenant, append(keys, keyText(t, tenant.Key()))...)
		expect(t, v, tenant.Token(), accepted)
	})
}

func TestAKnownKeyWithABadSignatureNeverCausesAFetch(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		forged := tenant.UnknownKey().With("kid", tenant.Key().ID())
		for range 50 {
			expect(t, v, tenant.Token(entratest.SignedBy(forged)), "signature")
			expect(t, v, tenant.Token(entratest.Header("kid", "")), "header")
			expect(t, v, tenant.Token(entratest.Header("alg", "HS256")), "algorithm")
			expect(t, v, tenant.Token(entratest.Expired()), "expired")
		}
		synctest.Wait()
		if got := tenant.KeyRequests(); got != 1 {
			t.Errorf("got %d fetches, want 1", got)
		}
	})
}

// While keys are held, a new key that cannot be fetched is a 401 like somebody else's: the text must tell them apart.
func TestTheTextOfAnUnknownKeySaysThatFetchesFail(t *testing.T) {
	const failed = "the last fetch of keys failed, so that a new one cannot be known: "
	says := func(t *testing.T, v *entra.Verifier, token, want string, wanted bool) {
		t.Helper()
		_, err := v.Verify(t.Context(), token)
		if got := outcome(err); got != "unknown_key" || strings.Contains(err.Error(), want) != wanted {
			t.Errorf("got %v, want unknown_key, with %q: %v", err, want, wanted)
		}
	}
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		expect(t, v, tenant.Token(), accepted)
		says(t, v, junkToken(), failed, false)
		tenant.RotateKeys()
		tenant.Down()
		time.Sleep(time.Minute)
		says(t, v, tenant.Token(), failed+`Get "https://login.microsoftonline.com/`, true)
		tenant.Restore()
		time.Sleep(time.Minute)
		expect(t, v, tenant.Token(), accepted)
		says(t, v, junkToken(), failed, false)
	})
	// An own document that fails is no reason to advise the option that reads it.
	own := func(o *entra.Options) {
		o.AppKeys = true
		inner := o.HTTPClient.Transport
		o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Has("appid") {
				return testbed.Response(r, http.StatusServiceUnavailable, ""), nil
			}
			return inner.RoundTrip(r)
		})
	}
	bubble(t, own, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()))
		says(t, v, token, failed, true)
		says(t, v, token, "set Options.AppKeys", false)
		if got := v.Stats(); got.Keys == 0 || got.FetchFailures == 0 || v.Ready(t.Context()) != nil {
			t.Errorf("got %+v, want keys held and failures, which the runbook says of AppKeys", got)
		}
	})
}
