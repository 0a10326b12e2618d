// Oauth2 is a daemon that gets its tokens with golang.org/x/oauth2 and calls the API.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	base := cmp.Or(os.Getenv("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com/") + os.Getenv("AZURE_TENANT_ID")
	config := clientcredentials.Config{
		ClientID:     os.Getenv("AZURE_CLIENT_ID"),
		ClientSecret: os.Getenv("AZURE_CLIENT_SECRET"),
		TokenURL:     base + "/oauth2/v2.0/token",
		Scopes:       []string{os.Getenv("API_SCOPE")},
	}
	client := config.Client(context.Background()) // gets a new token when the last one has expired
	response, err := client.Get(cmp.Or(os.Getenv("API_URL"), "http://localhost:8080/orders"))
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
