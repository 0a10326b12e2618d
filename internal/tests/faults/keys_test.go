package faults_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
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
