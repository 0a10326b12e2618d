package conformance_test

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestKind(t *testing.T) {
	const (
		user, app, id = entra.UserToken, entra.AppToken, entra.IDToken
		none          = entra.ReasonNoPermissions
		same          = "e9e9e9e9-e9e9-4e9e-8e9e-e9e9e9e9e9e9"
	)
	set := entratest.Claim
	without := entratest.Without
	noIDType := entratest.Without("idtyp")
	application := entratest.App(entratest.RoleDaemon)
	unpermitted := func(o *entra.Options) { o.AllowWithoutPermissions = true }
	idTokens := func(o *entra.Options) { o.AllowIDTokens = true }
	type row = testbed.Row
	rows := []struct {
		row
		kind entra.Kind
	}{
		{row{Rule: "R58", Name: "scp and no idtyp"}, user},
		{row{Rule: "R58", Name: "scp and idtyp user", Token: with(set("idtyp", "user"))}, user},
		{row{Rule: "R58", Name: "scp and roles", Token: with(entratest.Roles(entratest.RoleAdmin))}, user},
		{row{Rule: "R58", Name: "scp, with oid equal to sub", Token: with(set("oid", same), set("sub", same))}, user},
		{row{Rule: "R58", Name: "idtyp app", Token: with(application)}, app},
		{row{Rule: "R58", Name: "idtyp app, version 1.0", Token: with(application, entratest.V1())}, app},
		{row{Rule: "R58", Name: "idtyp app and an empty scp", Token: with(application, set("scp", ""))}, app},
		{row{Rule: "R58", Name: "idtyp app and the scp of agents", Token: with(application, set("scp", "/"))}, app},
		{row{Rule: "R58", Name: "idtyp app and an scp of spaces", Token: with(application, set("scp", "  "))}, app},
		{row{Rule: "R58", Name: "no idtyp, no scp, oid equal to sub", Token: with(application, noIDType)}, app},

		{row{Rule: "R58", Name: "idtyp app and a scope", Token: with(application, set("scp", "Orders.Read")), Want: none, Says: "permit nothing together"}, 0},
		{row{Rule: "R58", Name: "idtyp user without scp", Token: with(set("idtyp", "user"), without("scp")), Want: none}, 0},
		{row{Rule: "R58", Name: "idtyp user without scp, oid equal to sub", Token: with(application, set("idtyp", "user")), Want: none}, 0},
		{row{Rule: "R58", Name: "idtyp in other case", Token: with(application, set("idtyp", "App")), Want: none}, 0},
		{row{Rule: "R58", Name: "an unknown idtyp", Token: with(set("idtyp", "device")), Want: none}, 0},
		{row{Rule: "R58", Name: "an empty idtyp", Token: with(set("idtyp", "")), Want: none}, 0},
		{row{Rule: "R58", Name: "no idtyp, oid other than sub", Token: with(application, noIDType, set("sub", "x")), Want: none}, 0},
		{row{Rule: "R58", Name: "no idtyp, an empty scp, oid equal to sub", Token: with(application, noIDType, set("scp", "")), Want: none}, 0},
		{row{Rule: "R58", Name: "no idtyp, scp of agents, oid equal to sub", Token: with(application, noIDType, set("scp", "/")), Want: none}, 0},
		{row{Rule: "R58 R63", Name: "a user with a role and no scope", Token: with(without("scp"), entratest.Roles(entratest.RoleAdmin)), Want: none, Says: "Expose an API"}, 0},

		{row{Rule: "R64", Name: "a user with neither scope nor role", Token: with(without("scp")), Want: none}, 0},
		{row{Rule: "R64", Name: "a user with an empty scope", Token: with(set("scp", "")), Want: none}, 0},
		{row{Rule: "R64", Name: "a user with an scp of spaces", Token: with(set("scp", "  ")), Want: none}, 0},
		{row{Rule: "R64", Name: "a user without permissions where applications may have none", Token: with(without("scp")), Options: unpermitted, Want: none}, 0},
		{row{Rule: "R64", Name: "an application without roles", Token: with(entratest.App()), Want: none, Says: "AllowWithoutPermissions"}, 0},
		{row{Rule: "R64", Name: "an application with an empty list of roles", Token: with(entratest.App(), set("roles", []string{})), Want: none}, 0},
		{row{Rule: "R64", Name: "an application without roles where that is allowed", Token: with(entratest.App()), Options: unpermitted}, app},

		{row{Rule: "R59", Name: "an application without oid", Token: with(application, without("oid")), Want: entra.ReasonClaims, Says: "service principal"}, 0},
		{row{Rule: "R59", Name: "an application without oid where it needs no roles", Token: with(entratest.App(), without("oid")), Options: unpermitted, Want: entra.ReasonClaims}, 0},
		{row{Rule: "R59", Name: "an application with neither oid nor sub nor idtyp", Token: with(application, without("oid", "sub"), noIDType), Want: entra.ReasonClaims}, 0},
		{row{Rule: "R61", Name: "a user without oid", Token: with(without("oid")), Want: entra.ReasonClaims}, 0},
		{row{Rule: "R61", Name: "a user with an empty oid", Token: with(set("oid", "")), Want: entra.ReasonClaims}, 0},
		{row{Rule: "R61", Name: "a user without sub", Token: with(without("sub")), Want: entra.ReasonClaims, Says: "no sub"}, 0},
		{row{Rule: "R61", Name: "a user with an empty sub", Token: with(set("sub", "")), Want: entra.ReasonClaims}, 0},

		{row{Rule: "R56", Name: "an ID token", Token: with(entratest.IDToken()), Want: entra.ReasonIDToken, Says: "ID token"}, 0},
		{row{Rule: "R56", Name: "an ID token, version 1.0", Token: with(entratest.IDToken(), entratest.V1()), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an ID token with a nonce", Token: with(entratest.IDToken(), entratest.Nonce("n")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an ID token with roles", Token: with(entratest.IDToken(), entratest.Roles(entratest.RoleAdmin)), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an ID token that names a client", Token: with(entratest.IDToken(), entratest.Nonce("n"), set("azp", entratest.ClientID)), Want: entra.ReasonIDToken, Says: "nonce and no scp"}, 0},
		{row{Rule: "R56", Name: "a token with at_hash and no scp", Token: with(without("scp"), set("at_hash", "x")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "a token with c_hash and no scp", Token: with(without("scp"), set("c_hash", "x")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an application's token with at_hash", Token: with(application, set("at_hash", "x")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an access token without its client", Token: with(without("azp")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an access token with an empty client", Token: with(set("azp", "")), Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an access token with a nonce and a scope", Token: with(set("nonce", "n"))}, user},
		{row{Rule: "R56", Name: "an ID token where those are accepted", Token: with(entratest.IDToken()), Options: idTokens}, id},
		{row{Rule: "R56", Name: "an access token where ID tokens are accepted", Options: idTokens}, user},
		{row{Rule: "R56", Name: "an ID token for the URI of this API", Token: with(entratest.IDToken(), entratest.Audience(entratest.APIURI)), Options: idTokens, Want: entra.ReasonAudience}, 0},
		{row{Rule: "R56", Name: "an ID token for another application", Token: with(entratest.IDToken(), entratest.CallingApp(entratest.SPAClientID)), Options: idTokens, Want: entra.ReasonAudience}, 0},
		{row{Rule: "R56", Name: "an ID token with a scope and no client", Token: with(entratest.IDToken(), set("scp", "Orders.Read")), Options: idTokens, Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R56", Name: "an ID token with idtyp", Token: with(entratest.IDToken(), set("idtyp", "app")), Options: idTokens, Want: entra.ReasonIDToken}, 0},
		{row{Rule: "R61", Name: "an ID token without sub", Token: with(entratest.IDToken(), without("sub")), Options: idTokens, Want: entra.ReasonClaims}, 0},

		{row{Rule: "R92", Name: "a token bound to a certificate", Token: with(entratest.Bound()), Want: entra.ReasonBoundToken, Says: "cnf"}, 0},
		{row{Rule: "R92", Name: "an application's token bound to a certificate", Token: with(application, entratest.Bound()), Want: entra.ReasonBoundToken}, 0},
		{row{Rule: "R92", Name: "an ID token that is bound", Token: with(entratest.IDToken(), entratest.Bound()), Options: idTokens, Want: entra.ReasonBoundToken}, 0},
		{row{Rule: "R92", Name: "an empty cnf", Token: with(set("cnf", map[string]any{})), Want: entra.ReasonBoundToken}, 0},
		{row{Rule: "R92", Name: "a cnf that is text", Token: with(set("cnf", "")), Want: entra.ReasonBoundToken}, 0},
		{row{Rule: "R92", Name: "a cnf that is false", Token: with(set("cnf", false)), Want: entra.ReasonBoundToken}, 0},
	}
	tenant := entratest.New(t)
	for _, r := range rows {
		t.Run(r.Name, func(t *testing.T) {
			r.Run(t, tenant)
			if r.Want != "" {
				return
			}
			claims := testbed.Accepted(t, testbed.NewVerifier(t, tenant, r.Options), r.Mint(tenant))
			if claims.Kind != r.kind || claims.AppOnly() != (r.kind == entra.AppToken) {
				t.Errorf("got kind %v and app-only %v, want %v", claims.Kind, claims.AppOnly(), r.kind)
			}
		})
	}
}
