package entratest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// signIn runs the authorization code flow of the sample page for scopes.
func signIn(t *testing.T, tenant *entratest.Server, scopes string) map[string]any {
	t.Helper()
	client := browser(t, tenant)
	form := changed(pageRequest(), map[string][]string{"scope": {scopes}})
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, form)))
	if tokens["access_token"] == nil {
		t.Fatalf("got %v, want tokens", tokens)
	}
	return tokens
}

// OpenID Connect Core section 5.3.2: a client must refuse an answer with another sub.
func TestUserInfoHasTheSubjectOfTheIDToken(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		scopes  string
		members []string
	}{
		{"openid", []string{"family_name", "given_name", "name", "picture", "sub"}},
		{"openid profile email", []string{"email", "family_name", "given_name", "name", "picture", "sub"}},
		{"openid User.Read", []string{"family_name", "given_name", "name", "picture", "sub"}},
	} {
		tokens := signIn(t, tenant, row.scopes)
		_, claims := split(t, tokens["id_token"].(string))
		for _, method := range []string{"GET", "POST"} {
			for _, endpoint := range []string{"https://graph.microsoft.com/oidc/userinfo", loginHost + "common/openid/userinfo"} {
				response, info := askGraph(t, tenant.Client(), method, endpoint, tokens["access_token"].(string))
				if response.StatusCode != http.StatusOK || info["sub"] != claims["sub"] {
					t.Errorf("%s: %s %s: got %d %v, want the sub of the ID token, %v", row.scopes, method, endpoint, response.StatusCode, info, claims["sub"])
				}
				if got := names(info); !slices.Equal(got, row.members) {
					t.Errorf("%s: got members %v, want %v", row.scopes, got, row.members)
				}
			}
		}
	}
}

func TestUserInfoNeedsOpenID(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name   string
		scopes []string
		status int
	}{
		{"openid alone", []string{"openid"}, 200},
		{"openid and User.Read", []string{"openid", "User.Read"}, 200},
		{"User.Read without openid", []string{"User.Read"}, 403},
	} {
		token := tenant.Token(entratest.Graph(), entratest.Scopes(row.scopes...))
		response, info := askGraph(t, tenant.Client(), "GET", "https://graph.microsoft.com/oidc/userinfo", token)
		if response.StatusCode != row.status {
			t.Errorf("%s: got %d %v, want %d", row.name, response.StatusCode, info, row.status)
		}
	}
}

// What a user consented to is in every token for Graph, whichever of it was asked for.
func TestGraphTokensHoldWhatWasConsentedTo(t *testing.T) {
	tenant := entratest.New(t)
	for asked, want := range map[string]string{
		"openid":       "openid profile User.Read",
		"openid email": "email openid profile User.Read",
		"openid https://graph.microsoft.com/Mail.Read":                "Mail.Read openid profile User.Read",
		"openid profile offline_access User.Read":                     "openid profile User.Read",
		"https://graph.microsoft.com/.default":                        "email openid profile User.Read",
		entratest.GraphClientID + "/.default openid":                  "email openid profile User.Read",
		"https://graph.microsoft.com/.default offline_access profile": "email openid profile User.Read",
	} {
		tokens := signIn(t, tenant, asked)
		exchanged := graphToken(t, tenant, asked)
		for flow, token := range map[string]string{"code": tokens["access_token"].(string), "on behalf of": exchanged} {
			if _, claims := split(t, token); claims["scp"] != want {
				t.Errorf("%s, %s: got scp %v, want %q", flow, asked, claims["scp"], want)
			}
			response, me := askGraph(t, tenant.Client(), "GET", "https://graph.microsoft.com/v1.0/me", token)
			if response.StatusCode != http.StatusOK || me["id"] != entratest.AliceObjectID {
				t.Errorf("%s, %s: /v1.0/me answers %d %v, want Alice", flow, asked, response.StatusCode, me)
			}
		}
	}
}

// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
func TestIDTokensNameTheUserForTheScopeProfile(t *testing.T) {
	tenant := entratest.New(t)
	named := map[string]any{"name": "Alice Example", "preferred_username": "alice@contoso.example", "oid": entratest.AliceObjectID}
	unnamed := map[string]any{"name": nil, "preferred_username": nil, "oid": nil, "tid": entratest.TenantID, "aud": entratest.SPAClientID}
	for scopes, want := range map[string]map[string]any{
		"openid profile": named,
		"openid":         unnamed,
		"openid email " + entratest.APIURI + "/Orders.Read":   unnamed,
		"openid profile " + entratest.APIURI + "/Orders.Read": named,
	} {
		checkClaims(t, signIn(t, tenant, scopes)["id_token"].(string), want)
	}
	// What was granted once stays so when a client asks for less.
	tokens := signIn(t, tenant, "openid profile offline_access")
	_, renewed := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, url.Values{"grant_type": {"refresh_token"},
		"client_id": {entratest.SPAClientID}, "refresh_token": {tokens["refresh_token"].(string)}, "scope": {"openid"}})
	checkClaims(t, renewed["id_token"].(string), named)
	checkClaims(t, tenant.Token(entratest.IDToken()), map[string]any{"oid": entratest.AliceObjectID})
	// Version 1.0 knows no scopes.
	form := changed(pageRequest(), map[string][]string{"response_type": {"id_token"}, "scope": {"openid"}})
	response, body := get(t, browser(t, tenant), loginHost+entratest.TenantID+"/oauth2/authorize?"+form.Encode())
	_, values := answer(t, response, string(body))
	checkClaims(t, values.Get("id_token"), map[string]any{"name": "Alice Example", "oid": entratest.AliceObjectID, "ver": "1.0"})
}

func TestEmailIsInIDTokensWhereGranted(t *testing.T) {
	tenant := entratest.New(t)
	for scopes, want := range map[string]any{
		"openid profile": nil,
		"openid email":   "alice@contoso.example",
		"openid email " + entratest.APIURI + "/Orders.Read": "alice@contoso.example",
	} {
		if _, claims := split(t, signIn(t, tenant, scopes)["id_token"].(string)); claims["email"] != want {
			t.Errorf("%s: got email %v, want %v", scopes, claims["email"], want)
		}
	}
	form := changed(pageRequest(), map[string][]string{"scope": {"openid email"}, "response_type": {"id_token"}})
	response, body := authorize(t, browser(t, tenant), entratest.TenantID, form)
	_, values := answer(t, response, body)
	if _, claims := split(t, values.Get("id_token")); claims["email"] != "alice@contoso.example" {
		t.Errorf("of the authorization endpoint: got email %v", claims["email"])
	}
	tokens := signIn(t, tenant, "openid email offline_access")
	_, renewed := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, url.Values{
		"grant_type": {"refresh_token"}, "client_id": {entratest.SPAClientID}, "refresh_token": {tokens["refresh_token"].(string)},
	})
	if _, claims := split(t, renewed["id_token"].(string)); claims["email"] != "alice@contoso.example" {
		t.Errorf("after a refresh: got email %v", claims["email"])
	}
}

