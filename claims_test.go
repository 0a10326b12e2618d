package entra_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
	jsonv2 "github.com/go-json-experiment/json"
)

// claimSet returns a claim set of testdata/claims. They are issued at testbed.BubbleStart, for an hour.
func claimSet(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/claims/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// common returns the claims that most claim sets have, after change.
func common(change func(*entra.Claims)) entra.Claims {
	c := entra.Claims{
		Kind: entra.UserToken, TenantID: entratest.TenantID, ObjectID: entratest.AliceObjectID, Subject: "pairwise-subject",
		ClientID: entratest.ClientID, ClientAuth: "0", Scopes: []string{"Orders.Read"},
		Audience: entratest.APIClientID, Issuer: testbed.PublicV2, Version: "2.0", TokenID: "sample-uti",
		IssuedAt: testbed.BubbleStart, NotBefore: testbed.BubbleStart, ExpiresAt: testbed.BubbleStart.Add(time.Hour),
	}
	change(&c)
	return c
}

func application(c *entra.Claims) {
	const principal = "e9e9e9e9-e9e9-4e9e-8e9e-e9e9e9e9e9e9"
	c.Kind, c.ObjectID, c.Subject = entra.AppToken, principal, principal
	c.Scopes, c.Roles = nil, []string{"Orders.Read.All"}
}

func TestClaims(t *testing.T) {
	rows := []struct {
		rule, file string
		want       entra.Claims
	}{
		{"R25 R62 R99", "user-v2", common(func(c *entra.Claims) {
			c.Scopes, c.Roles = []string{"Orders.Read", "Orders.Write"}, []string{"Orders.Admin", "Orders Auditor"}
			c.SessionID = "51515151-5151-4151-8151-515151515151"
			c.Name, c.PreferredUsername = "Alice Example", "alice@contoso.example"
		})},
		{"R25 R99", "user-v1", common(func(c *entra.Claims) {
			c.Audience, c.Issuer, c.Version, c.ClientAuth = entratest.APIURI, testbed.PublicV1, "1.0", "1"
			c.Name, c.PreferredUsername = "Alice Example", "alice.upn@contoso.example"
		})},
		{"R58 R63", "app-v2", common(func(c *entra.Claims) {
			application(c)
			c.ClientAuth = "2"
		})},
		{"R58 R63", "app-v1", common(func(c *entra.Claims) {
			application(c)
			c.Audience, c.Issuer, c.Version, c.ClientAuth = entratest.APIURI, testbed.PublicV1, "1.0", "1"
			c.IdentityProvider = testbed.PublicV1
		})},
		{"R71", "guest", common(func(c *entra.Claims) {
			c.ObjectID, c.Guest, c.IdentityProvider = "e3e3e3e3-e3e3-4e3e-8e3e-e3e3e3e3e3e3", true, testbed.PublicOtherV1
			c.Email, c.EmailVerified = "guest@fabrikam.example", true
		})},
		{"R73", "overage", common(func(c *entra.Claims) { c.GroupsOverage = true })},
		{"R58", "agent-user", common(func(c *entra.Claims) {
			c.ObjectID, c.ClientAuth = "e4e4e4e4-e4e4-4e4e-8e4e-e4e4e4e4e4e4", "2"
			c.Agent, c.AgentUser, c.AgentBlueprint = true, true, "b1b1b1b1-b1b1-4b1b-8b1b-b1b1b1b1b1b1"
		})},
		{"R58", "agent-app", common(func(c *entra.Claims) {
			application(c)
			c.ClientAuth, c.Agent = "2", true
		})},
		{"R31", "personal-account", common(func(c *entra.Claims) {
			c.TenantID, c.Issuer, c.ObjectID = entra.PersonalAccounts, testbed.PersonalV2, "00000000-0000-0000-1111-222222222222"
			c.Name, c.PreferredUsername = "Carol Example", "carol@outlook.example"
		})},
		{"R56", "id-token", common(func(c *entra.Claims) {
			c.Kind, c.ClientID, c.ClientAuth, c.Scopes = entra.IDToken, "", "", nil
			c.Roles = []string{"Orders.Admin"}
			c.LoginHint, c.Name, c.PreferredUsername = "O.sample", "Alice Example", "alice@contoso.example"
		})},
		{"R71 R72 R97", "optional-claims", common(func(c *entra.Claims) {
			c.AuthContexts = []string{"c1", "c25"}
			c.ClientAuth, c.ClientCapabilities = "1", []string{"cp1"}
			c.Email, c.IdentityProvider, c.LoginHint = "alice@contoso.example", "live.com", "O.sample"
			c.Groups = []string{"f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1", "f2f2f2f2-f2f2-4f2f-8f2f-f2f2f2f2f2f2"}
			c.DirectoryRoles = []string{"62e90394-69f5-4237-9190-012177145e10"}
		})},
	}
	for _, r := range rows {
		t.Run(r.file, func(t *testing.T) {
			payload := claimSet(t, r.file)
			synctest.Test(t, func(t *testing.T) {
				tenant := entratest.New(t)
				verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
					o.Tenants = append(o.Tenants, entra.PersonalAccounts)
					o.AllowIDTokens = true
				})
				options := testbed.With(entratest.RawPayload(payload))
				if r.want.PersonalAccount() {
					options = append(options, entratest.Personal())
				}
				claims := testbed.Accepted(t, verifier, tenant.Token(options...))
				compareClaims(t, *claims, r.want)
			})
		})
	}
}

