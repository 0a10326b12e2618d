package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/oauth2"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Every client here gets its second token without its user: with the refresh token, for a scope that its cache does not hold
// or because it is told to. The other clients that can do that do it where they sign in: MSAL.js in the browser, MSAL Go by
// device code, x/oauth2, openid-client, oauth4webapi, MSAL Python and Authlib.

const ordersWrite = entratest.APIURI + "/" + entratest.ScopeWrite

// wantAlice checks that the library takes the token for one of alice with the scope.
func wantAlice(t *testing.T, verifier *entra.Verifier, token, scope string) {
	t.Helper()
	claims, err := verifier.Verify(t.Context(), token)
	if err != nil || claims.Kind != entra.UserToken || claims.ObjectID != entratest.AliceObjectID || !slices.Contains(claims.Scopes, scope) {
		t.Errorf("got %+v, %v; want a token of alice with the scope %s", claims, err, scope)
	}
}

func TestMSALGoSignsAUserInAndRenews(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	for _, d := range doors(t, tenant) {
		t.Run(d.name, func(t *testing.T) {
			client := confidentialClient(t, d, secret(t))
			pkce := oauth2.GenerateVerifier()
			address, err := client.AuthCodeURL(t.Context(), entratest.ClientID, redirectOfWeb, []string{orders}, confidential.WithLoginHint("alice"))
			if err != nil {
				t.Fatalf("AuthCodeURL: %v", err)
			}
			address += "&code_challenge_method=S256&code_challenge=" + oauth2.S256ChallengeFromVerifier(pkce)
			code := visit(t, d, address).Get("code")
			result, err := client.AcquireTokenByAuthCode(t.Context(), code, redirectOfWeb, []string{orders}, confidential.WithChallenge(pkce))
			if err != nil {
				t.Fatalf("AcquireTokenByAuthCode: %v", err)
			}
			wantAlice(t, verifier, result.AccessToken, entratest.ScopeRead)
			cached, err := client.AcquireTokenSilent(t.Context(), []string{orders}, confidential.WithSilentAccount(result.Account))
			if err != nil || cached.AccessToken != result.AccessToken {
				t.Errorf("AcquireTokenSilent: got another token or %v, want the cached one", err)
			}
			renewed, err := client.AcquireTokenSilent(t.Context(), []string{ordersWrite}, confidential.WithSilentAccount(result.Account))
			if err != nil {
				t.Fatalf("AcquireTokenSilent for another scope: %v", err)
			}
			wantAlice(t, verifier, renewed.AccessToken, entratest.ScopeWrite)
		})
	}
}

func TestAzidentityRenewsWithoutAnotherDeviceCode(t *testing.T) {
	t.Parallel() // It polls every five seconds, as Entra asks.
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	prompts := 0
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		TenantID:      entratest.TenantID,
		ClientID:      entratest.SPAClientID,
		ClientOptions: doors(t, tenant)[0].azure(),
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			prompts++
			enter(t, tenant.Client(), message.VerificationURL, message.UserCode, "alice")
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for scope, name := range map[string]string{orders: entratest.ScopeRead, ordersWrite: entratest.ScopeWrite} {
		token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}})
		if err != nil {
			t.Fatalf("GetToken: %v", err)
		}
		wantAlice(t, verifier, token.Token, name)
	}
	if prompts != 1 {
		t.Errorf("got %d prompts, want 1: the second token needs no user", prompts)
	}
}

// Each version that is in use signs in a user of a web application and renews, from its cache and with the refresh token itself.
func TestMSALNodeSignsAUserInAndRenews(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	if _, err := tenant.Start(); err != nil {
		t.Fatal(err)
	}
	for _, version := range msalNodes {
		t.Run(version, func(t *testing.T) {
			question, err := json.Marshal(map[string]any{
				"msal": version, "auth": confidentialAuth(tenant), "redirectUri": redirectOfWeb, "read": orders, "write": ordersWrite,
			})
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), node(t), filepath.Join("node", "web.mjs"))
			command.Stdin = bytes.NewReader(question)
			var said, complained bytes.Buffer
			command.Stdout, command.Stderr = &said, &complained
			if err := command.Run(); err != nil {
				t.Fatalf("node: %v\n%s", err, &complained)
			}
			var a struct{ First, Cached, Forced, Other, Redeemed string }
			if err := json.Unmarshal(said.Bytes(), &a); err != nil {
				t.Fatalf("node: %v\n%s", err, &said)
			}
			for token, scope := range map[string]string{
				a.First: entratest.ScopeRead, a.Forced: entratest.ScopeRead, a.Other: entratest.ScopeWrite, a.Redeemed: entratest.ScopeRead,
			} {
				wantAlice(t, verifier, token, scope)
			}
			if a.Cached != a.First || a.Forced == a.First || a.Redeemed == a.Forced {
				t.Errorf("got the cached token: %t, new ones: %t, %t; want true for all", a.Cached == a.First, a.Forced != a.First, a.Redeemed != a.Forced)
			}
		})
	}
}
