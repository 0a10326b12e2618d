// Azidentity is a daemon that calls the API of ../api with Microsoft's azidentity. The same program runs with a secret, with a
// certificate, or in Azure with a managed identity and no secret at all: DefaultAzureCredential tries each.
//
// Before you run it outside Azure, set AZURE_TENANT_ID to your directory (tenant) ID, AZURE_CLIENT_ID and
// AZURE_CLIENT_SECRET to the ID and a secret of the daemon's own app registration. Always set API_SCOPE to
// api://<client ID of the API>/.default, and API_URL to where the API runs, if that is not http://localhost:8080.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

func main() {
	if os.Getenv("API_SCOPE") == "" {
		log.Fatal("API_SCOPE is not set")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	orders, err := listOrders(ctx, credential, os.Getenv("API_SCOPE"), cmp.Or(os.Getenv("API_URL"), "http://localhost:8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(orders)
}

func listOrders(ctx context.Context, credential azcore.TokenCredential, scope, apiURL string) (string, error) {
	// Ask before each call: the credential caches its token and renews it in time.
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, apiURL+"/orders", nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the API answers %s: %s", response.Status, body)
	}
	return string(body), err
}
