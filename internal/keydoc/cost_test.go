//go:build !race

// The race detector makes pools drop what they hold, so that costs under it tell nothing.

package keydoc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/keydoc"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Whatever odd keys a document of the largest size lists, and however many, they cost a small multiple of its length, and
// the good one behind them is read.
func TestTheCostOfADocumentGrowsNoFasterThanItsLength(t *testing.T) {
	inEachOther := func(count int) string { return strings.Repeat(`{"a":`, count) + "0" + strings.Repeat("}", count) }
	members := make([]string, 5000)
	for i := range members {
		members[i] = fmt.Sprintf(`"%d":0`, i)
	}
	for name, odd := range map[string]func(i int) string{
		"empty keys":                   func(int) string { return `{}` },
		"nulls":                        func(int) string { return `null` },
		"numbers":                      func(int) string { return `7` },
		"empty arrays":                 func(int) string { return `[]` },
		"keys of another type":         func(int) string { return `{"kty":"EC"}` },
		"key IDs that are numbers":     func(int) string { return `{"kid":1}` },
		"keys without verify":          func(int) string { return `{"kty":"RSA","key_ops":[]}` },
		"empty issuers":                func(int) string { return `{"issuer":""}` },
		"repeated names":               func(int) string { return `{"a":1,"a":1}` },
		"keys without a modulus":       func(i int) string { return fmt.Sprintf(`{"kty":"RSA","kid":"%d","n":"AQAB","e":"AQAB"}`, i) },
		"one key ID with many issuers": func(i int) string { return keyText("a", fmt.Sprintf(`,"issuer":"i%d"`, i)) },
		"2,000 objects in each other":  func(int) string { return inEachOther(2000) },
		"60 objects in each other":     func(int) string { return inEachOther(60) },
		"5,000 members":                func(int) string { return `{` + strings.Join(members, ",") + `}` },
		"5,000 members of a member":    func(int) string { return `{"x":{` + strings.Join(members, ",") + `}}` },
	} {
		t.Run(name, func(t *testing.T) {
			perByte := func(size int) float64 {
				var text strings.Builder
				text.WriteString(`{"keys":[`)
				count := 0
				for ; text.Len() < size; count++ {
					text.WriteString(odd(count) + ",")
				}
				text.WriteString(keyText("good", "") + "]}")
				document := []byte(text.String())
				cost := testbed.CostOf(2, func() {
					keys, skipped, err := keydoc.Parse(document)
					if err != nil || ids(keys)[len(keys)-1] != "good" || len(keys) > 1 || skipped.Count < count-1 || len(skipped.First) > 3 {
						t.Fatalf("got keys %q, %d skipped with %d reasons, and %v; want the good one, all others skipped and three reasons at most",
							ids(keys), skipped.Count, len(skipped.First), err)
					}
				})
				return cost.Bytes / float64(len(document))
			}
			small, large := perByte(1<<16), perByte(1<<20-1000)
			if large > 20 {
				t.Errorf("got %.1f bytes allocated for a byte of a document of 1 MiB, want 20 at most", large)
			}
			if large > 2*small+3 {
				t.Errorf("got %.1f bytes allocated for a byte of a document of 1 MiB, and %.1f where it has 64 KiB, want no more", large, small)
			}
		})
	}
}