// compareClaims compares all exported fields.
func compareClaims(t *testing.T, got, want entra.Claims) {
	t.Helper()
	a, b := reflect.ValueOf(got), reflect.ValueOf(want)
	for _, field := range reflect.VisibleFields(a.Type()) {
		if !field.IsExported() {
			continue
		}
		found, expected := a.FieldByIndex(field.Index), b.FieldByIndex(field.Index)
		if !reflect.DeepEqual(found.Interface(), expected.Interface()) {
			t.Errorf("%s: got %v, want %v", field.Name, found, expected)
		}
	}
}

func TestGuestsAndOverage(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	set := entratest.Claim
	for _, r := range []struct {
		rule, name     string
		token          []entratest.TokenOption
		guest, overage bool
	}{
		{"R73", "neither", nil, false, false},
		{"R73", "groups", testbed.With(entratest.Groups("x")), false, false},
		{"R73", "groups left out, as _claim_names says", testbed.With(entratest.Overage()), false, true},
		{"R73", "groups left out, as hasgroups says", testbed.With(set("hasgroups", true)), false, true},
		{"R73", "groups left out, as hasgroups says in text", testbed.With(set("hasgroups", "true")), false, true},
		{"R73", "hasgroups false", testbed.With(set("hasgroups", false)), false, false},
		{"R73", "hasgroups false beside _claim_names", testbed.With(entratest.Overage(), set("hasgroups", false)), false, true},
		{"R73", "groups left out, as groups:src1 says", testbed.With(set("groups:src1", "https://graph.windows.net/x")), false, true},
		{"R73", "another claim left out", testbed.With(set("_claim_names", map[string]string{"roles": "src1"})), false, false},
		{"R99", "a guest by acct", testbed.With(set("acct", 1)), true, false},
		{"R99", "a member by acct, whatever idp says", testbed.With(set("acct", 0), set("idp", "live.com")), false, false},
		{"R99", "a guest by idp", testbed.With(set("idp", "live.com")), true, false},
		{"R99", "a member whose idp is the issuer", testbed.With(set("idp", testbed.PublicV2)), false, false},
		{"R99", "a member whose idp is the issuer's version 1.0", testbed.With(set("idp", testbed.PublicV1)), false, false},
		{"R99", "an application with an idp", testbed.With(entratest.App("x"), set("idp", testbed.PublicOtherV1)), false, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			claims := testbed.Accepted(t, verifier, tenant.Token(r.token...))
			if claims.Guest != r.guest || claims.GroupsOverage != r.overage {
				t.Errorf("got guest %v and overage %v, want %v and %v", claims.Guest, claims.GroupsOverage, r.guest, r.overage)
			}
		})
	}
}

func TestEmailIsVerifiedWhereEntraSaysSo(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for _, r := range []struct {
		rule string
		edov any
		want bool
	}{
		{"R71", true, true}, {"R71", 1, true}, {"R71", "1", true}, {"R71", "true", true},
		{"R71", false, false}, {"R71", 0, false}, {"R71", "0", false}, {"R71", "", false}, {"R71", "yes", false}, {"R71", []bool{true}, false},
	} {
		claims := testbed.Accepted(t, verifier, tenant.Token(entratest.Claim("email", "alice@contoso.example"), entratest.Claim("xms_edov", r.edov)))
		if claims.EmailVerified != r.want {
			t.Errorf("xms_edov %#v: got verified %v, want %v", r.edov, claims.EmailVerified, r.want)
		}
	}
}

