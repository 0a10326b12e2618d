package entratest_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// daemonForm is a client-credentials request that is granted.
func daemonForm() url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {entratest.ClientID},
		"client_secret": {entratest.ClientSecret},
		"scope":         {entratest.APIURI + "/.default"},
	}
}

// post sends a form to the tenant's token endpoint.
func post(t *testing.T, client *http.Client, url string, form url.Values) (*http.Response, map[string]any) {
	t.Helper()
	response, err := client.PostForm(url, form)
	if err != nil {
		t.Fatalf("POST %s: %v", url, err)
	}
	return response, decode(t, readAll(t, response))
}

func TestClientCredentials(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name   string
		change func(url.Values)
	}{
		{"the Application ID URI", func(url.Values) {}},
		{"the client ID as resource", func(f url.Values) { f.Set("scope", entratest.APIClientID+"/.default") }},
		{"OpenID scopes beside it, as MSAL Go sends", func(f url.Values) {
			f.Set("scope", entratest.APIURI+"/.default openid offline_access profile")
		}},
		{"unknown parameters", func(f url.Values) { f.Set("client_info", "1") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			form := daemonForm()
			row.change(form)
			response, answer := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, form)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("got status %d, want 200: %v", response.StatusCode, answer)
			}
			if answer["token_type"] != "Bearer" || answer["expires_in"] != 3599.0 || response.Header.Get("Cache-Control") != "no-store, no-cache" {
				t.Errorf("got token_type %v, expires_in %v, Cache-Control %q", answer["token_type"], answer["expires_in"], response.Header.Get("Cache-Control"))
			}
			_, claims := split(t, answer["access_token"].(string))
			for name, want := range map[string]any{"aud": entratest.APIClientID, "azp": entratest.ClientID, "azpacr": "1",
				"idtyp": "app", "roles": []any{entratest.RoleDaemon}, "tid": entratest.TenantID} {
				if !reflect.DeepEqual(claims[name], want) {
					t.Errorf("%s: got %v, want %v", name, claims[name], want)
				}
			}
		})
	}
}

func TestClientCredentialsByBasic(t *testing.T) {
	const secret = "a+b/c%41~"
	apps := []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, AppIDURIs: []string{entratest.APIURI}},
		{ClientID: entratest.ClientID, Secrets: []string{secret, entratest.ClientSecret}},
	}
	loose := entratest.New(t, entratest.Config{Apps: apps})
	strict := entratest.New(t, entratest.Config{Apps: apps, Strict: true})
	form := daemonForm()
	form.Del("client_id")
	form.Del("client_secret")
	for _, row := range []struct {
		name, password string
		loose, strict  int
	}{
		{"form-encoded", url.QueryEscape(secret), 200, 200},
		{"not encoded, so that + is a space to Entra", secret, 200, 401},
		{"of characters that need no encoding", entratest.ClientSecret, 200, 200},
		{"encoded twice", url.QueryEscape(url.QueryEscape(secret)), 401, 401},
		{"broken encoding", "%zz", 401, 401},
		{"another secret", "x", 401, 401},
	} {
		for tenant, want := range map[*entratest.Server]int{loose: row.loose, strict: row.strict} {
			request, _ := http.NewRequest("POST", loginHost+entratest.TenantID+tokenPath, strings.NewReader(form.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.SetBasicAuth(entratest.ClientID, row.password)
			response, err := tenant.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if body := readAll(t, response); response.StatusCode != want {
				t.Errorf("%s (strict: %v): got status %d, want %d: %s", row.name, tenant == strict, response.StatusCode, want, body)
			}
		}
	}
}

func TestClientCredentialsRefusals(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name   string
		tenant string
		change func(url.Values)
		status int
		code   string
		number float64
	}{
		{"no grant type", entratest.TenantID, func(f url.Values) { f.Del("grant_type") }, 400, "invalid_request", 900144},
		{"an unsupported grant type", entratest.TenantID, func(f url.Values) { f.Set("grant_type", "x") }, 400, "unsupported_grant_type", 70003},
		{"no client ID", entratest.TenantID, func(f url.Values) { f.Del("client_id") }, 400, "invalid_request", 900144},
		{"an unknown client", entratest.TenantID, func(f url.Values) { f.Set("client_id", entratest.OtherTenantID) }, 400, "unauthorized_client", 700016},
		{"no secret", entratest.TenantID, func(f url.Values) { f.Del("client_secret") }, 401, "invalid_client", 7000216},
		{"a wrong secret", entratest.TenantID, func(f url.Values) { f.Set("client_secret", "x") }, 401, "invalid_client", 7000215},
		{"no scope", entratest.TenantID, func(f url.Values) { f.Del("scope") }, 400, "invalid_request", 900144},
		{"a scope that is not .default", entratest.TenantID, func(f url.Values) { f.Set("scope", entratest.APIURI+"/Orders.Read") }, 400, "invalid_scope", 1002012},
		{"two resources", entratest.TenantID, func(f url.Values) { f.Set("scope", "a/.default b/.default") }, 400, "invalid_scope", 1002012},
		{"an unknown resource", entratest.TenantID, func(f url.Values) { f.Set("scope", "api://x/.default") }, 400, "invalid_resource", 500011},
		{"an unknown tenant", "33333333-3333-4333-8333-333333333333", func(url.Values) {}, 400, "invalid_request", 90002},
		{"no tenant", "common", func(url.Values) {}, 400, "invalid_request", 50194},
	} {
		t.Run(row.name, func(t *testing.T) {
			form := daemonForm()
			row.change(form)
			response, answer := post(t, tenant.Client(), loginHost+row.tenant+tokenPath, form)
			if response.StatusCode != row.status || answer["error"] != row.code || !reflect.DeepEqual(answer["error_codes"], []any{row.number}) {
				t.Errorf("got %d %v %v, want %d %s %v", response.StatusCode, answer["error"], answer["error_codes"], row.status, row.code, row.number)
			}
			if got, want := strings.Join(names(answer), " "),
				"correlation_id error error_codes error_description error_uri timestamp trace_id"; got != want {
				t.Errorf("got members %s, want %s", got, want)
			}
		})
	}
	request, _ := http.NewRequest("GET", loginHost+entratest.TenantID+tokenPath+"?client-request-id="+entratest.OtherTenantID, nil)
	response, err := tenant.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer := decode(t, readAll(t, response))
	if !reflect.DeepEqual(answer["error_codes"], []any{900561.0}) || answer["correlation_id"] != entratest.OtherTenantID {
		t.Errorf("GET: got %v, want AADSTS900561 with the request's correlation ID", answer)
	}
}
