// Oauth2 is a daemon that calls the API of ../api with golang.org/x/oauth2 alone.
//
// Before you run it, set AZURE_TENANT_ID to your directory (tenant) ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to the ID
// and a secret of the daemon's own app registration, API_SCOPE to api://<client ID of the API>/.default, and API_URL to
// where the API runs, if that is not http://localhost:8080.
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

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "API_SCOPE"} {
		if os.Getenv(name) == "" {
			log.Fatalf("%s is not set", name)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	daemon := clientcredentials.Config{
		ClientID:     os.Getenv("AZURE_CLIENT_ID"),
		ClientSecret: os.Getenv("AZURE_CLIENT_SECRET"),
		TokenURL:     "https://login.microsoftonline.com/" + os.Getenv("AZURE_TENANT_ID") + "/oauth2/v2.0/token",
		Scopes:       []string{os.Getenv("API_SCOPE")},
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	client := daemon.Client(ctx) // gets a token when it needs one, and caches it until it expires
	orders, err := listOrders(ctx, client, cmp.Or(os.Getenv("API_URL"), "http://localhost:8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(orders)
}

func listOrders(ctx context.Context, client *http.Client, apiURL string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, apiURL+"/orders", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
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