// TestUserKey shows that users are told apart by tenant and object ID, never by a name or an address.
func TestUserKey(t *testing.T) {
	t.Attr("rule", "R69 R70")
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants = append(o.Tenants, entratest.OtherTenantID) })
	name := testbed.With(entratest.Claim("preferred_username", "same@contoso.example"), entratest.Claim("email", "same@contoso.example"), entratest.Claim("name", "same"))
	keys := make(map[string]bool)
	for _, who := range []entratest.TokenOption{
		entratest.User("alice"), entratest.User("bob"), entratest.Tenant(entratest.OtherTenantID), entratest.Claim("preferred_username", "other"),
	} {
		keys[testbed.Accepted(t, verifier, tenant.Token(append(name, who)...)).UserKey()] = true
	}
	if want := entratest.TenantID + "." + entratest.AliceObjectID; len(keys) != 3 || !keys[want] {
		t.Errorf("got keys %v for alice, bob, a user of another tenant and alice renamed, want 3 with %s", keys, want)
	}
	for _, claims := range []entra.Claims{{}, {TenantID: "x"}, {ObjectID: "x"}} {
		if got := claims.UserKey(); got != "" {
			t.Errorf("got key %q for %+v, want none", got, claims)
		}
	}
}

// optionalClaims returns the Claims of a token with claims for which Claims has no field.
func optionalClaims(t *testing.T) *entra.Claims {
	t.Helper()
	tenant := entratest.New(t)
	return testbed.Accepted(t, testbed.NewVerifier(t, tenant, nil), tenant.Token(entratest.RawPayload(claimSet(t, "optional-claims"))))
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
	row := testbed.Row{Payload: testbed.Adding(`"EXTENSION_LEVEL":"admin","extenſion_level":"admin"`)}
	claims := testbed.Accepted(t, testbed.NewVerifier(t, tenant, nil), row.Mint(tenant))
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

// upset is a type of the program's own that does not accept a claim.
type upset struct{}

func (*upset) UnmarshalJSON(text []byte) error { return fmt.Errorf("cannot use %s", text) }

// What an error of Decode says goes into logs: it may name the claim, and nothing that stands in it.
func TestErrorsOfDecodeNameTheClaimAlone(t *testing.T) {
	const secret = "alice@contoso.example"
	strange := "x\n\x1b[31m\u202e" + strings.Repeat("é", 500)
	for _, test := range []struct {
		name, claim, value string
		into               any
		says               string // "" where no claim is to blame
	}{
		{"a string into a number", "cost", `"` + secret + `"`, new(struct {
			Cost int `json:"cost"`
		}), `"cost"`},
		{"an array into a string", "cost", `["` + secret + `"]`, new(struct {
			Cost string `json:"cost"`
		}), `"cost"`},
		{"a number into a number too small", "cost", `3141592`, new(struct {
			Cost int8 `json:"cost"`
		}), `"cost"`},
		{"a date that is none", "born", `"` + secret + `"`, new(struct {
			Born time.Time `json:"born"`
		}), `"born"`},
		{"deep inside", "address", `{"` + secret + `":["` + secret + `"]}`, new(struct {
			Address map[string][]int `json:"address"`
		}), `"address"`},
		{"by a method of the program's", "cost", `"` + secret + `"`, new(struct {
			Cost upset `json:"cost"`
		}), `"cost"`},
		{"into a map", "cost", `"` + secret + `"`, new(map[string]int), ""},
		{"a claim with a strange name", strange, `"` + secret + `"`, new(map[string]func()), ""},
		{"into no struct or map", "cost", `"` + secret + `"`, new(string), ""},
		{"into no pointer", "cost", `"` + secret + `"`, struct{}{}, ""},
		{"into nil", "cost", `"` + secret + `"`, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			tenant := entratest.New(t)
			quoted, err := json.Marshal(test.claim)
			if err != nil {
				t.Fatal(err)
			}
			row := testbed.Row{Payload: testbed.Adding(string(quoted) + ":" + test.value)}
			claims := testbed.Accepted(t, testbed.NewVerifier(t, tenant, nil), row.Mint(tenant))
			err = claims.Decode(test.into)
			if err == nil {
				t.Fatal("got no error, want one")
			}
			text := err.Error()
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) || len(text) > 700 || !strings.HasPrefix(text, "entra: ") {
				t.Errorf("got %q, want a short text of printable ASCII", text)
			}
			for _, piece := range append(testbed.Personal, secret, "3141592", entratest.TenantID, "cannot use") {
				if strings.Contains(text, piece) {
					t.Errorf("got %q, want nothing that stands in a claim", text)
				}
			}
			if !strings.Contains(text, test.says) {
				t.Errorf("got %q, want it to name %s", text, test.says)
			}
			var cause *jsonv2.SemanticError
			if !errors.As(err, &cause) {
				t.Errorf("got %#v, want a *json.SemanticError behind it", errors.Unwrap(err))
			}
			if logged := fmt.Sprintf("%v %+v %s %q", err, err, err, err); strings.Contains(logged, secret) {
				t.Errorf("got %s in a log line, want nothing that stands in a claim", logged)
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

// A key under which to store what belongs to the user. Names and email addresses change, and are given to others.
func ExampleClaims_UserKey() {
	claims := &entra.Claims{TenantID: entratest.TenantID, ObjectID: entratest.AliceObjectID, PreferredUsername: "alice@contoso.example"}
	fmt.Println(claims.UserKey())
	fmt.Printf("%q\n", (&entra.Claims{ObjectID: entratest.AliceObjectID}).UserKey())
	// Output:
	// 11111111-1111-4111-8111-111111111111.e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1
	// ""
}

// A handler that shows more to some. What a route as a whole needs is for Require to say.
func ExampleClaims_HasScope() {
	claims := &entra.Claims{Kind: entra.UserToken, Scopes: []string{"Orders.Read"}}
	fmt.Println(claims.HasScope("Orders.Read"), claims.HasScope("orders.read"))
	// Output:
	// true false
}

// A role is a user's or an application's: look at the Kind too, or use Role and AppPermission, which do.
func ExampleClaims_HasRole() {
	user := &entra.Claims{Kind: entra.UserToken, Roles: []string{"Orders.Admin"}}
	daemon := &entra.Claims{Kind: entra.AppToken, Roles: []string{"Orders.Admin"}}
	for _, claims := range []*entra.Claims{user, daemon} {
		fmt.Println(claims.HasRole("Orders.Admin"), claims.HasRole("Orders.Admin") && !claims.AppOnly())
	}
	// Output:
	// true true
	// true false
}

// Who acts: an application for itself, or for a user.
func ExampleClaims_AppOnly() {
	fmt.Println((&entra.Claims{Kind: entra.AppToken}).AppOnly(), (&entra.Claims{Kind: entra.UserToken}).AppOnly())
	// Output:
	// true false
}

// Users of outlook.com and the like have a tenant in common.
func ExampleClaims_PersonalAccount() {
	fmt.Println((&entra.Claims{TenantID: entra.PersonalAccounts}).PersonalAccount(), (&entra.Claims{TenantID: entratest.TenantID}).PersonalAccount())
	// Output:
	// true false
}

var printed = entra.Claims{
	Kind: entra.UserToken, TenantID: entratest.TenantID, ObjectID: entratest.AliceObjectID,
	ClientID: entratest.ClientID, TokenID: "aBcD1234", Name: "Alice Example",
}

// Claims that are printed name the token, and not the person.
func ExampleClaims_String() {
	fmt.Println(printed)
	// Output:
	// user token aBcD1234 of e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1 in tenant 11111111-1111-4111-8111-111111111111
}

// So do claims in a log line.
func ExampleClaims_LogValue() {
	fmt.Println(printed.LogValue())
	// Output:
	// [kind=user token tid=11111111-1111-4111-8111-111111111111 oid=e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1 client=dddddddd-dddd-4ddd-8ddd-dddddddddddd uti=aBcD1234]
}

func ExampleKind() {
	for _, kind := range []entra.Kind{entra.UserToken, entra.AppToken, entra.IDToken, 0} {
		text, _ := kind.MarshalText()
		var read entra.Kind
		fmt.Printf("%s: %v\n", text, read.UnmarshalText(text) == nil && read == kind)
	}
	// Output:
	// user token: true
	// application token: true
	// ID token: true
	// no token: true
}

func ExampleCloud() {
	fmt.Println(entra.Worldwide, entra.USGovernment, entra.China)
	// Output:
	// Worldwide USGovernment China
}
