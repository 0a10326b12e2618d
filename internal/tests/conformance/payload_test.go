package conformance_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

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
	deep := testbed.Adding(`"x":` + strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000))
	larger := func(o *entra.Options) { o.MaxTokenSize = 64 << 10 }
	testbed.Judge(t, []testbed.Row{
		{Rule: "R6", Name: "tid twice", Payload: testbed.Adding(`"tid":"` + entratest.OtherTenantID + `"`), Want: claims, Says: "twice"},
		{Rule: "R6", Name: "aud twice with one value", Payload: testbed.Adding(`"aud":"` + entratest.APIClientID + `"`), Want: claims},
		{Rule: "R6", Name: "roles twice", Payload: testbed.Adding(`"roles":["Admin"],"roles":[]`), Want: claims},
		{Rule: "R6", Name: "tid twice, once escaped", Payload: testbed.Adding(`"\u0074id":"` + entratest.OtherTenantID + `"`), Want: claims},
		{Rule: "R6", Name: "an unknown claim twice", Payload: testbed.Adding(`"x":1,"x":1`), Want: claims},
		{Rule: "R6", Name: "a name twice inside a claim", Payload: testbed.Adding(`"x":{"y":1,"y":1}`), Want: claims},
		{Rule: "R6", Name: "a name twice inside an array", Payload: testbed.Adding(`"x":[{"y":1,"y":1}]`), Want: claims},
		{Rule: "R6", Name: "a name twice deep inside", Payload: testbed.Adding(`"x":{"y":[{"z":{"a":1,"\u0061":2}}]}`), Want: claims},
		{Rule: "R6", Name: "a name twice inside _claim_names", Payload: testbed.Adding(`"_claim_names":{"groups":"src1","groups":"src1"}`), Want: claims},
		{Rule: "R6", Name: "a name twice inside cnf", Payload: testbed.Adding(`"cnf":{"kid":"a","kid":"b"}`), Want: claims},
		{Rule: "R6", Name: "one name in two objects", Payload: testbed.Adding(`"x":{"y":1},"y":{"x":1}`)},

		{Rule: "R6", Name: "a value that is no UTF-8", Payload: testbed.Adding("\"x\":\"\xff\""), Want: claims},
		{Rule: "R6", Name: "a name that is no UTF-8", Payload: testbed.Adding("\"x\xff\":1"), Want: claims},
		{Rule: "R6", Name: "a cut UTF-8 sequence", Payload: testbed.Adding("\"x\":\"\xc3\""), Want: claims},
		{Rule: "R6", Name: "a surrogate alone", Payload: testbed.Adding(`"x":"\ud800"`), Want: claims},
		{Rule: "R6", Name: "a byte order mark", Payload: before("\ufeff"), Want: claims},
		{Rule: "R6", Name: "UTF-16", Payload: replacing("{\x00\"\x00"), Want: claims},

		{Rule: "R6", Name: "a second object behind", Payload: behind("{}"), Want: claims, Says: "behind"},
		{Rule: "R6", Name: "a letter behind", Payload: behind("x"), Want: claims},
		{Rule: "R6", Name: "a NUL behind", Payload: behind("\x00"), Want: claims},
		{Rule: "R6", Name: "a comma behind", Payload: behind(","), Want: claims},
		{Rule: "R6", Name: "white space around", Payload: func(s string) string { return " \r\n\t" + s + "\n" }},
		{Rule: "R6", Name: "a letter in front", Payload: before("x"), Want: claims},

		{Rule: "R6", Name: "null", Payload: replacing("null"), Want: claims},
		{Rule: "R6", Name: "an array", Payload: replacing(`[{"aud":"x"}]`), Want: claims},
		{Rule: "R6", Name: "a string", Payload: replacing(`"aud"`), Want: claims},
		{Rule: "R6", Name: "an empty object", Payload: replacing(`{}`), Want: claims, Says: "exp"},
		{Rule: "R6", Name: "an object that breaks off", Payload: replacing(`{"aud":"x"`), Want: claims},
		{Rule: "R6", Name: "white space alone", Payload: replacing(`  `), Want: claims},
		{Rule: "R6", Name: "a comma at the end", Payload: func(s string) string { return s[:len(s)-1] + ",}" }, Want: claims},
		{Rule: "R6", Name: "a comment", Payload: func(s string) string { return "{/**/" + s[1:] }, Want: claims},
		{Rule: "R6", Name: "a name without quotes", Payload: testbed.Adding(`x:1`), Want: claims},
		{Rule: "R6", Name: "NaN", Payload: testbed.Adding(`"x":NaN`), Want: claims},
		{Rule: "R6", Name: "a control character in a string", Payload: testbed.Adding("\"x\":\"\x01\""), Want: claims},
		{Rule: "R6", Name: "twelve thousand arrays in each other", Payload: deep, Options: larger, Want: claims},

		// Package claimset has a table of the types of all claims.
		{Rule: "R6", Name: "a list for a string", Token: with(entratest.Claim("oid", []string{entratest.AliceObjectID})), Want: claims, Says: "oid"},
		{Rule: "R6", Name: "a string for a list", Token: with(entratest.Claim("roles", "Orders.Admin")), Want: claims, Says: "roles"},
		{Rule: "R6", Name: "null for a string", Token: with(entratest.Claim("azp", nil)), Want: claims, Says: "azp"},
		{Rule: "R6", Name: "null in a list", Token: with(entratest.Claim("groups", []any{"x", nil})), Want: claims, Says: "groups"},
		{Rule: "R97", Name: "null for a claim that is not known here", Token: with(entratest.Claim("extension_x", nil))},

		{Rule: "R6", Name: "cnf under an escaped name", Payload: testbed.Adding(`"\u0063nf":{"kid":"x"}`), Want: entra.ReasonBoundToken},
		{Rule: "R6", Name: "cnf under a wholly escaped name", Payload: testbed.Adding(`"\u0063\u006E\u0066":{}`), Want: entra.ReasonBoundToken},
		{Rule: "R6", Name: "exp under an escaped name", Token: with(entratest.Without("exp")), Payload: testbed.Adding(`"\u0065xp":1`), Want: entra.ReasonExpired},
	})
}

