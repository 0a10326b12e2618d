// Msal-go is a daemon that gets its tokens with MSAL Go and calls the API.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

func main() {
	secret, err := confidential.NewCredFromSecret(os.Getenv("AZURE_CLIENT_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	local := os.Getenv("AZURE_AUTHORITY_HOST") // where the emulator listens; empty in production
	authority := cmp.Or(local, "https://login.microsoftonline.com/") + os.Getenv("AZURE_TENANT_ID")
	client, err := confidential.New(authority, os.Getenv("AZURE_CLIENT_ID"), secret,
		confidential.WithInstanceDiscovery(local == "")) // asks Microsoft about hosts that it does not know
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.AcquireTokenByCredential(context.Background(), []string{os.Getenv("API_SCOPE")})
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, cmp.Or(os.Getenv("API_URL"), "http://localhost:8080/orders"), nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+result.AccessToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	orders, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode, string(orders))
}
