package entra_test

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
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
	judge(t, []row{
		{rule: "R41", name: "version 2.0, the client ID", token: aud(id)},
		{rule: "R43", name: "version 2.0, the URI made of it", token: aud(uri)},
		{rule: "R42 R43", name: "version 1.0, the URI made of the client ID", token: v1(uri)},
		{rule: "R42", name: "version 1.0, the URI as a client wrote it, with a slash", token: v1(uri + "/")},
		{rule: "R42", name: "version 1.0, a further URI", token: v1("https://orders.contoso.example"), options: audiences(id, "https://orders.contoso.example")},
		{rule: "R47 R43", name: "version 1.0, the client ID (use_guid)", token: v1(id)},
		{rule: "R42", name: "spn: and the client ID, unless it is named", token: v1("spn:" + id), want: audience},
		{rule: "R42", name: "spn: and the client ID, named", token: v1("spn:" + id), options: audiences("", "spn:"+id)},
		{rule: "R43", name: "the client ID where only a URI is accepted", token: aud(id), options: orders, want: audience},
		{rule: "R43", name: "the URI of the client ID where only another is accepted", token: aud(uri), options: orders, want: audience},

		{rule: "R44", name: "a slash in the token", token: aud("api://orders/"), options: orders},
		{rule: "R44", name: "a slash in the options", token: aud("api://orders"), options: audiences("", "api://orders/")},
		{rule: "R44", name: "a slash in both", token: aud("api://orders/"), options: audiences("", "api://orders/")},
		{rule: "R44", name: "two slashes", token: aud("api://orders//"), options: orders, want: audience},
		{rule: "R44", name: "a path behind", token: aud("api://orders/read"), options: orders, want: audience},
		{rule: "R44", name: "less than the whole", token: aud("api://order"), options: orders, want: audience},
		{rule: "R44", name: "text in front", token: aud("xapi://orders"), options: orders, want: audience},
		{rule: "R44", name: "other case", token: aud("API://orders"), options: orders, want: audience},
		{rule: "R44", name: "a space behind", token: aud("api://orders "), options: orders, want: audience},
		{rule: "R44", name: "a slash alone", token: aud("/"), options: orders, want: audience},

		{rule: "R45", name: "an array of one", token: aud([]string{id})},
		{rule: "R45", name: "an array of one other", token: aud([]string{"api://other"}), want: audience},
		{rule: "R45", name: "an array of this API and another", token: aud([]string{id, "api://other"}), want: audience, says: "2 audiences"},
		{rule: "R45", name: "an array of this API twice", token: aud([]string{id, id}), want: audience},
		{rule: "R45", name: "an empty array", token: aud([]string{}), want: audience},
		{rule: "R45", name: "an array in an array", token: aud([][]string{{id}}), want: entra.ReasonClaims},
		{rule: "R43", name: "no audience", token: with(entratest.Without("aud")), want: audience, says: "no audience"},
		{rule: "R43", name: "an empty audience", token: aud(""), want: audience},
		{rule: "R43", name: "another API", token: aud("api://other"), want: audience, says: "request the scope " + uri + "/.default"},

		{rule: "R46", name: "Microsoft Graph by ID", token: aud(entratest.GraphClientID), want: audience, says: "Microsoft Graph"},
		{rule: "R46", name: "Microsoft Graph by URL", token: aud("https://graph.microsoft.com/"), want: audience, says: "Microsoft Graph"},
		{rule: "R46", name: "Azure AD Graph by ID", token: aud("00000002-0000-0000-c000-000000000000"), want: audience, says: "Azure AD Graph"},
		{rule: "R46", name: "Azure AD Graph by URL", token: aud("https://graph.windows.net"), want: audience, says: "Azure AD Graph"},
		{rule: "R46", name: "Azure Resource Manager", token: aud("https://management.azure.com/"), want: audience, says: "Azure Resource Manager"},
		{rule: "R46", name: "Azure Resource Manager by its older URL", token: aud("https://management.core.windows.net/"), want: audience, says: "Azure Resource Manager"},
	})
}

func TestAudienceOfB2C(t *testing.T) {
	const authority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"
	k := entratest.New(t).Key()
	verifier := verifierAt(t, &publisher{texts: authorityTexts(authority, b2cIssuer, k)}, entra.Options{Authority: authority})
	for _, r := range []struct {
		rule, name, audience string
		want                 entra.Reason
	}{
		{"R48", "the client ID in a token that says 1.0", entratest.APIClientID, ""},
		{"R48", "the client ID of another application", entratest.SPAClientID, entra.ReasonAudience},
	} {
		t.Run(r.name, func(t *testing.T) {
			claims := userClaims(b2cIssuer, homeTenant, "1.0")
			claims["aud"] = r.audience
			if r.want == "" {
				accepted(t, verifier, signClaims(k, claims))
				return
			}
			refused(t, verifier, signClaims(k, claims), r.want, "")
		})
	}
}

