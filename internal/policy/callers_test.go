package policy_test

import (
	"fmt"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// realm is an authority with the issuer of its tokens.
type realm struct {
	name   string
	config func(*policy.Config)
	issuer string
	b2c    bool
	v1     bool // it has tokens of version 1.0 under an issuer of their own
}

func realms() []realm {
	const (
		policyAtCustomDomain = "https://login.contoso.example/contoso.onmicrosoft.com/B2C_1A_signin/v2.0"
		customB2CIssuer      = "https://login.contoso.example/" + entratest.TenantID + "/v2.0/"
		customDomain         = "https://login.contoso.example/" + entratest.TenantID + "/v2.0"
		bleu                 = "https://login.sovcloud-identity.fr/" + entratest.TenantID + "/v2.0"
	)
	return []realm{
		{"a work tenant", func(*policy.Config) {}, testbed.PublicV2, false, false},
		{"a work tenant, version 1.0", func(*policy.Config) {}, testbed.PublicV1, false, true},
		{"any tenant", func(c *policy.Config) { c.Tenants, c.AllowAnyTenant = nil, true }, testbed.PublicV2, false, false},
		{"US Government", func(c *policy.Config) { c.Cloud = policy.USGovernment }, "https://login.microsoftonline.us/" + entratest.TenantID + "/v2.0", false, false},
		{"China", func(c *policy.Config) { c.Cloud = policy.China }, "https://login.partner.microsoftonline.cn/" + entratest.TenantID + "/v2.0", false, false},
		{"personal accounts", func(c *policy.Config) { c.Tenants = []string{policy.PersonalAccounts} }, "https://login.microsoftonline.com/" + policy.PersonalAccounts + "/v2.0", false, false},
		{"External ID", at(testbed.ExternalID), testbed.ExternalIDIssuer, false, false},
		{"a custom domain", at(customDomain), testbed.ExternalIDIssuer, false, false},
		{"a sovereign cloud", at(bleu), bleu, false, false},
		{"a B2C user flow", at(testbed.B2C), testbed.B2CIssuer, true, false},
		{"a B2C custom policy at a custom domain", at(policyAtCustomDomain), customB2CIssuer, true, false},
		{"a B2C policy in its issuer", at(testbed.B2C), testbed.B2CPolicyIssuer, true, false},
	}
}

// Who is behind a token, at every authority and under every option: a B2C user is never an application, an application
// without idtyp proved itself, and nothing is both.
func TestWhoIsBehindAToken(t *testing.T) {
	options := map[string]func(*policy.Config){
		"no option":               func(*policy.Config) {},
		"AllowWithoutPermissions": func(c *policy.Config) { c.AllowWithoutPermissions = true },
		"AllowIDTokens":           func(c *policy.Config) { c.AllowIDTokens = true },
		"TrustedClients":          func(c *policy.Config) { c.TrustedClients = []string{entratest.SPAClientID} },
	}
	for _, realm := range realms() {
		for option, set := range options {
			t.Run(realm.name+", "+option, func(t *testing.T) {
				p := newPolicy(t, func(c *policy.Config) { realm.config(c); set(c) })
				combinations(realm, func(s claimset.Set, name string) {
					v, err := judge(t, p, s, policy.KeyOwner{}, realm.issuer)
					want, reason := expectedKind(realm, option, &s)
					if v.Kind != want || want == 0 && reasonOf(err) != reason {
						t.Errorf("%s: got kind %d and %v, want %d and reason %q", name, v.Kind, err, want, reason)
					}
					if realm.b2c && v.Kind == policy.AppToken {
						t.Errorf("%s: got an application of a B2C authority", name)
					}
				})
			})
		}
	}
}

// combinations calls f with every combination of the claims that say who is behind a token.
func combinations(r realm, f func(s claimset.Set, name string)) {
	for _, idtyp := range []string{none, "app", "user", "device"} {
		for _, scp := range []string{none, "", "/", entratest.ScopeRead} {
			for _, roles := range [][]string{nil, {"Orders.Read.All"}} {
				for _, ids := range []string{"oid=sub", "oid!=sub", "oid", "sub", "neither"} {
					for _, acr := range []string{"", "0", "1", "2"} {
						for _, nonce := range []string{"", "nonce"} {
							s := claims(idtyp, scp)
							s.Iss, s.Ver, s.Tid = r.issuer, testbed.VersionOfIssuer(r.issuer), testbed.TenantOfIssuer(r.issuer)
							s.Roles, s.IDTokenClaim, s.AzpACR, s.AppIDACR = roles, nonce, acr, acr
							switch ids {
							case "oid=sub":
								s.Sub = s.Oid
							case "oid":
								s.Sub = ""
							case "sub":
								s.Oid = ""
							case "neither":
								s.Oid, s.Sub = "", ""
							}
							f(s, fmt.Sprintf("idtyp %s, scp %q, roles %v, %s, azpacr %q, nonce %q", idtyp, scp, roles, ids, acr, nonce))
						}
					}
				}
			}
		}
	}
}

// expectedKind is the rule in other words: first what refuses, then who is named, then who it is.
func expectedKind(r realm, option string, s *claimset.Set) (policy.Kind, string) {
	scopes := len(s.Scopes) > 0
	external := isExternal(r)
	trusted := option == "TrustedClients" && (s.AzpACR == "1" || s.AzpACR == "2") && !r.b2c && !scopes &&
		(s.IDTyp == "app" || !s.HasIDTyp && !s.HasScp && (s.Oid == s.Sub || s.Oid == "" || s.Sub == ""))
	named := s.Oid != "" && s.Sub != "" || external && !r.b2c || r.b2c && (s.Oid != "" || s.Sub != "")
	switch {
	case s.IDTokenClaim != "" && !s.HasScp && option != "AllowIDTokens":
		return 0, refuse.IDToken
	case s.IDTokenClaim != "" && !s.HasScp:
		// An ID token, but one that another application asked for.
		return 0, refuse.IDToken
	case trusted:
		return policy.AppToken, ""
	case !named:
		return 0, refuse.Claims
	case scopes && (!s.HasIDTyp || s.IDTyp == "user"):
		return policy.UserToken, ""
	case r.b2c || scopes:
		return 0, refuse.NoPermissions
	}
	proved := s.AzpACR == "1" || s.AzpACR == "2"
	app := s.IDTyp == "app" || !s.HasIDTyp && !s.HasScp && s.Oid != "" && s.Oid == s.Sub && proved
	if app && (len(s.Roles) > 0 || option == "AllowWithoutPermissions") {
		return policy.AppToken, ""
	}
	return 0, refuse.NoPermissions
}

func isExternal(r realm) bool {
	var c policy.Config
	r.config(&c)
	return c.Authority != ""
}

func TestB2CUsersAndDaemons(t *testing.T) {
	const nobody = "Not supported currently. Use oid claim."
	b2c := at(testbed.B2C)
	of := func(change func(*claimset.Set)) func(*claimset.Set) {
		return func(s *claimset.Set) {
			s.Ver, s.TFP, s.AzpACR, s.AppID, s.AppIDACR = "1.0", "B2C_1_SignIn", "", "", ""
			change(s)
		}
	}
	run(t, []row{
		{name: "a user", config: b2c, issuer: testbed.B2CIssuer, set: of(func(*claimset.Set) {})},
		{name: "a user whose sub is the oid, with roles of the policy's and no scope", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) {
			s.Sub, s.Scopes, s.HasScp, s.Scp, s.Roles = s.Oid, nil, false, "", []string{"Orders.Read.All"}
		}), want: refuse.NoPermissions, says: "Orders.Read.All"},
		{name: "a shared sub beside an oid", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Sub = nobody })},
		{name: "a shared sub alone", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Sub, s.Oid = nobody, "" }), want: refuse.Claims, says: "the same for every user"},
		{name: "a shared sub alone, written otherwise", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Sub, s.Oid = " not supported currently. use oid claim. ", "" }), want: refuse.Claims},
		{name: "neither sub nor oid", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Sub, s.Oid = "", "" }), want: refuse.Claims, says: "nobody is named"},
		{name: "a daemon, whose app roles stand in scp", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Ver, s.TFP, s.AzpACR, s.Sub = "2.0", "", "1", "abcd" })},
		{name: "a tid that is a domain name", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) { s.Tid = "contoso.onmicrosoft.com" }), want: refuse.Tenant, says: "{Policy:TenantObjectId}"},
		{name: "idtyp app set by a custom policy", config: b2c, issuer: testbed.B2CIssuer, set: of(func(s *claimset.Set) {
			s.IDTyp, s.HasIDTyp, s.Scopes, s.Scp, s.HasScp, s.Roles = "app", true, nil, "", false, []string{"Orders.Read.All"}
		}), want: refuse.NoPermissions},
	})
	set := user(testbed.B2CIssuer)
	of(func(s *claimset.Set) { s.Sub = nobody })(&set)
	v, err := judge(t, newPolicy(t, b2c), set, policy.KeyOwner{}, testbed.B2CIssuer)
	if err != nil || v.Subject != "" {
		t.Errorf("got the subject %q and %v, want none: all users share it", v.Subject, err)
	}
}

