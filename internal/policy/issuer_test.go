package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// place is a kind of configuration, the policy that follows from it, and the issuer that its metadata names.
type place struct {
	testbed.Place
	policy *policy.Policy
	issuer string // "" where no metadata is read
}

func places(t *testing.T) (all []place) {
	t.Helper()
	for _, p := range testbed.Places() {
		made := place{Place: p, policy: newPolicy(t, func(c *policy.Config) {
			c.Tenants, c.AllowAnyTenant = p.Options.Tenants, p.Options.AllowAnyTenant
			c.Cloud, c.Authority = policy.Cloud(p.Options.Cloud), p.Options.Authority
		})}
		if p.Options.Authority != "" {
			made.issuer = p.Accepts[0]
		}
		all = append(all, made)
	}
	return all
}

// judge returns the reason why the place refuses a set, "" for none.
func (p place) judge(t *testing.T, set claimset.Set) (reason string, err error) {
	t.Helper()
	_, err = judge(t, p.policy, set, policy.KeyOwner{}, p.issuer)
	return reasonOf(err), err
}

// want is what the place must say to a token of this issuer and version, whose tid fits the issuer.
func (p place) want(issuer, version string) string {
	switch {
	case !slices.Contains(p.Accepts, issuer) && !slices.Contains(p.Strangers, issuer):
		return refuse.Issuer
	// The authorities of External ID and B2C name versions as they like.
	case p.issuer == "" && version != testbed.VersionOfIssuer(issuer):
		return refuse.Version
	case slices.Contains(p.Strangers, issuer):
		return refuse.Tenant
	}
	return ""
}

func TestIssuersOfEveryCloudAndAuthority(t *testing.T) {
	issuers := []string{
		testbed.PublicV2, testbed.PublicV1, testbed.PublicOtherV2, testbed.PublicOtherV1, testbed.PersonalV2, testbed.PersonalV1, testbed.GovernmentV2, testbed.ChinaV2, testbed.ChinaV1,
		testbed.ExternalIDIssuer, testbed.CustomDomainIssuer, testbed.B2CIssuer, testbed.B2CPolicyIssuer, testbed.B2CCustomIssuer,
	}
	for _, host := range []string{
		"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
		"login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com",
		"login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "sts.chinacloudapi.cn",
		"login.microsoftonline.de", "login.sovcloud-identity.fr", "login.windows-ppe.net", "contoso.ciamlogin.com",
	} {
		for _, form := range []string{"/" + entratest.TenantID + "/v2.0", "/" + entratest.TenantID + "/"} {
			if issuer := "https://" + host + form; !slices.Contains(issuers, issuer) {
				issuers = append(issuers, issuer)
			}
		}
	}
	for _, p := range places(t) {
		for _, issuer := range issuers {
			for _, version := range []string{"1.0", "2.0"} {
				set := user(issuer)
				set.Ver = version
				if got, err := p.judge(t, set); got != p.want(issuer, version) {
					t.Errorf("%s, issuer %s, ver %s: got reason %q (%v), want %q", p.Name, issuer, version, got, err, p.want(issuer, version))
				}
			}
		}
	}
}

