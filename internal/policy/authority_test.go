package policy_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// at returns a change of a configuration to this authority and these directories.
func at(authority string, tenants ...string) func(*policy.Config) {
	return func(c *policy.Config) { c.Authority, c.Tenants = authority, tenants }
}

func TestTenantOfAnAuthority(t *testing.T) {
	const (
		nameless = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/v2.0/"
		home     = entratest.TenantID
		other    = entratest.OtherTenantID
	)
	for _, test := range []struct {
		name    string
		tenants []string
		issuer  string
		tid     string
		want    string
		found   string // TenantID
	}{
		{"tid and issuer agree", nil, testbed.ExternalIDIssuer, home, "", home},
		{"no tid: the issuer's tenant", nil, testbed.B2CIssuer, "", "", home},
		{"no tid and an issuer with the policy", nil, testbed.B2CPolicyIssuer, "", "", home},
		{"no tid and no tenant in the issuer", nil, nameless, "", "", ""},
		{"a tid beside an issuer that names none", nil, nameless, other, "", other},
		{"another tid than the issuer's", nil, testbed.ExternalIDIssuer, other, refuse.Tenant, ""},
		{"the listed tenant", []string{home}, testbed.ExternalIDIssuer, home, "", home},
		{"the listed tenant, in the issuer alone", []string{home}, testbed.B2CIssuer, "", "", home},
		{"another tenant than the listed one", []string{other}, testbed.ExternalIDIssuer, home, refuse.Tenant, ""},
		{"another tenant than the listed one, in the issuer alone", []string{other}, testbed.B2CIssuer, "", refuse.Tenant, ""},
		{"a listed tenant, and none to be found", []string{home}, nameless, "", refuse.Tenant, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := user(test.issuer)
			set.Tid = test.tid
			v, err := judge(t, newPolicy(t, at(testbed.B2C, test.tenants...)), set, policy.KeyOwner{}, test.issuer)
			if reasonOf(err) != test.want || v.TenantID != test.found {
				t.Errorf("got reason %q (%v) and TenantID %q, want %q and %q", reasonOf(err), err, v.TenantID, test.want, test.found)
			}
		})
	}
}

// The policies of a B2C tenant share keys and issuer.
func TestPolicyOfAnAuthority(t *testing.T) {
	const plain = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/v2.0"
	inPath := func(name string) string { return strings.Replace(testbed.B2C, "B2C_1_SignIn", name, 1) }
	for _, test := range []struct {
		name      string
		authority string
		tfp, acr  string
		want      string
		flow      string
	}{
		{"its own, as tfp", testbed.B2C, "B2C_1_SignIn", "", "", "B2C_1_SignIn"},
		{"its own, in lower case", testbed.B2C, "b2c_1_signin", "", "", "b2c_1_signin"},
		{"its own, as acr", testbed.B2C, "", "b2c_1_signin", "", "b2c_1_signin"},
		{"none in the token", testbed.B2C, "", "", "", ""},
		{"another, as tfp", testbed.B2C, "B2C_1_EditProfile", "", refuse.Issuer, ""},
		{"another, as acr", testbed.B2C, "", "b2c_1_editprofile", refuse.Issuer, ""},
		{"a longer name", testbed.B2C, "B2C_1_SignIn2", "", refuse.Issuer, ""},
		{"another, as tfp beside its own as acr", testbed.B2C, "B2C_1_EditProfile", "B2C_1_SignIn", refuse.Issuer, ""},
		{"a custom policy", inPath("b2c_1a_signup"), "B2C_1A_SignUp", "", "", "B2C_1A_SignUp"},
		{"another than the custom policy", inPath("B2C_1A_SignUp"), "B2C_1_SignUp", "", refuse.Issuer, ""},
		{"any, where the authority names none", plain, "B2C_1_EditProfile", "", "", "B2C_1_EditProfile"},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := user(testbed.B2CIssuer)
			set.Tid, set.TFP, set.ACR = "", test.tfp, test.acr
			v, err := judge(t, newPolicy(t, at(test.authority)), set, policy.KeyOwner{}, testbed.B2CIssuer)
			if reasonOf(err) != test.want || v.UserFlow != test.flow {
				t.Errorf("got reason %q (%v) and UserFlow %q, want %q and %q", reasonOf(err), err, v.UserFlow, test.want, test.flow)
			}
		})
	}
}

