package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// none stands for a claim that the token does not have.
const none = "-"

// Every combination of idtyp and scp, with oid and sub the same and not, with roles and without.
func TestKinds(t *testing.T) {
	const (
		user    = policy.UserToken
		app     = policy.AppToken
		nothing = policy.Kind(0) // refused
	)
	tests := []struct {
		idtyp, scp  string
		same, other policy.Kind // with oid equal to sub, and not
	}{
		{none, "Orders.Read", user, user},
		{none, none, app, nothing},
		{none, "", nothing, nothing},
		{none, "  ", nothing, nothing},
		{none, "/", nothing, nothing},
		{"app", "Orders.Read", nothing, nothing},
		{"app", none, app, app},
		{"app", "", app, app},
		{"app", "  ", app, app},
		{"app", "/", app, app},
		{"user", "Orders.Read", user, user},
		{"user", none, nothing, nothing},
		{"user", "", nothing, nothing},
		{"user", "/", nothing, nothing},
		{"App", none, nothing, nothing},
		{"App", "Orders.Read", nothing, nothing},
		{"device", none, nothing, nothing},
		{"device", "Orders.Read", nothing, nothing},
		{"", none, nothing, nothing},
		{"", "Orders.Read", nothing, nothing},
	}
	for _, test := range tests {
		for _, same := range []bool{true, false} {
			for _, roles := range [][]string{nil, {entratest.RoleDaemon}} {
				for _, unpermitted := range []bool{false, true} {
					set := claims(test.idtyp, test.scp)
					set.Roles, set.AzpACR = roles, "1"
					want := test.other
					if same {
						set.Sub, want = set.Oid, test.same
					}
					if want == app && roles == nil && !unpermitted {
						want = nothing
					}
					p := newPolicy(t, func(c *policy.Config) { c.AllowWithoutPermissions = unpermitted })
					v, err := judge(t, p, set, policy.KeyOwner{}, "")
					name := fmt.Sprintf("idtyp %s, scp %q, oid equal to sub %v, roles %v, allowed without %v", test.idtyp, test.scp, same, roles, unpermitted)
					if v.Kind != want || want == nothing && reasonOf(err) != refuse.NoPermissions {
						t.Errorf("%s: got kind %d and %v, want %d (0: no_permissions)", name, v.Kind, err, want)
					}
				}
			}
		}
	}
}

// claims returns those of a user but for idtyp and scp.
func claims(idtyp, scp string) claimset.Set {
	s := user(testbed.PublicV2)
	s.IDTyp, s.HasIDTyp = idtyp, idtyp != none
	s.Scp, s.HasScp, s.Scopes = scp, scp != none, nil
	if !s.HasIDTyp {
		s.IDTyp = ""
	}
	if !s.HasScp {
		s.Scp = ""
	}
	if s.Scp == entratest.ScopeRead {
		s.Scopes = []string{s.Scp}
	}
	return s
}

func TestWhoActsMustBeSaid(t *testing.T) {
	without := func(names ...string) func(*claimset.Set) {
		return func(s *claimset.Set) {
			if slices.Contains(names, "oid") {
				s.Oid = ""
			}
			if slices.Contains(names, "sub") {
				s.Sub = ""
			}
		}
	}
	both := func(first, second func(*claimset.Set)) func(*claimset.Set) {
		return func(s *claimset.Set) { first(s); second(s) }
	}
	unpermitted := func(c *policy.Config) { c.AllowWithoutPermissions = true }
	idTokens := func(c *policy.Config) { c.AllowIDTokens = true }
	run(t, []row{
		{name: "a user without oid", set: without("oid"), want: refuse.Claims, says: "no oid"},
		{name: "a user without sub", set: without("sub"), want: refuse.Claims, says: "no sub"},
		{name: "an application", set: application},
		{name: "an application without oid", set: both(application, without("oid")), want: refuse.Claims, says: "service principal"},
		{name: "an application without sub", set: both(application, without("sub")), want: refuse.Claims},
		{name: "an application without both, where roles are not needed", config: unpermitted, set: both(application, without("oid", "sub")), want: refuse.Claims},
		{name: "an ID token", config: idTokens, set: idToken},
		{name: "an ID token without oid", config: idTokens, set: both(idToken, without("oid")), want: refuse.Claims},
		{name: "an ID token without sub", config: idTokens, set: both(idToken, without("sub")), want: refuse.Claims},
	})
}

