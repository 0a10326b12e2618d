package keydoc_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/keydoc"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

var documentSeeds = []string{
	``, `{}`, `{"keys":[]}`, `{"keys":null}`, `{"keys":[null,1,"x",[],{}]}`, `<html>`, "\ufeff{\"keys\":[]}", `{"keys":[{}],"keys":[{}]}`,
	`{"Keys":[{}]}`, `{"keys":[{"kty":"EC","kid":"e","crv":"P-256","x":"AQ","y":"AQ"}]}`, `{"keys":[{"kty":"oct","kid":"o","k":"AQAB"}]}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB"}]}`, `{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB"},{"kty":"RSA","kid":"a","n":"ANOTHER","e":"AQAB"}]}`,
	`{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"a","n":"MODULUS","e":"AQAB","issuer":"i","cloud_instance_name":"c","x5c":["AQ"],"d":"AQ"}],"x":1}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB","n":"ANOTHER"},{"kty":"RSA","use":"enc","kid":"b","n":"MODULUS","e":"AQAB"}]}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"_w=","e":"AQAB"},{"kty":"RSA","kid":"b","n":"AP8","e":"AQAB"},{"kty":"RSA","kid":"c","n":"_x","e":"Aw"}]}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB","key_ops":["sign","verify"]},{"kty":"RSA","kid":"b","n":"MODULUS","e":"AQAB","key_ops":["verify",null]}]}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB","key_ops":[],"alg":""},{"kty":"RSA","kid":"b","n":"MODULUS","e":"AQAB","issuer":""}]}`,
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\xff\",\"n\":\"_w\",\"e\":\"AQAB\"}]}", `{"keys":[{"kty":"RSA","kid":"\ud800","n":"MODULUS","e":"AQAB"}]}`,
	`{"keys":[{"kty":"RSA","kid":"a","n":"MODULUS","e":"AQAB"}]}x`, `{"\u006beys":[{"\u006bty":"RSA","kid":"a","n":"MODULUS","e":"AQAB"}]}`,
}

// withNumbers puts moduli into a seed.
func withNumbers(text string) string {
	return strings.NewReplacer("MODULUS", modulus, "ANOTHER", another).Replace(text)
}

// FuzzParse compares with a reading by encoding/json: the same keys, no more and no fewer.
func FuzzParse(f *testing.F) {
	for _, text := range documentSeeds {
		f.Add([]byte(withNumbers(text)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Count(string(text), "[")+strings.Count(string(text), "{") > 9000 {
			return // Both readers have a limit near 10,000, not the same.
		}
		got, skipped, err := keydoc.Parse(text)
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("got %d keys and %v, want keys or an error", len(got), err)
		}
		elements, ok := plainElements(text)
		if !ok {
			if len(got) > 0 || skipped.Count > 0 {
				t.Fatalf("got keys %q of a text that is no key document", ids(got))
			}
			return
		}
		if want := plainKeys(elements); !slices.Equal(got, want) {
			t.Errorf("got keys %+v, want %+v", got, want)
		}
		for _, err := range skipped.First {
			if len(err.Error()) > 1000 {
				t.Errorf("got a text of %d bytes, want a short one: %.100q", len(err.Error()), err)
			}
		}
	})
}

// plainElements returns the texts of the keys, if text is a document with one member of that name.
func plainElements(text []byte) (elements []json.RawMessage, ok bool) {
	if !json.Valid(text) || strings.TrimLeft(string(text), " \t\r\n")[0] != '{' {
		return nil, false
	}
	// A map would hide that the name stands twice.
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return nil, false
	}
	found := 0
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return nil, false
		}
		if name == "keys" {
			found++
			if value[0] != '[' || json.Unmarshal(value, &elements) != nil {
				return nil, false
			}
		}
	}
	return elements, found == 1
}

// plainKeys returns the usable keys among the elements, without those of one key ID that differ.
func plainKeys(elements []json.RawMessage) (keys []keydoc.Key) {
	var all []keydoc.Key
	for _, element := range elements {
		if k, ok := plainKey(string(element)); ok {
			all = append(all, k)
		}
	}
	for i, k := range all {
		first := slices.IndexFunc(all, func(other keydoc.Key) bool { return other.ID == k.ID })
		differs := slices.ContainsFunc(all, func(other keydoc.Key) bool { return other.ID == k.ID && other != k })
		if first == i && !differs {
			keys = append(keys, k)
		}
	}
	return keys
}

