package entratest

// Cloud is one of Microsoft's national clouds, each with login hosts and issuers
// of its own; see https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud.
type Cloud int

// The clouds. The zero value is the worldwide one.
const (
	Worldwide    Cloud = iota // login.microsoftonline.com
	USGovernment              // login.microsoftonline.us, GCC High and DoD
	China                     // login.partner.microsoftonline.cn, operated by 21Vianet
)

// cloudFacts are the names that differ between clouds.
type cloudFacts struct {
	login        string   // canonical host of the authority and of version 2.0 issuers
	aliases      []string // further hosts that reach the same service
	sts          string   // host of version 1.0 issuers
	instanceName string   // cloud_instance_name of metadata and keys
	region       string   // tenant_region_scope of a tenant's metadata
	graph        string   // Microsoft Graph
	legacyGraph  string
	rbac         string
	certificate  string // common name on the signing certificates
}

func (c Cloud) facts() (cloudFacts, bool) {
	facts, ok := map[Cloud]cloudFacts{
		Worldwide: {
			login:        "login.microsoftonline.com",
			aliases:      []string{"login.windows.net", "login.microsoft.com", "sts.windows.net"},
			sts:          "sts.windows.net",
			instanceName: "microsoftonline.com",
			region:       "EU",
			graph:        "graph.microsoft.com",
			legacyGraph:  "graph.windows.net",
			rbac:         "https://pas.windows.net",
			certificate:  "accounts.accesscontrol.windows.net",
		},
		USGovernment: {
			login:        "login.microsoftonline.us",
			aliases:      []string{"login.usgovcloudapi.net"},
			sts:          "sts.windows.net",
			instanceName: "microsoftonline.us",
			region:       "USGov",
			graph:        "graph.microsoft.us",
			legacyGraph:  "graph.microsoftazure.us",
			rbac:         "https://pasff.usgovcloudapi.net",
			certificate:  "login.microsoftonline.us",
		},
		China: {
			login:        "login.partner.microsoftonline.cn",
			aliases:      []string{"login.chinacloudapi.cn"},
			sts:          "sts.chinacloudapi.cn",
			instanceName: "partner.microsoftonline.cn",
			region:       "AS",
			graph:        "microsoftgraph.chinacloudapi.cn",
			legacyGraph:  "graph.chinacloudapi.cn",
			rbac:         "https://pas.chinacloudapi.cn",
			certificate:  "accounts.accesscontrol.chinacloudapi.cn",
		},
	}[c]
	return facts, ok
}

// String returns the cloud's Go name.
func (c Cloud) String() string {
	switch c {
	case Worldwide:
		return "Worldwide"
	case USGovernment:
		return "USGovernment"
	case China:
		return "China"
	}
	return "unknown cloud"
}