// lookAlikes are changes that make another issuer out of a good one, however alike the two look.
var lookAlikes = []struct {
	name   string
	change func(issuer string) string
}{
	{"empty", func(string) string { return "" }},
	{"plain http", func(s string) string { return strings.Replace(s, "https:", "http:", 1) }},
	{"upper-case scheme", func(s string) string { return strings.Replace(s, "https:", "HTTPS:", 1) }},
	{"no scheme", func(s string) string { return strings.TrimPrefix(s, "https:") }},
	{"upper-case host", func(s string) string { return onHost(s, strings.ToUpper) }},
	{"upper case throughout", strings.ToUpper},
	{"a slash too many or too few", func(s string) string {
		if trimmed, found := strings.CutSuffix(s, "/"); found {
			return trimmed
		}
		return s + "/"
	}},
	{"two slashes at the end", func(s string) string { return s + "//" }},
	{"two slashes behind the host", func(s string) string { return onHost(s, func(h string) string { return h + "/" }) }},
	{"three slashes before the host", func(s string) string { return strings.Replace(s, "https://", "https:///", 1) }},
	{"the default port", func(s string) string { return onHost(s, func(h string) string { return h + ":443" }) }},
	{"another port", func(s string) string { return onHost(s, func(h string) string { return h + ":8443" }) }},
	{"an empty port", func(s string) string { return onHost(s, func(h string) string { return h + ":" }) }},
	{"user info", func(s string) string { return onHost(s, func(h string) string { return "admin@" + h }) }},
	{"the host as user info", func(s string) string { return onHost(s, func(h string) string { return h + "@evil.example" }) }},
	{"the host as a subdomain", func(s string) string { return onHost(s, func(h string) string { return h + ".evil.example" }) }},
	{"a longer host", func(s string) string { return onHost(s, func(h string) string { return "evil" + h }) }},
	{"a subdomain of the host", func(s string) string { return onHost(s, func(h string) string { return "evil." + h }) }},
	{"the root's dot", func(s string) string { return onHost(s, func(h string) string { return h + "." }) }},
	{"a Cyrillic letter", func(s string) string {
		return onHost(s, func(h string) string { return strings.Replace(h, "o", "о", 1) })
	}},
	{"a host beside the path", func(s string) string { return strings.Replace(s, "https://", "https://evil.example/", 1) }},
	{"a query", func(s string) string { return s + "?" }},
	{"a query with a policy", func(s string) string { return s + "?p=b2c_1_other" }},
	{"a fragment", func(s string) string { return s + "#" }},
	{"white space before it", func(s string) string { return " " + s }},
	{"white space behind it", func(s string) string { return s + " " }},
	{"a line break behind it", func(s string) string { return s + "\n" }},
	{"a zero byte behind it", func(s string) string { return s + "\x00" }},
	{"a placeholder for the tenant", inPlaceOfTenant("{tenantid}")},
	{"a placeholder in upper case", inPlaceOfTenant("{TENANTID}")},
	{"an escaped placeholder", inPlaceOfTenant("%7Btenantid%7D")},
	{"common for the tenant", inPlaceOfTenant("common")},
	{"organizations for the tenant", inPlaceOfTenant("organizations")},
	{"no tenant", inPlaceOfTenant("")},
	{"a domain for the tenant", inPlaceOfTenant("contoso.onmicrosoft.com")},
	{"a foreign tenant", inPlaceOfTenant("33333333-3333-4333-8333-333333333333")},
	{"the tenant in braces", inPlaceOfTenant("{" + entratest.TenantID + "}")},
	{"the tenant without hyphens", inPlaceOfTenant(strings.ReplaceAll(entratest.TenantID, "-", ""))},
	{"two tenants", inPlaceOfTenant(entratest.TenantID + "/" + entratest.OtherTenantID)},
	{"the tenant behind a dot segment", inPlaceOfTenant("./" + entratest.TenantID)},
	{"the tenant behind another and a way up", inPlaceOfTenant(entratest.OtherTenantID + "/../" + entratest.TenantID)},
	{"the tenant with a digit escaped", inPlaceOfTenant("%31" + entratest.TenantID[1:])},
	{"back slashes", func(s string) string { return strings.ReplaceAll(s, "/", `\`) }},
	{"an application ID behind it", func(s string) string { return strings.TrimSuffix(s, "/") + "/" + entratest.APIClientID }},
	{"an upper-case version", func(s string) string { return strings.TrimSuffix(s, "/") + "/V2.0" }},
	{"version 1.1", func(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "/"), "/v2.0") + "/v1.1" }},
	{"two issuers", func(s string) string { return s + " " + s }},
}

// onHost changes the host of an issuer.
func onHost(issuer string, change func(string) string) string {
	host, path, _ := strings.Cut(strings.TrimPrefix(issuer, "https://"), "/")
	return "https://" + change(host) + "/" + path
}

// inPlaceOfTenant replaces the tenant wherever an issuer names it.
func inPlaceOfTenant(text string) func(string) string {
	return func(issuer string) string {
		for _, tenant := range []string{entratest.TenantID, entratest.OtherTenantID, entra.PersonalAccounts} {
			issuer = strings.ReplaceAll(issuer, "/"+tenant, "/"+text)
		}
		return issuer
	}
}

func TestIssuersThatOnlyLookGood(t *testing.T) {
	for _, p := range places(t) {
		for _, good := range p.Accepts {
			for _, lookAlike := range lookAlikes {
				set := user(good)
				set.Iss = lookAlike.change(good)
				if set.Iss == good {
					t.Fatalf("%s: %s does not change %s", p.Name, lookAlike.name, good)
				}
				if got, err := p.judge(t, set); got != refuse.Issuer {
					t.Errorf("%s, %s (%q): got reason %q (%v), want issuer", p.Name, lookAlike.name, set.Iss, got, err)
				}
			}
		}
	}
}

// The other claims that say who issued a token must agree with its issuer.
func TestTenantAndVersionMustFitTheIssuer(t *testing.T) {
	const issuer, tenant, version = refuse.Issuer, refuse.Tenant, refuse.Version
	tid := func(id string) func(*claimset.Set) { return func(s *claimset.Set) { s.Tid = id } }
	ver := func(text string) func(*claimset.Set) { return func(s *claimset.Set) { s.Ver = text } }
	tests := []struct {
		name      string
		change    func(*claimset.Set)
		clouds    string // the reason at a cloud
		authority string // and at an authority of its own
	}{
		{"nothing changed", func(*claimset.Set) {}, "", ""},
		{"no tid", tid(""), tenant, ""},
		{"another tenant's tid", tid("33333333-3333-4333-8333-333333333333"), issuer, tenant},
		{"a tid in upper case", tid("AAAAAAAA-1111-4111-8111-111111111111"), tenant, tenant},
		{"a tid in braces", tid("{" + entratest.TenantID + "}"), tenant, tenant},
		{"a placeholder as tid", tid("{tenantid}"), tenant, tenant},
		{"a domain as tid", tid("contoso.onmicrosoft.com"), tenant, tenant},
		{"common as tid", tid("common"), tenant, tenant},
		{"a path as tid", tid(entratest.TenantID + "/" + entratest.OtherTenantID), tenant, tenant},
		{"white space in the tid", tid(entratest.TenantID + " "), tenant, tenant},
		{"no ver", ver(""), version, version},
		{"version 3", ver("3.0"), version, version},
		{"version 2", ver("2"), version, version},
		{"a space behind the version", ver("2.0 "), version, version},
		{"no iss", func(s *claimset.Set) { s.Iss = "" }, issuer, issuer},
	}
	for _, p := range places(t) {
		for _, test := range tests {
			set := user(p.Accepts[0])
			test.change(&set)
			want := test.clouds
			if p.issuer != "" {
				want = test.authority
			}
			if got, err := p.judge(t, set); got != want {
				t.Errorf("%s, %s: got reason %q (%v), want %q", p.Name, test.name, got, err, want)
			}
		}
	}
}

// As long as no metadata was read no issuer is right, not even an empty one.
func TestAnAuthorityWithoutMetadataAcceptsNobody(t *testing.T) {
	for _, p := range places(t) {
		if p.issuer == "" {
			continue
		}
		for _, issuer := range []string{p.issuer, ""} {
			set := user(p.issuer)
			set.Iss = issuer
			if _, err := judge(t, p.policy, set, policy.KeyOwner{}, ""); reasonOf(err) != refuse.Issuer {
				t.Errorf("%s, iss %q: got reason %q (%v), want issuer", p.Name, issuer, reasonOf(err), err)
			}
		}
	}
}
