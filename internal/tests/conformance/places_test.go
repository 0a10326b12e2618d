package conformance_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// issuerPlace is a configuration and what it must say to issuers.
type issuerPlace struct {
	name      string
	options   entra.Options
	texts     map[string]string // of its publisher
	accepts   []string          // issuers
	strangers []string          // issuers that are right for their tenant, which is not accepted
}

func authorityPlace(name, authority, issuer string, k *entratest.Key) issuerPlace {
	return issuerPlace{
		name:    name,
		options: entra.Options{Authority: authority},
		texts:   testbed.AuthorityDocuments(authority, issuer, k),
		accepts: []string{issuer},
	}
}

// issuerPlaces are all kinds of configurations. The tokens of every one are signed with k.
func issuerPlaces(k *entratest.Key) []issuerPlace {
	public, personal := k.With("issuer", testbed.PublicOwner), k.With("issuer", testbed.PersonalV2)
	const keys = "/discovery/v2.0/keys"
	return []issuerPlace{
		{"one tenant", entra.Options{Tenants: []string{entratest.TenantID}},
			testbed.KeyDocuments("https://login.microsoftonline.com/"+entratest.TenantID+keys, public),
			[]string{testbed.PublicV2, testbed.PublicV1}, []string{testbed.PublicOtherV2, testbed.PublicOtherV1, testbed.PersonalV2}},
		{"several tenants", entra.Options{Tenants: []string{entratest.TenantID, entratest.OtherTenantID}},
			testbed.KeyDocuments("https://login.microsoftonline.com/organizations"+keys, public),
			[]string{testbed.PublicV2, testbed.PublicV1, testbed.PublicOtherV2, testbed.PublicOtherV1}, []string{testbed.PersonalV2}},
		{"any tenant", entra.Options{AllowAnyTenant: true},
			testbed.KeyDocuments("https://login.microsoftonline.com/organizations"+keys, public),
			[]string{testbed.PublicV2, testbed.PublicV1, testbed.PublicOtherV2, testbed.PublicOtherV1}, []string{testbed.PersonalV2}},
		{"personal accounts", entra.Options{Tenants: []string{entra.PersonalAccounts}},
			testbed.KeyDocuments("https://login.microsoftonline.com/consumers"+keys, personal),
			[]string{testbed.PersonalV2}, []string{testbed.PublicV2, testbed.PublicV1, testbed.PublicOtherV2, testbed.PublicOtherV1}},
		{"US Government", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.USGovernment},
			testbed.KeyDocuments("https://login.microsoftonline.us/"+entratest.TenantID+keys, k.With("issuer", testbed.GovernmentOwner).With("cloud_instance_name", "microsoftonline.us")),
			[]string{testbed.GovernmentV2, testbed.PublicV1}, []string{testbed.PublicOtherV1}},
		{"China", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.China},
			testbed.KeyDocuments("https://login.partner.microsoftonline.cn/"+entratest.TenantID+keys, k.With("issuer", testbed.ChinaOwner).With("cloud_instance_name", "partner.microsoftonline.cn")),
			[]string{testbed.ChinaV2, testbed.ChinaV1}, nil},
		authorityPlace("External ID", "https://contoso.ciamlogin.com/"+entratest.TenantID+"/v2.0", testbed.ExternalIDIssuer, k),
		authorityPlace("External ID on a custom domain", "https://login.contoso.example/"+entratest.TenantID+"/v2.0", testbed.CustomDomainIssuer, k),
		authorityPlace("B2C", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0", testbed.B2CIssuer, k),
		authorityPlace("B2C with the policy in its issuer", "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_signin/v2.0", testbed.B2CPolicyIssuer, k),
		authorityPlace("B2C on a custom domain", "https://login.contoso.example/contoso.onmicrosoft.com/B2C_1_signin/v2.0", testbed.B2CCustomIssuer, k),
	}
}

func (p issuerPlace) verifier(t *testing.T) *entra.Verifier {
	t.Helper()
	options := p.options
	options.ClientID = entratest.APIClientID
	options.HTTPClient = &http.Client{Transport: &testbed.Publisher{Documents: p.texts}}
	options.Logger = testbed.Discard()
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

// want is what the place must answer to a token of issuer and version whose tid fits the issuer.
func (p issuerPlace) want(issuer, version string) entra.Reason {
	fits := p.options.Authority != "" || version == testbed.VersionOfIssuer(issuer)
	switch {
	case !slices.Contains(p.accepts, issuer) && !slices.Contains(p.strangers, issuer):
		return entra.ReasonIssuer
	case !fits:
		return entra.ReasonVersion
	case slices.Contains(p.strangers, issuer):
		return entra.ReasonTenant
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
	k := entratest.New(t).Key()
	for _, place := range issuerPlaces(k) {
		verifier := place.verifier(t)
		for _, issuer := range issuers {
			for _, version := range []string{"1.0", "2.0"} {
				_, err := verifier.Verify(t.Context(), testbed.SignClaims(k, testbed.UserClaims(issuer, testbed.TenantOfIssuer(issuer), version)))
				if got, want := entra.ReasonOf(err), place.want(issuer, version); got != want {
					t.Errorf("%s, issuer %s, ver %s: got reason %q (%v), want %q", place.name, issuer, version, got, err, want)
				}
			}
		}
	}
}
