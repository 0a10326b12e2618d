package testbed

import (
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Issuers of tokens.
const (
	PublicV2           = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"
	PublicV1           = "https://sts.windows.net/" + entratest.TenantID + "/"
	PublicOtherV2      = "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"
	PublicOtherV1      = "https://sts.windows.net/" + entratest.OtherTenantID + "/"
	PersonalV2         = "https://login.microsoftonline.com/" + entra.PersonalAccounts + "/v2.0"
	PersonalV1         = "https://sts.windows.net/" + entra.PersonalAccounts + "/"
	GovernmentV2       = "https://login.microsoftonline.us/" + entratest.TenantID + "/v2.0"
	ChinaV2            = "https://login.partner.microsoftonline.cn/" + entratest.TenantID + "/v2.0"
	ChinaV1            = "https://sts.chinacloudapi.cn/" + entratest.TenantID + "/"
	ExternalIDIssuer   = "https://" + entratest.TenantID + ".ciamlogin.com/" + entratest.TenantID + "/v2.0"
	CustomDomainIssuer = "https://login.contoso.example/" + entratest.TenantID + "/v2.0"
	B2CIssuer          = "https://contoso.b2clogin.com/" + entratest.TenantID + "/v2.0/"
	B2CPolicyIssuer    = "https://contoso.b2clogin.com/tfp/" + entratest.TenantID + "/b2c_1_signin/v2.0/"
	B2CCustomIssuer    = "https://login.contoso.example/" + entratest.TenantID + "/v2.0/"
)

// The issuers that keys name, with a template for the tenant.
const (
	PublicOwner     = "https://login.microsoftonline.com/{tenantid}/v2.0"
	GovernmentOwner = "https://login.microsoftonline.us/{tenantid}/v2.0"
	ChinaOwner      = "https://login.partner.microsoftonline.cn/{tenantid}/v2.0"
)

// Addresses of authorities: what Options.Authority says, where External ID lists its keys, and what stands behind an
// authority in the address of its metadata.
const (
	ExternalID     = "https://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0"
	ExternalIDKeys = "https://contoso.ciamlogin.com/" + entratest.TenantID + "/discovery/v2.0/keys"
	B2C            = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_SignIn/v2.0"
	MetadataPath   = "/.well-known/openid-configuration"
)

// VersionOfIssuer returns the ver of the tokens of issuer.
func VersionOfIssuer(issuer string) string {
	if strings.HasSuffix(issuer, "/v2.0") {
		return "2.0"
	}
	return "1.0"
}

// TenantOfIssuer returns the tid of the tokens of issuer.
func TenantOfIssuer(issuer string) string {
	for _, tenant := range []string{entratest.OtherTenantID, entra.PersonalAccounts} {
		if strings.Contains(issuer, tenant) {
			return tenant
		}
	}
	return entratest.TenantID
}
