// Command zitadel-oidc is a web application that signs users in with github.com/zitadel/oidc, calls the API for them, and
// renews their tokens.
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

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

func main() {
	issuer := cmp.Or(os.Getenv("ENTRA_ISSUER"), "https://login.microsoftonline.com/"+os.Getenv("AZURE_TENANT_ID")+"/v2.0")
	page, err := url.Parse(cmp.Or(os.Getenv("PAGE_URL"), "http://localhost:3000"))
	if err != nil {
		log.Fatal(err)
	}
	key := []byte(rand.Text()[:16])                                             // of the cookies; in production, keep it in the configuration
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure()) // for plain http alone
	client, err := rp.NewRelyingPartyOIDC(context.Background(), issuer,
		os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"), page.String()+"/auth/callback",
		[]string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeOfflineAccess, os.Getenv("API_SCOPE")},
		rp.WithPKCE(cookies))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/", rp.AuthURLHandler(rand.Text, client))
	http.Handle("/auth/callback", rp.CodeExchangeHandler(signedIn, client))
	log.Fatal(http.ListenAndServe(page.Host, nil))
}

// signedIn is called with the tokens of a user whose ID token was accepted.
func signedIn(w http.ResponseWriter, r *http.Request, tokens *oidc.Tokens[*oidc.IDTokenClaims], _ string, client rp.RelyingParty) {
	renewed, err := rp.RefreshTokens[*oidc.IDTokenClaims](r.Context(), client, tokens.RefreshToken, "", "")
	if err == nil {
		err = orders(w, r, renewed)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func orders(w http.ResponseWriter, r *http.Request, tokens *oidc.Tokens[*oidc.IDTokenClaims]) error {
	api := cmp.Or(os.Getenv("API_URL"), "http://localhost:8080/orders")
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, api, nil)
	if err != nil {
		return err
	}
	tokens.SetAuthHeader(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8") // Users choose their names.
	_, err = fmt.Fprintf(w, "%s: %d %s", tokens.IDTokenClaims.Name, response.StatusCode, text)
	return err
}
