package policy

// microsoftAPIs are the audiences that mean "for one of Microsoft's own APIs", without a slash at the end.
var microsoftAPIs = map[string]string{
	"00000003-0000-0000-c000-000000000000":    "Microsoft Graph",
	"https://graph.microsoft.com":             "Microsoft Graph",
	"https://graph.microsoft.us":              "Microsoft Graph",
	"https://dod-graph.microsoft.us":          "Microsoft Graph",
	"https://microsoftgraph.chinacloudapi.cn": "Microsoft Graph",
	"00000002-0000-0000-c000-000000000000":    "Azure AD Graph",
	"https://graph.windows.net":               "Azure AD Graph",
	"https://management.azure.com":            "Azure Resource Manager",
	"https://management.core.windows.net":     "Azure Resource Manager",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013":    "Azure Resource Manager",
}
