package policy_test

import (
	"testing"

	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// The public key document lists keys of several owners: R38.
func TestKeysSignForTheirOwnersOnly(t *testing.T) {
	const v1Owner = "https://sts.windows.net/{tenantid}/"
	p := newPolicy(t, func(c *policy.Config) { c.AllowAnyTenant, c.Tenants = true, []string{policy.PersonalAccounts} })
	for _, test := range []struct {
		name   string
		owner  string // the issuer of the key; "" for a key without the member
		issuer string
		want   string
	}{
		{"a work key, a work tenant's token", testbed.PublicOwner, testbed.PublicV2, ""},
		{"a work key, another work tenant's token", testbed.PublicOwner, testbed.PublicOtherV2, ""},
		{"a work key, a version 1.0 token", testbed.PublicOwner, testbed.PublicV1, ""},
		{"a personal key, a personal token", testbed.PersonalV2, testbed.PersonalV2, ""},
		{"a personal key, a work tenant's token", testbed.PersonalV2, testbed.PublicV2, refuse.KeyIssuer},
		{"a personal key, a version 1.0 token of a work tenant", testbed.PersonalV2, testbed.PublicV1, refuse.KeyIssuer},
		{"a work key, a personal token", testbed.PublicOwner, testbed.PersonalV2, refuse.KeyIssuer},
		{"a key without owner, a work tenant's token", "", testbed.PublicV2, ""},
		{"a key without owner, a version 1.0 token", "", testbed.PublicV1, ""},
		{"a key without owner, a personal token", "", testbed.PersonalV2, ""},
		{"one tenant's key, its token", testbed.PublicV2, testbed.PublicV2, ""},
		{"one tenant's key, its version 1.0 token", testbed.PublicV2, testbed.PublicV1, ""},
		{"one tenant's key, another tenant's token", testbed.PublicV2, testbed.PublicOtherV2, refuse.KeyIssuer},
		{"one tenant's key, another tenant's version 1.0 token", testbed.PublicV2, testbed.PublicOtherV1, refuse.KeyIssuer},
		{"one tenant's key, a personal token", testbed.PublicV2, testbed.PersonalV2, refuse.KeyIssuer},
		{"a version 1.0 key, a version 1.0 token", v1Owner, testbed.PublicV1, ""},
		{"a version 1.0 key, a version 2.0 token", v1Owner, testbed.PublicV2, refuse.KeyIssuer},
		{"another cloud's key, a work tenant's token", testbed.GovernmentOwner, testbed.PublicV2, refuse.KeyIssuer},
		{"another cloud's key, a version 1.0 token", testbed.GovernmentOwner, testbed.PublicV1, refuse.KeyIssuer},
		{"a look-alike's key", "https://login.microsoftonline.com.evil.example/{tenantid}/v2.0", testbed.PublicV2, refuse.KeyIssuer},
		{"an owner with a slash too many", testbed.PublicOwner + "/", testbed.PublicV2, refuse.KeyIssuer},
		{"an owner with another placeholder", "https://login.microsoftonline.com/{tenantId}/v2.0", testbed.PublicV2, refuse.KeyIssuer},
		{"an owner without a tenant", "https://login.microsoftonline.com/common/v2.0", testbed.PublicV2, refuse.KeyIssuer},
		{"an owner that is a placeholder alone", "{tenantid}", testbed.PublicV2, refuse.KeyIssuer},
		{"an owner with two placeholders", "https://login.microsoftonline.com/{tenantid}/{tenantid}/v2.0", testbed.PublicV2, refuse.KeyIssuer},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := judge(t, p, user(test.issuer), policy.KeyOwner{Issuer: test.owner}, "")
			if got := reasonOf(err); got != test.want {
				t.Errorf("got reason %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// The public key document lists US Government keys under the public issuer: R39.
func TestKeysSignInTheirOwnCloudOnly(t *testing.T) {
	const public, government, china = "microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"
	issuers := map[policy.Cloud]string{policy.Worldwide: testbed.PublicV2, policy.USGovernment: testbed.GovernmentV2, policy.China: testbed.ChinaV2}
	for _, test := range []struct {
		cloud policy.Cloud
		key   string // its cloud_instance_name; "" for a key without the member
		signs bool
	}{
		{policy.Worldwide, public, true}, {policy.Worldwide, "", true},
		{policy.Worldwide, government, false}, {policy.Worldwide, china, false}, {policy.Worldwide, "MicrosoftOnline.com", false},
		{policy.USGovernment, government, true}, {policy.USGovernment, "", true},
		{policy.USGovernment, public, false}, {policy.USGovernment, china, false},
		{policy.China, china, true}, {policy.China, "", true}, {policy.China, "not.documented.example", true},
		{policy.China, public, false}, {policy.China, government, false},
	} {
		want := refuse.KeyIssuer
		if test.signs {
			want = ""
		}
		p := newPolicy(t, func(c *policy.Config) { c.Cloud = test.cloud })
		if _, err := judge(t, p, user(issuers[test.cloud]), policy.KeyOwner{Cloud: test.key}, ""); reasonOf(err) != want {
			t.Errorf("%v, a key of the cloud %q: got reason %q (%v), want %q", test.cloud, test.key, reasonOf(err), err, want)
		}
	}
}

// All keys of an authority come from its host alone: whatever they say of themselves, they sign for it.
func TestKeysOfAnAuthorityAreItsOwn(t *testing.T) {
	owners := []policy.KeyOwner{{}, {Issuer: testbed.PublicOwner}, {Cloud: "microsoftonline.us"}, {Issuer: "https://evil.example/", Cloud: "x"}}
	for _, p := range places(t) {
		for _, owner := range owners {
			if p.issuer == "" {
				continue
			}
			if _, err := judge(t, p.policy, user(p.issuer), owner, p.issuer); err != nil {
				t.Errorf("%s, a key of %+v: got %v, want no error", p.Name, owner, err)
			}
		}
	}
}
