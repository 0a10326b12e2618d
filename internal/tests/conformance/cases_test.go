package conformance_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// What clients put into the header in place of a bearer token. The operator reads which mistake it was; nobody reads the
// text itself, which may be a secret.
func TestMistakesInTheHeader(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token()
	for _, row := range []struct {
		name, value string
		status      int
		says        string
	}{
		{"a token without its scheme", token, 401, "the scheme Bearer is missing"},
		{"a token of another service's without its scheme", "ghp_0123456789abcdef", 401, "the scheme Bearer is missing"},
		{"the scheme Token", "Token " + token, 401, `the scheme "Token"; expected Bearer`},
		{"the scheme JWT", "JWT " + token, 401, `the scheme "JWT"; expected Bearer`},
		{"the scheme Basic", "Basic eDp5", 401, `the scheme "Basic"; expected Bearer`},
		{"the scheme twice", "Bearer Bearer " + token, 400, "Bearer stands there twice"},
		{"the scheme twice in other cases", "bearer  BEARER " + token, 400, "Bearer stands there twice"},
		{"double quotes", `Bearer "` + token + `"`, 400, "in quotation marks"},
		{"single quotes", `Bearer '` + token + `'`, 400, "in quotation marks"},
		{"undefined", "Bearer undefined", 401, "the word undefined"},
		{"null", "Bearer null", 401, "the word null"},
		{"None", "Bearer None", 401, "the word none"},
		{"undefined without a scheme", "undefined", 401, "undefined, null or the like"},
		{"an object", "Bearer [object Object]", 400, "an object's name"},
		{"a promise", "Bearer [object Promise]", 400, "an object's name"},
		{"a variable of Postman's", "Bearer {{access_token}}", 400, "a placeholder"},
		{"a variable of a shell's", "Bearer $TOKEN", 400, "a placeholder"},
		{"a placeholder of a manual's", "Bearer <token>", 400, "a placeholder"},
		{"a token that is wrapped", "Bearer " + token[:40] + " " + token[40:], 400, "holds a space or a line break"},
		{"a scheme alone", "Bearer", 400, "holds no token"},
		{"a scheme and spaces", "Bearer  ", 400, "holds no token"},
		{"an opaque token", "Bearer 0123456789abcdef", 401, "has no dot"},
		{"nothing", "", 400, "does not begin with a scheme"},
	} {
		verifier, log := testbed.Logging(t, tenant, slog.LevelInfo)
		spy := new(testbed.Spy)
		w := testbed.Serve(verifier.Authenticate(spy), row.value)
		lines := log.Lines()
		if w.Code != row.status || spy.Calls != 0 || len(lines) != 1 {
			t.Errorf("%s: got %d, %d calls and %d lines at Info, want %d, none and one", row.name, w.Code, spy.Calls, len(lines), row.status)
			continue
		}
		text := lines[0]["error"]
		if !strings.Contains(text, row.says) {
			t.Errorf("%s: got the text %q, want it to say %q", row.name, text, row.says)
		}
		for _, part := range strings.FieldsFunc(row.value, func(r rune) bool { return r == ' ' || r == '.' }) {
			if len(part) > 12 && (strings.Contains(text, part) || strings.Contains(w.Body.String(), part)) {
				t.Errorf("%s: got the text %q and the body %q, want neither to hold what was sent", row.name, text, w.Body)
			}
		}
	}
	verifier, log := testbed.Logging(t, tenant, slog.LevelInfo)
	if w := testbed.Serve(verifier.Authenticate(new(testbed.Spy))); w.Code != 401 || len(log.Lines()) != 0 {
		t.Errorf("no header: got %d and %v at Info, want 401 and nothing", w.Code, log.Lines())
	}
}

func TestAnOutageIsLoggedAtWarn(t *testing.T) {
	tenant := entratest.New(t)
	tenant.Down()
	verifier, log := testbed.Logging(t, tenant, slog.LevelWarn)
	w := testbed.Serve(verifier.Authenticate(new(testbed.Spy)), "Bearer "+tenant.Token())
	var found bool
	for _, line := range log.Lines() {
		found = found || line["reason"] == string(entra.ReasonKeysUnavailable)
	}
	if w.Code != http.StatusServiceUnavailable || !found {
		t.Errorf("got %d and %v, want 503 and its line at Warn", w.Code, log.Lines())
	}
}