// publishing lets the tenant publish its signing key with one member changed; nil takes it away.
func publishing(member string, value any) func(*entratest.Server) {
	return func(s *entratest.Server) { s.Publish(s.Key().With(member, value)) }
}

func TestKeyOwner(t *testing.T) {
	const (
		key   = entra.ReasonKeyIssuer
		other = "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"
	)
	v1 := with(entratest.V1())
	government := func(o *entra.Options) { o.Cloud = entra.USGovernment }
	judge(t, []row{
		{rule: "R38", name: "a key of every tenant, version 2.0", keys: publishing("issuer", publicOwner)},
		{rule: "R38", name: "a key of every tenant, version 1.0", token: v1, keys: publishing("issuer", publicOwner)},
		{rule: "R38", name: "a key of this tenant alone", keys: publishing("issuer", publicV2)},
		{rule: "R38", name: "a key of this tenant alone, version 1.0", token: v1, keys: publishing("issuer", publicV2)},
		{rule: "R38", name: "a key of every tenant's version 1.0", token: v1, keys: publishing("issuer", "https://sts.windows.net/{tenantid}/")},
		{rule: "R38", name: "a key of version 1.0 for a token 2.0", keys: publishing("issuer", "https://sts.windows.net/{tenantid}/"), want: key},
		{rule: "R38", name: "a key whose owner is not said", keys: publishing("issuer", nil)},
		{rule: "R38", name: "a key of another tenant", keys: publishing("issuer", other), want: key, says: "22222222-2222"},
		{rule: "R38", name: "a key of another tenant, version 1.0", token: v1, keys: publishing("issuer", other), want: key},
		{rule: "R38", name: "a key of another tenant that is accepted too", keys: publishing("issuer", other), options: func(o *entra.Options) {
			o.Tenants = append(o.Tenants, entratest.OtherTenantID)
		}, want: key},
		{rule: "R38", name: "a key of another host", keys: publishing("issuer", "https://login.evil.example/{tenantid}/v2.0"), want: key},
		{rule: "R38", name: "a key of another form", keys: publishing("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0/"), want: key},
		{rule: "R38", name: "a key whose template is in other case", keys: publishing("issuer", "https://login.microsoftonline.com/{TenantId}/v2.0"), want: key},
		{rule: "R38", name: "the key of personal accounts for a work account", token: with(entratest.Tenant(entratest.OtherTenantID)),
			options: func(o *entra.Options) { o.Tenants = []string{entratest.OtherTenantID, entra.PersonalAccounts} },
			keys:    func(s *entratest.Server) { s.SetKeys(s.Key().With("issuer", personalV2)) }, want: key},
		{rule: "R38", name: "an owner that is no text: the key is passed over", keys: publishing("issuer", 1), want: entra.ReasonUnknownKey},

		{rule: "R39", name: "a key of this cloud", keys: publishing("cloud_instance_name", "microsoftonline.com")},
		{rule: "R39", name: "a key whose cloud is not said", keys: publishing("cloud_instance_name", nil)},
		{rule: "R39", name: "a key of the government's cloud", keys: publishing("cloud_instance_name", "microsoftonline.us"), want: key, says: "microsoftonline.us"},
		{rule: "R39", name: "a key of the government's cloud, version 1.0", token: v1, keys: publishing("cloud_instance_name", "microsoftonline.us"), want: key},
		{rule: "R39", name: "a key of an unknown cloud", keys: publishing("cloud_instance_name", "microsoftonline.example"), want: key},
		{rule: "R39", name: "a cloud in other case", keys: publishing("cloud_instance_name", "MicrosoftOnline.com"), want: key},
		{rule: "R39", name: "a cloud that is no text: the key is passed over", keys: publishing("cloud_instance_name", []string{"microsoftonline.us"}), want: entra.ReasonUnknownKey},
	})
	t.Run("a public key in the government's document", func(t *testing.T) {
		t.Attr("rule", "R39")
		tenant := entratest.New(t, entratest.Config{Cloud: entratest.USGovernment})
		verifier := newVerifier(t, tenant, government)
		accepted(t, verifier, tenant.Token())
		tenant.Publish(tenant.Key().With("cloud_instance_name", "microsoftonline.com"))
		refused(t, newVerifier(t, tenant, government), tenant.Token(), key, "USGovernment")
	})
}
