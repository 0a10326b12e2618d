package oracle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/soak/oracle"
)

func TestUsableKeys(t *testing.T) {
	modulus := strings.Repeat("A", 342) // 256 bytes
	const good = `{"kty":"RSA","use":"sig","kid":"a","n":"MODULUS","e":"AQAB"}`
	change := func(old, new string) string { return `{"keys":[` + strings.Replace(good, old, new, 1) + `]}` }
	for _, row := range []struct {
		name, document string
		want           []string
	}{
		{"a key", change("", ""), []string{"a"}},
		{"without use", change(`"use":"sig",`, ""), []string{"a"}},
		{"to encrypt", change(`"sig"`, `"enc"`), nil},
		{"of another type", change(`"RSA"`, `"EC"`), nil},
		{"without an ID", change(`"kid":"a",`, ""), nil},
		{"of 1024 bits", change("MODULUS", strings.Repeat("A", 171)), nil},
		{"with another exponent", change("AQAB", "Aw"), nil},
		{"that is no base64url", change("MODULUS", "!"), nil},
		{"two keys", `{"keys":[` + good + `,` + strings.Replace(good, `"a"`, `"b"`, 1) + `]}`, []string{"a", "b"}},
		{"one key twice", `{"keys":[` + good + `,` + good + `]}`, []string{"a"}},
		{"two of one ID", `{"keys":[` + good + `,` + strings.Replace(good, "MODULUS", "B"+modulus[1:], 1) + `,` + strings.Replace(good, `"a"`, `"b"`, 1) + `]}`, []string{"b"}},
		{"none", `{"keys":[]}`, nil},
		{"no JSON", `<html>`, nil},
		{"half a document", `{"keys":[` + good, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := oracle.UsableKeys([]byte(strings.ReplaceAll(row.document, "MODULUS", modulus)))
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