// Tokens of issuers that people mix up, signed with keys of those.
func TestTokensOfStrangersAreNamed(t *testing.T) {
	const tid = entratest.TenantID
	for _, row := range []struct{ issuer, audience, says string }{
		{"https://token.actions.githubusercontent.com", "https://github.com/contoso", "GitHub Actions"},
		{"https://eastus.oic.prod-aks.azure.com/" + tid + "/" + tid + "/", "api://AzureADTokenExchange", "exchange it"},
		{"https://westeurope.oic.prod-aks.azure.com/" + tid + "/" + tid + "/", "https://contoso.example", "AKS"},
		{"https://kubernetes.default.svc.cluster.local", "x", "Kubernetes"},
		{"https://vstoken.dev.azure.com/" + tid, "api://AzureADTokenExchange", "exchange it"},
		{"https://vstoken.dev.azure.com/" + tid, "x", "Azure DevOps"},
		{"https://api.botframework.com", tid, "Bot Framework"},
		{"https://" + tid + ".ciamlogin.com/" + tid + "/v2.0", tid, "Options.Authority"},
		{"https://contoso.b2clogin.com/" + tid + "/v2.0/", tid, "Options.Authority"},
		{"https://contoso.b2clogin.com/tfp/" + tid + "/b2c_1a_signup_signin_of_the_customers/v2.0/", tid, "Options.Authority"},
		{testbed.PersonalV2, tid, "personal Microsoft account; add entra.PersonalAccounts"},
		{testbed.GovernmentV2, tid, "Options.Cloud is Worldwide"},
		{testbed.ChinaV1, tid, "the cloud China"},
		{testbed.PublicOtherV2, tid, "a tenant that Options.Tenants does not name"},
		{testbed.PublicV2, tid, "Options.AppKeys"},
		{"https://login.sovcloud-identity.fr/" + tid + "/v2.0", tid, "https://login.sovcloud-identity.fr/<tenant ID>/v2.0"},
		{"https://accounts.google.com", tid, "Google"},
		{"https://contoso.eu.auth0.com/", tid, "Auth0"},
		{"https://contoso.okta.com/oauth2/default", tid, "Okta"},
		{"https://id.contoso.example/realms/orders", tid, "Keycloak"},
		{"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", tid, "Cognito"},
		{"https://anything.example/", tid, "https://anything.example/"},
	} {
		tenant := entratest.New(t)
		verifier, log := testbed.Logging(t, tenant, slog.LevelInfo)
		token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Claim("iss", row.issuer), entratest.Claim("aud", row.audience))
		w := testbed.Serve(verifier.Authenticate(new(testbed.Spy)), "Bearer "+token)
		text := log.Lines()[0]["error"]
		if w.Code != 401 || log.Lines()[0]["reason"] != string(entra.ReasonUnknownKey) {
			t.Errorf("%s: got %d %v, want 401 unknown_key", row.issuer, w.Code, log.Lines())
		}
		for _, says := range []string{row.says, `"` + row.issuer + `"`, `"` + row.audience + `"`, "unverified"} {
			if !strings.Contains(text, says) {
				t.Errorf("%s: got the text %q, want it to say %q", row.issuer, text, says)
			}
		}
		if strings.Contains(w.Body.String(), row.issuer) {
			t.Errorf("%s: got the body %q, want nothing of the token in it", row.issuer, w.Body)
		}
	}
}

