// Oauth2-device is a program without a browser: its user signs in elsewhere, with a code, and it calls the API with
// golang.org/x/oauth2.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/oauth2"
)

func main() {
	ctx := context.Background()
	base := cmp.Or(os.Getenv("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com/") + os.Getenv("AZURE_TENANT_ID")
	config := oauth2.Config{
		ClientID: os.Getenv("ENTRA_PAGE_CLIENT_ID"), // a public client
		Scopes:   []string{"openid", "offline_access", os.Getenv("API_SCOPE")},
		Endpoint: oauth2.Endpoint{
			DeviceAuthURL: base + "/oauth2/v2.0/devicecode",
			TokenURL:      base + "/oauth2/v2.0/token",
		},
	}
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open", device.VerificationURI, "and enter", device.UserCode)
	token, err := config.DeviceAccessToken(ctx, device) // waits for the user
	if err != nil {
		log.Fatal(err)
	}
	client := config.Client(ctx, token) // renews the token when it has expired
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
