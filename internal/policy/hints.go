package policy

import (
	"net/url"
	"strings"

	"github.com/entra-go/entra/internal/quote"
)

// Unverified describes for a text what a token says that nobody's key has verified: its issuer and audience, with a hint
// where people mix up issuers. It decides nothing.
func (p *Policy) Unverified(issuer, audience string) string {
	return unverified(issuer, audience, p.hint(issuer, audience, ""))
}

// UnverifiedOfUnknownKey is [Policy.Unverified] for a token whose key was looked for and is not among those held.
func (p *Policy) UnverifiedOfUnknownKey(issuer, audience string) string {
	return unverified(issuer, audience, p.hint(issuer, audience, p.appKeysHint()))
}

func unverified(issuer, audience, hint string) string {
	text := "the token says (unverified) that its issuer is " + quote.Text(issuer) + " and its audience " + quote.Text(audience)
	if hint != "" {
		return text + ": " + hint
	}
	return text
}

// hint says what an issuer is that reaches APIs by mistake, and what to change; "" for one that says nothing, and own
// for one that is this Policy's as far as its host and tenant say.
func (p *Policy) hint(issuer, audience, own string) string {
	// Whoever issued it: this audience means that it was never for an API.
	if strings.HasPrefix(strings.ToLower(audience), tokenExchange) {
		return "it is the assertion of a workload identity, for Entra alone; the client must exchange it for an access token of this API" + p.ScopeCure() + ", and send that"
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	host, tenant := strings.ToLower(u.Hostname()), tenantOf(strings.ToLower(issuer))
	// Hosts are compared whole: a look-alike gets no hint.
	for _, known := range strangers {
		if known.is(host, u.Path) {
			return known.hint
		}
	}
	switch {
	case strings.HasSuffix(host, externalIDHost), strings.HasSuffix(host, ".b2clogin.com"), strings.HasSuffix(host, ".b2clogin.cn"), strings.HasSuffix(host, ".b2clogin.us"):
		if p.authority.external == nil {
			return "it is a token of External ID or Azure AD B2C; set Options.Authority to that authority's URL, in a Verifier of its own (Combine puts several at one place)"
		}
		return "it is a token of another External ID or Azure AD B2C authority than Options.Authority; give that one a Verifier of its own (Combine puts several at one place)"
	case strings.HasSuffix(host, "sovcloud-identity.fr"), strings.HasSuffix(host, "sovcloud-identity.de"), strings.HasSuffix(host, "sovcloud-identity.sg"):
		return "it is a token of a sovereign cloud; set Options.Authority to https://" + host + "/<tenant ID>/v2.0"
	}
	return p.hintAtEntra(host, tenant, own)
}

// hintAtEntra is about issuers of Entra's own hosts.
func (p *Policy) hintAtEntra(host, tenant, own string) string {
	t := p.authority.tenants
	switch cloud := cloudOf(host); {
	case cloud == "":
		return ""
	case t == nil:
		return "it is a token of a work or school tenant or a personal account, and Options.Authority names another authority; give the tenant a Verifier of its own with Options.Tenants (Combine puts several at one place)"
	case tenant == PersonalAccounts && !t.personal:
		return "it is a token of a personal Microsoft account; add entra.PersonalAccounts to Options.Tenants if those are welcome"
	case host != t.cloud.loginHost && host != t.cloud.v1Host:
		return "it is a token of the cloud " + cloud + ", and Options.Cloud is " + t.cloud.name + "; a Verifier accepts one cloud (Combine puts several at one place)"
	case tenant != "" && !t.any && t.issuers[tenant] == (issuers{}):
		return "it is a token of a tenant that Options.Tenants does not name"
	}
	return own
}

// appKeysHint is about a key that is not among those held, of a token that is this Policy's by its issuer.
func (p *Policy) appKeysHint() string {
	if p.appKeys {
		return "the keys of the tenant and those of the application's own (Options.AppKeys) were looked for; if it goes on while they can be fetched, the token is forged"
	}
	return "if the application has signing keys of its own (claims mapping), set Options.AppKeys"
}

// cloudOf returns the cloud whose issuers are on host, or "". Version 1.0 issuers of two clouds share a host.
func cloudOf(host string) string {
	for _, cloud := range []Cloud{Worldwide, USGovernment, China} {
		if facts := clouds[cloud]; host == facts.loginHost || host == facts.v1Host {
			return facts.name
		}
	}
	return ""
}

// stranger is an issuer outside Entra whose tokens are sent to APIs by mistake.
type stranger struct {
	is   func(host, path string) bool
	hint string
}

func onHost(names ...string) func(host, path string) bool {
	return func(host, _ string) bool {
		for _, name := range names {
			if host == name || name[0] == '.' && strings.HasSuffix(host, name) {
				return true
			}
		}
		return false
	}
}

const anotherProvider = "; users of that provider need an identity in Entra (or External ID, federated with it), and the client a token of Entra"

// strangers are tried in order.
var strangers = []stranger{
	{onHost("token.actions.githubusercontent.com"), "it is the workflow's own token of GitHub Actions; exchange it with Entra (workload identity federation, azure/login) and send the access token for this API"},
	{func(host, path string) bool { return path == "/_services/token" || strings.HasSuffix(host, ".ghe.com") }, "it is the workflow's own token of GitHub Enterprise; exchange it with Entra (workload identity federation) and send the access token for this API"},
	{onHost(".oic.prod-aks.azure.com", "oidc.prod-aks.azure.com", ".oic.prod-aks.azure.us", ".oic.prod-aks.azure.cn"), "it is the service account's token of an AKS cluster; let WorkloadIdentityCredential exchange it and send the access token for this API"},
	{func(host, path string) bool {
		return strings.HasPrefix(host, "kubernetes.default.svc") || strings.HasPrefix(host, "oidc.eks.") || host == "container.googleapis.com"
	}, "it is the service account's token of a Kubernetes cluster; exchange it with Entra (workload identity federation) and send the access token for this API"},
	{onHost("vstoken.dev.azure.com", "app.vstoken.visualstudio.com"), "it is a token of Azure DevOps for its own service connection or job; use AzurePipelinesCredential (or the task AzureCLI) and send the access token for this API"},
	{onHost("api.botframework.com", "api.botframework.us"), "it is a token of the Bot Framework's connector, which the Bot Framework's own SDK verifies, not this library"},
	{onHost(".azurewebsites.net"), "it is the session token of App Service authentication; send the token of the header X-MS-TOKEN-AAD-ACCESS-TOKEN"},
	{onHost("accounts.google.com", "securetoken.google.com"), "it is a token of Google" + anotherProvider},
	{func(host, _ string) bool {
		return strings.HasPrefix(host, "cognito-idp.") && strings.HasSuffix(host, ".amazonaws.com")
	}, "it is a token of Amazon Cognito" + anotherProvider},
	{onHost(".auth0.com"), "it is a token of Auth0" + anotherProvider},
	{onHost(".okta.com", ".oktapreview.com", ".okta-emea.com"), "it is a token of Okta" + anotherProvider},
	{func(_, path string) bool {
		return strings.HasPrefix(path, "/realms/") || strings.HasPrefix(path, "/auth/realms/")
	}, "it is a token of Keycloak" + anotherProvider},
	{func(_, path string) bool { return path == "/adfs" || strings.HasPrefix(path, "/adfs/") }, "it is a token of AD FS" + anotherProvider},
	{onHost("appleid.apple.com"), "it is a token of Apple" + anotherProvider},
	{onHost("gitlab.com"), "it is a job's token of GitLab; exchange it with Entra (workload identity federation) and send the access token for this API"},
	{onHost("app.terraform.io"), "it is a workload token of HCP Terraform; exchange it with Entra (workload identity federation) and send the access token for this API"},
}