// Audiences of Microsoft's own are named, never advised, and never accepted as an option.
func TestMicrosoftsOwnAudiences(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for audience, name := range map[string]string{
		"https://graph.microsoft.com":                                         "Microsoft Graph",
		"https://GRAPH.microsoft.com/":                                        "Microsoft Graph",
		"00000003-0000-0000-c000-000000000000":                                "Microsoft Graph",
		"https://vault.azure.net":                                             "Azure Key Vault",
		"https://contoso.vault.azure.net":                                     "Azure Key Vault",
		"cfa8b339-82a2-471a-a3c9-0fc0be7a4093":                                "Azure Key Vault",
		"https://storage.azure.com/":                                          "Azure Storage",
		"https://contoso.blob.core.windows.net":                               "Azure Storage",
		"https://database.windows.net/":                                       "Azure SQL Database",
		"499b84ac-1321-427f-aa17-267ca6975798":                                "Azure DevOps",
		"6dae42f8-4368-4678-94ff-3960e28e3630":                                "Azure Kubernetes Service",
		"https://management.azure.com//":                                      "Azure Resource Manager",
		"https://management.core.windows.net/":                                "Azure Resource Manager",
		"https://contoso.crm4.dynamics.com":                                   "Dataverse",
		"https://contoso.sharepoint.com":                                      "SharePoint Online",
		"00000003-0000-0ff1-ce00-000000000000/contoso.sharepoint.com@contoso": "SharePoint Online",
		"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d":                                "Azure Databricks",
		"https://cognitiveservices.azure.com":                                 "Azure AI Services",
		"api://AzureADTokenExchange":                                          "Entra's token exchange",
		"https://servicebus.azure.net":                                        "Azure Service Bus",
		"https://graph.svc.sovcloud.fr":                                       "Microsoft Graph",
	} {
		_, err := verifier.Verify(t.Context(), tenant.Token(entratest.Audience(audience)))
		if entra.ReasonOf(err) != entra.ReasonAudience || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "add the audience") {
			t.Errorf("%s: got %v, want it named %s and not advised", audience, err, name)
		}
		_, err = entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Audiences: []string{audience}})
		if err == nil || !strings.Contains(err.Error(), "Options.Audiences[0]") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s as an option: got %v, want a mistake that names %s", audience, err, name)
		}
		if len(audience) == 36 && !strings.Contains(audience, ":") {
			if _, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: audience}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s as ClientID: got %v, want a mistake that names %s", audience, err, name)
			}
		}
	}
	for _, own := range []string{"https://contoso.azurewebsites.net", "https://contoso.onmicrosoft.com/orders", "https://api.contoso.com", "api://orders", "https://notgraph.microsoft.com.contoso.example", "https://mycore.windows.net.contoso.example"} {
		if _, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, Audiences: []string{own}}); err != nil {
			t.Errorf("%s: got %v, want it accepted", own, err)
		}
	}
}

func TestDiagnosesOfPublicThreads(t *testing.T) {
	const page = "88888888-8888-4888-8888-888888888888"
	tenant := entratest.New(t)
	for _, row := range []struct {
		name    string
		token   string
		require entra.Requirement
		says    []string
		denies  string // what the text must not say
	}{
		{"roles without a scope", tenant.Token(entratest.Without("scp"), entratest.Roles("Orders.Admin")), nil, []string{"Orders.Admin", "no scope (scp)"}, "no scope and no role"},
		{"an ID token of a page with its own registration", tenant.Token(entratest.IDToken(), entratest.Claim("aud", page)), nil, []string{"ID token", "access token", page}, "add the audience"},
		{"a daemon at Scope", tenant.Token(entratest.App(entratest.RoleDaemon)), entra.Scope("Orders.Read"), []string{`AnyOf(Scope("Orders.Read"), AppPermission(`}, ""},
		{"a daemon at Role", tenant.Token(entratest.App(entratest.RoleDaemon)), entra.Role("Orders.Admin"), []string{`AnyOf(Role("Orders.Admin"), AppPermission(`}, ""},
		{"a user at AppPermission", tenant.Token(), entra.AppPermission("Orders.Read.All"), []string{`AnyOf(Scope(…), AppPermission("Orders.Read.All"))`}, ""},
		{"200 groups by name", tenant.Token(entratest.Groups(strings.Fields(strings.Repeat("a-group-with-a-name-as-long-as-companies-like-them-to-be-since-they-hold-departments ", 220))...)), nil, []string{"groups", "assigned to the application", "Options.MaxTokenSize"}, "Entra's own"},
		{"a managed identity without a role", tenant.Token(entratest.App()), nil, []string{"managed identity", "az rest", "appRoleAssignments"}, ""},
	} {
		verifier, log := testbed.Logging(t, tenant, slog.LevelInfo)
		var handler http.Handler = new(testbed.Spy)
		if row.require != nil {
			handler = entra.Require(row.require)(handler)
		}
		testbed.Serve(verifier.Authenticate(handler), "Bearer "+row.token)
		lines := log.Lines()
		if len(lines) != 1 {
			t.Errorf("%s: got %d lines, want one", row.name, len(lines))
			continue
		}
		text := lines[0]["error"]
		for _, says := range row.says {
			if !strings.Contains(text, says) {
				t.Errorf("%s: got the text %q, want it to say %q", row.name, text, says)
			}
		}
		if row.denies != "" && strings.Contains(text, row.denies) {
			t.Errorf("%s: got the text %q, want it not to say %q", row.name, text, row.denies)
		}
	}
	_, err := entra.NewVerifier(entra.Options{AllowAnyTenant: true, ClientID: entratest.APIClientID, Audiences: []string{"api://botid-" + entratest.APIClientID}})
	if err == nil || !strings.Contains(err.Error(), "requestedAccessTokenVersion") || strings.Contains(err.Error(), "does not contain") {
		t.Errorf("a Teams bot: got %v, want what Teams needs", err)
	}
}
