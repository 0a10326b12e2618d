package tour

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
	"golang.org/x/oauth2/clientcredentials"
)

// answer is what GET /orders returns, as far as the show prints it.
type answer struct {
	Orders []string
	Caller struct {
		Kind, TenantID, ObjectID, ClientID, Version string
		Roles                                       []string
		ExpiresAt                                   time.Time
	}
}

// callAsDaemon does what a background service does: it gets a token with its own secret, and calls the API with it.
func callAsDaemon(ctx context.Context, entraURL, apiURL string) (answer, error) {
	daemon := clientcredentials.Config{
		ClientID:     entratest.ClientID,
		ClientSecret: entratest.ClientSecret,
		TokenURL:     tokenURL(entraURL),
		Scopes:       []string{entratest.APIURI + "/.default"},
	}
	response, err := daemon.Client(ctx).Get(apiURL + "/orders")
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("GET %s/orders: %s", apiURL, response.Status)
	}
	var a answer
	err = json.NewDecoder(response.Body).Decode(&a)
	return a, err
}

func tokenURL(entraURL string) string {
	return entraURL + "/" + entratest.TenantID + "/oauth2/v2.0/token"
}

// send makes one request to the API with an Authorization header, or without one if it is empty.
func send(ctx context.Context, method, url, authorization string) (status int, challenge string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(""))
	if err != nil {
		return 0, "", err
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), nil
}
