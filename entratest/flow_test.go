package entratest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra/entratest"
)

const (
	authorizePath = "/oauth2/v2.0/authorize"
	logoutPath    = "/oauth2/v2.0/logout"
	pageRedirect  = "http://localhost:3000/"
	webRedirect   = "http://localhost:3000/auth/callback"
	verifier      = "a-code-verifier-of-forty-three-characters-or-more"
)

// browser is a client in process that keeps cookies and follows no redirect.
func browser(t *testing.T, tenant *entratest.Server) *http.Client {
	t.Helper()
	client := tenant.Client()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

func challenge() string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// pageRequest is an authorization request of the page that is granted at once.
func pageRequest() url.Values {
	return url.Values{
		"client_id":             {entratest.SPAClientID},
		"response_type":         {"code"},
		"redirect_uri":          {pageRedirect},
		"scope":                 {"openid profile offline_access " + entratest.APIURI + "/Orders.Read"},
		"state":                 {"st&te"},
		"nonce":                 {"n-1"},
		"code_challenge":        {challenge()},
		"code_challenge_method": {"S256"},
		"login_hint":            {"alice@contoso.example"},
	}
}

// changed applies changes to a form; a nil value removes the parameter.
func changed(form url.Values, changes map[string][]string) url.Values {
	for name, values := range changes {
		if values == nil {
			form.Del(name)
			continue
		}
		form[name] = values
	}
	return form
}

// authorize sends the request and returns the response with its body.
func authorize(t *testing.T, client *http.Client, segment string, form url.Values) (*http.Response, string) {
	t.Helper()
	response, body := get(t, client, loginHost+segment+authorizePath+"?"+form.Encode())
	return response, string(body)
}

// answer returns where a response redirects to, and the parameters it takes there.
func answer(t *testing.T, response *http.Response, body string) (target string, values url.Values) {
	t.Helper()
	location := response.Header.Get("Location")
	if location == "" {
		t.Fatalf("got status %d without a redirect: %s", response.StatusCode, body)
	}
	target, text, found := strings.Cut(location, "#")
	if !found {
		target, text, _ = strings.Cut(location, "?")
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return target, values
}

// code signs in and returns the authorization code.
func code(t *testing.T, client *http.Client, segment string, form url.Values) string {
	t.Helper()
	response, body := authorize(t, client, segment, form)
	_, values := answer(t, response, body)
	if values.Get("code") == "" {
		t.Fatalf("got %v, want a code", values)
	}
	return values.Get("code")
}

func redeemForm(code string) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {entratest.SPAClientID},
		"code":          {code},
		"redirect_uri":  {pageRedirect},
		"code_verifier": {verifier},
		"client_info":   {"1"},
	}
}

func TestAuthorizationCodeWithPKCE(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	response, body := authorize(t, client, entratest.TenantID, pageRequest())
	target, values := answer(t, response, body)
	if target != pageRedirect || response.StatusCode != http.StatusFound || values.Get("state") != "st&te" || values.Get("session_state") == "" {
		t.Errorf("got status %d to %s with %v", response.StatusCode, target, values)
	}
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(values.Get("code")))
	if got, want := strings.Join(names(tokens), " "), "access_token client_info expires_in ext_expires_in id_token refresh_token "+
		"refresh_token_expires_in scope token_type"; got != want {
		t.Fatalf("got %s, want %s: %v", got, want, tokens)
	}
	if got, want := tokens["scope"], entratest.APIURI+"/Orders.Read"; got != want {
		t.Errorf("got scope %v, want %v", got, want)
	}
	_, access := split(t, tokens["access_token"].(string))
	for name, want := range map[string]any{"aud": entratest.APIClientID, "scp": "Orders.Read", "azp": entratest.SPAClientID, "azpacr": "0",
		"oid": entratest.AliceObjectID, "roles": []any{entratest.RoleAdmin}, "tid": entratest.TenantID} {
		if !reflect.DeepEqual(access[name], want) {
			t.Errorf("access token: got %s %v, want %v", name, access[name], want)
		}
	}
	_, identity := split(t, tokens["id_token"].(string))
	if identity["aud"] != entratest.SPAClientID || identity["nonce"] != "n-1" || identity["preferred_username"] != "alice@contoso.example" {
		t.Errorf("ID token: got %v", identity)
	}
	info := decode(t, unbase64(t, tokens["client_info"].(string)))
	if want := map[string]any{"uid": entratest.AliceObjectID, "utid": entratest.TenantID}; !reflect.DeepEqual(info, want) {
		t.Errorf("got client_info %v, want %v", info, want)
	}
	_, again := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(values.Get("code")))
	if !reflect.DeepEqual(again["error_codes"], []any{54005.0}) {
		t.Errorf("a second use of the code: got %v, want AADSTS54005", again)
	}
}

