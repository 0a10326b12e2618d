package entratest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/entra-go/entra/entratest"
)

const personalUser = "55555555-5555-4555-8555-555555555555"

// R31, R60
func TestPersonalAccountsSignIn(t *testing.T) {
	apps := []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{"Orders.Read"}},
		{ClientID: entratest.OtherTenantID, AppIDURIs: []string{"api://old"}, Scopes: []string{"x"}, TokenVersion: 1},
		{ClientID: entratest.SPAClientID, SPARedirectURIs: []string{pageRedirect}},
	}
	tenant := entratest.New(t, entratest.Config{Apps: apps, Users: []entratest.Account{
		{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example"},
		{ObjectID: personalUser, TenantID: entratest.PersonalTenantID, Username: "casey@mail.example", GivenName: "Casey"},
	}})
	hint := map[string][]string{"login_hint": {"casey@mail.example"}}
	for segment, want := range map[string]bool{"common": true, "consumers": true, "organizations": false, entratest.TenantID: false} {
		client := browser(t, tenant)
		response, body := authorize(t, client, segment, changed(pageRequest(), hint))
		if got := response.StatusCode == http.StatusFound; got != want {
			t.Errorf("%s: signed in %v, want %v: %s", segment, got, want, body)
		}
		if !want {
			continue
		}
		_, values := answer(t, response, body)
		_, tokens := post(t, client, loginHost+segment+tokenPath, redeemForm(values.Get("code")))
		token := tokens["access_token"].(string)
		if _, claims := split(t, token); claims["tid"] != entratest.PersonalTenantID || claims["oid"] != personalUser {
			t.Errorf("%s: got tid %v, oid %v", segment, claims["tid"], claims["oid"])
		}
		if !verifies(t, tenant.PersonalKey().PublicKey(), token) {
			t.Errorf("%s: the personal key does not verify the token", segment)
		}
	}
	client := browser(t, tenant)
	request := changed(changed(pageRequest(), hint), map[string][]string{"scope": {"api://old/x"}})
	if _, tokens := post(t, client, loginHost+"consumers"+tokenPath, redeemForm(code(t, client, "consumers", request))); !reflect.DeepEqual(tokens["error_codes"], []any{90027.0}) {
		t.Errorf("a version 1.0 API: got %v, want AADSTS90027", tokens)
	}
}

// R73
func TestManyGroupsBecomeAnOverage(t *testing.T) {
	for count, overage := range map[int]bool{200: false, 201: true} {
		var groups []string
		for i := range count {
			groups = append(groups, fmt.Sprintf("66666666-6666-4666-8666-%012d", i))
		}
		tenant := entratest.New(t, entratest.Config{
			Apps: []entratest.AppRegistration{
				{ClientID: entratest.APIClientID, Scopes: []string{"Orders.Read"}, GroupClaims: true},
				{ClientID: entratest.SPAClientID, SPARedirectURIs: []string{pageRedirect}},
			},
			Users: []entratest.Account{{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", Groups: groups}},
		})
		client := browser(t, tenant)
		_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, pageRequest())))
		_, claims := split(t, tokens["access_token"].(string))
		if listed, pointed := claims["groups"] != nil, claims["_claim_names"] != nil; listed == overage || pointed != overage {
			t.Errorf("%d groups: listed %v, overage %v", count, listed, pointed)
		}
	}
}

// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
func TestIDTokensListGroups(t *testing.T) {
	for _, row := range []struct {
		name, types, mode string
		groups            int
		want              string // the claim that speaks of groups
	}{
		{"of the token endpoint", "code", "query", 200, "groups"},
		{"of the token endpoint, too many", "code", "query", 201, "_claim_names"},
		{"in a fragment", "id_token", "fragment", 5, "groups"},
		{"in a fragment, too many", "id_token", "fragment", 6, "hasgroups"},
		{"in a form", "id_token", "form_post", 6, "groups"},
		{"for a user without groups", "code", "query", 0, ""},
	} {
		var groups []string
		for i := range row.groups {
			groups = append(groups, fmt.Sprintf("66666666-6666-4666-8666-%012d", i))
		}
		tenant := entratest.New(t, entratest.Config{
			Apps:  []entratest.AppRegistration{{ClientID: entratest.SPAClientID, SPARedirectURIs: []string{pageRedirect}, GroupClaims: true}},
			Users: []entratest.Account{{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", Groups: groups}},
		})
		client := browser(t, tenant)
		form := changed(pageRequest(), map[string][]string{"response_type": {row.types}, "response_mode": {row.mode}, "scope": {"openid"}})
		response, body := authorize(t, client, entratest.TenantID, form)
		token := hiddenFields(body).Get("id_token")
		if row.mode != "form_post" {
			_, values := answer(t, response, body)
			token = values.Get("id_token")
			if row.types == "code" {
				redeem := redeemForm(values.Get("code"))
				redeem.Del("scope")
				_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeem)
				token, _ = tokens["id_token"].(string)
			}
		}
		if token == "" {
			t.Fatalf("%s: got no ID token", row.name)
		}
		_, claims := split(t, token)
		for _, name := range []string{"groups", "_claim_names", "hasgroups"} {
			if got := claims[name] != nil; got != (name == row.want) {
				t.Errorf("%s: got %s %v, want %q alone to speak of groups", row.name, name, claims[name], row.want)
			}
		}
		if list, _ := claims["groups"].([]any); row.want == "groups" && len(list) != row.groups {
			t.Errorf("%s: got %d groups, want %d", row.name, len(list), row.groups)
		}
	}
}

func TestRefreshNeedsTheSecretThatTheCodeNeeded(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	endpoint := loginHost + entratest.TenantID + tokenPath
	for _, row := range []struct {
		name, redirect string
		secret         string
		status         int
	}{
		{"a web application with its secret", webRedirect, entratest.ClientSecret, 200},
		{"a web application without it", webRedirect, "", 401},
		{"a program on this machine, by PKCE", "http://127.0.0.1:4000/", "", 200},
	} {
		change := map[string][]string{"client_id": {entratest.ClientID}, "redirect_uri": {row.redirect}}
		form := changed(redeemForm(code(t, client, entratest.TenantID, changed(pageRequest(), change))), change)
		if row.redirect == webRedirect {
			form.Set("client_secret", entratest.ClientSecret)
		}
		_, tokens := post(t, client, endpoint, form)
		token, ok := tokens["refresh_token"].(string)
		if !ok {
			t.Fatalf("%s: got %v, want a refresh token", row.name, tokens)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {entratest.ClientID}, "refresh_token": {token}, "client_secret": {row.secret}}
		if response, answer := post(t, client, endpoint, refresh); response.StatusCode != row.status {
			t.Errorf("%s: got %d %v, want %d", row.name, response.StatusCode, answer, row.status)
		}
	}
}

// Clients that name no scope when they refresh meet it where one registration is the application and its API: oauth2-proxy and
// all others that use golang.org/x/oauth2.
func TestRefreshForItselfNeedsTheScopeOrTheClientID(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	endpoint := loginHost + entratest.TenantID + tokenPath
	for _, row := range []struct {
		name, client, secret string
		scope, again         string // of the sign-in, and of the refresh
		refused              bool
	}{
		{"its own API by a URI", entratest.APIClientID, entratest.APISecret, entratest.APIURI + "/Orders.Read", "", true},
		{"the scope again", entratest.APIClientID, entratest.APISecret, entratest.APIURI + "/Orders.Read", entratest.APIURI + "/Orders.Read", false},
		{"its own API by the client ID", entratest.APIClientID, entratest.APISecret, entratest.APIClientID + "/Orders.Read", "", false},
		{"another API by a URI", entratest.ClientID, entratest.ClientSecret, entratest.APIURI + "/Orders.Read", "", false},
		{"Microsoft Graph", entratest.APIClientID, entratest.APISecret, "User.Read", "", false},
	} {
		change := map[string][]string{"client_id": {row.client}, "redirect_uri": {"http://localhost:4000/"}, "scope": {row.scope + " openid offline_access"}}
		form := changed(redeemForm(code(t, client, entratest.TenantID, changed(pageRequest(), change))), change)
		form.Del("scope")
		form.Set("client_secret", row.secret)
		_, tokens := post(t, client, endpoint, form)
		token, ok := tokens["refresh_token"].(string)
		if !ok {
			t.Fatalf("%s: got %v, want a refresh token", row.name, tokens)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {row.client}, "refresh_token": {token}, "client_secret": {row.secret}}
		if row.again != "" {
			refresh.Set("scope", row.again)
		}
		response, answer := post(t, client, endpoint, refresh)
		if refused := response.StatusCode == http.StatusBadRequest && reflect.DeepEqual(answer["error_codes"], []any{90009.0}); refused != row.refused {
			t.Errorf("%s: got %d %v, want AADSTS90009: %t", row.name, response.StatusCode, answer, row.refused)
		}
		if (answer["access_token"] != nil) == row.refused {
			t.Errorf("%s: got %v, want a token: %t", row.name, answer, !row.refused)
		}
	}
}

func TestVersion1Endpoints(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	document := getJSON(t, client, loginHost+entratest.TenantID+configPath1)
	form := changed(daemonForm(), map[string][]string{"scope": nil, "resource": {entratest.APIURI}})
	_, tokens := post(t, client, document["token_endpoint"].(string), form)
	if tokens["expires_in"] != "3599" || tokens["resource"] != entratest.APIURI || tokens["expires_on"] == nil || tokens["not_before"] == nil {
		t.Errorf("got %v, want strings and the resource", tokens)
	}
	if _, claims := split(t, tokens["access_token"].(string)); claims["ver"] != "2.0" || claims["idtyp"] != "app" {
		t.Errorf("got ver %v; the API's registration decides, not the endpoint", claims["ver"])
	}
	request := changed(pageRequest(), map[string][]string{"scope": nil, "resource": {entratest.APIURI}})
	response, body := get(t, client, document["authorization_endpoint"].(string)+"?"+request.Encode())
	_, values := answer(t, response, string(body))
	_, tokens = post(t, client, document["token_endpoint"].(string), redeemForm(values.Get("code")))
	_, access := split(t, tokens["access_token"].(string))
	_, identity := split(t, tokens["id_token"].(string))
	if access["scp"] != "Orders.Read Orders.Write" || identity["ver"] != "1.0" || identity["iss"] != "https://sts.windows.net/"+entratest.TenantID+"/" {
		t.Errorf("got scp %v, and an ID token of version %v from %v", access["scp"], identity["ver"], identity["iss"])
	}
	if response, _ := get(t, client, document["end_session_endpoint"].(string)); response.StatusCode != 200 {
		t.Errorf("logout: got %d, want 200", response.StatusCode)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	tenant := entratest.New(t)
	response, err := tenant.Client().Head(loginHost + "common" + keysPath)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, response); response.StatusCode != 200 || len(body) != 0 {
		t.Errorf("got %d with %d bytes, want 200 without", response.StatusCode, len(body))
	}
}
