//go:build !race

// The race detector makes pools drop what they hold, so that costs under it tell nothing.

package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// nested returns count objects in each other.
func nested(count int) string {
	return strings.Repeat(`{"a":`, count) + "0" + strings.Repeat("}", count)
}

// members returns the text of so many members, without the braces.
func members(count int) string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf(`"%x":0`, i)
	}
	return strings.Join(list, ",")
}

// Anybody can send a header of any shape. None costs more than the signature check of a forged token does, which anybody
// can cause as well. The bound is on allocations, which tell of work without a clock; beyond those of a forged token a
// header may cost a few copies of itself.
func TestNoHeaderCostsMoreThanAForgedToken(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	testbed.MustVerify(t, verifier, tenant.Token())
	good := fmt.Sprintf(`"alg":"RS256","kid":%q,"typ":"JWT"`, tenant.Key().ID())
	forged := testbed.CostOf(20, func() { verifier.Verify(t.Context(), encode("{"+good+"}")+"."+encode(`{"aud":"x"}`)+".AAAA") }) //nolint:errcheck // It is refused.
	const header, signature = entra.ReasonHeader, entra.ReasonSignature
	for name, test := range map[string]struct {
		more string // members of the header, behind the usual ones
		want entra.Reason
	}{
		"nothing more":                            {`"x":0`, signature},
		"50 members":                              {members(50), signature},
		"20 objects in each other":                {`"x":` + nested(20), signature},
		"50 members of a member":                  {`"x":{` + members(50) + `}`, signature},
		"1,300 numbers beside an object":          {`"x":[` + strings.Repeat("0,", 1300) + `{}]`, signature},
		"a name of 2,800 bytes":                   {`"` + strings.Repeat("n", 2800) + `":0`, signature},
		"a name of 460 escapes":                   {`"` + strings.Repeat(`\u0061`, 460) + `":0`, signature},
		"x5c of 2,800 bytes":                      {`"x5c":["` + strings.Repeat("A", 2800) + `"]`, signature},
		"a name of 11,000 bytes":                  {`"` + strings.Repeat("n", 11_000) + `":0`, header},
		"one character more than a header may be": {`"x":"` + strings.Repeat("n", 3010) + `"`, header},
		"1,900 objects in each other":             {`"x":` + nested(1900), header},
		"500 objects in each other":               {`"x":` + nested(500), header},
		"60 objects in each other":                {`"x":` + nested(60), header},
		"1,300 members":                           {members(1300), header},
		"400 members":                             {members(400), header},
		"400 members of a member":                 {`"x":{` + members(400) + `}`, header},
		"400 members of a member in an array":     {`"x":[[{` + members(400) + `}]]`, header},
		"400 times the same member":               {strings.Repeat(`"a":0,`, 400) + `"a":0`, header},
		"1,400 arrays in each other":              {`"x":` + strings.Repeat("[", 1400) + "{}" + strings.Repeat("]", 1400), header},
		"900 objects side by side":                {`"x":[` + strings.Repeat("{},", 900) + `0]`, header},
	} {
		t.Run(name, func(t *testing.T) {
			segment := encode("{" + good + "," + test.more + "}")
			token := segment + "." + encode(`{"aud":"x"}`) + ".AAAA"
			got := testbed.CostOf(20, func() {
				if _, err := verifier.Verify(t.Context(), token); entra.ReasonOf(err) != test.want {
					t.Fatalf("got %v, want it refused for the reason %s", err, test.want)
				}
			})
			copies := 3.0
			if test.want == header { // It is refused unread, or as soon as its signs are counted.
				copies = 0
			}
			if got.Bytes > forged.Bytes+copies*float64(len(segment)) || got.Allocations > forged.Allocations+copies {
				t.Errorf("got %+v for a header of %d bytes, want no more than %+v of a forged token and %v copies", got, len(segment), forged, copies)
			}
		})
	}
}

// A client can be its own tenant's administrator, and have Entra sign claims of any shape.
func TestThePayloadsCostGrowsNoFasterThanItsLength(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.MaxTokenSize, o.CacheSize = 1<<20, -1 })
	cost := func(token string) testbed.Cost {
		return testbed.CostOf(20, func() { verifier.Verify(t.Context(), token) }) //nolint:errcheck // Some are refused.
	}
	plain := cost(tenant.Token())
	for name, claims := range map[string]func(n int) string{
		"members":                  members,
		"objects in each other":    func(n int) string { return `"x":` + nested(n) },
		"arrays in each other":     func(n int) string { return `"x":` + strings.Repeat("[", n) + "{}" + strings.Repeat("]", n) },
		"members of a member":      func(n int) string { return `"x":{` + members(n) + `}` },
		"members in an array":      func(n int) string { return `"x":[{` + members(n) + `}]` },
		"objects side by side":     func(n int) string { return `"x":[` + strings.Repeat(`{"a":0},`, n) + `0]` },
		"one object in each other": func(n int) string { return `"_claim_names":{"x":[` + strings.Repeat(`{"a":0},`, n) + `0]}` },
		"claim sources":            func(n int) string { return `"_claim_names":{` + members(n) + `}` },
		"groups":                   func(n int) string { return `"groups":[` + strings.Repeat(`"g",`, n) + `"g"]` },
		"roles with escapes":       func(n int) string { return `"roles":[` + strings.Repeat(`"\u0061",`, n) + `"g"]` },
		"scopes":                   func(n int) string { return `"x":0,"scp":"` + strings.Repeat("s ", n) + `"` },
		"audiences":                func(n int) string { return `"x":[` + strings.Repeat(`"a",`, n) + `"g"]` },
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{100, 400, 1600, 6400} {
				text := claims(n)
				token := tenant.Token(entratest.Without("groups"), entratest.Without("roles"), entratest.Without("scp"))
				payload := testbed.Adding(text)(string(testbed.Segment(token, 1)))
				token = tenant.Token(entratest.RawPayload([]byte(payload)))
				got := cost(token)
				// A set of names takes a few dozen bytes for each, and grows by doubling.
				if limit := plain.Bytes + 40*float64(len(token)); got.Bytes > limit {
					t.Errorf("%d of them: got %.0f bytes for a token of %d, want %.0f at most", n, got.Bytes, len(token), limit)
				}
				if limit := plain.Allocations + 3*float64(n); got.Allocations > limit {
					t.Errorf("%d of them: got %.0f allocations, want %.0f at most", n, got.Allocations, limit)
				}
			}
		})
	}
}
