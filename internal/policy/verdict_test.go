package policy_test

import (
	"slices"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// What an accepted set says in claims that have another name in each version, or that follow from several.
func TestVerdicts(t *testing.T) {
	plain := policy.Verdict{Kind: policy.UserToken, TenantID: entratest.TenantID, ClientID: entratest.SPAClientID, ClientAuth: "0"}
	with := func(change func(*policy.Verdict)) policy.Verdict { v := plain; change(&v); return v }
	guest := with(func(v *policy.Verdict) { v.Guest = true })
	agent := with(func(v *policy.Verdict) { v.Agent = true })
	for _, test := range []struct {
		name   string
		issuer string // default: version 2.0 of the first tenant
		set    func(*claimset.Set)
		want   policy.Verdict
	}{
		{"a user", "", func(*claimset.Set) {}, plain},
		{"a user, version 1.0", testbed.PublicV1, func(*claimset.Set) {}, plain},
		{"an application", "", application, with(func(v *policy.Verdict) { v.Kind, v.ClientAuth = policy.AppToken, "1" })},

		{"azp of a version 2.0 token", "", func(s *claimset.Set) { s.Azp, s.AzpACR = "azp", "2" }, with(func(v *policy.Verdict) { v.ClientID, v.ClientAuth = "azp", "2" })},
		{"appid of a version 1.0 token", testbed.PublicV1, func(s *claimset.Set) { s.AppID, s.AppIDACR = "appid", "2" }, with(func(v *policy.Verdict) { v.ClientID, v.ClientAuth = "appid", "2" })},
		{"azp where a version 1.0 token has no appid", testbed.PublicV1, func(s *claimset.Set) { s.AppID, s.AppIDACR = "", "2" }, plain},
		{"appid where a version 2.0 token has no azp", "", func(s *claimset.Set) { s.Azp, s.AppID, s.AppIDACR = "", "appid", "1" }, with(func(v *policy.Verdict) { v.ClientID, v.ClientAuth = "appid", "1" })},

		{"preferred_username before the others", "", func(s *claimset.Set) { s.PreferredUsername, s.UPN, s.UniqueName = "a", "b", "c" }, with(func(v *policy.Verdict) { v.PreferredUsername = "a" })},
		{"upn without it", "", func(s *claimset.Set) { s.UPN, s.UniqueName = "b", "c" }, with(func(v *policy.Verdict) { v.PreferredUsername = "b" })},
		{"unique_name without both", "", func(s *claimset.Set) { s.UniqueName = "c" }, with(func(v *policy.Verdict) { v.PreferredUsername = "c" })},

		{"acct 1", "", func(s *claimset.Set) { s.Acct, s.HasAcct = 1, true }, guest},
		{"acct 0 beside a foreign idp", "", func(s *claimset.Set) { s.HasAcct, s.IDP = true, "live.com" }, plain},
		{"acct 2", "", func(s *claimset.Set) { s.Acct, s.HasAcct = 2, true }, plain},
		{"a foreign idp", "", func(s *claimset.Set) { s.IDP = "live.com" }, guest},
		{"the issuer as idp", "", func(s *claimset.Set) { s.IDP = testbed.PublicV2 }, plain},
		{"the issuer of version 1.0 as idp", "", func(s *claimset.Set) { s.IDP = testbed.PublicV1 }, plain},
		{"another tenant as idp", "", func(s *claimset.Set) { s.IDP = testbed.PublicOtherV1 }, guest},
		{"a foreign idp of an application", "", func(s *claimset.Set) { application(s); s.IDP = "live.com" }, with(func(v *policy.Verdict) { v.Kind, v.ClientAuth = policy.AppToken, "1" })},

		{"facet 11 of the client", "", func(s *claimset.Set) { s.XmsActFct = "3 11" }, agent},
		{"facet 11 of the subject, an agent that acts for itself", "", func(s *claimset.Set) { application(s); s.XmsSubFct = "9 3 11" }, with(func(v *policy.Verdict) { v.Kind, v.ClientAuth, v.Agent = policy.AppToken, "1", true })},
		{"facet 13 of the user, an account of the agent's own", "", func(s *claimset.Set) { s.XmsSubFct = "13 1" }, with(func(v *policy.Verdict) { v.Agent, v.AgentUser = true, true })},
		{"facet 13 of the client", "", func(s *claimset.Set) { s.XmsActFct = "13" }, agent},
		{"a blueprint alone", "", func(s *claimset.Set) { s.XmsParAppAzp, s.HasXmsParAppAzp = "b1", true }, agent},
		{"an empty blueprint", "", func(s *claimset.Set) { s.HasXmsParAppAzp = true }, agent},
		{"facets that hold those digits", "", func(s *claimset.Set) { s.XmsActFct, s.XmsSubFct = "1 111 130", "11a" }, plain},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.issuer == "" {
				test.issuer = testbed.PublicV2
			}
			set := user(test.issuer)
			test.set(&set)
			test.want.Subject = set.Sub
			if got, err := judge(t, newPolicy(t, nil), set, policy.KeyOwner{}, ""); err != nil || got != test.want {
				t.Errorf("got %+v and %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestAudiences(t *testing.T) {
	const wrong = refuse.Audience
	aud := func(text string) func(*claimset.Set) { return func(s *claimset.Set) { s.Aud = text } }
	only := func(audiences ...string) func(*policy.Config) {
		return func(c *policy.Config) { c.ClientID, c.Audiences = "", audiences }
	}
	orders := only("api://orders")
	run(t, []row{
		{name: "the client ID"},
		{name: "the URI made of it", set: aud(entratest.APIURI)},
		{name: "the client ID where only a URI is accepted", config: orders, want: wrong, says: "set Options.ClientID to it"},
		{name: "a slash in the token", config: orders, set: aud("api://orders/")},
		{name: "a slash in the options", config: only("api://orders/"), set: aud("api://orders")},
		{name: "a slash in both", config: only("api://orders/"), set: aud("api://orders/")},
		{name: "two slashes", config: orders, set: aud("api://orders//"), want: wrong},
		{name: "a path behind", config: orders, set: aud("api://orders/read"), want: wrong},
		{name: "less than the whole", config: orders, set: aud("api://order"), want: wrong},
		{name: "text in front", config: orders, set: aud("xapi://orders"), want: wrong},
		{name: "text behind", config: orders, set: aud("api://orders2"), want: wrong},
		{name: "other case", config: orders, set: aud("API://orders"), want: wrong},
		{name: "a space behind", config: orders, set: aud("api://orders "), want: wrong},
		{name: "a slash alone", config: orders, set: aud("/"), want: wrong},
		{name: "the second of two that are accepted", config: only("api://orders", "https://orders.contoso.example"), set: aud("https://orders.contoso.example")},
		{name: "two audiences, the first of them this API", set: func(s *claimset.Set) { s.AudCount = 2 }, want: wrong, says: "2 audiences"},
		{name: "no audience", set: func(s *claimset.Set) { s.Aud, s.AudCount = "", 0 }, want: wrong, says: "no audience"},
		{name: "an empty audience", set: aud(""), want: wrong},
		{name: "Microsoft Graph", set: aud(entratest.GraphClientID), want: wrong, says: "audience is Microsoft Graph"},
		{name: "Microsoft Graph with a slash", set: aud("https://graph.microsoft.com/"), want: wrong, says: "audience is Microsoft Graph"},
		{name: "another API", set: aud("api://other"), want: wrong, says: "request the scope " + entratest.APIURI + "/.default"},
		{name: "another API, version 1.0", set: func(s *claimset.Set) { *s = user(testbed.PublicV1); s.Aud = "api://other" }, want: wrong, says: "requestedAccessTokenVersion"},
		{name: "another API where no URI is known", config: only("spn:x"), set: aud("api://other"), want: wrong, says: "expected one of spn:x: the client asked for another API's token; if it"},
	})
}

// Where a client is sent to follows from the same configuration as what is accepted.
func TestWhereClientsAreSent(t *testing.T) {
	const public = "https://login.microsoftonline.com/"
	want := map[string]struct {
		signIn  string
		servers []string
	}{
		"one tenant":                        {public + entratest.TenantID, []string{testbed.PublicV2}},
		"several tenants":                   {public + "organizations", []string{testbed.PublicV2, testbed.PublicOtherV2}},
		"any tenant":                        {public + "organizations", []string{public + "organizations/v2.0"}},
		"personal accounts":                 {public + "consumers", []string{testbed.PersonalV2}},
		"US Government":                     {"https://login.microsoftonline.us/" + entratest.TenantID, []string{testbed.GovernmentV2}},
		"China":                             {"https://login.partner.microsoftonline.cn/" + entratest.TenantID, []string{testbed.ChinaV2}},
		"External ID":                       {"https://contoso.ciamlogin.com/" + entratest.TenantID, []string{testbed.ExternalIDIssuer}},
		"External ID on a custom domain":    {"https://login.contoso.example/" + entratest.TenantID, []string{testbed.CustomDomainIssuer}},
		"B2C":                               {"https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin", []string{testbed.B2CIssuer}},
		"B2C with the policy in its issuer": {"https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_signin", []string{testbed.B2CPolicyIssuer}},
		"B2C on a custom domain":            {"https://login.contoso.example/contoso.onmicrosoft.com/B2C_1_signin", []string{testbed.B2CCustomIssuer}},
	}
	for _, p := range places(t) {
		if got, want := p.policy.SignInURL(), want[p.Name].signIn+"/oauth2/v2.0/authorize"; got != want {
			t.Errorf("%s: got the sign-in page %s, want %s", p.Name, got, want)
		}
		if got := p.policy.AuthorizationServers(p.issuer); !slices.Equal(got, want[p.Name].servers) {
			t.Errorf("%s: got the authorization servers %q, want %q", p.Name, got, want[p.Name].servers)
		}
		if p.issuer != "" && p.policy.AuthorizationServers("") != nil {
			t.Errorf("%s: got authorization servers before its metadata was read, want none", p.Name)
		}
	}
}

// A scope has in front of it the first audience that is a URI.
func TestScopePrefix(t *testing.T) {
	for _, test := range []struct {
		clientID  string
		audiences []string
		want      string
	}{
		{entratest.APIClientID, nil, entratest.APIURI + "/"},
		{entratest.APIClientID, []string{"spn:x", "https://orders.contoso.example/", "api://orders"}, "https://orders.contoso.example/"},
		{"", []string{"spn:x"}, ""},
	} {
		p := newPolicy(t, func(c *policy.Config) { c.ClientID, c.Audiences = test.clientID, test.audiences })
		if got := p.ScopePrefix(); got != test.want {
			t.Errorf("audiences %q: got %q, want %q", test.audiences, got, test.want)
		}
	}
}
