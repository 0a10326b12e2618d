package entra_test

import (
	"os"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// claimSet returns a claim set of testdata/claims. They are issued at bubbleStart, for an hour.
func claimSet(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/claims/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// common is what the claim sets have in common; change makes it those of one of them.
func common(change func(*entra.Claims)) entra.Claims {
	c := entra.Claims{
		Kind: entra.UserToken, TenantID: entratest.TenantID, ObjectID: entratest.AliceObjectID, Subject: "pairwise-subject",
		ClientID: entratest.ClientID, ClientAuth: "0", Scopes: []string{"Orders.Read"},
		Audience: entratest.APIClientID, Issuer: publicV2, Version: "2.0", TokenID: "sample-uti",
		IssuedAt: bubbleStart, NotBefore: bubbleStart, ExpiresAt: bubbleStart.Add(time.Hour),
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
			c.Audience, c.Issuer, c.Version, c.ClientAuth = entratest.APIURI, publicV1, "1.0", "1"
			c.Name, c.PreferredUsername = "Alice Example", "alice.upn@contoso.example"
		})},
		{"R58 R63", "app-v2", common(func(c *entra.Claims) {
			application(c)
			c.ClientAuth = "2"
		})},
		{"R58 R63", "app-v1", common(func(c *entra.Claims) {
			application(c)
			c.Audience, c.Issuer, c.Version, c.ClientAuth = entratest.APIURI, publicV1, "1.0", "1"
			c.IdentityProvider = publicV1
		})},
		{"R71", "guest", common(func(c *entra.Claims) {
			c.ObjectID, c.Guest, c.IdentityProvider = "e3e3e3e3-e3e3-4e3e-8e3e-e3e3e3e3e3e3", true, publicOtherV1
			c.Email, c.EmailVerified = "guest@fabrikam.example", true
		})},
		{"R73", "overage", common(func(c *entra.Claims) { c.GroupsOverage = true })},
		{"R58", "agent-user", common(func(c *entra.Claims) {
			c.ObjectID, c.ClientAuth = "e4e4e4e4-e4e4-4e4e-8e4e-e4e4e4e4e4e4", "2"
			c.Agent, c.AgentBlueprint = true, "b1b1b1b1-b1b1-4b1b-8b1b-b1b1b1b1b1b1"
		})},
		{"R58", "agent-app", common(func(c *entra.Claims) {
			application(c)
			c.ClientAuth, c.Agent = "2", true
		})},
		{"R31", "personal-account", common(func(c *entra.Claims) {
			c.TenantID, c.Issuer, c.ObjectID = entra.PersonalAccounts, personalV2, "00000000-0000-0000-1111-222222222222"
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
				verifier := newVerifier(t, tenant, func(o *entra.Options) {
					o.Tenants = append(o.Tenants, entra.PersonalAccounts)
					o.AllowIDTokens = true
				})
				options := with(entratest.RawPayload(payload))
				if r.want.PersonalAccount() {
					options = append(options, entratest.Personal())
				}
				claims := accepted(t, verifier, tenant.Token(options...))
				compareClaims(t, *claims, r.want)
			})
		})
	}
}

// compareClaims compares all exported fields: those of claims that the token does not have are zero.
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
	verifier := newVerifier(t, tenant, nil)
	set := entratest.Claim
	for _, r := range []struct {
		rule, name     string
		token          []entratest.TokenOption
		guest, overage bool
	}{
		{"R73", "neither", nil, false, false},
		{"R73", "groups", with(entratest.Groups("x")), false, false},
		{"R73", "groups left out, as _claim_names says", with(entratest.Overage()), false, true},
		{"R73", "groups left out, as hasgroups says", with(set("hasgroups", true)), false, true},
		{"R73", "groups left out, as hasgroups says in text", with(set("hasgroups", "true")), false, true},
		{"R73", "hasgroups false", with(set("hasgroups", false)), false, false},
		{"R73", "hasgroups false beside _claim_names", with(entratest.Overage(), set("hasgroups", false)), false, true},
		{"R73", "groups left out, as groups:src1 says", with(set("groups:src1", "https://graph.windows.net/x")), false, true},
		{"R73", "another claim left out", with(set("_claim_names", map[string]string{"roles": "src1"})), false, false},
		{"R99", "a guest by acct", with(set("acct", 1)), true, false},
		{"R99", "a member by acct, whatever idp says", with(set("acct", 0), set("idp", "live.com")), false, false},
		{"R99", "a guest by idp", with(set("idp", "live.com")), true, false},
		{"R99", "a member whose idp is the issuer", with(set("idp", publicV2)), false, false},
		{"R99", "a member whose idp is the issuer's version 1.0", with(set("idp", publicV1)), false, false},
		{"R99", "an application with an idp", with(entratest.App("x"), set("idp", publicOtherV1)), false, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			claims := accepted(t, verifier, tenant.Token(r.token...))
			if claims.Guest != r.guest || claims.GroupsOverage != r.overage {
				t.Errorf("got guest %v and overage %v, want %v and %v", claims.Guest, claims.GroupsOverage, r.guest, r.overage)
			}
		})
	}
}

func TestEmailIsVerifiedWhereEntraSaysSo(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	for _, r := range []struct {
		rule string
		edov any
		want bool
	}{
		{"R71", true, true}, {"R71", 1, true}, {"R71", "1", true}, {"R71", "true", true},
		{"R71", false, false}, {"R71", 0, false}, {"R71", "0", false}, {"R71", "", false}, {"R71", "yes", false}, {"R71", []bool{true}, false},
	} {
		claims := accepted(t, verifier, tenant.Token(entratest.Claim("email", "alice@contoso.example"), entratest.Claim("xms_edov", r.edov)))
		if claims.EmailVerified != r.want {
			t.Errorf("xms_edov %#v: got verified %v, want %v", r.edov, claims.EmailVerified, r.want)
		}
	}
}

// TestUserKey shows by what users are told apart: never by a name or an address.
func TestUserKey(t *testing.T) {
	t.Attr("rule", "R69 R70")
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) { o.Tenants = append(o.Tenants, entratest.OtherTenantID) })
	name := with(entratest.Claim("preferred_username", "same@contoso.example"), entratest.Claim("email", "same@contoso.example"), entratest.Claim("name", "same"))
	keys := make(map[string]bool)
	for _, who := range []entratest.TokenOption{
		entratest.User("alice"), entratest.User("bob"), entratest.Tenant(entratest.OtherTenantID), entratest.Claim("preferred_username", "other"),
	} {
		keys[accepted(t, verifier, tenant.Token(append(name, who)...)).UserKey()] = true
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
