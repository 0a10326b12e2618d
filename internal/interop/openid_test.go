package interop_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const orders = entratest.APIURI + "/" + entratest.ScopeRead

// enter does what the user of a device does in a browser elsewhere.
func enter(t *testing.T, client *http.Client, page, userCode, account string) {
	t.Helper()
	response, err := client.PostForm(page, url.Values{"user_code": {userCode}, "entratest_account": {account}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the page of the device code: got status %d", response.StatusCode)
	}
}

func TestMSALGoGetsTokensByDeviceCode(t *testing.T) {
	t.Parallel() // It polls every five seconds, as Entra asks.
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	client, err := public.New(entratest.SPAClientID,
		public.WithAuthority("https://login.microsoftonline.com/"+entratest.TenantID), public.WithHTTPClient(tenant.Client()))
	if err != nil {
		t.Fatal(err)
	}
	code, err := client.AcquireTokenByDeviceCode(t.Context(), []string{orders})
	if err != nil {
		t.Fatalf("AcquireTokenByDeviceCode: %v", err)
	}
	enter(t, tenant.Client(), code.Result.VerificationURL, code.Result.UserCode, "alice")
	result, err := code.AuthenticationResult(t.Context())
	if err != nil {
		t.Fatalf("AuthenticationResult: %v", err)
	}
	if claims, err := verifier.Verify(t.Context(), result.AccessToken); err != nil || claims.ObjectID != entratest.AliceObjectID {
		t.Errorf("got %+v, %v; want Alice's token", claims, err)
	}
	renewed, err := client.AcquireTokenSilent(t.Context(), []string{ordersWrite}, public.WithSilentAccount(result.Account))
	if err != nil {
		t.Fatalf("AcquireTokenSilent for another scope: %v", err)
	}
	wantAlice(t, verifier, renewed.AccessToken, entratest.ScopeWrite)
	declined, err := client.AcquireTokenByDeviceCode(t.Context(), []string{orders})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, tenant.Client(), declined.Result.VerificationURL, declined.Result.UserCode, "cancel")
	if _, err := declined.AuthenticationResult(t.Context()); err == nil || !strings.Contains(err.Error(), "65004") {
		t.Errorf("declined: got %v, want an error that says so", err)
	}
}

func TestOAuth2GetsTokensByDeviceCode(t *testing.T) {
	t.Parallel()
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, entratest.APIClientID)
	ctx, provider := goOIDC(t, tenant)
	config := oauth2.Config{ClientID: entratest.SPAClientID, Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess, orders}}
	answer, err := config.DeviceAuth(ctx)
	if err != nil {
		t.Fatalf("DeviceAuth: %v", err)
	}
	enter(t, tenant.Client(), answer.VerificationURI, answer.UserCode, "alice")
	token, err := config.DeviceAccessToken(ctx, answer)
	if err != nil {
		t.Fatalf("DeviceAccessToken: %v", err)
	}
	first := token.AccessToken
	wantAlice(t, verifier, first, entratest.ScopeRead)
	token.Expiry = time.Now().Add(-time.Minute)
	renewed, err := config.TokenSource(ctx, token).Token()
	if err != nil || renewed.AccessToken == first {
		t.Fatalf("Token: got %v and another token: %t; want a new one", err, renewed != nil && renewed.AccessToken != first)
	}
	wantAlice(t, verifier, renewed.AccessToken, entratest.ScopeRead)
	// go-oidc reads the ID token that came with it, which has no nonce.
	raw, _ := renewed.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: entratest.SPAClientID}).Verify(ctx, raw)
	if err != nil || id.Nonce != "" {
		t.Errorf("the new ID token: got %+v, %v; want it accepted, without a nonce", id, err)
	}
}

// go-oidc compares issuers, and an OpenID client refuses a userinfo answer with another subject (OpenID Connect Core
// section 5.3.2).
func TestGoOIDCSignsInAtALocalIssuer(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{LocalIssuer: true})
	base, err := tenant.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	client := trusting(tenant.CertPool())
	if client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx := context.WithValue(oidc.ClientContext(t.Context(), client), oauth2.HTTPClient, client)
	local := base + "/" + entratest.TenantID + "/v2.0"
	provider, err := oidc.NewProvider(ctx, local)
	if err != nil {
		t.Fatalf("NewProvider: %v", err)
	}
	config := oauth2.Config{
		ClientID:     entratest.ClientID,
		ClientSecret: entratest.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  "http://localhost:3000/auth/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email"},
	}
	pkce := oauth2.GenerateVerifier()
	response, err := client.Get(config.AuthCodeURL("state", oidc.Nonce("n-1"), oauth2.S256ChallengeOption(pkce), oauth2.SetAuthURLParam("login_hint", "alice")))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	token, err := config.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: entratest.ClientID}).Verify(ctx, raw)
	if err != nil || id.Nonce != "n-1" {
		t.Fatalf("go-oidc: got %+v, %v; want the ID token accepted", id, err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != id.Subject || info.Email != "alice@contoso.example" {
		t.Errorf("UserInfo: got %+v, %v; want the subject of the ID token, %s", info, err, id.Subject)
	}
	verifier, err := entra.NewVerifier(entra.Options{
		Authority: local, Tenants: []string{entratest.TenantID}, ClientID: entratest.ClientID, AllowIDTokens: true, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := verifier.Verify(t.Context(), raw); err != nil || claims.Subject != id.Subject {
		t.Errorf("the library: got %+v, %v; want the same ID token accepted", claims, err)
	}
}