func plainKey(element string) (k keydoc.Key, ok bool) {
	members, err := plainjson.Object(element)
	if err != nil {
		return k, false
	}
	ok = true
	// text is a member that must be a string, and not an empty one, if it is there.
	text := func(name string) string {
		value, isText := plainjson.Text(members, name)
		if _, there := members[name]; there && (!isText || value == "") {
			ok = false
		}
		return value
	}
	if raw, there := members["key_ops"]; there {
		// A pointer tells null from an empty string.
		var operations []*string
		err := json.Unmarshal(raw, &operations)
		verify := func(operation *string) bool { return operation != nil && *operation == "verify" }
		ok = ok && err == nil && slices.ContainsFunc(operations, verify) && !slices.Contains(operations, nil)
	}
	k = keydoc.Key{ID: text("kid"), N: text("n"), E: text("e"), Issuer: text("issuer"), Cloud: text("cloud_instance_name")}
	kty, use, alg := text("kty"), text("use"), text("alg")
	return k, ok && k.ID != "" && kty == "RSA" && (use == "" || use == "sig") && (alg == "" || alg == "RS256") && isModulus(k.N) && k.E == "AQAB"
}

// isModulus reports whether text is the one base64url of a number of 2048 to 4096 bits.
func isModulus(text string) bool {
	number, err := base64.RawURLEncoding.DecodeString(text)
	bits := new(big.Int).SetBytes(number).BitLen()
	return err == nil && bits >= 2048 && bits <= 4096 && number[0] != 0 && base64.RawURLEncoding.EncodeToString(number) == text
}

// FuzzOddKey puts any JSON value beside a good key: the good one is read all the same.
func FuzzOddKey(f *testing.F) {
	for _, text := range documentSeeds {
		text = withNumbers(text)
		f.Add(text)
		if elements, ok := plainElements([]byte(text)); ok {
			for _, element := range elements {
				f.Add(string(element))
			}
		}
	}
	f.Fuzz(func(t *testing.T, odd string) {
		if !json.Valid([]byte(odd)) || strings.Count(odd, "[")+strings.Count(odd, "{") > 9000 {
			return // No JSON value.
		}
		const id = "the good key"
		if k, ok := plainKey(odd); ok && k.ID == id {
			return // Another key of the same ID.
		}
		for _, text := range [][]byte{document(odd, keyText(id, "")), document(keyText(id, ""), odd)} {
			keys, _, err := keydoc.Parse(text)
			if err != nil || !slices.Contains(ids(keys), id) {
				t.Errorf("got keys %q and %v, want the good one among them", ids(keys), err)
			}
		}
	})
}

// FuzzParseMetadata compares with a reading by encoding/json.
func FuzzParseMetadata(f *testing.F) {
	for _, text := range append([]string{
		`{"issuer":"i","jwks_uri":"k"}`, ` {"x":[{"issuer":"no"}],"jwks_uri":"k","issuer":"\u0069"} `, `{"issuer":"i","issuer":"j","jwks_uri":"k"}`,
		`{"issuer":null,"jwks_uri":"k"}`, `{"Issuer":"i","JWKS_URI":"k"}`, "{\"issuer\":\"\xff\",\"jwks_uri\":\"k\"}", `{"issuer":"i","jwks_uri":["k"]}`,
		`{"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0","jwks_uri":"https://login.microsoftonline.com/common/discovery/v2.0/keys","x":1}`,
	}, documentSeeds...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Count(string(text), "[")+strings.Count(string(text), "{") > 9000 {
			return // Both readers have a limit near 10,000, not the same.
		}
		got, err := keydoc.ParseMetadata(text)
		members, plainErr := plainjson.Object(string(text))
		issuer, ok := plainjson.Text(members, "issuer")
		url, alsoOK := plainjson.Text(members, "jwks_uri")
		want := keydoc.Metadata{Issuer: issuer, KeysURL: url}
		if plainErr != nil || !ok || !alsoOK || issuer == "" || url == "" {
			want = keydoc.Metadata{}
		}
		if got != want || (err == nil) != (want != keydoc.Metadata{}) {
			t.Errorf("got %+v and %v, want %+v", got, err, want)
		}
	})
}
