package conformance_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestIssuerTenantAndVersion(t *testing.T) {
	const (
		issuer  = entra.ReasonIssuer
		tenant  = entra.ReasonTenant
		version = entra.ReasonVersion
		own     = entratest.TenantID
		other   = entratest.OtherTenantID
		v2Host  = "https://login.microsoftonline.com/"
		v1Host  = "https://sts.windows.net/"
	)
	iss := func(text string) []entratest.TokenOption { return with(entratest.Claim("iss", text)) }
	tid := func(value any) []entratest.TokenOption { return with(entratest.Claim("tid", value)) }
	v1 := func(options ...entratest.TokenOption) []entratest.TokenOption { return append(options, entratest.V1()) }
	tenants := func(ids ...string) func(*entra.Options) {
		return func(o *entra.Options) { o.Tenants = ids }
	}
	testbed.Judge(t, []testbed.Row{
		{Rule: "R25 R26", Name: "version 2.0"},
		{Rule: "R25 R26", Name: "version 1.0", Token: v1()},
		{Rule: "R26", Name: "no issuer", Token: with(entratest.Without("iss")), Want: issuer},
		{Rule: "R26", Name: "an empty issuer", Token: iss(""), Want: issuer},
		{Rule: "R26", Name: "another issuer", Token: iss("https://evil.example/" + own + "/v2.0"), Want: issuer, Says: v2Host + own + "/v2.0 or " + v1Host + own + "/"},
		{Rule: "R26", Name: "the issuer with a slash", Token: iss(v2Host + own + "/v2.0/"), Want: issuer},
		{Rule: "R26", Name: "the issuer in other case", Token: iss("https://login.MicrosoftOnline.com/" + own + "/v2.0"), Want: issuer},
		{Rule: "R26", Name: "the issuer over http", Token: iss("http://login.microsoftonline.com/" + own + "/v2.0"), Want: issuer},
		{Rule: "R26", Name: "the issuer with a port", Token: iss("https://login.microsoftonline.com:443/" + own + "/v2.0"), Want: issuer},
		{Rule: "R26", Name: "the issuer with text behind", Token: iss(v2Host + own + "/v2.0?x"), Want: issuer},
		{Rule: "R26", Name: "the issuer behind other text", Token: iss("https://evil.example/" + v2Host + own + "/v2.0"), Want: issuer},
		{Rule: "R26", Name: "version 1.0 without a slash", Token: v1(entratest.Claim("iss", v1Host+own)), Want: issuer},
		{Rule: "R26", Name: "version 1.1", Token: iss(v2Host + own + "/v1.1"), Want: issuer},
		{Rule: "R12 R26", Name: "an alias of the login host", Token: iss("https://login.windows.net/" + own + "/v2.0"), Want: issuer},
		{Rule: "R12 R26", Name: "the government's issuer", Token: iss("https://login.microsoftonline.us/" + own + "/v2.0"), Want: issuer},
		{Rule: "R12 R26", Name: "China's issuer", Token: v1(entratest.Claim("iss", "https://sts.chinacloudapi.cn/"+own+"/")), Want: issuer},
		{Rule: "R26", Name: "a B2C issuer", Token: iss("https://contoso.b2clogin.com/" + own + "/v2.0/"), Want: issuer},

		{Rule: "R27", Name: "no tid", Token: with(entratest.Without("tid")), Want: tenant, Says: "GUID"},
		{Rule: "R27", Name: "an empty tid", Token: tid(""), Want: tenant},
		{Rule: "R27", Name: "a tid in upper case", Token: tid(strings.ToUpper("abcdefab-1111-4111-8111-111111111111")), Want: tenant},
		{Rule: "R27", Name: "a domain as tid", Token: with(entratest.Tenant("contoso.example")), Want: tenant},
		{Rule: "R27", Name: "a GUID in braces as tid", Token: tid("{" + own + "}"), Want: tenant},
		{Rule: "R27", Name: "a GUID with a letter beyond f", Token: tid("g1111111-1111-4111-8111-111111111111"), Want: tenant},
		{Rule: "R27", Name: "a GUID with dashes elsewhere", Token: tid("1111111-11111-4111-8111-111111111111"), Want: tenant},
		{Rule: "R27", Name: "the template as tid and issuer", Token: with(entratest.Tenant("{tenantid}")), Want: tenant},
		{Rule: "R27", Name: "the template as issuer", Token: iss(v2Host + "{tenantid}/v2.0"), Want: issuer},
		{Rule: "R27", Name: "a tid with a slash", Token: with(entratest.Tenant(own + "/x")), Want: tenant},

		{Rule: "R28", Name: "the issuer of another tenant", Token: iss(v2Host + other + "/v2.0"), Want: issuer},
		{Rule: "R28", Name: "the issuer of another accepted tenant", Token: iss(v2Host + other + "/v2.0"), Options: tenants(own, other), Want: issuer},
		{Rule: "R28", Name: "the tid of another tenant", Token: tid(other), Want: issuer},
		{Rule: "R28", Name: "the tid of another tenant, version 1.0", Token: v1(entratest.Claim("tid", other)), Want: issuer},
		{Rule: "R26", Name: "a token of another tenant", Token: with(entratest.Tenant(other)), Want: tenant, Says: "add it to Options.Tenants"},
		{Rule: "R26", Name: "a token of another tenant, version 1.0", Token: v1(entratest.Tenant(other)), Want: tenant},
		{Rule: "R26", Name: "a token of a second accepted tenant", Token: with(entratest.Tenant(other)), Options: tenants(own, other)},

		{Rule: "R29", Name: "version 1.0 of issuer 2.0", Token: with(entratest.Claim("ver", "1.0")), Want: version, Says: `ver is "1.0"; expected 2.0`},
		{Rule: "R29", Name: "version 2.0 of issuer 1.0", Token: v1(entratest.Claim("ver", "2.0")), Want: version, Says: "expected 1.0"},
		{Rule: "R57", Name: "no version", Token: with(entratest.Without("ver")), Want: version},
		{Rule: "R57", Name: "an empty version", Token: with(entratest.Claim("ver", "")), Want: version},
		{Rule: "R57", Name: "version 3.0", Token: with(entratest.Claim("ver", "3.0")), Want: version},
		{Rule: "R57", Name: "version 2", Token: with(entratest.Claim("ver", "2")), Want: version},

		{Rule: "R31", Name: "a personal account", Token: with(entratest.Personal()), Keys: personalKeyEverywhere, Want: tenant, Says: "entra.PersonalAccounts"},
		{Rule: "R31", Name: "a personal account where those are welcome", Token: with(entratest.Personal()), Options: tenants(own, entra.PersonalAccounts)},
		{Rule: "R31", Name: "a personal account where only those are welcome", Token: with(entratest.Personal()), Options: tenants(entra.PersonalAccounts)},
		{Rule: "R31 R60", Name: "a personal account, version 1.0", Token: v1(entratest.Personal()), Options: tenants(own, entra.PersonalAccounts), Want: issuer, Says: "version 2.0 tokens only"},
		{Rule: "R31", Name: "a tenant's token where only personal accounts are welcome", Options: tenants(entra.PersonalAccounts), Keys: keyForConsumers, Want: tenant},
	})
}