// In tokens of work and school tenants acr has another meaning, and nobody sends tfp.
func TestWorkTenantsHaveNoUserFlow(t *testing.T) {
	set := user(testbed.PublicV2)
	set.ACR, set.TFP = "B2C_1_SignIn", "B2C_1_SignIn"
	if v, err := judge(t, newPolicy(t, nil), set, policy.KeyOwner{}, ""); err != nil || v.UserFlow != "" {
		t.Errorf("got %+v and %v, want no user flow", v, err)
	}
}

func TestCheckMetadata(t *testing.T) {
	const keys = testbed.ExternalIDKeys
	issuer := testbed.ExternalIDIssuer
	p := newPolicy(t, at(testbed.ExternalID))
	for _, test := range []struct {
		name            string
		issuer, keysURL string
		says            string // "" for good metadata
	}{
		{"good metadata", issuer, keys, ""},
		{"an issuer on another host", "https://elsewhere.example/" + entratest.TenantID + "/v2.0", keys, ""},
		{"keys on the same host in upper case", issuer, strings.Replace(keys, "contoso", "CONTOSO", 1), ""},
		{"keys with a query", issuer, keys + "?p=x", ""},
		{"a template as issuer", testbed.PublicOwner, keys, "template"},
		{"an opening brace in the issuer", "https://contoso.example/{", keys, "template"},
		{"an issuer over http", strings.Replace(issuer, "https", "http", 1), keys, "no https URL"},
		{"an issuer that is no URL", "contoso", keys, "no https URL"},
		{"an issuer without host", "https:///v2.0", keys, "no https URL"},
		{"no issuer", "", keys, "no https URL"},
		{"keys on another host", issuer, "https://evil.example/discovery/v2.0/keys", "jwks_uri"},
		{"keys on a subdomain", issuer, "https://keys.contoso.ciamlogin.com/keys", "jwks_uri"},
		{"keys on a host that only begins alike", issuer, "https://contoso.ciamlogin.com.evil.example/keys", "jwks_uri"},
		{"keys on another port", issuer, "https://contoso.ciamlogin.com:8443/keys", "jwks_uri"},
		{"keys over http", issuer, strings.Replace(keys, "https", "http", 1), "jwks_uri"},
		{"keys behind user info", issuer, strings.Replace(keys, "https://", "https://contoso.ciamlogin.com@evil.example/", 1), "jwks_uri"},
		{"keys with user info", issuer, strings.Replace(keys, "https://", "https://admin@", 1), "jwks_uri"},
		{"keys behind a back slash", issuer, `https://contoso.ciamlogin.com\@evil.example/`, "jwks_uri"},
		{"keys at a relative address", issuer, "/discovery/v2.0/keys", "jwks_uri"},
		{"keys without a scheme", issuer, strings.TrimPrefix(keys, "https:"), "jwks_uri"},
		{"no address of keys", issuer, "", "jwks_uri"},
	} {
		err := p.CheckMetadata(test.issuer, test.keysURL)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want an error that says %q (none: no error)", test.name, err, test.says)
		}
	}
	if err := newPolicy(t, nil).CheckMetadata(testbed.PublicV2, keys); err == nil {
		t.Error("a cloud: got no error, want one: its metadata is never read")
	}
}

// Customers of an authority come from many providers, so only acct says who is a guest.
func TestGuestsOfAnAuthority(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*claimset.Set)
		want   bool
	}{
		{"nothing said", func(*claimset.Set) {}, false},
		{"another provider", func(s *claimset.Set) { s.IDP = "google.com" }, false},
		{"acct 1", func(s *claimset.Set) { s.Acct, s.HasAcct = 1, true }, true},
		{"acct 0", func(s *claimset.Set) { s.HasAcct = true }, false},
	} {
		set := user(testbed.ExternalIDIssuer)
		test.change(&set)
		v, err := judge(t, newPolicy(t, at(testbed.ExternalID)), set, policy.KeyOwner{}, testbed.ExternalIDIssuer)
		if err != nil || v.Guest != test.want {
			t.Errorf("%s: got guest %v and %v, want %v", test.name, v.Guest, err, test.want)
		}
	}
}