// TestOtherNamesAreOtherClaims shows that names are compared exactly: encoding/json would fold them.
func TestOtherNamesAreOtherClaims(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
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
			row := testbed.Row{Payload: testbed.Adding(r.members)}
			claims := testbed.Accepted(t, verifier, row.Mint(tenant))
			if claims.HasRole(entratest.RoleAdmin) || claims.HasScope(entratest.ScopeWrite) || claims.TenantID != entratest.TenantID ||
				claims.ObjectID != entratest.AliceObjectID || claims.ClientID != entratest.ClientID {
				t.Errorf("got %+v, want the claims under their exact names only", claims)
			}
		})
	}
	testbed.Judge(t, []testbed.Row{
		{Rule: "R6", Name: "TID without tid", Token: with(entratest.Without("tid"), entratest.Claim("TID", entratest.TenantID)), Want: entra.ReasonTenant},
		{Rule: "R6", Name: "EXP without exp", Token: with(entratest.Without("exp"), entratest.Claim("EXP", 1<<33)), Want: entra.ReasonClaims},
		{Rule: "R6", Name: "AUD without aud", Token: with(entratest.Without("aud"), entratest.Claim("AUD", entratest.APIClientID)), Want: entra.ReasonAudience},
		{Rule: "R40", Name: "the mapped name without tid", Token: with(entratest.Without("tid"), entratest.Claim("http://schemas.microsoft.com/identity/claims/tenantid", entratest.TenantID)), Want: entra.ReasonTenant},
		{Rule: "R40", Name: "the mapped name without oid", Token: with(entratest.Without("oid"), entratest.Claim("http://schemas.microsoft.com/identity/claims/objectidentifier", "x")), Want: entra.ReasonClaims},
		{Rule: "R40", Name: "the mapped name without scp", Token: with(entratest.Without("scp"), entratest.Claim("http://schemas.microsoft.com/identity/claims/scope", "x")), Want: entra.ReasonNoPermissions},
	})
}
