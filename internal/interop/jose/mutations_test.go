package jose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// sample is a valid token taken apart, so that changed parts can be signed again.
type sample struct {
	name            string
	token           string
	header, payload []byte
	key             *entratest.Key
}

// samples are one valid token of each shape that Entra issues to an API.
func samples(t testing.TB, tenant *entratest.Server) []sample {
	t.Helper()
	rows := []struct {
		name    string
		options []entratest.TokenOption
	}{
		{"user, version 2.0", nil},
		{"user, version 1.0", []entratest.TokenOption{entratest.V1()}},
		{"application", []entratest.TokenOption{entratest.App(entratest.RoleDaemon)}},
		{"application, version 1.0", []entratest.TokenOption{entratest.App(entratest.RoleDaemon), entratest.V1()}},
		{"ID token", []entratest.TokenOption{entratest.IDToken(), entratest.Nonce("n-0S6_WzA2Mj")}},
		{"personal account", []entratest.TokenOption{entratest.Personal()}},
		{"guest with groups, roles and a step-up", []entratest.TokenOption{entratest.Guest(), entratest.Roles("Orders.Admin", "Auditor"),
			entratest.Groups("f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1"), entratest.AuthContext("c1", "c2"), entratest.Capabilities("cp1"),
			entratest.Claim("amr", []string{"pwd", "mfa"}), entratest.Claim("auth_time", 1760000000)}},
		{"too many groups", []entratest.TokenOption{entratest.Overage(), entratest.Scopes("Orders.Read", "Orders.Write")}},
	}
	list := make([]sample, len(rows))
	for i, row := range rows {
		token := tenant.Token(row.options...)
		parts := strings.Split(token, ".")
		list[i] = sample{row.name, token, decoded(t, parts[0]), decoded(t, parts[1]), tenant.Key()}
		if row.name == "personal account" {
			list[i].key = tenant.PersonalKey()
		}
	}
	return list
}

func decoded(t testing.TB, segment string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatalf("decoding a segment: %v", err)
	}
	return b
}

// mutations yields texts that differ from a JSON object in one place, with a name for each: every text with one of
// additions, and every stride-th of the others, counted from offset.
func mutations(object []byte, stride, offset int) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, added := range additions {
			if !yield("with "+string(added.value)+" as "+added.name, join(append(members(object), added))) {
				return
			}
		}
		n := offset
		for _, all := range []iter.Seq2[string, []byte]{memberMutations(object), byteMutations(object)} {
			for name, text := range all {
				if n++; n%stride == 0 && !yield(name, text) {
					return
				}
			}
		}
	}
}

// byteMutations removes, doubles, replaces and inserts single bytes.
func byteMutations(object []byte) iter.Seq2[string, []byte] {
	strange := []byte("\x00\x1f\x7f\x80\xc0\xff \t\n\"\\/{}[],:0-.eEnN")
	return func(yield func(string, []byte) bool) {
		for i, c := range object {
			before, after := object[:i:i], object[i+1:]
			changes := map[string][]byte{
				"without byte %d":     slices.Concat(before, after),
				"byte %d twice":       slices.Concat(before, []byte{c, c}, after),
				"cut before byte %d":  before,
				"one bit of byte %d":  slices.Concat(before, []byte{c ^ 1<<(i%8)}, after),
				"byte %d in its case": slices.Concat(before, []byte{c ^ 0x20}, after),
				"byte %d replaced":    slices.Concat(before, []byte{strange[i%len(strange)]}, after),
				"byte %d inserted":    slices.Concat(before, []byte{strange[(i*7+3)%len(strange)], c}, after),
			}
			for _, name := range slices.Sorted(maps.Keys(changes)) {
				if !yield(fmt.Sprintf(name, i), changes[name]) {
					return
				}
			}
		}
	}
}

// member is a name and its value as they stand in the text, escapes included.
type member struct {
	name  string
	value json.RawMessage
}

func members(object []byte) []member {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		panic(err)
	}
	var list []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			panic(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			panic(err)
		}
		list = append(list, member{name.(string), value})
	}
	return list
}

func join(list []member) []byte {
	var b bytes.Buffer
	for i, m := range list {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(`"` + m.name + `":`)
		b.Write(m.value)
	}
	b.WriteString("}")
	return b.Bytes()
}

// values replace the value of a member: other types, limits of numbers, texts that look alike.
var values = []string{
	"null", "true", "false", "0", "-1", "-0", "1e3", "1e400", "-1e400", "1.5", "253402300799", "253402300800", "9223372036854775808",
	"99999999999999999999", `""`, `" "`, `"/"`, `"0"`, `"\u0000"`, `"\ud800"`, `"\u00e9"`, `[]`, `[null]`, `[[]]`, `[""]`, `{}`, `{"a":1,"a":2}`,
	`"app"`, `"user"`, `"1.0"`, `"2.0"`, `"common"`, `"` + entratest.OtherTenantID + `"`, `"` + entratest.GraphClientID + `"`,
	`["` + entratest.APIClientID + `"]`, `["` + entratest.APIClientID + `","x"]`, `"` + entratest.APIURI + `/"`, `"api://` + entratest.SPAClientID + `"`,
	`"https://login.microsoftonline.com/{tenantid}/v2.0"`, `"https://sts.windows.net/` + entratest.OtherTenantID + `/"`,
}

