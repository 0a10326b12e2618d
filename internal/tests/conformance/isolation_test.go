package conformance_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Claims belong to whoever received them. A caller overwrites all that it can reach of the claims of one use of a token:
// every field, and every list up to its capacity. Neither the claims of another use, earlier or later, first or remembered,
// nor another list of the same claims may change.
func TestClaimsShareNothing(t *testing.T) {
	tenant := entratest.New(t)
	verifiers := map[string]*entra.Verifier{
		"with a memory":    testbed.NewVerifier(t, tenant, nil),
		"without a memory": testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.CacheSize = -1 }),
		"combined":         combinedWithPersonal(t, tenant),
	}
	for name, verifier := range verifiers {
		for _, entries := range [][6]int{{1, 1, 1, 1, 1, 1}, {0, 1, 0, 1, 0, 1}, {1, 1, 0, 1, 0, 0}, {2, 2, 0, 0, 0, 0}, {0, 3, 1, 0, 0, 0}, {3, 5, 4, 2, 1, 6}, {0, 1, 0, 200, 0, 0}} {
			t.Run(fmt.Sprint(name, ", lists of ", entries), func(t *testing.T) {
				token := tokenWithLists(tenant, entries)
				const uses = 4
				var all [uses]*entra.Claims
				use := func(i int) {
					claims, err := verifier.Verify(t.Context(), token)
					if err != nil {
						t.Fatal(err)
					}
					all[i] = claims
				}
				use(0)
				want := textOf(all[0])
				if got := lengths(all[0]); got != entries {
					t.Fatalf("got lists of %v, want %v", got, entries)
				}
				// The first claims are overwritten before and after others are handed out.
				for i := range uses {
					if i > 0 {
						use(i)
					}
					if got := textOf(all[i]); got != want {
						t.Fatalf("use %d after earlier claims were overwritten: got %s, want %s", i, got, want)
					}
					overwrite(t, all[i], fmt.Sprint("by ", i))
					for j := range i {
						if got := textOf(all[j]); strings.Contains(got, fmt.Sprint("by ", i)) || !strings.Contains(got, fmt.Sprint("by ", j)) {
							t.Errorf("the claims of use %d changed when those of use %d were overwritten: %s", j, i, got)
						}
					}
				}
				use(0)
				use(1)
				overwrite(t, all[0], "at last")
				if got := textOf(all[1]); got != want {
					t.Errorf("claims handed out before others were overwritten: got %s, want %s", got, want)
				}
			})
		}
	}
}

// combinedWithPersonal is a Verifier of two authorities; the tokens of the first are used.
func combinedWithPersonal(t *testing.T, tenant *entratest.Server) *entra.Verifier {
	t.Helper()
	personal := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants = []string{entra.PersonalAccounts} })
	combined, err := entra.Combine(testbed.NewVerifier(t, tenant, nil), personal)
	if err != nil {
		t.Fatal(err)
	}
	return combined
}

// tokenWithLists returns a user token whose lists have this many entries, in the order of listsOf.
func tokenWithLists(tenant *entratest.Server, entries [6]int) string {
	list := func(claim string, n int) entratest.TokenOption {
		if n == 0 {
			return entratest.Without(claim)
		}
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprint(claim, i)
		}
		return entratest.Claim(claim, values)
	}
	scopes := make([]string, entries[1])
	for i := range scopes {
		scopes[i] = fmt.Sprint("scp", i)
	}
	return tenant.Token(entratest.Scopes(scopes...), list("xms_cc", entries[0]), list("roles", entries[2]),
		list("groups", entries[3]), list("wids", entries[4]), list("acrs", entries[5]))
}

func listsOf(c *entra.Claims) [6]*[]string {
	return [...]*[]string{&c.ClientCapabilities, &c.Scopes, &c.Roles, &c.Groups, &c.DirectoryRoles, &c.AuthContexts}
}

func lengths(c *entra.Claims) (n [6]int) {
	for i, list := range listsOf(c) {
		n[i] = len(*list)
	}
	return n
}

// textOf is all that claims say, the claim set behind them included.
func textOf(c *entra.Claims) string {
	whole := make(map[string]any)
	if err := c.Decode(&whole); err != nil {
		return err.Error()
	}
	type plain entra.Claims // without the method that shortens it
	v := reflect.ValueOf(plain(*c))
	var b strings.Builder
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			fmt.Fprintf(&b, "%s=%q ", field.Name, fmt.Sprint(v.Field(i).Interface()))
		}
	}
	return fmt.Sprint(b.String(), whole)
}

// overwrite writes text wherever claims let it, in one list after another, and checks that no list reaches into another.
func overwrite(t *testing.T, c *entra.Claims, text string) {
	t.Helper()
	v := reflect.ValueOf(c).Elem()
	named := 0
	for i := range v.NumField() {
		switch field := v.Field(i); {
		case !field.CanSet():
		case field.Kind() == reflect.String:
			field.SetString(text)
		case field.Type() == reflect.TypeFor[[]string]():
			named++
		default:
			field.SetZero()
		}
	}
	lists := listsOf(c)
	if named != len(lists) {
		t.Fatalf("got %d lists in Claims, want %d: listsOf lacks one", named, len(lists))
	}
	for i, list := range lists {
		var others [6]string
		for j, other := range lists {
			others[j] = fmt.Sprint(*other)
		}
		if len(*list) > 0 || cap(*list) > 0 {
			whole := (*list)[:cap(*list)]
			for k := range whole {
				whole[k] = fmt.Sprint(text, ", list ", i)
			}
			_ = append(*list, text)
		}
		for j, other := range lists {
			if j != i && fmt.Sprint(*other) != others[j] {
				t.Errorf("list %d changed with list %d: got %q, want %q", j, i, *other, others[j])
			}
		}
	}
}