func TestBoundTokensAreRefused(t *testing.T) {
	bound := func(more func(*claimset.Set)) func(*claimset.Set) {
		return func(s *claimset.Set) { more(s); s.Cnf = true }
	}
	run(t, []row{
		{name: "a user's", set: bound(func(*claimset.Set) {}), want: refuse.BoundToken, says: "cnf"},
		{name: "an application's", set: bound(application), want: refuse.BoundToken},
		{name: "an ID token", set: bound(idToken), want: refuse.BoundToken},
		{name: "an ID token where those are accepted", config: func(c *policy.Config) { c.AllowIDTokens = true }, set: bound(idToken), want: refuse.BoundToken},
	})
}

// What makes a token an ID token, and what it then must be.
func TestIDTokens(t *testing.T) {
	allowed := func(c *policy.Config) { c.AllowIDTokens, c.Audiences = true, []string{"api://orders"} }
	id := func(change func(*claimset.Set)) func(*claimset.Set) {
		return func(s *claimset.Set) { idToken(s); change(s) }
	}
	tests := []struct {
		name           string
		set            func(*claimset.Set)
		off, on        string // the reason without AllowIDTokens, and with it
		becomesIDToken bool   // with AllowIDTokens
	}{
		{"a user token", func(*claimset.Set) {}, "", "", false},
		{"a nonce beside a scope", func(s *claimset.Set) { s.IDTokenClaim = "nonce" }, "", "", false},
		{"an application's token", application, "", "", false},
		{"no client and a nonce", idToken, refuse.IDToken, "", true},
		{"no client", id(func(s *claimset.Set) { s.IDTokenClaim = "" }), refuse.IDToken, "", true},
		{"no client, and roles", id(func(s *claimset.Set) { s.Roles = []string{"x"} }), refuse.IDToken, "", true},
		{"issued to this API", id(func(s *claimset.Set) { s.Azp = entratest.APIClientID }), refuse.IDToken, "", true},
		{"issued to this API, version 1.0", id(func(s *claimset.Set) { s.AppID = entratest.APIClientID }), refuse.IDToken, "", true},
		{"issued to another application", id(func(s *claimset.Set) { s.Azp = entratest.ClientID }), refuse.IDToken, refuse.IDToken, false},
		{"an application's token with at_hash", func(s *claimset.Set) { application(s); s.IDTokenClaim = "at_hash" }, refuse.IDToken, refuse.IDToken, false},
		{"a scope and no client", func(s *claimset.Set) { s.Azp, s.AppID = "", "" }, refuse.IDToken, refuse.IDToken, false},
		{"an empty scope and no client", id(func(s *claimset.Set) { s.HasScp = true }), refuse.IDToken, refuse.IDToken, false},
		{"idtyp and no client", id(func(s *claimset.Set) { s.IDTyp, s.HasIDTyp = "user", true }), refuse.IDToken, refuse.IDToken, false},
		{"a client and nothing that only ID tokens have", id(func(s *claimset.Set) { s.Azp, s.IDTokenClaim = entratest.APIClientID, "" }), refuse.NoPermissions, refuse.NoPermissions, false},
		{"for the URI of this API", id(func(s *claimset.Set) { s.Aud = entratest.APIURI }), refuse.IDToken, refuse.Audience, false},
		{"for a further audience", id(func(s *claimset.Set) { s.Aud = "api://orders" }), refuse.Audience, refuse.Audience, false},
		{"for another application", id(func(s *claimset.Set) { s.Aud = entratest.SPAClientID }), refuse.Audience, refuse.Audience, false},
	}
	for _, test := range tests {
		for _, on := range []bool{false, true} {
			change, want := func(*policy.Config) {}, test.off
			if on {
				change, want = allowed, test.on
			}
			set := user(testbed.PublicV2)
			test.set(&set)
			v, err := judge(t, newPolicy(t, change), set, policy.KeyOwner{}, "")
			if got := reasonOf(err); got != want || err == nil && (v.Kind == policy.IDToken) != (on && test.becomesIDToken) {
				t.Errorf("%s, allowed %v: got %+v and reason %q (%v), want reason %q and an ID token %v", test.name, on, v, got, err, want, on && test.becomesIDToken)
			}
			if v.Kind == policy.IDToken && (v.ClientID != "" || v.ClientAuth != "") {
				t.Errorf("%s: got the client %q, want none: it is this API's own registration", test.name, v.ClientID)
			}
		}
	}
}