// memberMutations changes, doubles, renames and removes whole members.
func memberMutations(object []byte) iter.Seq2[string, []byte] {
	list := members(object)
	return func(yield func(string, []byte) bool) {
		for i, m := range list {
			with := func(changed ...member) []byte {
				return join(slices.Concat(list[:i:i], changed, list[i+1:]))
			}
			for _, v := range values {
				if !yield(m.name+" is "+v, with(member{m.name, json.RawMessage(v)})) {
					return
				}
			}
			other := renamings(m)
			for _, name := range slices.Sorted(maps.Keys(other)) {
				if !yield(m.name+" "+name, with(other[name]...)) {
					return
				}
			}
		}
	}
}

func renamings(m member) map[string][]member {
	evil := json.RawMessage(`"evil"`)
	title := strings.ToUpper(m.name[:1]) + m.name[1:]
	folded := strings.NewReplacer("s", "ſ", "k", "\u212a", "a", "A").Replace(m.name) // letters that case folding treats as equal
	return map[string][]member{
		"removed":                          {},
		"twice":                            {m, m},
		"twice, the second one other":      {m, {m.name, evil}},
		"twice, the first one other":       {{m.name, evil}, m},
		"twice, once with an escaped name": {m, {fmt.Sprintf(`\u%04x`, m.name[0]) + m.name[1:], evil}},
		"with an escaped name":             {{fmt.Sprintf(`\u%04x`, m.name[0]) + m.name[1:], m.value}},
		"in upper case":                    {{strings.ToUpper(m.name), m.value}},
		"also in upper case":               {m, {strings.ToUpper(m.name), evil}},
		"also in title case":               {{title, evil}, m},
		"also in letters that fold to it":  {m, {folded, evil}},
		"with a space behind its name":     {{m.name + " ", m.value}},
		"in an array":                      {{m.name, slices.Concat([]byte("["), m.value, []byte("]"))}},
		"in an object":                     {{m.name, slices.Concat([]byte(`{"`+m.name+`":`), m.value, []byte("}"))}},
		"with white space":                 {{m.name, slices.Concat([]byte(" \n"), m.value, []byte("\t\r"))}},
	}
}

// additions are members that change what a token is.
var additions = []member{
	{"crit", json.RawMessage(`["exp"]`)}, {"crit", json.RawMessage(`[]`)}, {"b64", json.RawMessage("false")}, {"zip", json.RawMessage(`"DEF"`)},
	{"cty", json.RawMessage(`"JWT"`)}, {"jku", json.RawMessage(`"https://evil.example/keys"`)}, {"jwk", json.RawMessage(`{"kty":"oct","k":"AAAA"}`)},
	{"x5u", json.RawMessage(`"https://evil.example/cert"`)}, {"enc", json.RawMessage(`"A256GCM"`)}, {"nonce", json.RawMessage(`"abc"`)},
	{"cnf", json.RawMessage(`{"kid":"1"}`)}, {"cnf", json.RawMessage("null")}, {"at_hash", json.RawMessage(`"abc"`)}, {"c_hash", json.RawMessage(`"abc"`)},
	{"idtyp", json.RawMessage(`"app"`)}, {"idtyp", json.RawMessage(`"user"`)}, {"idtyp", json.RawMessage(`"device"`)}, {"idtyp", json.RawMessage(`""`)},
	{"scp", json.RawMessage(`"Orders.Read"`)}, {"scp", json.RawMessage(`"/"`)}, {"scp", json.RawMessage(`""`)}, {"scp", json.RawMessage(`["Orders.Read"]`)},
	{"roles", json.RawMessage(`["Orders.Admin"]`)}, {"roles", json.RawMessage(`"Orders.Admin"`)}, {"roles", json.RawMessage(`[]`)},
	{"azp", json.RawMessage(`"` + entratest.SPAClientID + `"`)}, {"appid", json.RawMessage(`"` + entratest.SPAClientID + `"`)},
	{"upn", json.RawMessage(`"x@y"`)}, {"tfp", json.RawMessage(`"B2C_1_x"`)}, {"acr", json.RawMessage(`"1"`)}, {"email", json.RawMessage(`"x@y"`)},
	{"extension_a", json.RawMessage(`{"a":[{"b":null}]}`)}, {"extension_b", json.RawMessage(`{"a":[{"b":1,"b":2}]}`)}, {"", json.RawMessage(`1`)},
}

// textMutations yields texts that differ from the token in one place, its signature included.
func textMutations(token string) iter.Seq2[string, string] {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return func(yield func(string, string) bool) {
		for i := range len(token) {
			before, after := token[:i], token[i+1:]
			other := string(alphabet[(strings.IndexByte(alphabet, token[i])+1+i%62)%64])
			changes := map[string]string{
				"character %d replaced":     before + other + after,
				"character %d left out":     before + after,
				"a line break before %d":    before + "\r\n" + token[i:],
				"a space before %d":         before + " " + token[i:],
				"padding before %d":         before + "=" + token[i:],
				"standard base64 at %d":     before + "+" + after,
				"a dot before %d":           before + "." + token[i:],
				"one letter before %d":      before + "A" + token[i:],
				"character %d a fullwidth ": before + "Ａ" + after,
			}
			for _, name := range slices.Sorted(maps.Keys(changes)) {
				if changes[name] != token && !yield(fmt.Sprintf(name, i), changes[name]) {
					return
				}
			}
		}
		// The last character of a segment has bits that encode nothing.
		for end := len(token); end > 0; end = strings.LastIndexByte(token[:end], '.') {
			for _, c := range alphabet {
				text := token[:end-1] + string(c) + token[end:]
				if text != token && !yield("character before "+fmt.Sprint(end)+" is "+string(c), text) {
					return
				}
			}
		}
	}
}
