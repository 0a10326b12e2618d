package keydoc_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/keydoc"
)

// modulus is 2048 bits that look like a modulus.
var modulus = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xaa", 256)))

// another is another one.
var another = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xbb", 256)))

// keyText is a usable key; more members may follow.
func keyText(id, more string) string {
	return `{"kty":"RSA","use":"sig","kid":` + quoted(id) + `,"n":"` + modulus + `","e":"AQAB"` + more + `}`
}

func quoted(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func document(keys ...string) []byte {
	return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`)
}

func ids(keys []keydoc.Key) (list []string) {
	for _, k := range keys {
		list = append(list, k.ID)
	}
	return list
}

func TestParse(t *testing.T) {
	a, b, c := keyText("a", ""), keyText("b", ""), keyText("c", "")
	var many []string
	var first []string
	for i := range keydoc.MaxKeys + 5 {
		many = append(many, keyText(fmt.Sprint(i), ""))
		first = append(first, fmt.Sprint(i))
	}
	tests := map[string]struct {
		document []byte
		want     []string // nil: an error
		skipped  int
	}{
		"one key":                        {document(a), []string{"a"}, 0},
		"several, in their order":        {document(c, a, b), []string{"c", "a", "b"}, 0},
		"other members around":           {[]byte(`{"x":{"keys":[]},"keys":[` + a + `],"y":1}`), []string{"a"}, 0},
		"a name twice beside the keys":   {[]byte(`{"x":1,"keys":[` + a + `],"x":2}`), []string{"a"}, 0},
		"odd text beside the keys":       {[]byte("{\"x\":\"\xff\",\"keys\":[" + a + "]}"), []string{"a"}, 0},
		"keys under an escaped name":     {[]byte(`{"\u006beys":[` + a + `]}`), []string{"a"}, 0},
		"white space around":             {[]byte(" \n{ \"keys\" : [ " + a + " ] } \n"), []string{"a"}, 0},
		"an odd one in front":            {document(`{}`, a), []string{"a"}, 1},
		"odd ones everywhere":            {document(`null`, a, `7`, b, `{"kty":"EC","kid":"c"}`), []string{"a", "b"}, 3},
		"one key twice":                  {document(a, b, a), []string{"a", "b"}, 0},
		"a key ID with two materials":    {document(a, strings.Replace(a, modulus, another, 1), b), []string{"b"}, 1},
		"a key ID with two, then one":    {document(a, strings.Replace(a, modulus, another, 1), b, a), []string{"b"}, 1},
		"a key ID with two issuers":      {document(a, keyText("a", `,"issuer":"x"`), b), []string{"b"}, 1},
		"a key ID with two clouds":       {document(a, keyText("a", `,"cloud_instance_name":"x"`), b), []string{"b"}, 1},
		"a key ID of an odd one too":     {document(a, `{"kty":"EC","kid":"a"}`), []string{"a"}, 1},
		"more keys than are read":        {document(many...), first[:keydoc.MaxKeys], 5},
		"a member twice inside a key":    {document(a, `{"kty":"RSA",`+b[1:]), []string{"a"}, 1},
		"invalid UTF-8 inside a key":     {document(a, "{\"x\":\"\xff\","+b[1:]), []string{"a"}, 1},
		"half a surrogate inside a key":  {document(a, `{"x":"\ud800",`+b[1:]), []string{"a"}, 1},
		"an empty key ID":                {document(a, keyText("", "")), []string{"a"}, 1},
		"a key ID with odd characters":   {document(keyText("\u00e9 \"/\u0000", "")), []string{"\u00e9 \"/\u0000"}, 0},
		"private members, which stay so": {document(keyText("a", `,"d":1,"p":[],"oth":null`)), []string{"a"}, 0},

		"nothing":                      {nil, nil, 0},
		"no object":                    {[]byte(`[` + a + `]`), nil, 0},
		"a key alone":                  {[]byte(a), nil, 0},
		"no keys":                      {document(), nil, 0},
		"only odd keys":                {document(`{}`, `[]`), nil, 2},
		"only keys that contradict":    {document(a, keyText("a", `,"issuer":"x"`)), nil, 1},
		"keys null":                    {[]byte(`{"keys":null}`), nil, 0},
		"keys an object":               {[]byte(`{"keys":{"0":` + a + `}}`), nil, 0},
		"keys a string":                {[]byte(`{"keys":"[]"}`), nil, 0},
		"keys in other case":           {[]byte(`{"Keys":[` + a + `]}`), nil, 0},
		"keys twice":                   {[]byte(`{"keys":[` + a + `],"keys":[` + b + `]}`), nil, 0},
		"keys twice, once escaped":     {[]byte(`{"keys":[` + a + `],"\u006beys":[` + b + `]}`), nil, 0},
		"a byte order mark":            {slices.Concat([]byte("\ufeff"), document(a)), nil, 0},
		"a cut document":               {document(a)[:100], nil, 0},
		"a document without its end":   {[]byte(`{"keys":[` + a + `]`), nil, 0},
		"text behind":                  {append(document(a), 'x'), nil, 0},
		"another document behind":      {append(document(a), document(b)...), nil, 0},
		"no comma between keys":        {[]byte(`{"keys":[` + a + b + `]}`), nil, 0},
		"a comma too many":             {[]byte(`{"keys":[` + a + `,]}`), nil, 0},
		"HTML":                         {[]byte(`<html></html>`), nil, 0},
		"arrays in each other":         {[]byte(`{"keys":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`), nil, 0},
		"arrays that break off":        {[]byte(`{"keys":` + strings.Repeat("[", 1_000_000)), nil, 0},
		"arrays in each other, in one": {document(a, strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			keys, skipped, err := keydoc.Parse(test.document)
			if got := ids(keys); !slices.Equal(got, test.want) || (err == nil) != (test.want != nil) || skipped.Count != test.skipped {
				t.Errorf("got keys %.200q, %d skipped and %v, want %.200q (none: an error) and %d", got, skipped.Count, err, test.want, test.skipped)
			}
		})
	}
}

func TestParseReadsWhatAKeySays(t *testing.T) {
	const issuer, cloud = "https://login.microsoftonline.com/{tenantid}/v2.0", "microsoftonline.com"
	keys, _, err := keydoc.Parse(document(keyText("a", `,"issuer":"`+issuer+`","cloud_instance_name":"`+cloud+`"`), keyText("b", "")))
	want := []keydoc.Key{{ID: "a", N: modulus, E: "AQAB", Issuer: issuer, Cloud: cloud}, {ID: "b", N: modulus, E: "AQAB"}}
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("got %+v and %v, want %+v", keys, err, want)
	}
}

// What is wrong with a key is said with its place, bounded and quoted.
func TestParseSaysWhyAKeyWasPassedOver(t *testing.T) {
	long := strings.Repeat("\x1b", 1000)
	for text, want := range map[string]string{
		`{"kty":"EC"}`:                 `key 1 has kty "EC"`,
		`{"kty":` + quoted(long) + `}`: `key 1 has kty "\x1b`,
		strings.Replace(keyText("b", ""), `"sig"`, `"enc"`, 1): `key 1 has use "enc"`,
		keyText("b", `,"alg":"RS512"`):                         `key 1 has alg "RS512"`,
		keyText("", ""):                                        `key 1 has no kid`,
		keyText("b", `,"issuer":7`):                            `key 1 has a issuer that is a number`,
		strings.Replace(keyText("b", ""), "AQAB", "=", 1):      `key 1 has another e than 65537`,
		strings.Replace(keyText("b", ""), modulus, "AQAB", 1):  `key 1 has no proper n; expected an RSA modulus of 2048 to 4096 bits`,
		keyText("b", `,"key_ops":["sign"]`):                    `key 1 has key_ops without verify`,
		keyText("b", `,"key_ops":7`):                           `key 1 has a key_ops that is a number`,
		keyText("b", `,"issuer":""`):                           `key 1 has an empty issuer`,
		`[]`:                                                   `key 1 is no JSON object`,
		`{}`:                                                   `key 1 has no kty; expected RSA`,
	} {
		_, skipped, err := keydoc.Parse(document(keyText("a", ""), text))
		if err != nil || skipped.Count != 1 {
			t.Fatalf("%.80s: got %v skipped and %v, want one", text, skipped, err)
		}
		if got := skipped.First[0].Error(); !strings.HasPrefix(got, want) || len(got) > 600 {
			t.Errorf("got %q, want a short text that begins with %q", got, want)
		}
	}
}

func TestParseMetadata(t *testing.T) {
	const good = `{"issuer":"i","jwks_uri":"k"}`
	for text, ok := range map[string]bool{
		good: true,
		` {"x":[{"issuer":"no"}],"jwks_uri":"k","issuer":"\u0069"} `: true,
		`{"issuer":"i"}`:                             false,
		`{"jwks_uri":"k"}`:                           false,
		`{"issuer":"","jwks_uri":"k"}`:               false,
		`{"issuer":"i","jwks_uri":""}`:               false,
		`{"issuer":null,"jwks_uri":"k"}`:             false,
		`{"issuer":["i"],"jwks_uri":"k"}`:            false,
		`{"issuer":"i","jwks_uri":{}}`:               false,
		`{"Issuer":"i","jwks_uri":"k"}`:              false,
		`{"issuer":"i","issuer":"i","jwks_uri":"k"}`: false,
		`{"issuer":"i","jwks_uri":"k","x":1,"x":1}`:  false,
		"{\"issuer\":\"\xff\",\"jwks_uri\":\"k\"}":   false,
		"\ufeff" + good:                              false,
		good + good:                                  false,
		`[` + good + `]`:                             false,
		`null`:                                       false,
		``:                                           false,
		`<html>`:                                     false,
		good[:10]:                                    false,
	} {
		got, err := keydoc.ParseMetadata([]byte(text))
		want := keydoc.Metadata{Issuer: "i", KeysURL: "k"}
		if !ok {
			want = keydoc.Metadata{}
		}
		if got != want || (err == nil) != ok {
			t.Errorf("%s: got %+v and %v, want %+v", text, got, err, want)
		}
	}
}

// A document of which no key is usable is logged as a failed fetch: its error is all that the operator gets.
func TestADocumentWithoutUsableKeysSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		`{"keys":[]}`:                          "the key document names 0 keys and none is usable",
		`{"keys":[{"kty":"EC","kid":"a"},{}]}`: `the key document names 2 keys and none is usable; the first: key 0 has kty "EC"; expected RSA`,
	} {
		if _, _, err := keydoc.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
