package entra_test

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
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
	rows := []struct {
		row
		kind entra.Kind
	}{
		{row{rule: "R58", name: "scp and no idtyp"}, user},
		{row{rule: "R58", name: "scp and idtyp user", token: with(set("idtyp", "user"))}, user},
		{row{rule: "R58", name: "scp and roles", token: with(entratest.Roles(entratest.RoleAdmin))}, user},
		{row{rule: "R58", name: "scp, with oid equal to sub", token: with(set("oid", same), set("sub", same))}, user},
		{row{rule: "R58", name: "idtyp app", token: with(application)}, app},
		{row{rule: "R58", name: "idtyp app, version 1.0", token: with(application, entratest.V1())}, app},
		{row{rule: "R58", name: "idtyp app and an empty scp", token: with(application, set("scp", ""))}, app},
		{row{rule: "R58", name: "idtyp app and the scp of agents", token: with(application, set("scp", "/"))}, app},
		{row{rule: "R58", name: "idtyp app and an scp of spaces", token: with(application, set("scp", "  "))}, app},
		{row{rule: "R58", name: "no idtyp, no scp, oid equal to sub", token: with(application, noIDType)}, app},

		{row{rule: "R58", name: "idtyp app and a scope", token: with(application, set("scp", "Orders.Read")), want: none, says: "permit nothing together"}, 0},
		{row{rule: "R58", name: "idtyp user without scp", token: with(set("idtyp", "user"), without("scp")), want: none}, 0},
		{row{rule: "R58", name: "idtyp user without scp, oid equal to sub", token: with(application, set("idtyp", "user")), want: none}, 0},
		{row{rule: "R58", name: "idtyp in other case", token: with(application, set("idtyp", "App")), want: none}, 0},
		{row{rule: "R58", name: "an unknown idtyp", token: with(set("idtyp", "device")), want: none}, 0},
		{row{rule: "R58", name: "an empty idtyp", token: with(set("idtyp", "")), want: none}, 0},
		{row{rule: "R58", name: "no idtyp, oid other than sub", token: with(application, noIDType, set("sub", "x")), want: none}, 0},
		{row{rule: "R58", name: "no idtyp, an empty scp, oid equal to sub", token: with(application, noIDType, set("scp", "")), want: none}, 0},
		{row{rule: "R58", name: "no idtyp, scp of agents, oid equal to sub", token: with(application, noIDType, set("scp", "/")), want: none}, 0},
		{row{rule: "R58 R63", name: "a user with a role and no scope", token: with(without("scp"), entratest.Roles(entratest.RoleAdmin)), want: none, says: "Expose an API"}, 0},

		{row{rule: "R64", name: "a user with neither scope nor role", token: with(without("scp")), want: none}, 0},
		{row{rule: "R64", name: "a user with an empty scope", token: with(set("scp", "")), want: none}, 0},
		{row{rule: "R64", name: "a user with an scp of spaces", token: with(set("scp", "  ")), want: none}, 0},
		{row{rule: "R64", name: "a user without permissions where applications may have none", token: with(without("scp")), options: unpermitted, want: none}, 0},
		{row{rule: "R64", name: "an application without roles", token: with(entratest.App()), want: none, says: "AllowWithoutPermissions"}, 0},
		{row{rule: "R64", name: "an application with an empty list of roles", token: with(entratest.App(), set("roles", []string{})), want: none}, 0},
		{row{rule: "R64", name: "an application without roles where that is allowed", token: with(entratest.App()), options: unpermitted}, app},

		{row{rule: "R59", name: "an application without oid", token: with(application, without("oid")), want: entra.ReasonClaims, says: "service principal"}, 0},
		{row{rule: "R59", name: "an application without oid where it needs no roles", token: with(entratest.App(), without("oid")), options: unpermitted, want: entra.ReasonClaims}, 0},
		{row{rule: "R59", name: "an application with neither oid nor sub nor idtyp", token: with(application, without("oid", "sub"), noIDType), want: entra.ReasonClaims}, 0},
		{row{rule: "R61", name: "a user without oid", token: with(without("oid")), want: entra.ReasonClaims}, 0},
		{row{rule: "R61", name: "a user with an empty oid", token: with(set("oid", "")), want: entra.ReasonClaims}, 0},
		{row{rule: "R61", name: "a user without sub", token: with(without("sub")), want: entra.ReasonClaims, says: "no sub"}, 0},
		{row{rule: "R61", name: "a user with an empty sub", token: with(set("sub", "")), want: entra.ReasonClaims}, 0},

		{row{rule: "R56", name: "an ID token", token: with(entratest.IDToken()), want: entra.ReasonIDToken, says: "ID token"}, 0},
		{row{rule: "R56", name: "an ID token, version 1.0", token: with(entratest.IDToken(), entratest.V1()), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an ID token with a nonce", token: with(entratest.IDToken(), entratest.Nonce("n")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an ID token with roles", token: with(entratest.IDToken(), entratest.Roles(entratest.RoleAdmin)), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an ID token that names a client", token: with(entratest.IDToken(), entratest.Nonce("n"), set("azp", entratest.ClientID)), want: entra.ReasonIDToken, says: "nonce and no scp"}, 0},
		{row{rule: "R56", name: "a token with at_hash and no scp", token: with(without("scp"), set("at_hash", "x")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "a token with c_hash and no scp", token: with(without("scp"), set("c_hash", "x")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an application's token with at_hash", token: with(application, set("at_hash", "x")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an access token without its client", token: with(without("azp")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an access token with an empty client", token: with(set("azp", "")), want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an access token with a nonce and a scope", token: with(set("nonce", "n"))}, user},
		{row{rule: "R56", name: "an ID token where those are accepted", token: with(entratest.IDToken()), options: idTokens}, id},
		{row{rule: "R56", name: "an access token where ID tokens are accepted", options: idTokens}, user},
		{row{rule: "R56", name: "an ID token for the URI of this API", token: with(entratest.IDToken(), entratest.Audience(entratest.APIURI)), options: idTokens, want: entra.ReasonAudience}, 0},
		{row{rule: "R56", name: "an ID token for another application", token: with(entratest.IDToken(), entratest.CallingApp(entratest.SPAClientID)), options: idTokens, want: entra.ReasonAudience}, 0},
		{row{rule: "R56", name: "an ID token with a scope and no client", token: with(entratest.IDToken(), set("scp", "Orders.Read")), options: idTokens, want: entra.ReasonIDToken}, 0},
		{row{rule: "R56", name: "an ID token with idtyp", token: with(entratest.IDToken(), set("idtyp", "app")), options: idTokens, want: entra.ReasonIDToken}, 0},
		{row{rule: "R61", name: "an ID token without sub", token: with(entratest.IDToken(), without("sub")), options: idTokens, want: entra.ReasonClaims}, 0},

		{row{rule: "R92", name: "a token bound to a certificate", token: with(entratest.Bound()), want: entra.ReasonBoundToken, says: "cnf"}, 0},
		{row{rule: "R92", name: "an application's token bound to a certificate", token: with(application, entratest.Bound()), want: entra.ReasonBoundToken}, 0},
		{row{rule: "R92", name: "an ID token that is bound", token: with(entratest.IDToken(), entratest.Bound()), options: idTokens, want: entra.ReasonBoundToken}, 0},
		{row{rule: "R92", name: "an empty cnf", token: with(set("cnf", map[string]any{})), want: entra.ReasonBoundToken}, 0},
		{row{rule: "R92", name: "a cnf that is text", token: with(set("cnf", "")), want: entra.ReasonBoundToken}, 0},
		{row{rule: "R92", name: "a cnf that is false", token: with(set("cnf", false)), want: entra.ReasonBoundToken}, 0},
	}
	tenant := entratest.New(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			r.run(t, tenant)
			if r.want != "" {
				return
			}
			claims := accepted(t, newVerifier(t, tenant, r.options), r.mint(tenant))
			if claims.Kind != r.kind || claims.AppOnly() != (r.kind == entra.AppToken) {
				t.Errorf("got kind %v and app-only %v, want %v", claims.Kind, claims.AppOnly(), r.kind)
			}
		})
	}
}
