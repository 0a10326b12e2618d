package entratest_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func TestAuthorizeRefusals(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name    string
		changes map[string][]string
		code    string // sent by redirect; "" for a page
		number  string
	}{
		{"an unknown client", map[string][]string{"client_id": {"x"}}, "", "AADSTS700016"},
		{"no client", map[string][]string{"client_id": nil}, "", "AADSTS900144"},
		{"no redirect URI of an application that has none", map[string][]string{"client_id": {entratest.APIClientID}, "redirect_uri": nil}, "", "AADSTS900971"},
		{"a redirect URI elsewhere", map[string][]string{"redirect_uri": {"https://evil.example/"}}, "", "AADSTS50011"},
		{"a look-alike of localhost", map[string][]string{"redirect_uri": {"http://localhost.evil.example/"}}, "", "AADSTS50011"},
		{"another scheme on localhost", map[string][]string{"redirect_uri": {"javascript://localhost/"}}, "", "AADSTS50011"},
		{"no response type", map[string][]string{"response_type": nil}, "invalid_request", "AADSTS900144"},
		{"an unknown response type", map[string][]string{"response_type": {"device"}}, "unsupported_response_type", "AADSTS70005"},
		{"an unknown response mode", map[string][]string{"response_mode": {"web_message"}}, "unsupported_response_mode", "AADSTS70007"},
		{"an ID token in the query", map[string][]string{"response_type": {"id_token"}, "response_mode": {"query"}}, "unsupported_response_mode", "AADSTS70007"},
		{"an ID token without nonce", map[string][]string{"response_type": {"id_token"}, "nonce": nil}, "invalid_request", "AADSTS900144"},
		{"no scope", map[string][]string{"scope": nil}, "invalid_request", "AADSTS900144"},
		{"an ID token without the scope openid", map[string][]string{"response_type": {"id_token"}, "scope": {"User.Read"}}, "unsupported_response_type", "AADSTS70005"},
		{"access to two resources at once", map[string][]string{"response_type": {"token"}, "scope": {"User.Read " + entratest.APIURI + "/Orders.Read"}}, "invalid_request", "AADSTS28000"},
		{"an unknown prompt", map[string][]string{"prompt": {"unspecified"}}, "invalid_request", "AADSTS90023"},
		{"two prompts", map[string][]string{"prompt": {"consent select_account"}}, "invalid_request", "AADSTS90023"},
		{"an age that is no number", map[string][]string{"max_age": {"1h"}}, "invalid_request", "AADSTS90100"},
		{"a negative age", map[string][]string{"max_age": {"-1"}}, "invalid_request", "AADSTS90100"},
		{"a scope that Graph has not", map[string][]string{"scope": {"openid groups"}}, "invalid_client", "AADSTS650053"},
		{"scopes with commas between", map[string][]string{"scope": {"openid,profile,User.Read"}}, "invalid_client", "AADSTS650053"},
		{"an unknown scope", map[string][]string{"scope": {entratest.APIURI + "/Nothing"}}, "invalid_client", "AADSTS650053"},
		{"all scopes beside one of them", map[string][]string{"scope": {entratest.APIURI + "/.default " + entratest.APIURI + "/Orders.Read"}}, "invalid_scope", "AADSTS70011"},
		{"an unknown resource", map[string][]string{"scope": {"api://x/y"}}, "invalid_resource", "AADSTS500011"},
		{"an unknown challenge method", map[string][]string{"code_challenge_method": {"S1"}}, "invalid_request", "AADSTS50149"},
		{"a challenge that is a variable's name", map[string][]string{"code_challenge": {"{{codeChallenge}}"}}, "invalid_request", "AADSTS501491"},
		{"a challenge with base64's padding", map[string][]string{"code_challenge": {challenge() + "="}}, "invalid_request", "AADSTS501491"},
		{"a plain challenge that is too long", map[string][]string{"code_challenge": {strings.Repeat("a", 129)}, "code_challenge_method": nil}, "invalid_request", "AADSTS501491"},
		{"claims that are no JSON", map[string][]string{"claims": {"x"}}, "invalid_request", "AADSTS9000410"},
		{"a silent request without a session", map[string][]string{"prompt": {"none"}}, "login_required", "AADSTS50058"},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, body := authorize(t, browser(t, tenant), entratest.TenantID, changed(pageRequest(), row.changes))
			if row.code == "" {
				if response.StatusCode != 400 || !strings.Contains(body, row.number) || response.Header.Get("Location") != "" {
					t.Errorf("got status %d, Location %q, want a page with %s: %s", response.StatusCode, response.Header.Get("Location"), row.number, body)
				}
				return
			}
			target, values := answer(t, response, body)
			if target != pageRedirect || values.Get("error") != row.code || !strings.HasPrefix(values.Get("error_description"), row.number+":") || values.Get("state") != "st&te" {
				t.Errorf("got %s with %v, want %s %s", target, values, row.code, row.number)
			}
		})
	}
	response, body := authorize(t, browser(t, tenant), "unknown.example", pageRequest())
	if response.StatusCode != 400 || !strings.Contains(body, "AADSTS90002") {
		t.Errorf("an unknown tenant: got %d %s", response.StatusCode, body)
	}
	request, _ := http.NewRequest("PUT", loginHost+"common"+authorizePath, nil)
	put, err := tenant.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	put.Body.Close()
	if put.StatusCode != 405 {
		t.Errorf("PUT: got %d, want 405", put.StatusCode)
	}
}

