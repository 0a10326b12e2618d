package directory

// Cloud has the names that differ between Microsoft's national clouds; see
// https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud.
type Cloud struct {
	Name         string
	Login        string   // canonical host of the authority and of version 2.0 issuers
	Aliases      []string // further hosts that reach the same service
	STS          string   // host of version 1.0 issuers
	InstanceName string   // cloud_instance_name of metadata and keys
	Region       string   // tenant_region_scope of a tenant's metadata
	Graph        string   // Microsoft Graph
	LegacyGraph  string
	RBAC         string
	Certificate  string // common name on the signing certificates
}

// Names of the clouds.
const (
	Worldwide    = "Worldwide"
	USGovernment = "USGovernment"
	China        = "China"
)

// Clouds returns the clouds, the worldwide one first.
func Clouds() []Cloud {
	return []Cloud{
		{
			Name:         Worldwide,
			Login:        "login.microsoftonline.com",
			Aliases:      []string{"login.windows.net", "login.microsoft.com", "sts.windows.net"},
			STS:          "sts.windows.net",
			InstanceName: "microsoftonline.com",
			Region:       "EU",
			Graph:        "graph.microsoft.com",
			LegacyGraph:  "graph.windows.net",
			RBAC:         "https://pas.windows.net",
			Certificate:  "accounts.accesscontrol.windows.net",
		},
		{
			Name:         USGovernment,
			Login:        "login.microsoftonline.us",
			Aliases:      []string{"login.usgovcloudapi.net"},
			STS:          "sts.windows.net",
			InstanceName: "microsoftonline.us",
			Region:       "USGov",
			Graph:        "graph.microsoft.us",
			LegacyGraph:  "graph.microsoftazure.us",
			RBAC:         "https://pasff.usgovcloudapi.net",
			Certificate:  "login.microsoftonline.us",
		},
		{
			Name:         China,
			Login:        "login.partner.microsoftonline.cn",
			Aliases:      []string{"login.chinacloudapi.cn"},
			STS:          "sts.chinacloudapi.cn",
			InstanceName: "partner.microsoftonline.cn",
			Region:       "AS",
			Graph:        "microsoftgraph.chinacloudapi.cn",
			LegacyGraph:  "graph.chinacloudapi.cn",
			RBAC:         "https://pas.chinacloudapi.cn",
			Certificate:  "accounts.accesscontrol.chinacloudapi.cn",
		},
	}
}
