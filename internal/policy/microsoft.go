package policy

import "strings"

// microsoftAPIs are the audiences of Microsoft's own APIs, in lower case and without a slash at the end: their
// application IDs, and the URIs that clients name in the public and the national clouds. A token for one of them is
// never for anybody else, and nobody else can verify all of them.
//
// Sources: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in (application
// IDs) and https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/services-id-authentication-support
// (URIs by cloud); the rest from each product's own page on signing in with Entra ID.
var microsoftAPIs = map[string]string{
	"00000003-0000-0000-c000-000000000000":    "Microsoft Graph",
	"https://graph.microsoft.com":             "Microsoft Graph",
	"https://graph.microsoft.us":              "Microsoft Graph",
	"https://dod-graph.microsoft.us":          "Microsoft Graph",
	"https://microsoftgraph.chinacloudapi.cn": "Microsoft Graph",
	"https://graph.svc.sovcloud.fr":           "Microsoft Graph",
	"https://graph.svc.sovcloud.de":           "Microsoft Graph",
	"https://graph.svc.sovcloud.sg":           "Microsoft Graph",

	"00000002-0000-0000-c000-000000000000": "Azure AD Graph",
	"https://graph.windows.net":            "Azure AD Graph",
	"https://graph.microsoftazure.us":      "Azure AD Graph",
	"https://graph.chinacloudapi.cn":       "Azure AD Graph",

	"797f4846-ba00-4fd7-ba43-dac1f8f63013":                "Azure Resource Manager",
	"https://management.azure.com":                        "Azure Resource Manager",
	"https://management.core.windows.net":                 "Azure Resource Manager",
	"https://management.usgovcloudapi.net":                "Azure Resource Manager",
	"https://management.core.usgovcloudapi.net":           "Azure Resource Manager",
	"https://management.chinacloudapi.cn":                 "Azure Resource Manager",
	"https://management.core.chinacloudapi.cn":            "Azure Resource Manager",
	"https://management.core.cloudapi.de":                 "Azure Resource Manager",
	"https://management.microsoftazure.de":                "Azure Resource Manager",
	"cfa8b339-82a2-471a-a3c9-0fc0be7a4093":                "Azure Key Vault",
	"https://vault.azure.net":                             "Azure Key Vault",
	"https://vault.usgovcloudapi.net":                     "Azure Key Vault",
	"https://vault.azure.cn":                              "Azure Key Vault",
	"589d5083-6f11-4d30-a62a-a4b316a14abf":                "Azure Key Vault Managed HSM",
	"https://managedhsm.azure.net":                        "Azure Key Vault Managed HSM",
	"https://managedhsm.usgovcloudapi.net":                "Azure Key Vault Managed HSM",
	"https://managedhsm.azure.cn":                         "Azure Key Vault Managed HSM",
	"e406a681-f3d4-42a8-90b6-c2b029497af1":                "Azure Storage",
	"https://storage.azure.com":                           "Azure Storage",
	"022907d3-0f1b-48f7-badc-1ba6abab6d66":                "Azure SQL Database",
	"https://database.windows.net":                        "Azure SQL Database",
	"https://database.usgovcloudapi.net":                  "Azure SQL Database",
	"https://database.chinacloudapi.cn":                   "Azure SQL Database",
	"123cd850-d9df-40bd-94d5-c9f07b7fa203":                "Azure Database for PostgreSQL or MySQL",
	"499b84ac-1321-427f-aa17-267ca6975798":                "Azure DevOps",
	"https://app.vssps.visualstudio.com":                  "Azure DevOps",
	"6dae42f8-4368-4678-94ff-3960e28e3630":                "Azure Kubernetes Service",
	"ca7f3f0b-7d91-482c-8e09-c5d840d0eac5":                "Azure Log Analytics",
	"https://api.loganalytics.io":                         "Azure Log Analytics",
	"https://api.loganalytics.azure.com":                  "Azure Log Analytics",
	"https://api.loganalytics.us":                         "Azure Log Analytics",
	"https://api.loganalytics.azure.cn":                   "Azure Log Analytics",
	"f5c26e74-f226-4ae8-85f0-b4af0080ac9e":                "Application Insights",
	"https://api.applicationinsights.io":                  "Application Insights",
	"https://api.applicationinsights.us":                  "Application Insights",
	"https://api.applicationinsights.azure.cn":            "Application Insights",
	"035f9e1d-4f00-4419-bf50-bf2d87eb4878":                "Azure Monitor",
	"https://monitor.azure.com":                           "Azure Monitor",
	"https://metrics.monitor.azure.com":                   "Azure Monitor",
	"https://prometheus.monitor.azure.com":                "Azure Monitor",
	"https://monitor.azure.us":                            "Azure Monitor",
	"https://monitor.azure.cn":                            "Azure Monitor",
	"80a10ef9-8168-493d-abf9-3297c4ef6e3c":                "Azure Service Bus",
	"https://servicebus.azure.net":                        "Azure Service Bus",
	"80369ed6-5f11-4dd9-bef3-692475845e77":                "Azure Event Hubs",
	"https://eventhubs.azure.net":                         "Azure Event Hubs",
	"823c0a78-5de0-4445-a7f5-c2f42d7dc89b":                "Azure Event Grid",
	"https://eventgrid.azure.net":                         "Azure Event Grid",
	"a232010e-820c-4083-83bb-3ace5fc29d0b":                "Azure Cosmos DB",
	"57506a73-e302-42a9-b869-6f12d9ec29e9":                "Azure Cosmos DB",
	"https://cosmos.azure.com":                            "Azure Cosmos DB",
	"https://cosmos.azure.us":                             "Azure Cosmos DB",
	"https://cosmos.azure.cn":                             "Azure Cosmos DB",
	"35ffadb3-7fc1-497e-b61b-381d28e744cc":                "Azure App Configuration",
	"https://appconfig.azure.com":                         "Azure App Configuration",
	"https://azconfig.io":                                 "Azure App Configuration",
	"https://appconfig.azure.us":                          "Azure App Configuration",
	"https://azconfig.azure.us":                           "Azure App Configuration",
	"https://appconfig.azure.cn":                          "Azure App Configuration",
	"https://azconfig.azure.cn":                           "Azure App Configuration",
	"https://dev.azuresynapse.net":                        "Azure Synapse",
	"https://dev.azuresynapse.usgovcloudapi.net":          "Azure Synapse",
	"https://dev.azuresynapse.azure.cn":                   "Azure Synapse",
	"00000009-0000-0000-c000-000000000000":                "Power BI",
	"https://analysis.windows.net/powerbi/api":            "Power BI",
	"https://api.fabric.microsoft.com":                    "Microsoft Fabric",
	"https://analysis.usgovcloudapi.net/powerbi/api":      "Power BI",
	"https://high.analysis.usgovcloudapi.net/powerbi/api": "Power BI",
	"https://mil.analysis.usgovcloudapi.net/powerbi/api":  "Power BI",
	"https://analysis.chinacloudapi.cn/powerbi/api":       "Power BI",
	"00000007-0000-0000-c000-000000000000":                "Dataverse",
	"00000015-0000-0000-c000-000000000000":                "Dynamics ERP",
	"996def3d-b36c-4153-8607-a6fd3c01b89f":                "Dynamics 365 Business Central",
	"https://api.businesscentral.dynamics.com":            "Dynamics 365 Business Central",
	"00000002-0000-0ff1-ce00-000000000000":                "Exchange Online",
	"https://outlook.office365.com":                       "Exchange Online",
	"https://outlook.office.com":                          "Exchange Online",
	"https://outlook.office365.us":                        "Exchange Online",
	"https://partner.outlook.cn":                          "Exchange Online",
	"00000003-0000-0ff1-ce00-000000000000":                "SharePoint Online",
	"00000004-0000-0ff1-ce00-000000000000":                "Skype for Business",
	"00000005-0000-0ff1-ce00-000000000000":                "Viva Engage",
	"https://api.yammer.com":                              "Viva Engage",
	"48ac35b8-9aa8-4d74-927d-1f4a14a0b239":                "Microsoft Teams",
	"https://api.interfaces.records.teams.microsoft.com":  "Microsoft Teams",
	"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe":                "Microsoft Teams",
	"https://api.spaces.skype.com":                        "Microsoft Teams",
	"c5393580-f805-4401-95e8-94b7a6ef2fc2":                "Office 365 Management",
	"https://manage.office.com":                           "Office 365 Management",
	"https://manage.office365.us":                         "Office 365 Management",
	"2d4d3d8e-2be3-4bef-9f87-7875a61c29de":                "OneNote",
	"https://onenote.com":                                 "OneNote",
	"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d":                "Azure Databricks",
	"0736f41a-0425-4b46-bdb5-1563eff02385":                "Azure Machine Learning",
	"https://ml.azure.com":                                "Azure Machine Learning",
	"https://ai.azure.com":                                "Azure AI Foundry",
	"https://ml.azure.us":                                 "Azure Machine Learning",
	"https://ml.azure.cn":                                 "Azure Machine Learning",
	"7d312290-28c8-473c-a0ed-8e53749b6d6d":                "Azure AI Services",
	"https://cognitiveservices.azure.com":                 "Azure AI Services",
	"https://cognitiveservices.azure.us":                  "Azure AI Services",
	"https://cognitiveservices.azure.cn":                  "Azure AI Services",
	"6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26":                "Azure Container Registry",
	"https://containerregistry.azure.net":                 "Azure Container Registry",
	"ddbf3205-c6bd-46ae-8127-60eb93363864":                "Azure Batch",
	"https://batch.core.windows.net":                      "Azure Batch",
	"https://batch.core.usgovcloudapi.net":                "Azure Batch",
	"https://batch.chinacloudapi.cn":                      "Azure Batch",
	"e9f49c6b-5ce5-44c8-925d-015017e9f7ad":                "Azure Data Lake",
	"https://datalake.azure.net":                          "Azure Data Lake",
	"https://rest.media.azure.net":                        "Azure Media Services",
	"https://rest.media.usgovcloudapi.net":                "Azure Media Services",
	"https://rest.media.chinacloudapi.cn":                 "Azure Media Services",
	"73c2949e-da2d-457a-9607-fcc665198967":                "Microsoft Purview",
	"https://purview.azure.net":                           "Microsoft Purview",
	"https://purview.azure.us":                            "Microsoft Purview",
	"9cdead84-a844-4324-93f2-b2e6bb768d07":                "Azure Virtual Desktop",
	"5a0aa725-4958-4b0c-80a9-34562e23f3b7":                "Azure Virtual Desktop",
	"https://www.wvd.microsoft.com":                       "Azure Virtual Desktop",
	"https://www.wvd.azure.us":                            "Azure Virtual Desktop",
	"0000000a-0000-0000-c000-000000000000":                "Microsoft Intune",
	"c161e42e-d4df-4a3d-9b42-e7a3c31f59d4":                "Microsoft Intune",
	"https://api.manage.microsoft.com":                    "Microsoft Intune",
	"fc780465-2017-40d4-a0c5-307022471b92":                "Microsoft Defender",
	"8ee8fdad-f234-4243-8f3b-15c294843740":                "Microsoft Defender",
	"https://api.securitycenter.microsoft.com":            "Microsoft Defender",
	"https://api.security.microsoft.com":                  "Microsoft Defender",
	"https://api-gov.securitycenter.microsoft.us":         "Microsoft Defender",
	"2746ea77-4702-4b45-80ca-3c97e680e8b7":                "Azure Data Explorer",
	"https://api.kusto.io":                                "Azure Data Explorer",
	"0b07f429-9f4b-4714-9392-cc5e8e80c8b0":                "Azure Digital Twins",
	"https://digitaltwins.azure.net":                      "Azure Digital Twins",
	"4ac7d521-0382-477b-b0f8-7e1d95f85ca2":                "Azure Analysis Services",
	"https://signalr.azure.com":                           "Azure SignalR Service",
	"https://signalr.azure.us":                            "Azure SignalR Service",
	"https://signalr.azure.cn":                            "Azure SignalR Service",
	"https://webpubsub.azure.com":                         "Azure Web PubSub",
	"https://webpubsub.azure.us":                          "Azure Web PubSub",
	"https://webpubsub.azure.cn":                          "Azure Web PubSub",
	"https://search.azure.com":                            "Azure AI Search",
	"https://search.azure.us":                             "Azure AI Search",
	"https://search.azure.cn":                             "Azure AI Search",
	"https://atlas.microsoft.com":                         "Azure Maps",
	"https://atlas.azure.us":                              "Azure Maps",
	"https://redis.azure.com":                             "Azure Cache for Redis",
	"https://iothubs.azure.net":                           "Azure IoT Hub",
	"https://iothubs.azure.us":                            "Azure IoT Hub",
	"https://iothubs.azure.cn":                            "Azure IoT Hub",
	"1fd5118e-2576-4263-8130-9503064c837a":                "Azure Communication Services",
	"https://communication.azure.com":                     "Azure Communication Services",
	"https://attest.azure.net":                            "Azure Attestation",
	"https://confidential-ledger.azure.com":               "Azure Confidential Ledger",
	"475226c6-020e-4fb2-8a90-7a972cbfc1d4":                "Power Apps",
	"https://service.powerapps.com":                       "Power Apps",
	"7df0a125-d3be-4c96-aa54-591f83ff541c":                "Power Automate",
	"https://service.flow.microsoft.com":                  "Power Automate",
	"8578e004-a5c6-46e7-913e-12f58912df43":                "Power Platform",
	"https://api.powerplatform.com":                       "Power Platform",
	"https://api.bap.microsoft.com":                       "Power Platform",
	"00000012-0000-0000-c000-000000000000":                "Azure Rights Management",
	"https://aadrm.com":                                   "Azure Rights Management",
	"40775b29-2688-46b6-a3b5-b256bd04df9f":                "Microsoft Information Protection",
	"https://syncservice.o365syncservice.com":             "Microsoft Information Protection",
	"https://api.botframework.com":                        "Bot Framework",
	"https://api.botframework.us":                         "Bot Framework",
}

