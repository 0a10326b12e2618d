package entra_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// optionalClaims returns the claims of a token that has claims without a field here.
func optionalClaims(t *testing.T) *entra.Claims {
	t.Helper()
	tenant := entratest.New(t)
	return accepted(t, newVerifier(t, tenant, nil), tenant.Token(entratest.RawPayload(claimSet(t, "optional-claims"))))
}

func TestDecode(t *testing.T) {
	t.Attr("rule", "R97")
	synctest.Test(t, func(t *testing.T) {
		claims := optionalClaims(t)
		var custom struct {
			CostCenter string   `json:"extension_aaaa_costCenter"`
			Teams      []string `json:"extension_aaaa_teams"`
			ShoeSize   float64  `json:"extn.shoeSize"`
			Country    string   `json:"ctry"`
			Missing    *string  `json:"missing"`
			Division   struct {
				Name  string `json:"Name"`
				Other string `json:"name"`
			}
		}
		if err := claims.Decode(&custom); err != nil {
			t.Fatalf("Decode: got %v, want no error", err)
		}
		if custom.CostCenter != "4711" || len(custom.Teams) != 2 || custom.Teams[1] != "blue" || custom.ShoeSize != 43.5 || custom.Country != "SE" ||
			custom.Missing != nil || custom.Division.Name != "North" || custom.Division.Other != "south" {
			t.Errorf("got %+v, want the claims of testdata/claims/optional-claims.json", custom)
		}
		var all map[string]any
		if err := claims.Decode(&all); err != nil || all["uti"] != "sample-uti" || all["xms_rd"] != 1.0 {
			t.Errorf("got %v and error %v, want the whole claim set", all, err)
		}
	})
}

// TestDecodeComparesNamesExactly shows the difference to encoding/json, which lets another claim's value in.
func TestDecodeComparesNamesExactly(t *testing.T) {
	t.Attr("rule", "R6 R97")
	tenant := entratest.New(t)
	row := row{payload: adding(`"EXTENSION_LEVEL":"admin","extenſion_level":"admin"`)}
	claims := accepted(t, newVerifier(t, tenant, nil), row.mint(tenant))
	var custom struct {
		Level string `json:"extension_level"`
	}
	if err := claims.Decode(&custom); err != nil || custom.Level != "" {
		t.Errorf("got level %q and error %v, want neither", custom.Level, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Attr("rule", "R97")
	synctest.Test(t, func(t *testing.T) {
		claims := optionalClaims(t)
		var wrong struct {
			Teams string `json:"extension_aaaa_teams"`
		}
		var text string
		byHand := &entra.Claims{Kind: entra.UserToken}
		for name, err := range map[string]error{
			"an array into a string": claims.Decode(&wrong),
			"into no struct or map":  claims.Decode(&text),
			"into no pointer":        claims.Decode(wrong),
			"into nil":               claims.Decode(nil),
			"claims made by hand":    byHand.Decode(new(map[string]any)),
			"the zero claims":        new(entra.Claims).Decode(new(map[string]any)),
		} {
			if err == nil {
				t.Errorf("%s: got no error, want one", name)
			}
		}
	})
}

func TestClaimsAreTheCallersOwn(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token(entratest.Scopes("Orders.Read", "Orders.Write"), entratest.Roles("a"), entratest.Groups("g"))
	for name, size := range map[string]int{"remembered": 0, "not remembered": -1} {
		t.Run(name, func(t *testing.T) {
			verifier := newVerifier(t, tenant, func(o *entra.Options) { o.CacheSize = size })
			first := accepted(t, verifier, token)
			first.Scopes[0], first.Roles[0], first.Groups[0] = "changed", "changed", "changed"
			first.Scopes = append(first.Scopes[:1], "appended")
			first.TenantID, first.Kind = "changed", entra.AppToken
			second := accepted(t, verifier, token)
			if second.Scopes[0] != "Orders.Read" || second.Scopes[1] != "Orders.Write" || second.Roles[0] != "a" || second.Groups[0] != "g" ||
				second.TenantID != entratest.TenantID || second.Kind != entra.UserToken {
				t.Errorf("got %+v after another caller changed his claims, want those of the token", second)
			}
			_ = append(second.Scopes, "x")
			if second.Roles[0] != "a" {
				t.Errorf("got roles %v after scopes were appended to, want [a]", second.Roles)
			}
		})
	}
}

func TestHasScopeAndHasRoleCompareExactly(t *testing.T) {
	t.Attr("rule", "R62 R63")
	claims := &entra.Claims{Scopes: []string{"Orders.Read", "x"}, Roles: []string{"Orders.Admin"}}
	for name, got := range map[string]bool{
		"scope in other case":     claims.HasScope("orders.read"),
		"scope, part of it":       claims.HasScope("Orders"),
		"scope, two at once":      claims.HasScope("Orders.Read x"),
		"scope, none":             claims.HasScope(""),
		"scope that is a role":    claims.HasScope("Orders.Admin"),
		"role in other case":      claims.HasRole("orders.admin"),
		"role that is a scope":    claims.HasRole("Orders.Read"),
		"role, none":              claims.HasRole(""),
		"scope of no claims":      new(entra.Claims).HasScope("Orders.Read"),
		"app-only without a kind": claims.AppOnly(),
	} {
		if got {
			t.Errorf("%s: got true, want false", name)
		}
	}
	if !claims.HasScope("x") || !claims.HasRole("Orders.Admin") {
		t.Error("got false for a scope and a role that are there, want true")
	}
}

func TestClaimsInContexts(t *testing.T) {
	if claims, ok := entra.ClaimsFromContext(context.Background()); ok || claims != nil {
		t.Errorf("empty context: got %v and %v, want none", claims, ok)
	}
	made := &entra.Claims{Kind: entra.UserToken}
	if claims, ok := entra.ClaimsFromContext(entra.ContextWithClaims(context.Background(), made)); !ok || claims != made {
		t.Errorf("got %v and %v, want the claims put there", claims, ok)
	}
	if claims, ok := entra.ClaimsFromContext(entra.ContextWithClaims(context.Background(), nil)); ok || claims != nil {
		t.Errorf("nil claims: got %v and %v, want none", claims, ok)
	}
}

func TestKindInWords(t *testing.T) {
	for kind, want := range map[entra.Kind]string{
		0: "no token", entra.UserToken: "user token", entra.AppToken: "application token", entra.IDToken: "ID token", 99: "no token",
	} {
		if got := kind.String(); got != want {
			t.Errorf("got %q for kind %d, want %q", got, kind, want)
		}
	}
}