// RFC 6749 section 5.2
func TestRefusalsAreJSON(t *testing.T) {
	tenant := entratest.New(t)
	base := start(t, tenant)
	policy := entratest.New(t, entratest.Config{Authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"})
	for _, row := range []struct {
		name, method, url string
		tenant            *entratest.Server
		status            int
	}{
		{"the token endpoint, read", "GET", loginHost + "common" + tokenPath, tenant, 400},
		{"the token endpoint, deleted", "DELETE", loginHost + "common" + tokenPath, tenant, 400},
		{"the version 1.0 token endpoint, read", "GET", loginHost + "common/oauth2/token", tenant, 400},
		{"the device code endpoint, read", "GET", loginHost + "common/oauth2/v2.0/devicecode", tenant, 400},
		{"the authorization endpoint, put", "PUT", loginHost + "common" + authorizePath, tenant, 405},
		{"the end of the session, put", "PUT", loginHost + "common" + logoutPath, tenant, 405},
		{"metadata, posted", "POST", loginHost + "common" + configPath, tenant, 405},
		{"keys, posted", "POST", loginHost + "common" + keysPath, tenant, 405},
		{"no endpoint", "GET", loginHost + "common/oauth2/v2.0/nothing", tenant, 404},
		{"no endpoint, posted", "POST", loginHost + "common/oauth2/v2.0/introspect", tenant, 404},
		{"the root", "GET", loginHost, tenant, 404},
		{"a base URL that ends in a slash", "POST", loginHost + "/common" + tokenPath, tenant, 404},
		{"dots in the path", "POST", loginHost + "common/x/.." + tokenPath, tenant, 404},
		{"a slash at the end", "POST", loginHost + "common" + tokenPath + "/", tenant, 404},
		{"a device code for B2C, which has none", "POST", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/oauth2/v2.0/devicecode", policy, 404},
		{"on a listener", "POST", base + "/nothing", tenant, 404},
	} {
		client := row.tenant.Client()
		if strings.HasPrefix(row.url, base) {
			client = plainClient(t)
		}
		request, _ := http.NewRequest(row.method, row.url, nil)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body := decode(t, readAll(t, response))
		if response.StatusCode != row.status || body["error"] != "invalid_request" || body["error_description"] == "" {
			t.Errorf("%s: got %d %v, want %d and an OAuth error", row.name, response.StatusCode, body, row.status)
		}
		if got := response.Header.Get("Allow") != ""; got != (row.status == 405) {
			t.Errorf("%s: got Allow %q", row.name, response.Header.Get("Allow"))
		}
	}
	for _, path := range []string{"/v1.0/users", "/oidc/nothing", "//v1.0/me"} {
		response, body := askGraph(t, tenant.Client(), "GET", "https://graph.microsoft.com"+path, tenant.Token(entratest.Graph()))
		if detail, _ := body["error"].(map[string]any); response.StatusCode != 404 || detail["code"] == nil {
			t.Errorf("Graph%s: got %d %v, want 404 as Graph words it", path, response.StatusCode, body)
		}
	}
}

// RFC 8707
func TestResourceMustNameTheAPIOfTheScopes(t *testing.T) {
	const mcp = "https://tools.example/mcp"
	tenant := entratest.New(t, entratest.Sample{AppIDURI: mcp, Scopes: []string{"Tools.Call"}}.Config())
	for _, row := range []struct {
		name, scope string
		resources   []string
		refused     bool
	}{
		{"no resource", mcp + "/Tools.Call", nil, false},
		{"the Application ID URI", mcp + "/Tools.Call", []string{mcp}, false},
		{"the URI, with .default", mcp + "/.default", []string{mcp}, false},
		{"the client ID", mcp + "/Tools.Call", []string{entratest.APIClientID}, false},
		{"a slash too many", mcp + "/Tools.Call", []string{mcp + "/"}, true},
		{"a path below", mcp + "/Tools.Call", []string{mcp + "/tools"}, true},
		{"the host alone", mcp + "/Tools.Call", []string{"https://tools.example"}, true},
		{"another API's scopes", "User.Read", []string{mcp}, true},
		{"OpenID Connect's scopes alone", "openid profile", []string{mcp}, true},
		{"Graph, with its scopes", "User.Read", []string{"https://graph.microsoft.com"}, false},
		{"one of two", mcp + "/Tools.Call", []string{mcp, "https://other.example"}, true},
		{"an empty one", mcp + "/Tools.Call", []string{""}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := browser(t, tenant)
			form := changed(pageRequest(), map[string][]string{"scope": {row.scope}, "resource": row.resources})
			response, body := authorize(t, client, entratest.TenantID, form)
			_, values := answer(t, response, body)
			if got := values.Get("error") == "invalid_target" && strings.HasPrefix(values.Get("error_description"), "AADSTS9010010: "); got != row.refused {
				t.Errorf("the authorization endpoint: got %v, want it refused: %v", values, row.refused)
			}
			form.Del("resource")
			redeem := changed(redeemForm(code(t, client, entratest.TenantID, form)), map[string][]string{"resource": row.resources})
			redeemed, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeem)
			refused := redeemed.StatusCode == 400 && tokens["error"] == "invalid_target" && slices.Equal(tokens["error_codes"].([]any), []any{9010010.0})
			if refused != row.refused || tokens["access_token"] == nil != row.refused {
				t.Errorf("the token endpoint: got %d %v, want it refused: %v", redeemed.StatusCode, tokens, row.refused)
			}
		})
	}
	tokens := signIn(t, tenant, "offline_access "+mcp+"/Tools.Call")
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {entratest.SPAClientID},
		"refresh_token": {tokens["refresh_token"].(string)}, "resource": {"https://other.example"}}
	if _, renewed := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, refresh); renewed["error"] != "invalid_target" {
		t.Errorf("a refresh for another resource: got %v, want invalid_target", renewed)
	}
	daemon := changed(daemonForm(), map[string][]string{"scope": {mcp + "/.default"}, "resource": {"https://other.example"}})
	if _, granted := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, daemon); granted["error"] != "invalid_target" {
		t.Errorf("client credentials for another resource: got %v, want invalid_target", granted)
	}
	without := changed(pageRequest(), map[string][]string{"scope": nil, "resource": {mcp}})
	response, body := authorize(t, browser(t, tenant), entratest.TenantID, without)
	if _, values := answer(t, response, body); !strings.HasPrefix(values.Get("error_description"), "AADSTS900144") {
		t.Errorf("a resource without scope: got %v, want AADSTS900144", values)
	}
}
