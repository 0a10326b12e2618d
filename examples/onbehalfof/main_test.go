package main

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const secret = "not-a-secret~orders-api"

func TestTheAPIAsksGraphForItsUser(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, tenant, tenant.Client())
	for _, test := range []struct {
		name, token     string
		status          int
		challenge, body string // what they contain
	}{
		{"alice sees herself", tenant.Token(entratest.Scopes("Profile.Read")), 200, "", "alice@contoso.example"},
		{"bob sees himself", tenant.Token(entratest.Scopes("Profile.Read"), entratest.User("bob")), 200, "", "bob@contoso.example"},
		{"a token to Graph is not for this API", tenant.Token(entratest.Graph()), 401, "invalid_token", "microsoft_api_token"},
		{"a user without the scope may not", tenant.Token(entratest.Scopes("Other")), 403, "/Profile.Read", `"reason":"scope"`},
		{"a daemon has no profile", tenant.Token(entratest.App("Profile.Read")), 403, "insufficient_scope", `"reason":"scope"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, challenge, body := get(t, url+"/profile", "Bearer "+test.token)
			if status != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", status, challenge, body, test.status, test.challenge, test.body)
			}
		})
	}
}

func TestTheSchemeMayBeWrittenAsTheClientLikes(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, tenant, tenant.Client())
	if status, _, body := get(t, url+"/profile", "bearer  "+tenant.Token(entratest.Scopes("Profile.Read"))); status != 200 {
		t.Errorf("got %d, %s; want 200", status, body)
	}
}

func TestATokenToGraphIsAskedForOnce(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, tenant, tenant.Client())
	authorization := "Bearer " + tenant.Token(entratest.Scopes("Profile.Read"))
	for range 3 {
		if status, _, body := get(t, url+"/profile", authorization); status != 200 {
			t.Fatalf("got %d, %s; want 200", status, body)
		}
	}
	asked := 0
	for _, request := range tenant.Requests() {
		if strings.HasSuffix(request.Path, "/token") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("got %d requests for a token, want 1", asked)
	}
}

func TestWhatOnlyTheUserCanDoReachesTheClient(t *testing.T) {
	const claims = `{"access_token":{"polids":{"essential":true,"values":["f0f0f0f0-f0f0-4f0f-8f0f-f0f0f0f0f0f0"]}}}`
	tenant := newTenant(t)
	url := serve(t, tenant, &http.Client{Transport: tokenAnswer{tenant.Transport(),
		`{"error":"interaction_required","error_description":"AADSTS50076","claims":` + quoted(claims) + `}`}})
	status, challenge, _ := get(t, url+"/profile", "Bearer "+tenant.Token(entratest.Scopes("Profile.Read")))
	if want := base64.StdEncoding.EncodeToString([]byte(claims)); status != 401 || !strings.Contains(challenge, want) {
		t.Errorf("got %d and %q, want 401 and %s", status, challenge, want)
	}
}

func TestOtherTroubleIsNotTheClients(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, tenant, &http.Client{Transport: tokenAnswer{tenant.Transport(), `{"error":"invalid_client"}`}})
	status, challenge, body := get(t, url+"/profile", "Bearer "+tenant.Token(entratest.Scopes("Profile.Read")))
	if status != 502 || challenge != "" || strings.Contains(body, "invalid_client") {
		t.Errorf("got %d, challenge %q, body %q; want 502 and no details", status, challenge, body)
	}
}

// newTenant is the sample tenant, in which the API has a secret.
func newTenant(t *testing.T) *entratest.Server {
	return entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Secrets: []string{secret}, Scopes: []string{"Profile.Read"}},
		{ClientID: entratest.ClientID},
	}})
}

func serve(t *testing.T, tenant *entratest.Server, client *http.Client) (url string) {
	t.Helper()
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: client, // the fake tenant and its Graph in place of Microsoft's
	}, secret)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// tokenAnswer answers requests for tokens with an error.
type tokenAnswer struct {
	http.RoundTripper
	body string
}

func (a tokenAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/token") {
		return a.RoundTripper.RoundTrip(r)
	}
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(http.StatusBadRequest)
	_, err := recorder.WriteString(a.body)
	return recorder.Result(), err
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

func get(t *testing.T, url, authorization string) (status int, challenge, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), string(text)
}
