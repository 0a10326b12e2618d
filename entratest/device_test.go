package entratest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// device is a program without a browser, as RFC 8628 describes it.
type device struct {
	t        *testing.T
	client   *http.Client
	endpoint string // of the tenant
	answer   map[string]any
}

func startDevice(t *testing.T, client *http.Client, endpoint string, changes map[string][]string) *device {
	t.Helper()
	form := changed(url.Values{
		"client_id": {entratest.SPAClientID},
		"scope":     {"openid offline_access " + entratest.APIURI + "/Orders.Read"},
	}, changes)
	response, answer := post(t, client, endpoint+"/oauth2/v2.0/devicecode", form)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d %v, want a device code", response.StatusCode, answer)
	}
	return &device{t, client, endpoint, answer}
}

// poll asks for the tokens, and returns them or the error code.
func (d *device) poll(changes map[string][]string) (map[string]any, string) {
	d.t.Helper()
	form := changed(url.Values{
		"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
		"client_id":   {entratest.SPAClientID},
		"device_code": {d.answer["device_code"].(string)},
	}, changes)
	response, tokens := post(d.t, d.client, d.endpoint+tokenPath, form)
	code, _ := tokens["error"].(string)
	if (response.StatusCode == http.StatusOK) != (code == "") {
		d.t.Errorf("got status %d with %v", response.StatusCode, tokens)
	}
	return tokens, code
}

// page posts a form of the page at which the user signs in.
func (d *device) page(form url.Values) string {
	d.t.Helper()
	response, err := d.client.PostForm(d.answer["verification_uri"].(string), form)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(readAll(d.t, response))
}

func TestDeviceCodeFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		metadata := getJSON(t, tenant.Client(), loginHost+entratest.TenantID+configPath)
		if got, want := metadata["device_authorization_endpoint"], loginHost+entratest.TenantID+"/oauth2/v2.0/devicecode"; got != want {
			t.Errorf("got device_authorization_endpoint %v, want %s", got, want)
		}
		d := startDevice(t, browser(t, tenant), loginHost+entratest.TenantID, nil)
		code := d.answer["user_code"].(string)
		if !regexp.MustCompile(`^[A-Z2-9]{9}$`).MatchString(code) || d.answer["expires_in"] != 900.0 || d.answer["interval"] != 5.0 ||
			!strings.Contains(d.answer["message"].(string), code) {
			t.Errorf("got %v", d.answer)
		}
		if _, got := d.poll(nil); got != "authorization_pending" {
			t.Errorf("before the user signs in: got %q, want authorization_pending", got)
		}
		if _, got := d.poll(nil); got != "slow_down" {
			t.Errorf("at once again: got %q, want slow_down", got)
		}
		time.Sleep(5 * time.Second)
		if _, got := d.poll(nil); got != "authorization_pending" {
			t.Errorf("after the interval: got %q, want authorization_pending", got)
		}
		response, body := get(t, d.client, d.answer["verification_uri"].(string))
		if response.StatusCode != http.StatusOK || !strings.Contains(string(body), `name="user_code"`) ||
			!strings.Contains(response.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("got %d %s, want a page that asks for the code", response.StatusCode, body)
		}
		picker := d.page(url.Values{"user_code": {strings.ToLower(code[:4]) + "-" + code[4:]}})
		if !strings.Contains(picker, "Orders page") || !strings.Contains(picker, "alice@contoso.example") {
			t.Errorf("got %s, want the account picker with the application's name", picker)
		}
		form := hiddenFields(picker)
		form.Set("entratest_account", entratest.AliceObjectID)
		if done := d.page(form); !strings.Contains(done, "You have signed in") {
			t.Errorf("got %s, want a page that says so", done)
		}
		tokens, got := d.poll(nil)
		if got != "" {
			t.Fatalf("after the user signed in: got %q, want tokens", got)
		}
		if _, claims := split(t, tokens["id_token"].(string)); claims["sub"] == nil || claims["aud"] != entratest.SPAClientID {
			t.Errorf("got ID token %v", claims)
		}
		verifier, err := entra.NewVerifier(entra.Options{
			Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if claims, err := verifier.Verify(t.Context(), tokens["access_token"].(string)); err != nil || !claims.HasScope("Orders.Read") {
			t.Errorf("a Verifier: got %v, %v; want the token accepted", claims, err)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {entratest.SPAClientID}, "refresh_token": {tokens["refresh_token"].(string)}}
		if _, renewed := post(t, d.client, d.endpoint+tokenPath, refresh); renewed["access_token"] == nil {
			t.Errorf("a refresh: got %v, want tokens", renewed)
		}
		if _, got := d.poll(nil); got != "invalid_grant" {
			t.Errorf("the code again: got %q, want invalid_grant", got)
		}
		if page := d.page(url.Values{"user_code": {code}}); !strings.Contains(page, "didn’t work") {
			t.Errorf("the user's code again: got %s, want it refused", page)
		}
	})
}

func TestDeviceCodeEndsWithoutTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		declined := startDevice(t, browser(t, tenant), loginHost+"common", nil)
		form := url.Values{"user_code": {declined.answer["user_code"].(string)}, "entratest_account": {"cancel"}}
		if page := declined.page(form); !strings.Contains(page, "declined") {
			t.Errorf("got %s, want a page that says so", page)
		}
		if _, got := declined.poll(nil); got != "authorization_declined" {
			t.Errorf("declined: got %q, want authorization_declined", got)
		}
		form.Set("entratest_account", "alice")
		declined.page(form)
		if _, got := declined.poll(nil); got != "authorization_declined" {
			t.Errorf("declined, then signed in: got %q, want authorization_declined still", got)
		}

		late := startDevice(t, browser(t, tenant), loginHost+"common", nil)
		time.Sleep(15 * time.Minute)
		if page := late.page(url.Values{"user_code": {late.answer["user_code"].(string)}, "entratest_account": {"alice"}}); !strings.Contains(page, "didn’t work") {
			t.Errorf("got %s, want the code refused", page)
		}
		if _, got := late.poll(nil); got != "expired_token" {
			t.Errorf("after 15 minutes: got %q, want expired_token", got)
		}
	})
}

func TestDeviceCodeRefusals(t *testing.T) {
	tenant := entratest.New(t)
	endpoint := loginHost + entratest.TenantID + "/oauth2/v2.0/devicecode"
	for _, row := range []struct {
		name, code string
		form       url.Values
	}{
		{"no client", "invalid_request", url.Values{"scope": {"openid"}}},
		{"an unknown client", "unauthorized_client", url.Values{"scope": {"openid"}, "client_id": {entratest.OtherTenantID}}},
		{"no scope", "invalid_request", url.Values{"client_id": {entratest.SPAClientID}}},
		{"an unknown scope", "invalid_client", url.Values{"client_id": {entratest.SPAClientID}, "scope": {entratest.APIURI + "/Nothing"}}},
		{"another resource", "invalid_target", url.Values{"client_id": {entratest.SPAClientID}, "scope": {"openid"}, "resource": {"https://x.example"}}},
		{"claims that are no JSON", "invalid_request", url.Values{"client_id": {entratest.SPAClientID}, "scope": {"openid"}, "claims": {"x"}}},
	} {
		if response, answer := post(t, tenant.Client(), endpoint, row.form); response.StatusCode != 400 || answer["error"] != row.code {
			t.Errorf("%s: got %d %v, want 400 %s", row.name, response.StatusCode, answer, row.code)
		}
	}
	if response, _ := post(t, tenant.Client(), loginHost+"unknown.example/oauth2/v2.0/devicecode", url.Values{}); response.StatusCode != 400 {
		t.Errorf("an unknown tenant: got %d, want 400", response.StatusCode)
	}
	d := startDevice(t, browser(t, tenant), loginHost+entratest.TenantID, nil)
	for _, row := range []struct {
		name, code string
		changes    map[string][]string
	}{
		{"no device code", "invalid_request", map[string][]string{"device_code": nil}},
		{"an unknown device code", "bad_verification_code", map[string][]string{"device_code": {"x"}}},
		{"another client's device code", "bad_verification_code", map[string][]string{"client_id": {entratest.APIClientID}, "client_secret": {entratest.APISecret}}},
		{"a confidential client without its secret", "invalid_client", map[string][]string{"client_id": {entratest.ClientID}}},
	} {
		if _, got := d.poll(row.changes); got != row.code {
			t.Errorf("%s: got %q, want %s", row.name, got, row.code)
		}
	}
	for _, code := range []string{"", "AAAAAAAAA", `"><script>alert(1)</script>`} {
		if page := d.page(url.Values{"user_code": {code}, "entratest_account": {"alice"}}); strings.Contains(page, "<script>") || !strings.Contains(page, "Enter code") {
			t.Errorf("user code %q: got %s, want the page that asks for it", code, page)
		}
	}
	// A link must not sign anybody in: the user submits the code and picks the account.
	_, body := get(t, d.client, d.answer["verification_uri"].(string)+"?entratest_account=alice&user_code="+d.answer["user_code"].(string))
	if !strings.Contains(string(body), "Enter code") {
		t.Errorf("a link with code and account: got %s, want the page that asks for the code", body)
	}
	if page := d.page(url.Values{"user_code": {d.answer["user_code"].(string)}, "entratest_account": {"nobody"}}); !strings.Contains(page, "No account here") {
		t.Errorf("an unknown account: got %s, want the picker", page)
	}
	if _, got := d.poll(nil); got != "authorization_pending" {
		t.Errorf("after all that: got %q, want authorization_pending", got)
	}
}

func TestDeviceCodeOfVersion1(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	form := url.Values{"client_id": {entratest.SPAClientID}, "resource": {entratest.APIURI}}
	_, answer := post(t, client, loginHost+entratest.TenantID+"/oauth2/devicecode", form)
	page, _ := answer["verification_url"].(string)
	if page == "" || answer["expires_in"] != "900" || answer["interval"] != "5" {
		t.Fatalf("got %v, want verification_url and numbers as strings", answer)
	}
	response, err := client.PostForm(page, url.Values{"user_code": {answer["user_code"].(string)}, "entratest_account": {"bob"}})
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, response)
	_, tokens := post(t, client, loginHost+entratest.TenantID+"/oauth2/token", url.Values{
		"client_id": {entratest.SPAClientID}, "resource": {entratest.APIURI}, "grant_type": {"device_code"}, "code": {answer["device_code"].(string)},
	})
	if tokens["access_token"] == nil || tokens["expires_in"] != "3599" || tokens["resource"] != entratest.APIURI {
		t.Fatalf("got %v, want a version 1.0 answer", tokens)
	}
	if _, claims := split(t, tokens["access_token"].(string)); claims["oid"] != entratest.BobObjectID {
		t.Errorf("got oid %v, want Bob's", claims["oid"])
	}
}
