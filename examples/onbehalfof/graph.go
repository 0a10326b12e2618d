package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/entra-go/entra"
)

// graph is Microsoft Graph as the users of this API see it.
type graph struct {
	app    confidential.Client // caches a token for Graph for each token that this API received
	client *http.Client
}

func newGraph(options entra.Options, secret string) (*graph, error) {
	credential, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return nil, err
	}
	client := options.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	app, err := confidential.New("https://login.microsoftonline.com/"+options.Tenants[0], options.ClientID, credential, confidential.WithHTTPClient(client))
	return &graph{app, client}, err
}

type profile struct {
	Name string `json:"displayName"`
	User string `json:"userPrincipalName"`
}

// me returns the profile of the user whose token this API received.
func (g *graph) me(ctx context.Context, token string) (profile, error) {
	result, err := g.app.AcquireTokenOnBehalfOf(ctx, token, []string{"https://graph.microsoft.com/User.Read"})
	if err != nil {
		return profile{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://graph.microsoft.com/v1.0/me", nil)
	if err != nil {
		return profile{}, err
	}
	request.Header.Set("Authorization", "Bearer "+result.AccessToken)
	response, err := g.client.Do(request)
	if err != nil {
		return profile{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return profile{}, fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	var p profile
	err = json.NewDecoder(response.Body).Decode(&p)
	return p, err
}
