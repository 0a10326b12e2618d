package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// A place expects the issuers that it accepts, however alike others look.
func TestEachPlaceExpectsItsIssuers(t *testing.T) {
	for _, p := range places(t) {
		for _, issuer := range p.Accepts {
			if got := p.policy.Expects(issuer, p.issuer); got != policy.Yes {
				t.Errorf("%s, %s: got expectation %d, want yes", p.Name, issuer, got)
			}
			for _, lookAlike := range lookAlikes {
				changed := lookAlike.change(issuer)
				// Any tenant is expected of a Verifier for any, and is judged by its tid.
				if got := p.policy.Expects(changed, p.issuer); got != policy.No && !(p.Options.AllowAnyTenant && lookAlike.name == "a foreign tenant") {
					t.Errorf("%s, %s (%q): got expectation %d, want no", p.Name, lookAlike.name, changed, got)
				}
			}
		}
		for _, issuer := range p.Strangers {
			if got := p.policy.Expects(issuer, p.issuer); got != policy.No {
				t.Errorf("%s, the stranger %s: got expectation %d, want no", p.Name, issuer, got)
			}
		}
	}
}

// Before its metadata was read an authority may be the issuer of what its own host says, and of nothing else.
func TestAnAuthorityPerhapsExpectsWhatItsHostSays(t *testing.T) {
	const home, other = entratest.TenantID, entratest.OtherTenantID
	for _, test := range []struct {
		authority, issuer string
		want              policy.Expectation
	}{
		{testbed.ExternalID, testbed.ExternalIDIssuer, policy.Perhaps},
		{testbed.ExternalID, testbed.ExternalID, policy.Perhaps},
		{testbed.ExternalID, "https://CONTOSO.ciamlogin.com/" + home + "/v2.0", policy.Perhaps},
		{testbed.ExternalID, "https://" + other + ".ciamlogin.com/" + other + "/v2.0", policy.No},
		{testbed.ExternalID, "https://contoso.ciamlogin.com/" + other + "/v2.0", policy.No},
		{testbed.ExternalID, "https://fabrikam.ciamlogin.com/" + home + "/v2.0", policy.No},
		{testbed.ExternalID, "http://contoso.ciamlogin.com/" + home + "/v2.0", policy.No},
		{testbed.ExternalID, "https://admin@contoso.ciamlogin.com/" + home + "/v2.0", policy.No},
		{testbed.ExternalID, "https://contoso.ciamlogin.com.evil.example/" + home + "/v2.0", policy.No},
		{testbed.ExternalID, "https://contoso.ciamlogin.com:8443/" + home + "/v2.0", policy.No},
		{testbed.ExternalID, testbed.PublicV2, policy.No},
		{testbed.ExternalID, "", policy.No},
		{testbed.ExternalID, "://", policy.No},
		{testbed.B2C, testbed.B2CIssuer, policy.Perhaps},
		{testbed.B2C, testbed.B2CPolicyIssuer, policy.Perhaps},
		{testbed.B2C, testbed.B2CCustomIssuer, policy.No},
		{testbed.B2C, "https://evil.example/" + home + "/v2.0/", policy.No},
	} {
		p := newPolicy(t, at(test.authority))
		if got := p.Expects(test.issuer, ""); got != test.want {
			t.Errorf("%s, issuer %q: got expectation %d, want %d", test.authority, test.issuer, got, test.want)
		}
		// Once the metadata is known, nothing but its issuer will do.
		if got := p.Expects(test.issuer, "https://known.example/"); got != policy.No {
			t.Errorf("%s, issuer %q beside a known one: got expectation %d, want no", test.authority, test.issuer, got)
		}
	}
}

// Whoever accepts one issuer with another must not stand beside it.
func TestOverlap(t *testing.T) {
	tenants := func(ids ...string) func(*policy.Config) { return func(c *policy.Config) { c.Tenants = ids } }
	anyTenant := func(c *policy.Config) { c.Tenants, c.AllowAnyTenant = nil, true }
	in := func(cloud policy.Cloud, change func(*policy.Config)) func(*policy.Config) {
		return func(c *policy.Config) { change(c); c.Cloud = cloud }
	}
	const home, other, personal = entratest.TenantID, entratest.OtherTenantID, policy.PersonalAccounts
	for _, test := range []struct {
		name string
		a, b func(*policy.Config)
		says string // "" for none
	}{
		{"two tenants", tenants(home), tenants(other), ""},
		{"a tenant twice", tenants(home), tenants(other, home), "both accept https://"},
		{"a tenant and any", tenants(home), anyTenant, "both accept"},
		{"any twice", anyTenant, anyTenant, "both accept every tenant"},
		{"any and personal accounts", anyTenant, tenants(personal), ""},
		{"personal accounts twice", tenants(personal), tenants(home, personal), "both accept"},
		{"a tenant in two clouds that share version 1.0 issuers", tenants(home), in(policy.USGovernment, tenants(home)), "both accept https://sts.windows.net/"},
		{"any in two clouds that share version 1.0 issuers", anyTenant, in(policy.USGovernment, anyTenant), "both accept every tenant"},
		{"a tenant in two clouds that share nothing", tenants(home), in(policy.China, tenants(home)), ""},
		{"any in two clouds that share nothing", anyTenant, in(policy.China, anyTenant), ""},
		{"a tenant and an authority of it", tenants(home), at(testbed.ExternalID), ""},
		{"an authority twice", at(testbed.ExternalID), at(strings.ToUpper(testbed.ExternalID[:20]) + testbed.ExternalID[20:]), "both accept the issuer of"},
		{"an authority on two hosts of External ID", at(testbed.ExternalID), at("https://fabrikam.ciamlogin.com/" + home + "/v2.0"), "both accept the issuer of"},
		{"two directories on a host", at("https://login.contoso.example/" + home + "/v2.0"), at("https://login.contoso.example/" + other + "/v2.0"), ""},
		{"two user flows", at(testbed.B2C), at(strings.Replace(testbed.B2C, "SignIn", "Reset", 1)), "Options.UserFlows"},
		{"B2C and External ID", at(testbed.B2C), at(testbed.ExternalID), ""},
	} {
		a, b := newPolicy(t, test.a), newPolicy(t, test.b)
		for _, got := range []string{policy.Overlap(a, b), policy.Overlap(b, a)} {
			if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
				t.Errorf("%s: got %q, want it to say %q (nothing: none)", test.name, got, test.says)
			}
		}
	}
}

func TestWhereKeysAre(t *testing.T) {
	const query = "?appid=" + entratest.APIClientID
	for _, p := range places(t) {
		sources := p.policy.KeySources()
		if len(sources) != 1 || (sources[0].MetadataURL == "") != (p.Options.Authority == "") || (sources[0].KeysURL == "") == (p.Options.Authority == "") {
			t.Fatalf("%s: got the sources %+v, want one, by metadata for an authority", p.Name, sources)
		}
		if got := sources[0].MetadataURL; got != "" && (got != p.Options.Authority+testbed.MetadataPath || got != p.policy.MetadataURL()) {
			t.Errorf("%s: got the metadata at %s, want it behind the authority", p.Name, got)
		}
	}
	own := newPolicy(t, func(c *policy.Config) { c.AppKeys = true })
	const keys = "https://login.microsoftonline.com/" + entratest.TenantID + "/discovery/v2.0/keys"
	if got, want := own.KeySources(), []policy.KeySource{{KeysURL: keys}, {KeysURL: keys + query}}; !slices.Equal(got, want) {
		t.Errorf("with keys of the application: got %+v, want %+v", got, want)
	}
}
