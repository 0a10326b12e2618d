package entra_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestLifetime(t *testing.T) {
	const (
		claims  = entra.ReasonClaims
		expired = entra.ReasonExpired
		early   = entra.ReasonNotYetValid
	)
	// in puts a date that many seconds from now into a claim.
	in := func(name string, seconds float64) entratest.TokenOption {
		return entratest.Claim(name, float64(bubbleStart.Unix())+seconds)
	}
	number := func(name, text string) []entratest.TokenOption {
		return with(entratest.Claim(name, json.RawMessage(text)))
	}
	skew := func(d time.Duration) func(*entra.Options) { return func(o *entra.Options) { o.ClockSkew = d } }
	rows := []row{
		{rule: "R49 S2a", name: "no exp", token: with(entratest.Without("exp")), want: claims, says: "no exp"},
		{rule: "R49", name: "exp one hour ago", token: with(entratest.Expired()), want: expired, says: "1h0m0s ago (clock skew allowed: 1m0s)"},
		{rule: "R49 R52", name: "exp just within the skew of a minute", token: with(in("exp", -59.5), entratest.Without("nbf"))},
		{rule: "R49 R52", name: "exp exactly at the skew", token: with(in("exp", -60)), want: expired},
		{rule: "R49", name: "exp just beyond the skew", token: with(in("exp", -60.5)), want: expired},
		{rule: "R52", name: "exp now, without skew", token: with(in("exp", 0)), options: skew(-1), want: expired},
		{rule: "R52", name: "exp half a second ahead, without skew", token: with(in("exp", 0.5)), options: skew(-time.Hour)},
		{rule: "R52", name: "exp within a skew of five minutes", token: with(in("exp", -299), entratest.Without("nbf")), options: skew(5 * time.Minute)},
		{rule: "R52", name: "exp beyond a skew of a second", token: with(in("exp", -1)), options: skew(time.Second), want: expired},

		{rule: "R50", name: "nbf one hour ahead", token: with(entratest.NotYetValid()), want: early, says: "1h0m0s ahead of this machine's clock"},
		{rule: "R50", name: "nbf exactly at the skew", token: with(in("nbf", 60))},
		{rule: "R50", name: "nbf just beyond the skew", token: with(in("nbf", 60.5)), want: early, says: "nbf"},
		{rule: "R50", name: "nbf ahead, without skew", token: with(in("nbf", 0.5)), options: skew(-1), want: early},
		{rule: "R50", name: "no nbf", token: with(entratest.Without("nbf"))},
		{rule: "R50", name: "nbf 1970", token: number("nbf", "0")},

		{rule: "R51", name: "iat exactly at the skew", token: with(in("iat", 60))},
		{rule: "R51", name: "iat just beyond the skew", token: with(in("iat", 60.5)), want: early, says: "iat"},
		{rule: "R51 S2d", name: "iat two hours ahead", token: with(in("iat", 7200)), want: early},
		{rule: "R51", name: "no iat", token: with(entratest.Without("iat"))},
		{rule: "R51", name: "no iat and no nbf", token: with(entratest.Without("iat", "nbf"))},

		{rule: "R53", name: "nbf behind exp", token: with(in("nbf", 30), in("exp", 29)), want: claims, says: "nbf is after its exp"},
		{rule: "R53", name: "nbf and exp at one time", token: with(in("nbf", 30), in("exp", 30))},

		{rule: "R54", name: "exp as text", token: with(entratest.Claim("exp", "4102444800")), want: claims, says: "exp is a string"},
		{rule: "R54", name: "nbf as text", token: with(entratest.Claim("nbf", "1")), want: claims},
		{rule: "R54", name: "iat as text", token: with(entratest.Claim("iat", "1")), want: claims},
		{rule: "R54", name: "exp as an array", token: number("exp", "[4102444800]"), want: claims},
		{rule: "R54", name: "exp true", token: number("exp", "true"), want: claims},
		{rule: "R54", name: "exp with a fraction", token: number("exp", "4102444800.25")},
		{rule: "R54", name: "exp with an exponent", token: number("exp", "4.1e9")},
		{rule: "R54", name: "exp with a leading zero", payload: func(s string) string { return strings.Replace(s, `"exp":`, `"exp":0`, 1) }, want: claims},
		{rule: "R54", name: "exp at the end of the year 9999", token: number("exp", "253402300799")},
		{rule: "R54", name: "exp in the year 10000", token: number("exp", "253402300800"), want: claims, says: "9999"},
		{rule: "R54", name: "exp in milliseconds", token: number("exp", "4102444800000"), want: claims},
		{rule: "R54", name: "exp 2^63, which overflows", token: number("exp", "9223372036854775808"), want: claims},
		{rule: "R54", name: "exp 2^64", token: number("exp", "18446744073709551616"), want: claims},
		{rule: "R54", name: "exp 1e300", token: number("exp", "1e300"), want: claims},
		{rule: "R54", name: "exp beyond all numbers", token: number("exp", "1e999"), want: claims},
		{rule: "R54", name: "exp -1", token: number("exp", "-1"), want: claims},
		{rule: "R54", name: "exp -2^63", token: number("exp", "-9223372036854775808"), want: claims},
		{rule: "R54", name: "exp 1970", token: number("exp", "0"), want: expired},
		{rule: "R54", name: "nbf -1", token: number("nbf", "-1"), want: claims},
		{rule: "R54", name: "nbf 2^63, which overflows", token: number("nbf", "9223372036854775808"), want: claims},
		{rule: "R54", name: "iat 2^63, which overflows", token: number("iat", "9223372036854775808"), want: claims},
		{rule: "R54", name: "iat in the year 10000", token: number("iat", "253402300800"), want: claims},

		{rule: "R55", name: "a lifetime of 28 hours", token: with(entratest.Lifetime(28 * time.Hour))},
		{rule: "R55", name: "27 hours into a lifetime of 28", token: with(in("iat", -27*3600), in("nbf", -27*3600), in("exp", 3600))},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { r.run(t, entratest.New(t)) })
		})
	}
}