func TestStrictRedirects(t *testing.T) {
	strict := entratest.New(t, entratest.Config{Strict: true})
	loose := entratest.New(t)
	for _, row := range []struct {
		name, uri     string
		loose, strict bool
	}{
		{"registered", pageRedirect, true, true},
		{"registered, another port of localhost", "http://localhost:5173/", true, true},
		{"another path of localhost", "http://localhost:3000/blank.html", true, false},
		{"another scheme of localhost", "https://localhost:3000/", true, false},
		{"127.0.0.1", "http://127.0.0.1:3000/", true, false},
		{"a stranger", "https://app.example/", false, false},
	} {
		for tenant, want := range map[*entratest.Server]bool{strict: row.strict, loose: row.loose} {
			response, _ := authorize(t, browser(t, tenant), entratest.TenantID, changed(pageRequest(), map[string][]string{"redirect_uri": {row.uri}}))
			if got := response.StatusCode == http.StatusFound; got != want {
				t.Errorf("%s (strict: %v): accepted %v, want %v", row.name, tenant == strict, got, want)
			}
		}
	}
	response, body := authorize(t, browser(t, strict), entratest.TenantID, changed(pageRequest(), map[string][]string{"code_challenge": nil}))
	if _, values := answer(t, response, body); !strings.HasPrefix(values.Get("error_description"), "AADSTS9002325") {
		t.Errorf("a page without PKCE: got %v, want AADSTS9002325", values)
	}
	client := browser(t, strict)
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(code(t, client, entratest.TenantID, pageRequest())))
	if tokens["error"] != "invalid_request" {
		t.Errorf("a page's code without Origin: got %v, want AADSTS9002327", tokens)
	}
	redeem, _ := http.NewRequest("POST", loginHost+entratest.TenantID+tokenPath,
		strings.NewReader(redeemForm(code(t, client, entratest.TenantID, pageRequest())).Encode()))
	redeem.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	redeem.Header.Set("Origin", "http://localhost:3000")
	granted, err := client.Do(redeem)
	if err != nil {
		t.Fatal(err)
	}
	if text := readAll(t, granted); granted.StatusCode != 200 || granted.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a page's code with Origin: got %d %s", granted.StatusCode, text)
	}
}

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redirect-uris-for-single-page-apps-spas
func TestStrictRefusesSecretsFromPages(t *testing.T) {
	for strict, want := range map[bool]any{true: "invalid_request", false: nil} {
		tenant := entratest.New(t, entratest.Config{Strict: strict})
		request, _ := http.NewRequest("POST", loginHost+entratest.TenantID+tokenPath, strings.NewReader(daemonForm().Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "http://localhost:3000")
		response, err := tenant.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer := decode(t, readAll(t, response))
		text, _ := answer["error_description"].(string)
		if answer["error"] != want || strict && (!strings.HasPrefix(text, "AADSTS9002326: ") || !strings.Contains(text, "'http://localhost:3000'")) {
			t.Errorf("strict %t: got %v, want error %v", strict, answer, want)
		}
	}
}

func TestAccountPicker(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	form := changed(pageRequest(), map[string][]string{"login_hint": {`zoe"><script>`}, "state": {`"><script>alert(1)</script>`}})
	response, body := authorize(t, client, entratest.TenantID, form)
	if response.StatusCode != 200 || strings.Contains(body, "<script") {
		t.Fatalf("got status %d, want the escaped picker: %s", response.StatusCode, body)
	}
	for _, want := range []string{"Alice Example", "bob@contoso.example", "Orders page", "No account here is called", html.EscapeString("zoe")} {
		if !strings.Contains(body, want) {
			t.Errorf("the picker lacks %q", want)
		}
	}
	policy := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("got policy %q, want %q in it", policy, want)
		}
	}
	wantFormsToLeadOn(t, response)
	picked := hiddenFields(body)
	if picked.Get("state") != form.Get("state") || picked.Get("code_challenge") != challenge() {
		t.Errorf("got hidden fields %v, want the request's", picked)
	}
	picked.Set("entratest_account", entratest.BobObjectID)
	posted, err := client.PostForm(loginHost+entratest.TenantID+authorizePath, picked)
	if err != nil {
		t.Fatal(err)
	}
	target, values := answer(t, posted, string(readAll(t, posted)))
	if target != pageRedirect || posted.StatusCode != http.StatusSeeOther || values.Get("state") != form.Get("state") {
		t.Fatalf("got status %d to %s with %v", posted.StatusCode, target, values)
	}
	_, tokens := post(t, client, loginHost+entratest.TenantID+tokenPath, redeemForm(values.Get("code")))
	if _, claims := split(t, tokens["access_token"].(string)); claims["oid"] != entratest.BobObjectID {
		t.Errorf("got oid %v, want Bob's", claims["oid"])
	}
	picked.Set("entratest_account", "cancel")
	if posted, err = client.PostForm(loginHost+entratest.TenantID+authorizePath, picked); err != nil {
		t.Fatal(err)
	}
	if _, values = answer(t, posted, string(readAll(t, posted))); values.Get("error") != "access_denied" {
		t.Errorf("cancel: got %v, want access_denied", values)
	}
	picked.Set("entratest_account", "nobody")
	if posted, err = client.PostForm(loginHost+entratest.TenantID+authorizePath, picked); err != nil {
		t.Fatal(err)
	}
	if text := readAll(t, posted); posted.StatusCode != 400 || !strings.Contains(string(text), "AADSTS50020") {
		t.Errorf("an unknown account: got %d %s", posted.StatusCode, text)
	}
}

