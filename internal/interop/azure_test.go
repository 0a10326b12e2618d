package interop_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/entra-go/entra/entratest"
)

func (d door) azure() azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: d.client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: d.authority + "/"},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func TestAzidentityGetsTokensForItself(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	for _, d := range doors(t, tenant) {
		t.Run(d.name+", secret", func(t *testing.T) {
			credential, err := azidentity.NewClientSecretCredential(entratest.TenantID, entratest.ClientID, entratest.ClientSecret,
				&azidentity.ClientSecretCredentialOptions{ClientOptions: d.azure(), DisableInstanceDiscovery: !d.discovery})
			wantToken(t, api, credential, err)
		})
		t.Run(d.name+", environment", func(t *testing.T) {
			t.Setenv("AZURE_TENANT_ID", entratest.TenantID)
			t.Setenv("AZURE_CLIENT_ID", entratest.ClientID)
			t.Setenv("AZURE_CLIENT_SECRET", entratest.ClientSecret)
			t.Setenv("AZURE_AUTHORITY_HOST", d.authority)
			credential, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
				ClientOptions: azcore.ClientOptions{Transport: d.client}, DisableInstanceDiscovery: !d.discovery})
			wantToken(t, api, credential, err)
		})
		t.Run(d.name+", wrong secret", func(t *testing.T) {
			credential, err := azidentity.NewClientSecretCredential(entratest.TenantID, entratest.ClientID, "wrong",
				&azidentity.ClientSecretCredentialOptions{ClientOptions: d.azure(), DisableInstanceDiscovery: !d.discovery})
			if err != nil {
				t.Fatal(err)
			}
			_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{apiScopes}})
			var failed *azidentity.AuthenticationFailedError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), "AADSTS7000215") {
				t.Errorf("got %v, want an AuthenticationFailedError with AADSTS7000215", err)
			}
		})
	}
}

func wantToken(t *testing.T, api *httptest.Server, credential azcore.TokenCredential, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("making the credential: %v", err)
	}
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{apiScopes}})
	if err != nil {
		t.Fatalf("GetToken: %v", err)
	}
	wantDaemon(t, api, token.Token, "1")
}

// counted counts the tokens that a credential was asked for.
type counted struct {
	azcore.TokenCredential
	asked []policy.TokenRequestOptions
}

func (c *counted) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.asked = append(c.asked, options)
	return c.TokenCredential.GetToken(ctx, options)
}

// azcore's policy declares the capability cp1, parses the challenge, asks for a token with its claims, and sends the
// request again, all by itself: the loop that AuthContext exists for.
func TestAzcoreStepsUpByItself(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	for _, d := range doors(t, tenant) {
		t.Run(d.name, func(t *testing.T) {
			onBehalfOf, err := azidentity.NewOnBehalfOfCredentialWithSecret(entratest.TenantID, entratest.ClientID, userAtMiddle(tenant),
				entratest.ClientSecret, &azidentity.OnBehalfOfCredentialOptions{ClientOptions: d.azure(), DisableInstanceDiscovery: !d.discovery})
			if err != nil {
				t.Fatal(err)
			}
			credential := &counted{TokenCredential: onBehalfOf}
			bearer := runtime.NewBearerTokenPolicy(credential, []string{entratest.APIURI + "/" + entratest.ScopeRead}, nil)

			if status := through(t, bearer, api, http.MethodGet, "/orders"); status != http.StatusOK || len(credential.asked) != 1 {
				t.Errorf("GET /orders: got %d after %d tokens, want 200 after 1", status, len(credential.asked))
			}
			if status := through(t, bearer, api, http.MethodPost, "/payments"); status != http.StatusOK || len(credential.asked) != 2 {
				t.Fatalf("POST /payments: got %d after %d tokens, want 200 after 2", status, len(credential.asked))
			}
			if got, want := credential.asked[1].Claims, `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`; got != want {
				t.Errorf("the claims that azcore found in the challenge: got %s, want %s", got, want)
			}
			if status := through(t, bearer, api, http.MethodDelete, "/orders"); status != http.StatusForbidden {
				t.Errorf("DELETE /orders without its scope: got %d, want 403", status)
			}
		})
	}
}

// A refusal that is no claims challenge must reach the caller, not a loop of new tokens.
func TestAzcoreTakesOtherRefusalsForAnswers(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	for name, token := range map[string]string{
		"expired":         tenant.Token(entratest.Expired()),
		"another API's":   tenant.Token(entratest.Audience("api://billing")),
		"no JWS":          "opaque",
		"unknown key":     tenant.Token(entratest.SignedBy(tenant.UnknownKey())),
		"unlisted tenant": tenant.Token(entratest.Tenant(entratest.OtherTenantID)),
	} {
		credential := &counted{TokenCredential: fixed(token)}
		bearer := runtime.NewBearerTokenPolicy(credential, []string{apiScopes}, nil)
		if status := through(t, bearer, api, http.MethodGet, "/orders"); status != http.StatusUnauthorized || len(credential.asked) != 1 {
			t.Errorf("%s: got %d after %d tokens, want 401 after 1", name, status, len(credential.asked))
		}
	}
}

// fixed is a credential that always has the same token.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f)}, nil
}

// through sends a request through azcore's pipeline with the bearer policy.
func through(t *testing.T, bearer policy.Policy, api *httptest.Server, method, path string) int {
	t.Helper()
	pipeline := runtime.NewPipeline("interop", "v0", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}},
		&policy.ClientOptions{Transport: api.Client(), Retry: policy.RetryOptions{MaxRetries: -1}})
	request, err := runtime.NewRequest(t.Context(), method, api.URL+path)
	if err != nil {
		t.Fatal(err)
	}
	response, err := pipeline.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// pay calls the route that asks for a step-up.
func pay(t *testing.T, api *httptest.Server, token string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api.URL+"/payments", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := api.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

// claimsOf reads the claims out of a challenge as Microsoft's documentation tells clients without a parser to.
//
// Source: https://learn.microsoft.com/entra/identity-platform/claims-challenge
func claimsOf(t *testing.T, header http.Header) string {
	t.Helper()
	found := regexp.MustCompile(`error="insufficient_claims".*claims="([^"]+)"`).FindStringSubmatch(header.Get("WWW-Authenticate"))
	if found == nil {
		t.Fatalf("WWW-Authenticate: got %q, want a claims challenge", header.Get("WWW-Authenticate"))
	}
	claims, err := base64.StdEncoding.DecodeString(found[1])
	if err != nil {
		t.Fatalf("the claims: %v", err)
	}
	return string(claims)
}
