package entra_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// adding puts members, as text, in front of those of a valid claim set.
func adding(members string) func(string) string {
	return func(valid string) string { return "{" + members + "," + valid[1:] }
}

// replacing puts text in the place of the valid claim set.
func replacing(text string) func(string) string { return func(string) string { return text } }

func behind(text string) func(string) string {
	return func(valid string) string { return valid + text }
}

func before(text string) func(string) string {
	return func(valid string) string { return text + valid }
}

func TestClaimSetIsStrictJSON(t *testing.T) {
	const claims = entra.ReasonClaims
	deep := adding(`"x":` + strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000))
	larger := func(o *entra.Options) { o.MaxTokenSize = 64 << 10 }
	judge(t, []row{
		{rule: "R6", name: "tid twice", payload: adding(`"tid":"` + entratest.OtherTenantID + `"`), want: claims, says: "twice"},
		{rule: "R6", name: "aud twice with one value", payload: adding(`"aud":"` + entratest.APIClientID + `"`), want: claims},
		{rule: "R6", name: "roles twice", payload: adding(`"roles":["Admin"],"roles":[]`), want: claims},
		{rule: "R6", name: "tid twice, once escaped", payload: adding(`"\u0074id":"` + entratest.OtherTenantID + `"`), want: claims},
		{rule: "R6", name: "an unknown claim twice", payload: adding(`"x":1,"x":1`), want: claims},
		{rule: "R6", name: "a name twice inside a claim", payload: adding(`"x":{"y":1,"y":1}`), want: claims},
		{rule: "R6", name: "a name twice inside an array", payload: adding(`"x":[{"y":1,"y":1}]`), want: claims},
		{rule: "R6", name: "a name twice deep inside", payload: adding(`"x":{"y":[{"z":{"a":1,"\u0061":2}}]}`), want: claims},
		{rule: "R6", name: "a name twice inside _claim_names", payload: adding(`"_claim_names":{"groups":"src1","groups":"src1"}`), want: claims},
		{rule: "R6", name: "a name twice inside cnf", payload: adding(`"cnf":{"kid":"a","kid":"b"}`), want: claims},
		{rule: "R6", name: "one name in two objects", payload: adding(`"x":{"y":1},"y":{"x":1}`)},

		{rule: "R6", name: "a value that is no UTF-8", payload: adding("\"x\":\"\xff\""), want: claims},
		{rule: "R6", name: "a name that is no UTF-8", payload: adding("\"x\xff\":1"), want: claims},
		{rule: "R6", name: "a cut UTF-8 sequence", payload: adding("\"x\":\"\xc3\""), want: claims},
		{rule: "R6", name: "a surrogate alone", payload: adding(`"x":"\ud800"`), want: claims},
		{rule: "R6", name: "a byte order mark", payload: before("\ufeff"), want: claims},
		{rule: "R6", name: "UTF-16", payload: replacing("{\x00\"\x00"), want: claims},

		{rule: "R6", name: "a second object behind", payload: behind("{}"), want: claims, says: "behind"},
		{rule: "R6", name: "a letter behind", payload: behind("x"), want: claims},
		{rule: "R6", name: "a NUL behind", payload: behind("\x00"), want: claims},
		{rule: "R6", name: "a comma behind", payload: behind(","), want: claims},
		{rule: "R6", name: "white space around", payload: func(s string) string { return " \r\n\t" + s + "\n" }},
		{rule: "R6", name: "a letter in front", payload: before("x"), want: claims},

		{rule: "R6", name: "null", payload: replacing("null"), want: claims},
		{rule: "R6", name: "an array", payload: replacing(`[{"aud":"x"}]`), want: claims},
		{rule: "R6", name: "a string", payload: replacing(`"aud"`), want: claims},
		{rule: "R6", name: "an empty object", payload: replacing(`{}`), want: claims, says: "exp"},
		{rule: "R6", name: "an object that breaks off", payload: replacing(`{"aud":"x"`), want: claims},
		{rule: "R6", name: "white space alone", payload: replacing(`  `), want: claims},
		{rule: "R6", name: "a comma at the end", payload: func(s string) string { return s[:len(s)-1] + ",}" }, want: claims},
		{rule: "R6", name: "a comment", payload: func(s string) string { return "{/**/" + s[1:] }, want: claims},
		{rule: "R6", name: "a name without quotes", payload: adding(`x:1`), want: claims},
		{rule: "R6", name: "NaN", payload: adding(`"x":NaN`), want: claims},
		{rule: "R6", name: "a control character in a string", payload: adding("\"x\":\"\x01\""), want: claims},
		{rule: "R6", name: "twelve thousand arrays in each other", payload: deep, options: larger, want: claims},

		{rule: "R6", name: "cnf under an escaped name", payload: adding(`"\u0063nf":{"kid":"x"}`), want: entra.ReasonBoundToken},
		{rule: "R6", name: "cnf under a wholly escaped name", payload: adding(`"\u0063\u006E\u0066":{}`), want: entra.ReasonBoundToken},
		{rule: "R6", name: "exp under an escaped name", token: with(entratest.Without("exp")), payload: adding(`"\u0065xp":1`), want: entra.ReasonExpired},
	})
}

