package conformance_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

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
	k := entratest.New(t).Key()
	for _, place := range issuerPlaces(k) {
		verifier := place.verifier(t)
		for _, good := range place.accepts {
			for _, lookAlike := range lookAlikes {
				issuer := lookAlike.change(good)
				if issuer == good {
					t.Fatalf("%s: %s does not change %s", place.name, lookAlike.name, good)
				}
				token := testbed.SignClaims(k, testbed.UserClaims(issuer, testbed.TenantOfIssuer(good), testbed.VersionOfIssuer(good)))
				if _, err := verifier.Verify(t.Context(), token); entra.ReasonOf(err) != entra.ReasonIssuer {
					t.Errorf("%s, %s (%q): got reason %q (%v), want issuer", place.name, lookAlike.name, issuer, entra.ReasonOf(err), err)
				}
			}
		}
	}
}

// The other claims that say who issued a token must agree with its issuer.
func TestTenantAndVersionMustFitTheIssuer(t *testing.T) {
	k := entratest.New(t).Key()
	atClouds := func(want entra.Reason) map[bool]entra.Reason {
		return map[bool]entra.Reason{false: want, true: entra.ReasonTenant}
	}
	tests := []struct {
		name   string
		claims map[string]any
		want   map[bool]entra.Reason // by whether an Authority is configured
	}{
		{"nothing changed", nil, map[bool]entra.Reason{}},
		{"no tid", map[string]any{"tid": nil}, map[bool]entra.Reason{false: entra.ReasonTenant}},
		{"an empty tid", map[string]any{"tid": ""}, map[bool]entra.Reason{false: entra.ReasonTenant}},
		{"another tenant's tid", map[string]any{"tid": "33333333-3333-4333-8333-333333333333"}, atClouds(entra.ReasonIssuer)},
		{"a tid in upper case", map[string]any{"tid": "AAAAAAAA-1111-4111-8111-111111111111"}, atClouds(entra.ReasonTenant)},
		{"a tid in braces", map[string]any{"tid": "{" + entratest.TenantID + "}"}, atClouds(entra.ReasonTenant)},
		{"a placeholder as tid", map[string]any{"tid": "{tenantid}"}, atClouds(entra.ReasonTenant)},
		{"a domain as tid", map[string]any{"tid": "contoso.onmicrosoft.com"}, atClouds(entra.ReasonTenant)},
		{"common as tid", map[string]any{"tid": "common"}, atClouds(entra.ReasonTenant)},
		{"a path as tid", map[string]any{"tid": entratest.TenantID + "/" + entratest.OtherTenantID}, atClouds(entra.ReasonTenant)},
		{"white space in the tid", map[string]any{"tid": entratest.TenantID + " "}, atClouds(entra.ReasonTenant)},
		{"a number as tid", map[string]any{"tid": 1}, map[bool]entra.Reason{false: entra.ReasonClaims, true: entra.ReasonClaims}},
		{"no ver", map[string]any{"ver": nil}, map[bool]entra.Reason{false: entra.ReasonVersion, true: entra.ReasonVersion}},
		{"version 3", map[string]any{"ver": "3.0"}, map[bool]entra.Reason{false: entra.ReasonVersion, true: entra.ReasonVersion}},
		{"version 2", map[string]any{"ver": "2"}, map[bool]entra.Reason{false: entra.ReasonVersion, true: entra.ReasonVersion}},
		{"ver as a number", map[string]any{"ver": 2.0}, map[bool]entra.Reason{false: entra.ReasonClaims, true: entra.ReasonClaims}},
		{"no iss", map[string]any{"iss": nil}, map[bool]entra.Reason{false: entra.ReasonIssuer, true: entra.ReasonIssuer}},
		{"two issuers in an array", map[string]any{"iss": []string{testbed.PublicV2}}, map[bool]entra.Reason{false: entra.ReasonClaims, true: entra.ReasonClaims}},
	}
	for _, place := range issuerPlaces(k) {
		verifier := place.verifier(t)
		for _, test := range tests {
			claims := testbed.UserClaims(place.accepts[0], testbed.TenantOfIssuer(place.accepts[0]), testbed.VersionOfIssuer(place.accepts[0]))
			for name, value := range test.claims {
				claims[name] = value
			}
			_, err := verifier.Verify(t.Context(), testbed.SignClaims(k, claims))
			want := test.want[place.options.Authority != ""]
			if got := entra.ReasonOf(err); got != want {
				t.Errorf("%s, %s: got reason %q (%v), want %q", place.name, test.name, got, err, want)
			}
		}
	}
}
