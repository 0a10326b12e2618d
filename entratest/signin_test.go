package entratest_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
)

// OpenID Connect Core section 3.1.2.1: who asks for max_age gets auth_time, and the user signs in again when it has passed.
func TestMaxAge(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	tenant := entratest.New(t, entratest.Config{Clock: func() time.Time { return now }})
	client := browser(t, tenant)
	start := now
	authTime := func(changes map[string][]string) any {
		t.Helper()
		_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, changed(pageRequest(), changes))))
		_, claims := split(t, tokens["id_token"].(string))
		_, renewed := post(t, client, loginHost+entratest.TenantID+tokenPath, changed(redeemForm(""), map[string][]string{
			"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}, "scope": {"openid"}}))
		if _, later := split(t, renewed["id_token"].(string)); !reflect.DeepEqual(later["auth_time"], claims["auth_time"]) {
			t.Errorf("after a refresh: got auth_time %v, want %v", later["auth_time"], claims["auth_time"])
		}
		return claims["auth_time"]
	}
	if got := authTime(nil); got != nil {
		t.Errorf("without max_age: got auth_time %v, want none", got)
	}
	now = now.Add(time.Minute)
	if got, want := authTime(map[string][]string{"max_age": {"60"}, "login_hint": nil}), float64(start.Unix()); got != want {
		t.Errorf("a session of that age: got auth_time %v, want %v", got, want)
	}
	for name, silent := range map[string]string{"a session that is too old": "59", "max_age=0": "0"} {
		form := changed(pageRequest(), map[string][]string{"max_age": {silent}, "login_hint": nil})
		if response, body := authorize(t, client, entratest.TenantID, form); response.StatusCode != http.StatusOK || !strings.Contains(body, "Pick an account") {
			t.Errorf("%s: got status %d, want the account picker: %s", name, response.StatusCode, body)
		}
		response, body := authorize(t, client, entratest.TenantID, changed(form, map[string][]string{"prompt": {"none"}, "login_hint": {"alice"}}))
		if _, values := answer(t, response, body); values.Get("error") != "login_required" {
			t.Errorf("%s, silently: got %v, want login_required", name, values)
		}
	}
	if got, want := authTime(map[string][]string{"max_age": {"59"}}), float64(now.Unix()); got != want {
		t.Errorf("once the user signed in again: got auth_time %v, want %v", got, want)
	}
	now = now.Add(time.Second)
	if got, want := authTime(map[string][]string{"max_age": {"60"}}), float64(now.Add(-time.Second).Unix()); got != want {
		t.Errorf("then: got auth_time %v, want the later sign-in, %v", got, want)
	}
}

func TestARequestWithoutRedirectURIGoesToARegisteredOne(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name     string
		redeemed []string
		number   any
	}{
		{"redeemed without one", nil, nil},
		{"redeemed with the registered one", []string{pageRedirect}, nil},
		{"redeemed with another", []string{webRedirect}, []any{500112.0}},
	} {
		client := browser(t, tenant)
		response, body := authorize(t, client, entratest.TenantID, changed(pageRequest(), map[string][]string{"redirect_uri": nil}))
		target, values := answer(t, response, body)
		if target != pageRedirect {
			t.Fatalf("got %s, want %s", target, pageRedirect)
		}
		form := changed(redeemForm(values.Get("code")), map[string][]string{"redirect_uri": row.redeemed})
		if _, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, form); !reflect.DeepEqual(tokens["error_codes"], row.number) {
			t.Errorf("%s: got %v, want error codes %v", row.name, tokens, row.number)
		}
	}
	client := browser(t, tenant)
	form := changed(redeemForm(code(t, client, entratest.TenantID, pageRequest())), map[string][]string{"redirect_uri": nil})
	if _, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, form); !reflect.DeepEqual(tokens["error_codes"], []any{500112.0}) {
		t.Errorf("redeemed without the one that was asked for: got %v, want AADSTS500112", tokens)
	}
}

// Many clients write scopes in lower case; the token has the API's spelling.
func TestScopesAreFoundInAnyCase(t *testing.T) {
	tenant := entratest.New(t)
	for asked, want := range map[string][2]string{
		entratest.APIURI + "/orders.read":                                      {"Orders.Read", entratest.APIURI + "/Orders.Read"},
		entratest.APIURI + "/ORDERS.READ " + entratest.APIURI + "/Orders.Read": {"Orders.Read", entratest.APIURI + "/Orders.Read"},
		entratest.APIURI + "/.Default": {"Orders.Read Orders.Write",
			entratest.APIURI + "/Orders.Read " + entratest.APIURI + "/Orders.Write " + entratest.APIURI + "/.default"},
		"user.read openid": {"openid profile User.Read", "openid profile https://graph.microsoft.com/User.Read"},
	} {
		tokens := signIn(t, tenant, asked)
		if _, claims := split(t, tokens["access_token"].(string)); claims["scp"] != want[0] || tokens["scope"] != want[1] {
			t.Errorf("%s: got scp %q and scope %q, want %q and %q", asked, claims["scp"], tokens["scope"], want[0], want[1])
		}
	}
}

func TestAPublicClientHasNoSecret(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	secret := map[string][]string{"client_secret": {"x"}}
	response, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath,
		changed(redeemForm(code(t, client, entratest.TenantID, pageRequest())), secret))
	if response.StatusCode != http.StatusUnauthorized || tokens["error"] != "invalid_client" || !reflect.DeepEqual(tokens["error_codes"], []any{700025.0}) {
		t.Errorf("a code: got %d %v, want invalid_client AADSTS700025", response.StatusCode, tokens)
	}
	form := changed(daemonForm(), map[string][]string{"client_id": {entratest.SPAClientID}})
	if _, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, form); !reflect.DeepEqual(tokens["error_codes"], []any{7000215.0}) {
		t.Errorf("for itself: got %v, want AADSTS7000215", tokens)
	}
}