func TestUserFlows(t *testing.T) {
	with := func(flows ...string) func(*policy.Config) {
		return func(c *policy.Config) { at(testbed.B2C)(c); c.UserFlows = flows }
	}
	tfp := func(name string) func(*claimset.Set) {
		return func(s *claimset.Set) { s.TFP = name }
	}
	acr := func(name string) func(*claimset.Set) {
		return func(s *claimset.Set) { s.ACR = name }
	}
	run(t, []row{
		{name: "the one in the path", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: tfp("b2c_1_signin")},
		{name: "a further one", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: tfp("B2C_1_reset")},
		{name: "a further one in another case", config: with("b2c_1a_Edit"), issuer: testbed.B2CIssuer, set: tfp("B2C_1A_EDIT")},
		{name: "a further one in acr", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: acr("b2c_1_reset")},
		{name: "none, as in tokens of applications", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: tfp("")},
		{name: "one that is not named", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: tfp("B2C_1_other"), want: refuse.Issuer, says: "Options.UserFlows"},
		{name: "one that begins like a named one", config: with("B2C_1_reset"), issuer: testbed.B2CIssuer, set: tfp("B2C_1_reset2"), want: refuse.Issuer},
	})
}

func TestTrustedClients(t *testing.T) {
	const graph = "0bf30f3b-4a52-48df-9a82-234910c4a086"
	trusting := func(c *policy.Config) { c.TrustedClients = []string{"0BF30F3B-4A52-48DF-9A82-234910C4A086"} }
	// The form that Microsoft documents for the validation tokens of change notifications.
	notification := func(change func(*claimset.Set)) func(*claimset.Set) {
		return func(s *claimset.Set) {
			*s = claimset.Set{Aud: s.Aud, AudCount: 1, Iss: s.Iss, Exp: s.Exp, Nbf: s.Nbf, Iat: s.Iat, Ver: s.Ver, Tid: s.Tid, AppID: graph, AppIDACR: "2", IDP: s.Iss, UTI: "x"}
			change(s)
		}
	}
	as := func(*claimset.Set) {}
	unpermitted := func(c *policy.Config) { c.AllowWithoutPermissions = true }
	run(t, []row{
		{name: "a notification", config: trusting, issuer: testbed.PublicV1, set: notification(as)},
		{name: "a notification of version 2.0", config: trusting, issuer: testbed.PublicV2, set: notification(func(s *claimset.Set) { s.Azp, s.AzpACR, s.AppID, s.AppIDACR = graph, "2", "", "" })},
		{name: "without tid", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.Tid = "" })},
		{name: "without tid, of another tenant", config: trusting, issuer: testbed.PublicOtherV1, set: notification(func(s *claimset.Set) { s.Tid = "" }), want: refuse.Tenant},
		{name: "of another tenant", config: trusting, issuer: testbed.PublicOtherV1, set: notification(as), want: refuse.Tenant},
		{name: "from a client that did not prove itself", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.AppIDACR = "0" }), want: refuse.Claims},
		{name: "from a client of which that is not said", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.AppIDACR = "" }), want: refuse.Claims},
		{name: "from another client", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.AppID = entratest.ClientID }), want: refuse.Claims, says: "no oid"},
		{name: "from nobody's trusted client", issuer: testbed.PublicV1, set: notification(as), want: refuse.Claims, says: "no oid"},
		{name: "where roles are not needed, but the client is not trusted", config: unpermitted, issuer: testbed.PublicV1, set: notification(as), want: refuse.Claims},
		{name: "for another audience", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.Aud = "https://graph.microsoft.com" }), want: refuse.Audience},
		{name: "with a scope and idtyp app", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) {
			s.Scp, s.HasScp, s.Scopes, s.IDTyp, s.HasIDTyp = "x", true, []string{"x"}, "app", true
		}), want: refuse.Claims},
		{name: "with an oid that is not its sub", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.Oid, s.Sub = entratest.AliceObjectID, "pairwise" }), want: refuse.NoPermissions},
		{name: "with idtyp user", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.IDTyp, s.HasIDTyp = "user", true }), want: refuse.Claims},
		{name: "with a nonce", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.IDTokenClaim = "nonce" }), want: refuse.IDToken},
		{name: "bound to a key", config: trusting, issuer: testbed.PublicV1, set: notification(func(s *claimset.Set) { s.Cnf = true }), want: refuse.BoundToken},
	})
}