// personalKeyEverywhere lets every document list the key of personal accounts, as Entra's documents of tenants do not.
func personalKeyEverywhere(s *entratest.Server) {
	s.SetKeys(s.Key(), s.PersonalKey().With("issuer", nil))
}

// keyForConsumers lets the document of personal accounts list the key of tenants.
func keyForConsumers(s *entratest.Server) {
	s.SetKeys(s.Key().With("issuer", "https://login.microsoftonline.com/"+entratest.PersonalTenantID+"/v2.0"))
}

func TestIDsAreConfiguredInAnyCase(t *testing.T) {
	t.Attr("rule", "R27 R44")
	const directory, client = "abcdefab-1111-4111-8111-111111111111", "fedcbafe-2222-4222-8222-222222222222"
	tenant := entratest.New(t, entratest.Config{TenantID: directory})
	for name, change := range map[string]func(*entra.Options){
		"ClientID":  func(o *entra.Options) { o.ClientID = strings.ToUpper(client) },
		"Audiences": func(o *entra.Options) { o.ClientID, o.Audiences = "", []string{strings.ToUpper(client)} },
	} {
		t.Run(name, func(t *testing.T) {
			verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.Tenants = []string{strings.ToUpper(directory)}
				change(o)
			})
			claims := testbed.Accepted(t, verifier, tenant.Token(entratest.Audience(client)))
			if claims.TenantID != directory || claims.Audience != client {
				t.Errorf("got tenant %q and audience %q, want %q and %q", claims.TenantID, claims.Audience, directory, client)
			}
			testbed.Refused(t, verifier, tenant.Token(entratest.Audience(strings.ToUpper(client))), entra.ReasonAudience, "")
		})
	}
}
