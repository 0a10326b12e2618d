package keyset_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestOneOddKeyIsPassedOverAlone(t *testing.T) {
	// good returns the members of a key as Entra lists it.
	good := func(id string) map[string]any {
		return map[string]any{
			"kty": "RSA", "use": "sig", "kid": id, "n": first, "e": "AQAB", "x5t": id, "x5c": []string{"AQAB"},
			"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "cloud_instance_name": "microsoftonline.com",
		}
	}
	// member sets a member, or takes it away for nil.
	member := func(name string, value any) func(map[string]any) any {
		return func(members map[string]any) any {
			members[name] = value
			if value == nil {
				delete(members, name)
			}
			return members
		}
	}
	// text replaces the first piece of the text of the key, or puts members in front.
	text := func(old, new string) func(map[string]any) any {
		return func(members map[string]any) any {
			return json.RawMessage(strings.Replace(marshal(t, members), old, new, 1))
		}
	}
	raw := func(value string) func(map[string]any) any {
		return func(map[string]any) any { return json.RawMessage(value) }
	}
	only := func(members map[string]any) func(map[string]any) any {
		return func(all map[string]any) any {
			members["kid"] = all["kid"]
			return members
		}
	}
	tests := map[string]struct {
		odd    func(members map[string]any) any
		usable bool
	}{
		"a good key":             {member("kty", "RSA"), true},
		"key_ops verify":         {member("key_ops", []string{"verify"}), true},
		"key_ops of two, no use": {text(`"use":"sig"`, `"key_ops":["sign","verify"]`), true},
		"no use":                 {member("use", nil), true},
		"alg RS256":              {member("alg", "RS256"), true},
		"members of its own":     {member("x-new", map[string]any{"a": []int{1}}), true},
		"key_ops":                {member("key_ops", []string{"verify"}), true},
		"no x5c":                 {member("x5c", nil), true},
		"broken x5c":             {member("x5c", []any{"?", 1, nil}), true},
		"x5t of another":         {member("x5t", "AAAA"), true},
		"x5u elsewhere":          {member("x5u", "https://evil.example/x"), true},
		"private members":        {member("d", map[string]any{"d": "?"}), true},
		"escaped names":          {text(`"kty":`, `"\u006bty":`), true},
		"a modulus of 4096 bits": {member("n", testbed.Modulus(4096)), true},

		"an EC key":          {only(map[string]any{"kty": "EC", "use": "sig", "crv": "P-256", "x": testbed.Modulus(256), "y": testbed.Modulus(256)}), false},
		"an OKP key":         {only(map[string]any{"kty": "OKP", "use": "sig", "crv": "Ed25519", "x": testbed.Modulus(256)}), false},
		"a symmetric key":    {only(map[string]any{"kty": "oct", "k": "c2VjcmV0"}), false},
		"a post-quantum key": {only(map[string]any{"kty": "AKP", "alg": "ML-DSA-65", "pub": testbed.Modulus(1952 * 8)}), false},
		"no members":         {raw(`{}`), false},
		"kty in lower case":  {member("kty", "rsa"), false},
		"no kty":             {member("kty", nil), false},
		"kty as a number":    {member("kty", 1), false},
		"use enc":            {member("use", "enc"), false},
		"an odd use":         {member("use", "SIG"), false},
		"use as an array":    {member("use", []string{"sig"}), false},
		"use null":           {text(`"use":"sig"`, `"use":null`), false},
		"an empty use":       {member("use", ""), false},
		"key_ops encrypt":    {member("key_ops", []string{"encrypt", "decrypt"}), false},
		"key_ops sign":       {member("key_ops", []string{"sign"}), false},
		"key_ops VERIFY":     {member("key_ops", []string{"VERIFY"}), false},
		"empty key_ops":      {member("key_ops", []string{}), false},
		"key_ops as text":    {member("key_ops", "verify"), false},
		"key_ops null":       {text(`{`, `{"key_ops":null,`), false},
		"key_ops with null":  {text(`{`, `{"key_ops":["verify",null],`), false},
		"key_ops twice":      {text(`{`, `{"key_ops":["verify"],"key_ops":["verify"],`), false},
		"an empty alg":       {member("alg", ""), false},
		"alg RS512":          {member("alg", "RS512"), false},
		"alg PS256":          {member("alg", "PS256"), false},
		"alg HS256":          {member("alg", "HS256"), false},
		"alg none":           {member("alg", "none"), false},

		"no n":                      {member("n", nil), false},
		"an empty n":                {member("n", ""), false},
		"n as a number":             {member("n", 12345), false},
		"n with a line break":       {text(`"n":"`, `"n":"\n`), false},
		"n with leading zeros":      {text(`"n":"`, `"n":"AAAA`), false},
		"n that is no base64":       {member("n", "!!!!"), false},
		"n in the other alphabet":   {member("n", strings.Repeat("+/+/", 86)), false},
		"a modulus of 1024 bits":    {member("n", testbed.Modulus(1024)), false},
		"a modulus of 2047 bits":    {member("n", testbed.Modulus(2047)), false},
		"a modulus of 4097 bits":    {member("n", testbed.Modulus(4097)), false},
		"a modulus of 8192 bits":    {member("n", testbed.Modulus(8192)), false},
		"a modulus of 500,000 bits": {member("n", testbed.Modulus(500_000)), false},

		"no e":                 {member("e", nil), false},
		"an empty e":           {member("e", ""), false},
		"e 1":                  {member("e", "AQ"), false},
		"e 3":                  {member("e", "Aw"), false},
		"e 65536":              {member("e", "AQAA"), false},
		"e 65539":              {member("e", "AQAD"), false},
		"e 65537 + 2^64":       {member("e", "AQAAAAAAAQAB"), false},
		"e 65537 + 2^128":      {member("e", "AQAAAAAAAAAAAAAAAAABAAE"), false},
		"e with padding":       {member("e", "AQAB="), false},
		"e with leading zeros": {member("e", "AAEAAQ"), false},
		"e as a number":        {member("e", 65537), false},
		"e as large as n":      {member("e", testbed.Modulus(2048)), false},

		"no kid":           {member("kid", nil), false},
		"an empty kid":     {member("kid", ""), false},
		"kid as a number":  {member("kid", 1), false},
		"kid as an array":  {member("kid", []string{"odd"}), false},
		"an empty issuer":  {member("issuer", ""), false},
		"an empty cloud":   {member("cloud_instance_name", ""), false},
		"issuer null":      {text(`"issuer":"`, `"issuer":null,"x":"`), false},
		"issuer an object": {member("issuer", map[string]string{}), false},
		"cloud a number":   {member("cloud_instance_name", 1), false},

		"a member twice":               {text(`{`, `{"n":"AQAB",`), false},
		"a member twice with one text": {text(`{`, `{"kty":"RSA",`), false},
		"a foreign member twice":       {text(`{`, `{"x":1,"x":2,`), false},
		"a member twice deep inside":   {text(`{`, `{"x":{"y":1,"y":2},`), false},
		"a member twice, once escaped": {text(`{`, `{"\u006e":"AQAB",`), false},
		"invalid UTF-8 in a value":     {text(`{`, "{\"x\":\"\xff\","), false},
		"invalid UTF-8 in a name":      {text(`{`, "{\"x\xff\":1,"), false},
		"a surrogate alone":            {text(`{`, `{"x":"\ud800",`), false},

		"a string":      {raw(`"key"`), false},
		"a number":      {raw(`1e999`), false},
		"null":          {raw(`null`), false},
		"true":          {raw(`true`), false},
		"an array":      {raw(`[{"kty":"RSA"}]`), false},
		"a thousand []": {raw(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), false},
		"50,000 bytes":  {raw(`"` + strings.Repeat("x", 50_000) + `"`), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			oddText, goodText := marshal(t, test.odd(good("odd"))), marshal(t, good("good"))
			for _, keys := range [][]string{{oddText, goodText}, {goodText, oddText}, {oddText}} {
				synctest.Test(t, func(t *testing.T) {
					set := (&published{keys: keys}).set()
					alone := len(keys) == 1
					ready := set.Ready(t.Context())
					if wantReady := !alone || test.usable; (ready == nil) != wantReady {
						t.Errorf("Ready: got %v, want keys held: %v", ready, wantReady)
					}
					held := 0
					for id, want := range map[string]bool{"odd": test.usable, "good": !alone} {
						k, err := set.Find(t.Context(), id)
						if (err == nil) != want || want && k.ID != id {
							t.Errorf("got the key %s and %v, want it held: %v", id, err, want)
						}
						if want {
							held++
						}
					}
					if got := set.Stats().Keys; got != held {
						t.Errorf("got %d keys, want %d", got, held)
					}
				})
			}
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