// known are the claims that the library reads, each with a value of a wrong type.
var known = map[string]string{
	"aud": `{}`, "iss": `1`, "exp": `"x"`, "nbf": `{}`, "iat": `true`, "tid": `["x"]`, "oid": `1`, "sub": `{}`, "ver": `2.0`,
	"azp": `1`, "azpacr": `1`, "appid": `[]`, "appidacr": `false`, "idtyp": `true`, "scp": `["Orders.Read"]`, "roles": `"Admin"`,
	"groups": `"x"`, "wids": `{}`, "acrs": `"c1"`, "xms_cc": `"cp1"`, "acr": `1`, "tfp": `{}`,
	"acct": `"1"`, "idp": `1`, "uti": `1`, "sid": `{}`, "xms_act_fct": `11`, "xms_sub_fct": `[13]`, "xms_par_app_azp": `1`,
	"name": `1`, "preferred_username": `1`, "upn": `1`, "unique_name": `1`, "email": `[]`, "login_hint": `1`, "_claim_names": `"x"`,
}

func TestClaimsOfTheWrongType(t *testing.T) {
	var rows []row
	for name, value := range known {
		rows = append(rows, row{rule: "R6", name: name + " " + value, token: with(entratest.Without(name)), payload: adding(`"` + name + `":` + value), want: entra.ReasonClaims, says: name})
	}
	judge(t, rows)
}

func TestNullIsNoValue(t *testing.T) {
	var rows []row
	names := []string{"cnf", "nonce", "at_hash", "c_hash", "hasgroups", "groups:src1", "xms_edov"}
	for name := range known {
		names = append(names, name)
	}
	for _, name := range names {
		rows = append(rows, row{rule: "R6", name: name, token: with(entratest.Claim(name, nil)), want: entra.ReasonClaims, says: name})
	}
	for _, name := range []string{"aud", "roles", "groups", "wids", "acrs", "xms_cc"} {
		for _, list := range [][]any{{nil}, {"x", nil}, {"x", 1}, {[]string{"x"}}} {
			token := with(entratest.Claim(name, list))
			rows = append(rows, row{rule: "R6", name: name + " with an element that is no string", token: token, want: entra.ReasonClaims, says: name})
		}
	}
	rows = append(rows, row{rule: "R97", name: "a claim that is not known here", token: with(entratest.Claim("extension_x", nil))})
	judge(t, rows)
}

// TestOtherNamesAreOtherClaims shows that names are compared exactly: encoding/json would fold them.
func TestOtherNamesAreOtherClaims(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	for _, r := range []struct{ rule, name, members string }{
		{"R6", "upper case", `"ROLES":["Orders.Admin"],"SCP":"Orders.Write","TID":"` + entratest.OtherTenantID + `","EXP":1,"CNF":{},"Idtyp":"app"`},
		{"R6", "a long s", `"roleſ":["Orders.Admin"],"ſcp":"Orders.Write","iſs":"https://evil.example","ſub":"x"`},
		{"R6", "a space or NUL beside the name", `"roles ":["Orders.Admin"],"\u0000roles":["Orders.Admin"],"scp\u0000":"Orders.Write"`},
		{"R6", "look-alikes", `"rоles":["Orders.Admin"],"ｓｃｐ":"Orders.Write"`},
		{"R40", "mapped names of .NET", `"http://schemas.microsoft.com/identity/claims/tenantid":"` + entratest.OtherTenantID +
			`","http://schemas.microsoft.com/identity/claims/objectidentifier":"x","http://schemas.microsoft.com/identity/claims/scope":"Orders.Write","role":"Orders.Admin"`},
		{"R40", "claims of other providers", `"scope":"Orders.Write","client_id":"x","role":["Orders.Admin"],"permissions":["x"]`},
	} {
		t.Run(r.name, func(t *testing.T) {
			row := row{payload: adding(r.members)}
			claims := accepted(t, verifier, row.mint(tenant))
			if claims.HasRole(entratest.RoleAdmin) || claims.HasScope(entratest.ScopeWrite) || claims.TenantID != entratest.TenantID ||
				claims.ObjectID != entratest.AliceObjectID || claims.ClientID != entratest.ClientID {
				t.Errorf("got %+v, want the claims under their exact names only", claims)
			}
		})
	}
	judge(t, []row{
		{rule: "R6", name: "TID without tid", token: with(entratest.Without("tid"), entratest.Claim("TID", entratest.TenantID)), want: entra.ReasonTenant},
		{rule: "R6", name: "EXP without exp", token: with(entratest.Without("exp"), entratest.Claim("EXP", 1<<33)), want: entra.ReasonClaims},
		{rule: "R6", name: "AUD without aud", token: with(entratest.Without("aud"), entratest.Claim("AUD", entratest.APIClientID)), want: entra.ReasonAudience},
		{rule: "R40", name: "the mapped name without tid", token: with(entratest.Without("tid"), entratest.Claim("http://schemas.microsoft.com/identity/claims/tenantid", entratest.TenantID)), want: entra.ReasonTenant},
		{rule: "R40", name: "the mapped name without oid", token: with(entratest.Without("oid"), entratest.Claim("http://schemas.microsoft.com/identity/claims/objectidentifier", "x")), want: entra.ReasonClaims},
		{rule: "R40", name: "the mapped name without scp", token: with(entratest.Without("scp"), entratest.Claim("http://schemas.microsoft.com/identity/claims/scope", "x")), want: entra.ReasonNoPermissions},
	})
}
