package testbed

import (
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Place is a configuration, and what issuers are to it.
type Place struct {
	Name      string
	Options   entra.Options // without a client ID
	Accepts   []string      // issuers whose tokens it accepts; that of an authority is the only one
	Strangers []string      // issuers that are right for their tenant, which it does not accept

	inURL    string // of the key document, for a cloud: the host and what stands for the tenants
	owner    string // the issuer of the keys there
	instance string // their cloud_instance_name; "" if k has the right one
}

// Places returns all kinds of configurations.
func Places() []Place {
	one, both, personal := []string{entratest.TenantID}, []string{entratest.TenantID, entratest.OtherTenantID}, []string{entra.PersonalAccounts}
	work := []string{PublicV2, PublicV1, PublicOtherV2, PublicOtherV1}
	authority := func(name, url, issuer string) Place {
		return Place{Name: name, Options: entra.Options{Authority: url}, Accepts: []string{issuer}}
	}
	return []Place{
		{"one tenant", entra.Options{Tenants: one}, work[:2], []string{PublicOtherV2, PublicOtherV1, PersonalV2},
			"login.microsoftonline.com/" + entratest.TenantID, PublicOwner, ""},
		{"several tenants", entra.Options{Tenants: both}, work, []string{PersonalV2},
			"login.microsoftonline.com/organizations", PublicOwner, ""},
		{"any tenant", entra.Options{AllowAnyTenant: true}, work, []string{PersonalV2},
			"login.microsoftonline.com/organizations", PublicOwner, ""},
		{"personal accounts", entra.Options{Tenants: personal}, []string{PersonalV2}, work,
			"login.microsoftonline.com/consumers", PersonalV2, ""},
		{"US Government", entra.Options{Tenants: one, Cloud: entra.USGovernment}, []string{GovernmentV2, PublicV1}, []string{PublicOtherV1},
			"login.microsoftonline.us/" + entratest.TenantID, GovernmentOwner, "microsoftonline.us"},
		{"China", entra.Options{Tenants: one, Cloud: entra.China}, []string{ChinaV2, ChinaV1}, nil,
			"login.partner.microsoftonline.cn/" + entratest.TenantID, ChinaOwner, "partner.microsoftonline.cn"},
		authority("External ID", ExternalID, ExternalIDIssuer),
		authority("External ID on a custom domain", "https://login.contoso.example/"+entratest.TenantID+"/v2.0", CustomDomainIssuer),
		authority("B2C", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0", B2CIssuer),
		authority("B2C with the policy in its issuer", "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_signin/v2.0", B2CPolicyIssuer),
		authority("B2C on a custom domain", "https://login.contoso.example/contoso.onmicrosoft.com/B2C_1_signin/v2.0", B2CCustomIssuer),
	}
}

// Documents returns the documents of the place by their URLs. They list k.
func (p Place) Documents(k *entratest.Key) map[string]string {
	if p.Options.Authority != "" {
		return AuthorityDocuments(p.Options.Authority, p.Accepts[0], k)
	}
	k = k.With("issuer", p.owner)
	if p.instance != "" {
		k = k.With("cloud_instance_name", p.instance)
	}
	return KeyDocuments("https://"+p.inURL+"/discovery/v2.0/keys", k)
}

// NewVerifier returns a Verifier of the place for the sample API, after change, unless nil, has changed its options. Its
// documents list k.
func (p Place) NewVerifier(t *testing.T, k *entratest.Key, change func(*entra.Options)) *entra.Verifier {
	t.Helper()
	options := p.Options
	if change != nil {
		change(&options)
	}
	return NewVerifierAt(t, &Publisher{Documents: p.Documents(k)}, options)
}

// Claims returns the claims of a good user token of the first issuer that the place accepts.
func (p Place) Claims() map[string]any {
	issuer := p.Accepts[0]
	return UserClaims(issuer, TenantOfIssuer(issuer), VersionOfIssuer(issuer))
}
