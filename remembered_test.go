package entra_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// TestARememberedTokenHasTheSameClaims compares every field of claims that were just verified with those from memory.
func TestARememberedTokenHasTheSameClaims(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.AllowIDTokens = true })
	filled := make(map[string]bool) // by some token
	for name, options := range map[string][]entratest.TokenOption{
		"a user": {
			entratest.Scopes("a", "b"), entratest.Roles("c"), entratest.Groups("d", "e"), entratest.Claim("wids", []string{"f"}),
			entratest.Claim("acrs", []string{"c1", "c2"}), entratest.Claim("xms_cc", []string{"cp1"}), entratest.Claim("acct", 1),
			entratest.Claim("azpacr", "2"), entratest.Claim("idp", "https://idp.example/"), entratest.Claim("email", "a@contoso.example"),
			entratest.Claim("xms_edov", true), entratest.Claim("login_hint", "hint"), entratest.Claim("name", strings.Repeat("ü", 300)),
			entratest.Claim("xms_par_app_azp", "blueprint"), entratest.Claim("xms_sub_fct", "13"),
		},
		"nothing but what must be": {},
		"empty lists":              {entratest.Roles(), entratest.Claim("groups", []string{}), entratest.Claim("wids", []string{})},
		"many groups":              {entratest.Groups(strings.Split(strings.Repeat("g ", 150), " ")...)},
		"too many groups":          {entratest.Claim("hasgroups", true)},
		"an application":           {entratest.App(), entratest.Roles("a")},
		"an ID token":              {entratest.IDToken()},
		"dates with fractions":     {entratest.Claim("iat", 1700000000.25)},
		"dates of the far future":  {entratest.Claim("exp", 253402300799)},
		"claims with escapes":      {entratest.Claim("name", "\"\\\u0000\n<")},
	} {
		t.Run(name, func(t *testing.T) {
			token := tenant.Token(options...)
			first, err := verifier.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			remembered := verifier.Stats().Remembered
			second, err := verifier.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if got := verifier.Stats().Remembered; got != remembered+1 {
				t.Fatalf("got %d tokens remembered, want %d", got, remembered+1)
			}
			a, b := reflect.ValueOf(*first), reflect.ValueOf(*second)
			for i := range a.NumField() {
				field := a.Type().Field(i)
				if !field.IsExported() {
					continue
				}
				if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
					t.Errorf("%s: got %#v from memory, want %#v", field.Name, b.Field(i), a.Field(i))
				}
				filled[field.Name] = filled[field.Name] || !a.Field(i).IsZero()
			}
			var all, again map[string]any
			if err := errors.Join(first.Decode(&all), second.Decode(&again)); err != nil || len(all) == 0 || !reflect.DeepEqual(all, again) {
				t.Errorf("Decode: got %v and %v, want the same claims", again, err)
			}
		})
	}
	for i, claims := 0, reflect.TypeFor[entra.Claims](); i < claims.NumField(); i++ {
		// Only B2C has user flows.
		if name := claims.Field(i).Name; claims.Field(i).IsExported() && !filled[name] && name != "UserFlow" {
			t.Errorf("%s: got no token that has it, want one", name)
		}
	}
}
