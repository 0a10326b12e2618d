// Go-oidc is a web application that signs users in with go-oidc, checks their ID tokens, and calls the API for them.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	issuer := cmp.Or(os.Getenv("ENTRA_ISSUER"), "https://login.microsoftonline.com/"+os.Getenv("AZURE_TENANT_ID")+"/v2.0")
	page := cmp.Or(os.Getenv("PAGE_URL"), "http://localhost:3000")
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		log.Fatal(err)
	}
	a := &app{
		verifier: provider.Verifier(&oidc.Config{ClientID: os.Getenv("AZURE_CLIENT_ID")}),
		config: oauth2.Config{
			ClientID:     os.Getenv("AZURE_CLIENT_ID"),
			ClientSecret: os.Getenv("AZURE_CLIENT_SECRET"),
			Endpoint:     provider.Endpoint(),
			RedirectURL:  page + "/auth/callback",
			Scopes:       []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess, os.Getenv("API_SCOPE")},
		},
	}
	http.HandleFunc("/", a.signIn)
	http.HandleFunc("/auth/callback", a.signedIn)
	at, err := url.Parse(page)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(at.Host, nil))
}

type app struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	pending  sync.Map // of PKCE verifiers and nonces by state; in production, keep them in the user's session
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	state, pkce, nonce := rand.Text(), oauth2.GenerateVerifier(), rand.Text()
	a.pending.Store(state, [2]string{pkce, nonce})
	http.Redirect(w, r, a.config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(pkce)), http.StatusFound)
}

func (a *app) signedIn(w http.ResponseWriter, r *http.Request) {
	answer, err := a.orders(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, answer)
}

func (a *app) orders(r *http.Request) (string, error) {
	checks, ok := a.pending.LoadAndDelete(r.FormValue("state"))
	if !ok {
		return "", fmt.Errorf("nobody began this sign-in")
	}
	pkce, nonce := checks.([2]string)[0], checks.([2]string)[1]
	token, err := a.config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := a.verifier.Verify(r.Context(), raw)
	if err != nil {
		return "", err
	}
	var user struct{ Name string }
	if err := id.Claims(&user); err != nil {
		return "", err
	}
	if id.Nonce != nonce {
		return "", fmt.Errorf("this ID token answers another sign-in")
	}
	client := a.config.Client(r.Context(), token) // renews the token when it has expired
	response, err := client.Get(cmp.Or(os.Getenv("API_URL"), "http://localhost:8080/orders"))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	orders, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%s: %d %s", user.Name, response.StatusCode, orders), err
}