// bubbleStart is the time at which every synctest bubble starts.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

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
	judge(t, []row{
		{rule: "R25 R26", name: "version 2.0"},
		{rule: "R25 R26", name: "version 1.0", token: v1()},
		{rule: "R26", name: "no issuer", token: with(entratest.Without("iss")), want: issuer},
		{rule: "R26", name: "an empty issuer", token: iss(""), want: issuer},
		{rule: "R26", name: "another issuer", token: iss("https://evil.example/" + own + "/v2.0"), want: issuer, says: v2Host + own + "/v2.0 or " + v1Host + own + "/"},
		{rule: "R26", name: "the issuer with a slash", token: iss(v2Host + own + "/v2.0/"), want: issuer},
		{rule: "R26", name: "the issuer in other case", token: iss("https://login.MicrosoftOnline.com/" + own + "/v2.0"), want: issuer},
		{rule: "R26", name: "the issuer over http", token: iss("http://login.microsoftonline.com/" + own + "/v2.0"), want: issuer},
		{rule: "R26", name: "the issuer with a port", token: iss("https://login.microsoftonline.com:443/" + own + "/v2.0"), want: issuer},
		{rule: "R26", name: "the issuer with text behind", token: iss(v2Host + own + "/v2.0?x"), want: issuer},
		{rule: "R26", name: "the issuer behind other text", token: iss("https://evil.example/" + v2Host + own + "/v2.0"), want: issuer},
		{rule: "R26", name: "version 1.0 without a slash", token: v1(entratest.Claim("iss", v1Host+own)), want: issuer},
		{rule: "R26", name: "version 1.1", token: iss(v2Host + own + "/v1.1"), want: issuer},
		{rule: "R12 R26", name: "an alias of the login host", token: iss("https://login.windows.net/" + own + "/v2.0"), want: issuer},
		{rule: "R12 R26", name: "the government's issuer", token: iss("https://login.microsoftonline.us/" + own + "/v2.0"), want: issuer},
		{rule: "R12 R26", name: "China's issuer", token: v1(entratest.Claim("iss", "https://sts.chinacloudapi.cn/"+own+"/")), want: issuer},
		{rule: "R26", name: "a B2C issuer", token: iss("https://contoso.b2clogin.com/" + own + "/v2.0/"), want: issuer},

		{rule: "R27", name: "no tid", token: with(entratest.Without("tid")), want: tenant, says: "GUID"},
		{rule: "R27", name: "an empty tid", token: tid(""), want: tenant},
		{rule: "R27", name: "a tid in upper case", token: tid(strings.ToUpper("abcdefab-1111-4111-8111-111111111111")), want: tenant},
		{rule: "R27", name: "a domain as tid", token: with(entratest.Tenant("contoso.example")), want: tenant},
		{rule: "R27", name: "a GUID in braces as tid", token: tid("{" + own + "}"), want: tenant},
		{rule: "R27", name: "a GUID with a letter beyond f", token: tid("g1111111-1111-4111-8111-111111111111"), want: tenant},
		{rule: "R27", name: "a GUID with dashes elsewhere", token: tid("1111111-11111-4111-8111-111111111111"), want: tenant},
		{rule: "R27", name: "the template as tid and issuer", token: with(entratest.Tenant("{tenantid}")), want: tenant},
		{rule: "R27", name: "the template as issuer", token: iss(v2Host + "{tenantid}/v2.0"), want: issuer},
		{rule: "R27", name: "a tid with a slash", token: with(entratest.Tenant(own + "/x")), want: tenant},

		{rule: "R28", name: "the issuer of another tenant", token: iss(v2Host + other + "/v2.0"), want: issuer},
		{rule: "R28", name: "the issuer of another accepted tenant", token: iss(v2Host + other + "/v2.0"), options: tenants(own, other), want: issuer},
		{rule: "R28", name: "the tid of another tenant", token: tid(other), want: issuer},
		{rule: "R28", name: "the tid of another tenant, version 1.0", token: v1(entratest.Claim("tid", other)), want: issuer},
		{rule: "R26", name: "a token of another tenant", token: with(entratest.Tenant(other)), want: tenant, says: "add it to Options.Tenants"},
		{rule: "R26", name: "a token of another tenant, version 1.0", token: v1(entratest.Tenant(other)), want: tenant},
		{rule: "R26", name: "a token of a second accepted tenant", token: with(entratest.Tenant(other)), options: tenants(own, other)},

		{rule: "R29", name: "version 1.0 of issuer 2.0", token: with(entratest.Claim("ver", "1.0")), want: version, says: `ver is "1.0"; expected 2.0`},
		{rule: "R29", name: "version 2.0 of issuer 1.0", token: v1(entratest.Claim("ver", "2.0")), want: version, says: "expected 1.0"},
		{rule: "R57", name: "no version", token: with(entratest.Without("ver")), want: version},
		{rule: "R57", name: "an empty version", token: with(entratest.Claim("ver", "")), want: version},
		{rule: "R57", name: "version 3.0", token: with(entratest.Claim("ver", "3.0")), want: version},
		{rule: "R57", name: "version 2", token: with(entratest.Claim("ver", "2")), want: version},

		{rule: "R31", name: "a personal account", token: with(entratest.Personal()), keys: personalKeyEverywhere, want: tenant, says: "entra.PersonalAccounts"},
		{rule: "R31", name: "a personal account where those are welcome", token: with(entratest.Personal()), options: tenants(own, entra.PersonalAccounts)},
		{rule: "R31", name: "a personal account where only those are welcome", token: with(entratest.Personal()), options: tenants(entra.PersonalAccounts)},
		{rule: "R31 R60", name: "a personal account, version 1.0", token: v1(entratest.Personal()), options: tenants(own, entra.PersonalAccounts), want: issuer, says: "version 2.0 tokens only"},
		{rule: "R31", name: "a tenant's token where only personal accounts are welcome", options: tenants(entra.PersonalAccounts), keys: keyForConsumers, want: tenant},
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
			verifier := newVerifier(t, tenant, func(o *entra.Options) {
				o.Tenants = []string{strings.ToUpper(directory)}
				change(o)
			})
			claims := accepted(t, verifier, tenant.Token(entratest.Audience(client)))
			if claims.TenantID != directory || claims.Audience != client {
				t.Errorf("got tenant %q and audience %q, want %q and %q", claims.TenantID, claims.Audience, directory, client)
			}
			refused(t, verifier, tenant.Token(entratest.Audience(strings.ToUpper(client))), entra.ReasonAudience, "")
		})
	}
}
