package conformance_test

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestAudience(t *testing.T) {
	const (
		audience = entra.ReasonAudience
		id       = entratest.APIClientID
		uri      = entratest.APIURI
	)
	aud := func(value any) []entratest.TokenOption { return with(entratest.Claim("aud", value)) }
	v1 := func(value any) []entratest.TokenOption {
		return with(entratest.V1(), entratest.Claim("aud", value))
	}
	audiences := func(clientID string, further ...string) func(*entra.Options) {
		return func(o *entra.Options) { o.ClientID, o.Audiences = clientID, further }
	}
	orders := audiences("", "api://orders")
	testbed.Judge(t, []testbed.Row{
		{Rule: "R41", Name: "version 2.0, the client ID", Token: aud(id)},
		{Rule: "R43", Name: "version 2.0, the URI made of it", Token: aud(uri)},
		{Rule: "R42 R43", Name: "version 1.0, the URI made of the client ID", Token: v1(uri)},
		{Rule: "R42", Name: "version 1.0, the URI as a client wrote it, with a slash", Token: v1(uri + "/")},
		{Rule: "R42", Name: "version 1.0, a further URI", Token: v1("https://orders.contoso.example"), Options: audiences(id, "https://orders.contoso.example")},
		{Rule: "R47 R43", Name: "version 1.0, the client ID (use_guid)", Token: v1(id)},
		{Rule: "R42", Name: "spn: and the client ID, unless it is named", Token: v1("spn:" + id), Want: audience},
		{Rule: "R42", Name: "spn: and the client ID, named", Token: v1("spn:" + id), Options: audiences("", "spn:"+id)},
		{Rule: "R43", Name: "the client ID where only a URI is accepted", Token: aud(id), Options: orders, Want: audience},
		{Rule: "R43", Name: "the URI of the client ID where only another is accepted", Token: aud(uri), Options: orders, Want: audience},

		{Rule: "R44", Name: "a slash in the token", Token: aud("api://orders/"), Options: orders},
		{Rule: "R44", Name: "a slash in the options", Token: aud("api://orders"), Options: audiences("", "api://orders/")},
		{Rule: "R44", Name: "two slashes", Token: aud("api://orders//"), Options: orders, Want: audience},
		{Rule: "R44", Name: "other case", Token: aud("API://orders"), Options: orders, Want: audience},

		{Rule: "R45", Name: "an array of one", Token: aud([]string{id})},
		{Rule: "R45", Name: "an array of one other", Token: aud([]string{"api://other"}), Want: audience},
		{Rule: "R45", Name: "an array of this API and another", Token: aud([]string{id, "api://other"}), Want: audience, Says: "2 audiences"},
		{Rule: "R45", Name: "an array of this API twice", Token: aud([]string{id, id}), Want: audience},
		{Rule: "R45", Name: "an empty array", Token: aud([]string{}), Want: audience},
		{Rule: "R45", Name: "an array in an array", Token: aud([][]string{{id}}), Want: entra.ReasonClaims},
		{Rule: "R43", Name: "no audience", Token: with(entratest.Without("aud")), Want: audience, Says: "no audience"},
		{Rule: "R43", Name: "an empty audience", Token: aud(""), Want: audience},
		{Rule: "R43", Name: "another API", Token: aud("api://other"), Want: audience, Says: "request the scope " + uri + "/.default"},

		{Rule: "R46", Name: "Microsoft Graph by ID", Token: aud(entratest.GraphClientID), Want: audience, Says: "Microsoft Graph"},
		{Rule: "R46", Name: "Microsoft Graph by URL", Token: aud("https://graph.microsoft.com/"), Want: audience, Says: "Microsoft Graph"},
		{Rule: "R46", Name: "Azure AD Graph by ID", Token: aud("00000002-0000-0000-c000-000000000000"), Want: audience, Says: "Azure AD Graph"},
		{Rule: "R46", Name: "Azure AD Graph by URL", Token: aud("https://graph.windows.net"), Want: audience, Says: "Azure AD Graph"},
		{Rule: "R46", Name: "Azure Resource Manager", Token: aud("https://management.azure.com/"), Want: audience, Says: "Azure Resource Manager"},
		{Rule: "R46", Name: "Azure Resource Manager by its older URL", Token: aud("https://management.core.windows.net/"), Want: audience, Says: "Azure Resource Manager"},
	})
}

func TestAudienceOfB2C(t *testing.T) {
	const authority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"
	k := entratest.New(t).Key()
	verifier := testbed.NewVerifierAt(t, &testbed.Publisher{Documents: testbed.AuthorityDocuments(authority, testbed.B2CIssuer, k)}, entra.Options{Authority: authority})
	for _, r := range []struct {
		rule, name, audience string
		want                 entra.Reason
	}{
		{"R48", "the client ID in a token that says 1.0", entratest.APIClientID, ""},
		{"R48", "the client ID of another application", entratest.SPAClientID, entra.ReasonAudience},
	} {
		t.Run(r.name, func(t *testing.T) {
			claims := testbed.UserClaims(testbed.B2CIssuer, entratest.TenantID, "1.0")
			claims["aud"] = r.audience
			if r.want == "" {
				testbed.Accepted(t, verifier, testbed.SignClaims(k, claims))
				return
			}
			testbed.Refused(t, verifier, testbed.SignClaims(k, claims), r.want, "")
		})
	}
}