// microsoftSuffixes are suffixes of hosts that belong to single accounts, vaults, databases and the like of Microsoft's
// services. Hosts on which customers run programs of their own, such as azurewebsites.net, are not among them.
var microsoftSuffixes = []struct{ suffix, name string }{
	{".core.windows.net", "Azure Storage"}, {".core.usgovcloudapi.net", "Azure Storage"}, {".core.chinacloudapi.cn", "Azure Storage"},
	{".vault.azure.net", "Azure Key Vault"}, {".vault.usgovcloudapi.net", "Azure Key Vault"}, {".vault.azure.cn", "Azure Key Vault"},
	{".managedhsm.azure.net", "Azure Key Vault Managed HSM"},
	{".database.windows.net", "Azure SQL Database"}, {".database.usgovcloudapi.net", "Azure SQL Database"}, {".database.chinacloudapi.cn", "Azure SQL Database"},
	{".servicebus.windows.net", "Azure Service Bus or Event Hubs"}, {".servicebus.usgovcloudapi.net", "Azure Service Bus or Event Hubs"}, {".servicebus.chinacloudapi.cn", "Azure Service Bus or Event Hubs"},
	{".documents.azure.com", "Azure Cosmos DB"}, {".documents.azure.us", "Azure Cosmos DB"}, {".documents.azure.cn", "Azure Cosmos DB"},
	{".azconfig.io", "Azure App Configuration"},
	{".kusto.windows.net", "Azure Data Explorer"}, {".kusto.usgovcloudapi.net", "Azure Data Explorer"}, {".kusto.chinacloudapi.cn", "Azure Data Explorer"},
	{".asazure.windows.net", "Azure Analysis Services"}, {".asazure.usgovcloudapi.net", "Azure Analysis Services"},
	{".dynamics.com", "Dataverse"}, {".microsoftdynamics.us", "Dataverse"}, {".dynamics.cn", "Dataverse"},
	{".sharepoint.com", "SharePoint Online"}, {".sharepoint.us", "SharePoint Online"}, {".sharepoint.cn", "SharePoint Online"},
	{".azurehealthcareapis.com", "Azure Health Data Services"},
}

// microsoftAPI returns the name of Microsoft's API that an audience belongs to, or "".
func microsoftAPI(audience string) string {
	// Clients write these in any case, with one slash at the end or two.
	lower := strings.ToLower(strings.TrimRight(audience, "/"))
	if name := microsoftAPIs[lower]; name != "" {
		return name
	}
	// The audience of a workload identity's assertion, for Entra alone.
	if strings.HasPrefix(lower, tokenExchange) {
		return "Entra's token exchange"
	}
	// SharePoint's version 1.0 tokens name the site behind the application ID: <ID>/<host>@<tenant>.
	if id, _, ok := strings.Cut(lower, "/"); ok && isGUID(id) {
		return microsoftAPIs[id]
	}
	host, ok := strings.CutPrefix(lower, "https://")
	if !ok {
		return ""
	}
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":")
	for _, family := range microsoftSuffixes {
		if strings.HasSuffix(host, family.suffix) {
			return family.name
		}
	}
	return ""
}

// tokenExchange begins the audience of assertions that a workload exchanges for an access token (AzureADTokenExchange,
// AzureADTokenExchangeUSGov and the like).
const tokenExchange = "api://azureadtokenexchange"