func TestCodeRefusals(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{})
	for _, row := range []struct {
		name    string
		changes map[string][]string
		number  float64
	}{
		{"another verifier", map[string][]string{"code_verifier": {"x"}}, 501481},
		{"no verifier", map[string][]string{"code_verifier": nil}, 501481},
		{"another redirect URI", map[string][]string{"redirect_uri": {"http://localhost:3000/other"}}, 500112},
		{"another client", map[string][]string{"client_id": {entratest.APIClientID}}, 70000},
		{"an unknown code", map[string][]string{"code": {"x"}}, 70000},
		{"no code", map[string][]string{"code": nil}, 900144},
		{"a scope that the API lacks", map[string][]string{"scope": {entratest.APIURI + "/Nothing"}}, 650053},
		{"two resources", map[string][]string{"scope": {entratest.APIURI + "/Orders.Read User.Read"}}, 28000},
		{"claims that are no JSON", map[string][]string{"claims": {"{"}}, 9000410},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := browser(t, tenant)
			form := changed(redeemForm(code(t, client, entratest.TenantID, pageRequest())), row.changes)
			response, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, form)
			if response.StatusCode == 200 || !reflect.DeepEqual(tokens["error_codes"], []any{row.number}) {
				t.Errorf("got %d %v, want AADSTS%v", response.StatusCode, tokens, row.number)
			}
		})
	}
	client := browser(t, tenant)
	form := redeemForm(code(t, client, entratest.TenantID, pageRequest()))
	if _, tokens := post(t, client, loginHost+entratest.OtherTenantID+tokenPath, form); !reflect.DeepEqual(tokens["error_codes"], []any{700005.0}) {
		t.Errorf("another tenant's endpoint: got %v, want AADSTS700005", tokens)
	}
}

func TestWebApplicationNeedsItsSecret(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	request := changed(pageRequest(), map[string][]string{"client_id": {entratest.ClientID}, "redirect_uri": {webRedirect},
		"code_challenge": nil, "code_challenge_method": nil})
	form := changed(redeemForm(""), map[string][]string{"client_id": {entratest.ClientID}, "redirect_uri": {webRedirect}, "code_verifier": nil})
	form.Set("code", code(t, client, "common", request))
	if _, tokens := post(t, client, loginHost+"common"+tokenPath, form); !reflect.DeepEqual(tokens["error_codes"], []any{7000218.0}) {
		t.Errorf("without the secret: got %v, want AADSTS7000218", tokens)
	}
	form.Set("client_secret", entratest.ClientSecret)
	form.Set("code", code(t, client, "common", request))
	_, tokens := post(t, client, loginHost+"common"+tokenPath, form)
	if tokens["access_token"] == nil {
		t.Fatalf("with the secret: got %v", tokens)
	}
	if _, claims := split(t, tokens["access_token"].(string)); claims["azpacr"] != "1" || claims["tid"] != entratest.TenantID {
		t.Errorf("got azpacr %v, tid %v; want 1 and the user's tenant", claims["azpacr"], claims["tid"])
	}
}

func TestRefreshTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		client := browser(t, tenant)
		_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, pageRequest())))
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {entratest.SPAClientID}, "refresh_token": {tokens["refresh_token"].(string)}}
		endpoint := loginHost + entratest.TenantID + tokenPath
		_, renewed := post(t, client, endpoint, form)
		if renewed["access_token"] == nil || renewed["access_token"] == tokens["access_token"] || renewed["refresh_token"] == nil || renewed["id_token"] == nil {
			t.Errorf("got %v, want new tokens", renewed)
		}
		_, graph := post(t, client, endpoint, changed(form, map[string][]string{"scope": {"User.Read openid"}}))
		if _, claims := split(t, graph["access_token"].(string)); claims["aud"] != entratest.GraphClientID {
			t.Errorf("another resource: got aud %v, want Graph's", claims["aud"])
		}
		for name, changes := range map[string]map[string][]string{
			"an unknown token": {"refresh_token": {"x"}}, "another client's": {"client_id": {entratest.ClientID}},
		} {
			refused := changed(url.Values{"grant_type": {"refresh_token"}, "client_id": {entratest.SPAClientID},
				"refresh_token": {tokens["refresh_token"].(string)}}, changes)
			if _, answer := post(t, client, endpoint, refused); answer["error"] != "invalid_grant" {
				t.Errorf("%s: got %v, want invalid_grant", name, answer)
			}
		}
		time.Sleep(24*time.Hour + time.Second)
		if _, late := post(t, client, endpoint, form); !reflect.DeepEqual(late["error_codes"], []any{700084.0}) {
			t.Errorf("a page's token after a day: got %v, want AADSTS700084", late)
		}
	})
}

func TestCodesEndAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		client := browser(t, tenant)
		form := redeemForm(code(t, client, entratest.TenantID, pageRequest()))
		time.Sleep(10*time.Minute + time.Second)
		if _, answer := post(t, client, loginHost+entratest.TenantID+tokenPath, form); !reflect.DeepEqual(answer["error_codes"], []any{70008.0}) {
			t.Errorf("got %v, want AADSTS70008", answer)
		}
	})
}

// R77, R79
func TestClaimsParameterYieldsContextsAndCapabilities(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	const stepUp = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	const capable = `{"access_token":{"xms_cc":{"values":["cp1"]},"nbf":{"essential":true,"value":"1"}}}`
	request := changed(pageRequest(), map[string][]string{"claims": {stepUp}})
	form := redeemForm(code(t, client, entratest.TenantID, request))
	form.Set("claims", capable)
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, form)
	_, claims := split(t, tokens["access_token"].(string))
	if !reflect.DeepEqual(claims["acrs"], []any{"c1"}) || !reflect.DeepEqual(claims["xms_cc"], []any{"cp1"}) {
		t.Errorf("got acrs %v, xms_cc %v; want c1, cp1", claims["acrs"], claims["xms_cc"])
	}
	daemon := daemonForm()
	daemon.Set("claims", `{"access_token":{"acrs":{"value":"c1"},"xms_cc":{"values":["cp1"]}}}`)
	_, tokens = post(t, client, loginHost+entratest.TenantID+tokenPath, daemon)
	_, claims = split(t, tokens["access_token"].(string))
	if claims["acrs"] != nil || !reflect.DeepEqual(claims["xms_cc"], []any{"cp1"}) {
		t.Errorf("a daemon: got acrs %v, xms_cc %v; want none, cp1", claims["acrs"], claims["xms_cc"])
	}
}

func TestDefaultScopeAndGroups(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{"A", "B"}, GroupClaims: true, TokenVersion: 1},
		{ClientID: entratest.SPAClientID, SPARedirectURIs: []string{pageRedirect}},
	}})
	client := browser(t, tenant)
	request := changed(pageRequest(), map[string][]string{"scope": {entratest.APIURI + "/.default"}})
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, request)))
	if got, want := tokens["scope"], entratest.APIURI+"/A "+entratest.APIURI+"/B "+entratest.APIURI+"/.default"; got != want {
		t.Errorf("got scope %v, want %v", got, want)
	}
	_, claims := split(t, tokens["access_token"].(string))
	if claims["scp"] != "A B" || claims["ver"] != "1.0" || claims["aud"] != entratest.APIURI || len(claims["groups"].([]any)) != 1 {
		t.Errorf("got scp %v, ver %v, aud %v, groups %v", claims["scp"], claims["ver"], claims["aud"], claims["groups"])
	}
	if tokens["id_token"] != nil || tokens["refresh_token"] != nil {
		t.Errorf("got an ID token or a refresh token that nobody asked for: %v", names(tokens))
	}
}