// wantFormsToLeadOn checks that a form of the page reaches an application which looks at its origin and redirects to another host.
func wantFormsToLeadOn(t *testing.T, response *http.Response) {
	t.Helper()
	if got := response.Header.Get("Content-Security-Policy"); strings.Contains(got, "form-action") {
		t.Errorf("got policy %q, want no form-action, which would stop redirects of the application", got)
	}
	if got, want := response.Header.Get("Referrer-Policy"), "strict-origin-when-cross-origin"; got != want {
		t.Errorf("got Referrer-Policy %q, want %q", got, want)
	}
}

// hiddenFields reads the hidden inputs of a page's form.
func hiddenFields(body string) url.Values {
	values := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		values.Set(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	return values
}

func TestSessions(t *testing.T) {
	tenant := entratest.New(t)
	client := browser(t, tenant)
	code(t, client, entratest.TenantID, pageRequest())
	silent := changed(pageRequest(), map[string][]string{"prompt": {"none"}, "login_hint": nil})
	for name, row := range map[string]struct {
		segment string
		form    url.Values
		signsIn bool
	}{
		"prompt=none":                         {entratest.TenantID, silent, true},
		"prompt=none, of the same user":       {"common", changed(pageRequest(), map[string][]string{"prompt": {"none"}}), true},
		"prompt=none, of another user":        {entratest.TenantID, changed(pageRequest(), map[string][]string{"prompt": {"none"}, "login_hint": {"bob"}}), false},
		"prompt=none, in another tenant":      {entratest.OtherTenantID, silent, false},
		"without a hint":                      {entratest.TenantID, changed(pageRequest(), map[string][]string{"login_hint": nil}), true},
		"prompt=select_account asks anew":     {entratest.TenantID, changed(pageRequest(), map[string][]string{"prompt": {"select_account"}}), false},
		"without a hint, for personal users":  {"consumers", changed(pageRequest(), map[string][]string{"login_hint": nil}), false},
		"without a hint, for any work tenant": {"organizations", changed(pageRequest(), map[string][]string{"login_hint": nil}), true},
	} {
		response, body := authorize(t, client, row.segment, row.form)
		if got := strings.Contains(response.Header.Get("Location"), "code="); got != row.signsIn {
			t.Errorf("%s: signed in %v, want %v: %d %s", name, got, row.signsIn, response.StatusCode, body)
		}
	}
	logout := loginHost + entratest.TenantID + logoutPath + "?state=s&post_logout_redirect_uri=" + url.QueryEscape(pageRedirect)
	response, _ := get(t, client, logout)
	if got, want := response.Header.Get("Location"), pageRedirect+"?state=s"; got != want {
		t.Errorf("logout: got Location %q, want %q", got, want)
	}
	response, body := authorize(t, client, entratest.TenantID, silent)
	if _, values := answer(t, response, body); values.Get("error") != "login_required" {
		t.Errorf("after logout: got %v, want login_required", values)
	}
	for _, query := range []string{"", "?post_logout_redirect_uri=https://evil.example/"} {
		response, text := get(t, client, loginHost+"common"+logoutPath+query)
		if response.StatusCode != 200 || !strings.Contains(string(text), "signed out") {
			t.Errorf("logout%s: got %d %s, want the page", query, response.StatusCode, text)
		}
	}
}

func TestSessionCookieFollowsTheScheme(t *testing.T) {
	tenant := entratest.New(t)
	form := pageRequest().Encode()
	base := start(t, tenant)
	plain := plainClient(t)
	plain.CheckRedirect = browser(t, tenant).CheckRedirect
	for address, client := range map[string]*http.Client{loginHost + entratest.TenantID: browser(t, tenant), base + "/" + entratest.TenantID: plain} {
		response, _ := get(t, client, address+authorizePath+"?"+form)
		cookies := response.Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly {
			t.Fatalf("%s: got cookies %v, want one that scripts cannot read", address, cookies)
		}
		secure := strings.HasPrefix(address, "https://")
		if cookies[0].Secure != secure || (cookies[0].SameSite == http.SameSiteNoneMode) != secure {
			t.Errorf("%s: got %v", address, cookies[0])
		}
	}
}

func TestResponseModes(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name, types, mode string
		separator         string
		members           []string
	}{
		{"a code", "code", "", "?", []string{"code", "session_state", "state"}},
		{"a code in the fragment", "code", "fragment", "#", []string{"code", "session_state", "state"}},
		{"an ID token", "id_token", "", "#", []string{"id_token", "session_state", "state"}},
		{"code and ID token", "code id_token", "fragment", "#", []string{"code", "id_token", "session_state", "state"}},
		{"ID token and access token", "id_token token", "", "#",
			[]string{"access_token", "expires_in", "ext_expires_in", "id_token", "scope", "session_state", "state", "token_type"}},
	} {
		form := changed(pageRequest(), map[string][]string{"response_type": {row.types}, "response_mode": {row.mode}})
		response, body := authorize(t, browser(t, tenant), entratest.TenantID, form)
		if got := response.Header.Get("Location"); !strings.HasPrefix(got, pageRedirect+row.separator) {
			t.Errorf("%s: got Location %q, want %q after the redirect URI", row.name, got, row.separator)
		}
		_, values := answer(t, response, body)
		var got []string
		for name := range values {
			got = append(got, name)
		}
		if slices.Sort(got); !slices.Equal(got, row.members) {
			t.Errorf("%s: got %v, want %v", row.name, got, row.members)
		}
		if got, want := values.Get("scope"), entratest.APIURI+"/Orders.Read"; values.Has("access_token") && got != want {
			t.Errorf("%s: got scope %q, want %q", row.name, got, want)
		}
		if token := values.Get("id_token"); token != "" {
			_, claims := split(t, token)
			if hash := claims["c_hash"]; claims["nonce"] != "n-1" || (hash != nil) != values.Has("code") || (claims["at_hash"] != nil) != values.Has("access_token") {
				t.Errorf("%s: got ID token %v", row.name, claims)
			}
		}
	}
	form := changed(pageRequest(), map[string][]string{"response_mode": {"form_post"}, "state": {`"><b>`}, "client_info": {"1"}})
	posted, err := browser(t, tenant).PostForm(loginHost+entratest.TenantID+authorizePath, form)
	if err != nil {
		t.Fatal(err)
	}
	body := string(readAll(t, posted))
	sent := hiddenFields(body)
	if sent.Get("state") != `"><b>` || sent.Get("code") == "" || sent.Get("client_info") == "" || !strings.Contains(body, `action="`+pageRedirect+`"`) {
		t.Errorf("form_post: got %s", body)
	}
	wantFormsToLeadOn(t, posted)
	nonce := regexp.MustCompile(`script-src 'nonce-([^']+)'`).FindStringSubmatch(posted.Header.Get("Content-Security-Policy"))
	if nonce == nil || !strings.Contains(body, `<script nonce="`+nonce[1]+`">`) {
		t.Errorf("form_post: the policy %q does not allow the page's script", posted.Header.Get("Content-Security-Policy"))
	}
}
