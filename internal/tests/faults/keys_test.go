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

func TestOneOddKeyIsPassedOverAlone(t *testing.T) {
	const (
		unusable = "unknown_key" // A token under the odd key's ID.
		foreign  = "signature"   // The key is held, and is not the one that signed.
	)
	member := func(name string, value any) func(*entratest.Key) any {
		return func(k *entratest.Key) any { return k.With(name, value).JWK() }
	}
	// text replaces the first piece of the key's text, or puts members in front.
	text := func(old, new string) func(*entratest.Key) any {
		return func(k *entratest.Key) any {
			plain, _ := json.Marshal(k.JWK()) // It was unmarshalled from JSON before.
			return json.RawMessage(strings.Replace(string(plain), old, new, 1))
		}
	}
	raw := func(value string) func(*entratest.Key) any {
		return func(*entratest.Key) any { return json.RawMessage(value) }
	}
	only := func(members map[string]any) func(*entratest.Key) any {
		return func(k *entratest.Key) any {
			members["kid"] = k.ID()
			return members
		}
	}
	tests := map[string]struct {
		odd  func(*entratest.Key) any
		want string
	}{
		"a good key":             {member("kty", "RSA"), accepted},
		"no use":                 {member("use", nil), accepted},
		"alg RS256":              {member("alg", "RS256"), accepted},
		"members of its own":     {member("x-new", map[string]any{"a": []int{1}}), accepted},
		"key_ops":                {member("key_ops", []string{"verify"}), accepted},
		"no x5c":                 {member("x5c", nil), accepted},
		"broken x5c":             {member("x5c", []any{"?", 1, nil}), accepted},
		"x5t of another":         {member("x5t", "AAAA"), accepted},
		"x5u elsewhere":          {member("x5u", "https://evil.example/x"), accepted},
		"private members":        {member("d", map[string]any{"d": "?"}), accepted},
		"escaped names":          {text(`"kty":`, `"\u006bty":`), accepted},
		"a modulus of 4096 bits": {member("n", testbed.Modulus(4096)), foreign},

		"an EC key":          {only(map[string]any{"kty": "EC", "use": "sig", "crv": "P-256", "x": testbed.Modulus(256), "y": testbed.Modulus(256)}), unusable},
		"an OKP key":         {only(map[string]any{"kty": "OKP", "use": "sig", "crv": "Ed25519", "x": testbed.Modulus(256)}), unusable},
		"a symmetric key":    {only(map[string]any{"kty": "oct", "k": "c2VjcmV0"}), unusable},
		"a post-quantum key": {only(map[string]any{"kty": "AKP", "alg": "ML-DSA-65", "pub": testbed.Modulus(1952 * 8)}), unusable},
		"no members":         {raw(`{}`), unusable},
		"kty in lower case":  {member("kty", "rsa"), unusable},
		"no kty":             {member("kty", nil), unusable},
		"kty as a number":    {member("kty", 1), unusable},
		"use enc":            {member("use", "enc"), unusable},
		"an odd use":         {member("use", "SIG"), unusable},
		"use as an array":    {member("use", []string{"sig"}), unusable},
		"use null":           {text(`"use":"sig"`, `"use":null`), unusable},
		"alg RS512":          {member("alg", "RS512"), unusable},
		"alg PS256":          {member("alg", "PS256"), unusable},
		"alg HS256":          {member("alg", "HS256"), unusable},
		"alg none":           {member("alg", "none"), unusable},

		"no n":                      {member("n", nil), unusable},
		"an empty n":                {member("n", ""), unusable},
		"n as a number":             {member("n", 12345), unusable},
		"n with a line break":       {text(`"n":"`, `"n":"\n`), unusable},
		"n with leading zeros":      {text(`"n":"`, `"n":"AAAA`), unusable},
		"n that is no base64":       {member("n", "!!!!"), unusable},
		"n in the other alphabet":   {member("n", strings.Repeat("+/+/", 86)), unusable},
		"a modulus of 1024 bits":    {member("n", testbed.Modulus(1024)), unusable},
		"a modulus of 2047 bits":    {member("n", testbed.Modulus(2047)), unusable},
		"a modulus of 4097 bits":    {member("n", testbed.Modulus(4097)), unusable},
		"a modulus of 8192 bits":    {member("n", testbed.Modulus(8192)), unusable},
		"a modulus of 500,000 bits": {member("n", testbed.Modulus(500_000)), unusable},

		"no e":                 {member("e", nil), unusable},
		"an empty e":           {member("e", ""), unusable},
		"e 1":                  {member("e", "AQ"), unusable},
		"e 3":                  {member("e", "Aw"), unusable},
		"e 65536":              {member("e", "AQAA"), unusable},
		"e 65539":              {member("e", "AQAD"), unusable},
		"e 65537 + 2^64":       {member("e", "AQAAAAAAAQAB"), unusable},
		"e 65537 + 2^128":      {member("e", "AQAAAAAAAAAAAAAAAAABAAE"), unusable},
		"e with padding":       {member("e", "AQAB="), unusable},
		"e with leading zeros": {member("e", "AAEAAQ"), unusable},
		"e as a number":        {member("e", 65537), unusable},
		"e as large as n":      {member("e", testbed.Modulus(2048)), unusable},

		"no kid":           {member("kid", nil), unusable},
		"an empty kid":     {member("kid", ""), unusable},
		"kid as a number":  {member("kid", 1), unusable},
		"kid as an array":  {member("kid", []string{"odd"}), unusable},
		"issuer null":      {text(`"issuer":"`, `"issuer":null,"x":"`), unusable},
		"issuer an object": {member("issuer", map[string]string{}), unusable},
		"cloud a number":   {member("cloud_instance_name", 1), unusable},

		"a member twice":               {text(`{`, `{"n":"AQAB",`), unusable},
		"a member twice with one text": {text(`{`, `{"kty":"RSA",`), unusable},
		"a foreign member twice":       {text(`{`, `{"x":1,"x":2,`), unusable},
		"a member twice deep inside":   {text(`{`, `{"x":{"y":1,"y":2},`), unusable},
		"a member twice, once escaped": {text(`{`, `{"\u006e":"AQAB",`), unusable},
		"invalid UTF-8 in a value":     {text(`{`, "{\"x\":\"\xff\","), unusable},
		"invalid UTF-8 in a name":      {text(`{`, "{\"x\xff\":1,"), unusable},
		"a surrogate alone":            {text(`{`, `{"x":"\ud800",`), unusable},

		"a string":      {raw(`"key"`), unusable},
		"a number":      {raw(`1e999`), unusable},
		"null":          {raw(`null`), unusable},
		"true":          {raw(`true`), unusable},
		"an array":      {raw(`[{"kty":"RSA"}]`), unusable},
		"a thousand []": {raw(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), unusable},
		"50,000 bytes":  {raw(`"` + strings.Repeat("x", 50_000) + `"`), unusable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, _ *entra.Verifier) {
				odd := tenant.UnknownKey().With("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0")
				good := keyText(t, tenant.Key())
				oddText := marshal(t, test.odd(odd))
				for _, keys := range [][]string{{oddText, good}, {good, oddText}} {
					publishTexts(tenant, keys...)
					v := testbed.NewVerifier(t, tenant, nil)
					expect(t, v, tenant.Token(), accepted)
					expect(t, v, tenant.Token(entratest.SignedBy(odd)), test.want)
					want := 1
					if test.want != unusable {
						want = 2
					}
					if got := v.Stats(); got.Keys != want || got.FetchFailures != 0 {
						t.Errorf("got %d keys and %d failures, want %d and 0", got.Keys, got.FetchFailures, want)
					}
				}
				if test.want == unusable { // Alone it is no document at all.
					publishTexts(tenant, oddText)
					expect(t, testbed.NewVerifier(t, tenant, nil), tenant.Token(), "keys_unavailable")
				}
			})
		})
	}
}

// marshal is json.Marshal that takes raw messages as they are, valid or not.
func marshal(t *testing.T, value any) string {
	t.Helper()
	if raw, ok := value.(json.RawMessage); ok {
		return string(raw)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// All odd keys of a document together harm the good one as little as each alone.
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
