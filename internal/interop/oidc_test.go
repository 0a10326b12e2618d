package interop_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/entra-go/entra/entratest"
)

const issuer = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"

// goOIDC returns go-oidc's view of the tenant, and the context in which go-oidc reaches it.
func goOIDC(t *testing.T, tenant *entratest.Server) (context.Context, *oidc.Provider) {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), tenant.Client())
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		t.Fatalf("NewProvider: %v", err)
	}
	return ctx, provider
}

// go-oidc demands that the metadata's issuer be the URL it was asked for, and reads tokens with a verifier of its own.
func TestGoOIDCReadsTheMetadataAndTheTokensThatTheLibraryAccepts(t *testing.T) {
	tenant, _ := newTenant(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	ctx, provider := goOIDC(t, tenant)
	second := provider.VerifierContext(ctx, &oidc.Config{ClientID: entratest.APIClientID})
	for name, token := range map[string]string{
		"user":        tenant.Token(),
		"application": tenant.Token(entratest.App(entratest.RoleDaemon)),
		"guest":       tenant.Token(entratest.Guest()),
	} {
		claims, err := verifier.Verify(t.Context(), token)
		if err != nil {
			t.Fatalf("%s: Verify: %v", name, err)
		}
		read, err := second.Verify(ctx, token)
		if err != nil {
			t.Fatalf("%s: go-oidc: got %v, want it accepted as here", name, err)
		}
		if read.Subject != claims.Subject || read.Issuer != claims.Issuer || !read.Expiry.Equal(claims.ExpiresAt) || !read.IssuedAt.Equal(claims.IssuedAt) {
			t.Errorf("%s: go-oidc read %+v, the library %+v", name, read, claims)
		}
	}
	for name, token := range map[string]string{
		"expired":       tenant.Token(entratest.Expired()),
		"unknown key":   tenant.Token(entratest.SignedBy(tenant.UnknownKey())),
		"another API's": tenant.Token(entratest.Audience(entratest.SPAClientID)),
		"other tenant":  tenant.Token(entratest.Tenant(entratest.OtherTenantID)),
	} {
		_, errHere := verifier.Verify(t.Context(), token)
		_, errThere := second.Verify(ctx, token)
		if errHere == nil || errThere == nil {
			t.Errorf("%s: got %v here and %v from go-oidc, want both to refuse", name, errHere, errThere)
		}
	}
}

func TestGoOIDCFindsRotatedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier := newVerifier(t, tenant, entratest.APIClientID)
		ctx, provider := goOIDC(t, tenant)
		second := provider.VerifierContext(ctx, &oidc.Config{ClientID: entratest.APIClientID})
		for range 2 {
			token := tenant.Token()
			_, errHere := verifier.Verify(t.Context(), token)
			if _, errThere := second.Verify(ctx, token); errHere != nil || errThere != nil {
				t.Errorf("got %v here and %v from go-oidc, want both to accept", errHere, errThere)
			}
			synctest.Wait() // go-oidc gives its keys before its fetch has ended, and takes no other document meanwhile.
			tenant.RotateKeys()
		}
	})
}

// What a strict OpenID Connect client cannot read by design: documents whose issuer is a template or another host.
func TestGoOIDCRefusesTheTemplateAndVersion1(t *testing.T) {
	tenant, _ := newTenant(t)
	ctx := oidc.ClientContext(t.Context(), tenant.Client())
	for _, authority := range []string{"common/v2.0", "organizations/v2.0", entratest.TenantID} {
		_, err := oidc.NewProvider(ctx, "https://login.microsoftonline.com/"+authority)
		if err == nil || !strings.Contains(err.Error(), "did not match") {
			t.Errorf("%s: got %v, want the issuer refused", authority, err)
		}
	}
	provider, err := oidc.NewProvider(oidc.InsecureIssuerURLContext(ctx, "https://sts.windows.net/"+entratest.TenantID+"/"),
		"https://login.microsoftonline.com/"+entratest.TenantID)
	if err != nil {
		t.Fatalf("version 1.0 with its own issuer: %v", err)
	}
	token := tenant.Token(entratest.V1())
	if _, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: entratest.APIURI}).Verify(ctx, token); err != nil {
		t.Errorf("a version 1.0 token: got %v from go-oidc, want it accepted", err)
	}
	if _, err := newVerifier(t, tenant, entratest.APIClientID).Verify(t.Context(), token); err != nil {
		t.Errorf("a version 1.0 token: got %v here, want it accepted", err)
	}
}

// The metadata leads a client to every endpoint that it names, and only to the tenant.
func TestEveryEndpointOfTheMetadataAnswers(t *testing.T) {
	tenant, _ := newTenant(t)
	_, provider := goOIDC(t, tenant)
	var metadata struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		Keys          string `json:"jwks_uri"`
		UserInfo      string `json:"userinfo_endpoint"`
		EndSession    string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[string]int{
		metadata.Authorization: http.StatusBadRequest, metadata.Token: http.StatusBadRequest, metadata.Keys: http.StatusOK,
		metadata.UserInfo: http.StatusUnauthorized, metadata.EndSession: http.StatusOK,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := tenant.Client().Do(request)
		if err != nil {
			t.Errorf("GET %s: %v", endpoint, err)
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("GET %s: got %d, want %d", endpoint, response.StatusCode, want)
		}
	}
}
