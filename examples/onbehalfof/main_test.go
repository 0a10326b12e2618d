package main

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const secret = "not-a-secret~orders-api"

func TestTheAPIAsksGraphForItsUser(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, options(tenant.Client()))
	alice := tenant.Token(entratest.Scopes("Profile.Read"))
	for _, test := range []struct {
		name, path, authorization string
		status                    int
		challenge, body           string // what they contain
	}{
		{"alice sees herself", "/profile", "Bearer " + alice, 200, "", `"userPrincipalName":"alice@contoso.example"`},
		{"bob sees himself", "/profile", "Bearer " + tenant.Token(entratest.Scopes("Profile.Read"), entratest.User("bob")), 200, "", "bob@contoso.example"},
		{"OpenID Connect says who alice is", "/userinfo", "Bearer " + alice, 200, "", `"given_name":"Alice"`},
		{"the scheme may be written as the client likes", "/profile", "bearer  " + alice, 200, "", "alice@contoso.example"},
		{"a user of another tenant sees herself", "/profile", "Bearer " + tenant.Token(entratest.Scopes("Profile.Read"), entratest.Tenant(entratest.OtherTenantID), entratest.User("carol")), 200, "", "carol@fabrikam.example"},
		{"a token to Graph is not for this API", "/profile", "Bearer " + tenant.Token(entratest.Graph()), 401, "invalid_token", "microsoft_api_token"},
		{"a user without the scope may not", "/userinfo", "Bearer " + tenant.Token(entratest.Scopes("Other")), 403, "/Profile.Read", `"reason":"scope"`},
		{"a daemon has no profile", "/profile", "Bearer " + tenant.Token(entratest.App("Profile.Read")), 403, "insufficient_scope", `"reason":"scope"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, challenge, body := get(t, url+test.path, test.authorization)
			if status != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", status, challenge, body, test.status, test.challenge, test.body)
			}
		})
	}
	var asked []string
	for _, request := range tenant.Requests() {
		if strings.HasSuffix(request.Path, "/token") {
			asked = append(asked, request.Path)
		}
	}
	home, other := "/"+entratest.TenantID+"/oauth2/v2.0/token", "/"+entratest.OtherTenantID+"/oauth2/v2.0/token"
	if want := []string{home, home, other}; !slices.Equal(asked, want) {
		t.Errorf("tokens were asked for at %q, want %q: once for each user, at the user's tenant", asked, want)
	}
}

func TestATokenToGraphIsAskedForOnce(t *testing.T) {
	tenant := newTenant(t)
	url := serve(t, options(tenant.Client()))
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

func TestClientsOfEntraAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := newTenant(t)
		verifier, err := entra.NewVerifier(options(tenant.Client()))
		if err != nil {
			t.Fatal(err)
		}
		graph, err := newGraph(options(tenant.Client()), secret)
		if err != nil {
			t.Fatal(err)
		}
		defer graph.apps.StopAllGoroutines()
		for _, token := range []string{tenant.Token(), tenant.Token(entratest.Lifetime(2 * time.Hour)), tenant.Token(entratest.User("bob"))} {
			ctx, err := verifier.AuthenticateContext(t.Context(), "Bearer "+token)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := graph.get(ctx, "/v1.0/me"); err != nil {
				t.Fatal(err)
			}
		}
		if got := graph.apps.EstimatedSize(); got != 2 {
			t.Errorf("got %d clients for alice's two tokens and bob's, want one for each user", got)
		}
		time.Sleep(time.Hour + time.Minute)
		graph.apps.CleanUp()
		if got := graph.apps.EstimatedSize(); got != 0 {
			t.Errorf("got %d clients after an hour, want none", got)
		}
		for i := range 11_000 {
			graph.apps.Set(user{entratest.TenantID, strconv.Itoa(i)}, confidential.Client{})
		}
		graph.apps.CleanUp()
		if got := graph.apps.EstimatedSize(); got == 0 || got > 10_000 {
			t.Errorf("got %d clients for 11,000 users, want some and at most 10,000", got)
		}
	})
}

func TestWhatOnlyTheUserCanDoReachesTheClient(t *testing.T) {
	const claims = `{"access_token":{"polids":{"essential":true,"values":["f0f0f0f0-f0f0-4f0f-8f0f-f0f0f0f0f0f0"]}}}`
	tenant := newTenant(t)
	o := options(&http.Client{Transport: answering{tenant.Transport(), "/token", 400,
		`{"error":"interaction_required","error_description":"AADSTS50076","claims":` + quoted(claims) + `}`}})
	o.Tenants = []string{entratest.TenantID}
	status, challenge, _ := get(t, serve(t, o)+"/profile", "Bearer "+tenant.Token(entratest.Scopes("Profile.Read")))
	want := `authorization_uri="https://login.microsoftonline.com/` + entratest.TenantID + `/oauth2/v2.0/authorize", error="insufficient_claims"`
	if status != 401 || !strings.Contains(challenge, want) || !strings.Contains(challenge, `claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`) {
		t.Errorf("got %d and %q, want 401, %s and the claims", status, challenge, want)
	}
}

func TestOtherTroubleIsNotTheClients(t *testing.T) {
	for _, test := range []struct {
		name, path string
		status     int
		body       string
		logged     string // contained in the one line of the log
	}{
		{"a wrong secret", "/token", 401, `{"error":"invalid_client","error_description":"of alice@contoso.example","error_codes":[7000215]}`, "AADSTS[7000215]"},
		{"a claims member that is no JSON object", "/token", 400, `{"error":"interaction_required","claims":"alice@contoso.example"}`, "ClaimsChallenge"},
		{"an answer that is no JSON", "/token", 502, `<html>alice@contoso.example`, "502 Bad Gateway"},
		{"Entra is away", "/token", 0, "", "no token to Graph"},
		{"Graph is overloaded", "/v1.0/me", 429, `{"error":{"message":"alice@contoso.example"}}`, "429 Too Many Requests"},
		{"Graph is away", "/v1.0/me", 0, "", "no answer from Graph"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tenant := newTenant(t)
			var log strings.Builder
			o := options(&http.Client{Transport: answering{tenant.Transport(), test.path, test.status, test.body}})
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			token := tenant.Token(entratest.Scopes("Profile.Read"))
			status, challenge, body := get(t, serve(t, o)+"/profile", "Bearer "+token)
			if status != 500 || challenge != "" || !strings.Contains(body, `"reason":"internal"`) {
				t.Errorf("got %d, challenge %q, body %q; want 500 and no details", status, challenge, body)
			}
			if lines := log.String(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, test.logged) {
				t.Errorf("got the log %s, want one line with %s", lines, test.logged)
			}
			for _, secret := range []string{"alice", token, secret} {
				if strings.Contains(log.String()+body, secret) {
					t.Errorf("got %q in the log or the answer", secret)
				}
			}
		})
	}
}

// newTenant is the sample tenant, in which the API has a secret, and another tenant with a user of its own.
func newTenant(t *testing.T) *entratest.Server {
	return entratest.New(t, entratest.Config{
		Apps: []entratest.AppRegistration{
			{ClientID: entratest.APIClientID, Secrets: []string{secret}, Scopes: []string{"Profile.Read"}},
			{ClientID: entratest.ClientID},
		},
		Users: []entratest.Account{
			{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", GivenName: "Alice", FamilyName: "Example"},
			{ObjectID: entratest.BobObjectID, Username: "bob@contoso.example", GivenName: "Bob", FamilyName: "Example"},
			{ObjectID: "e3e3e3e3-e3e3-4e3e-8e3e-e3e3e3e3e3e3", TenantID: entratest.OtherTenantID, Username: "carol@fabrikam.example", GivenName: "Carol", FamilyName: "Example"},
		},
	})
}

func options(client *http.Client) entra.Options {
	return entra.Options{
		Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: client, // the fake tenants and their Graph in place of Microsoft's
	}
}

func serve(t *testing.T, options entra.Options) (url string) {
	t.Helper()
	handler, err := newHandler(options, secret)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answering answers requests for paths with this ending, or breaks them off if status is 0.
type answering struct {
	http.RoundTripper
	path   string
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case !strings.HasSuffix(r.URL.Path, a.path):
		return a.RoundTripper.RoundTrip(r)
	case a.status == 0:
		return nil, context.DeadlineExceeded // as a timeout of http.Client
	}
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(a.status)
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
