package policy

import "fmt"

// PersonalAccounts is the tenant of personal Microsoft accounts.
const PersonalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Cloud is one of Microsoft's separate clouds.
//
// Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
type Cloud int

// The clouds, in the order of package entra's.
const (
	Worldwide Cloud = iota
	USGovernment
	China
)

// String returns the cloud's name.
func (c Cloud) String() string {
	if facts, ok := clouds[c]; ok {
		return facts.name
	}
	return fmt.Sprintf("Cloud(%d)", int(c))
}

type cloudFacts struct {
	name      string
	loginHost string
	v1Host    string
	ownKeys   string // the cloud_instance_name of its keys; "" where none is documented
}

var clouds = map[Cloud]cloudFacts{
	Worldwide:    {"Worldwide", "login.microsoftonline.com", "sts.windows.net", publicKeys},
	USGovernment: {"USGovernment", "login.microsoftonline.us", "sts.windows.net", governmentKeys},
	China:        {"China", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn", ""},
}

const (
	publicKeys     = "microsoftonline.com"
	governmentKeys = "microsoftonline.us"
)

// issuers are the two names of one tenant as issuer, by the version of its tokens.
type issuers struct{ v1, v2 string }

func (c cloudFacts) issuers(tenant string) issuers {
	return issuers{v1: "https://" + c.v1Host + "/" + tenant + "/", v2: c.v2Issuer(tenant)}
}

func (c cloudFacts) v2Issuer(tenant string) string {
	return "https://" + c.loginHost + "/" + tenant + "/v2.0"
}

// signsHere reports whether a key of the named cloud instance signs tokens of cloud c. The public key document lists
// US Government keys under the public issuer: only this member tells them apart. A key without it is judged by its
// issuer alone.
func (c cloudFacts) signsHere(keyCloud string) bool {
	switch {
	case keyCloud == "":
		return true
	case c.ownKeys != "":
		return keyCloud == c.ownKeys
	}
	return keyCloud != publicKeys && keyCloud != governmentKeys
}

// microsoftHosts are the hosts for which Tenants and Cloud are the right options, not Authority.
var microsoftHosts = map[string]bool{
	"login.microsoftonline.com": true, "login.windows.net": true, "login.microsoft.com": true, "sts.windows.net": true,
	"login.microsoftonline.us": true, "login.usgovcloudapi.net": true, "login-us.microsoftonline.com": true,
	"login.partner.microsoftonline.cn": true, "login.chinacloudapi.cn": true, "sts.chinacloudapi.cn": true,
	"login.microsoftonline.de": true,
}
