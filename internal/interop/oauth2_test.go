package interop_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/entra-go/entra/entratest"
)

// plainDoor is a listener without TLS, which x/oauth2 takes without any option.
func plainDoor(t testing.TB, tenant *entratest.Server) door {
	t.Helper()
	url, err := tenant.Start()
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return door{"plain listener", url, http.DefaultClient, false}
}

func (d door) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, d.client)
}

func (d door) endpoint() oauth2.Endpoint {
	base := d.authority + "/" + entratest.TenantID + "/oauth2/v2.0"
	return oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token"}
}

func TestOAuth2GetsTokensForItself(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	for _, d := range append(doors(t, tenant), plainDoor(t, tenant)) {
		for name, style := range map[string]oauth2.AuthStyle{
			"style found out": oauth2.AuthStyleAutoDetect, "secret in the form": oauth2.AuthStyleInParams, "Basic": oauth2.AuthStyleInHeader,
		} {
			t.Run(d.name+", "+name, func(t *testing.T) {
				config := clientcredentials.Config{ClientID: entratest.ClientID, ClientSecret: entratest.ClientSecret,
					TokenURL: d.endpoint().TokenURL, Scopes: []string{apiScopes}, AuthStyle: style}
				token, err := config.Token(d.context(t.Context()))
				if err != nil {
					t.Fatalf("Token: %v", err)
				}
				wantDaemon(t, api, token.AccessToken, "1")
			})
		}
		t.Run(d.name+", wrong secret", func(t *testing.T) {
			config := clientcredentials.Config{ClientID: entratest.ClientID, ClientSecret: "wrong", TokenURL: d.endpoint().TokenURL,
				Scopes: []string{apiScopes}}
			_, err := config.Token(d.context(t.Context()))
			var refused *oauth2.RetrieveError
			if !errors.As(err, &refused) || refused.ErrorCode != "invalid_client" || !strings.HasPrefix(refused.ErrorDescription, "AADSTS7000215") {
				t.Errorf("got %v, want a RetrieveError with invalid_client and AADSTS7000215", err)
			}
		})
	}
}

func TestOAuth2SignsAUserInToAWebApplication(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	for _, d := range append(doors(t, tenant), plainDoor(t, tenant)) {
		t.Run(d.name, func(t *testing.T) {
			config := oauth2.Config{ClientID: entratest.ClientID, ClientSecret: entratest.ClientSecret, Endpoint: d.endpoint(),
				RedirectURL: "http://localhost:5000/auth/callback", Scopes: []string{"openid", "offline_access", entratest.APIURI + "/" + entratest.ScopeRead}}
			verifier := oauth2.GenerateVerifier()
			answer := visit(t, d, config.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier),
				oauth2.SetAuthURLParam("login_hint", "alice@"+entratest.TenantDomain), oauth2.SetAuthURLParam("nonce", "nonce-1")))
			if answer.Get("state") != "state-1" || answer.Get("code") == "" {
				t.Fatalf("the redirect: got %v, want a code and the state", answer)
			}
			ctx := d.context(t.Context())
			if _, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
				t.Error("Exchange with another verifier: got a token, want an error")
			}
			answer = visit(t, d, config.AuthCodeURL("state-2", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("login_hint", "alice")))
			token, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatalf("Exchange: %v", err)
			}
			wantUser(t, api, token.AccessToken, entratest.ClientID)
			if id, _ := token.Extra("id_token").(string); id == "" {
				t.Error("the answer has no ID token, though openid was asked for")
			}
			renewed, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			if err != nil {
				t.Fatalf("renewing: %v", err)
			}
			wantUser(t, api, renewed.AccessToken, entratest.ClientID)
		})
	}
}

// visit goes to the authorization endpoint as a browser would, and returns what it sends to the redirect URI.
func visit(t *testing.T, d door, address string) url.Values {
	t.Helper()
	browser := *d.client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	location, err := response.Location()
	if err != nil {
		t.Fatalf("GET authorize: got status %d without a redirect", response.StatusCode)
	}
	return location.Query()
}
