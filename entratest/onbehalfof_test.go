package entratest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// onBehalfForm is an on-behalf-of request of the sample API that is granted.
func onBehalfForm(assertion string) url.Values {
	return url.Values{
		"grant_type":          {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"client_id":           {entratest.APIClientID},
		"client_secret":       {entratest.APISecret},
		"requested_token_use": {"on_behalf_of"},
		"assertion":           {assertion},
		"scope":               {"https://graph.microsoft.com/User.Read openid offline_access"},
	}
}

func TestOnBehalfOf(t *testing.T) {
	tenant := entratest.New(t)
	endpoint := loginHost + entratest.TenantID + tokenPath
	for _, row := range []struct {
		name    string
		options []entratest.TokenOption
	}{
		{"a version 2.0 token", nil},
		{"a version 1.0 token", []entratest.TokenOption{entratest.V1()}},
		{"a token of Bob", []entratest.TokenOption{entratest.User("bob")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			incoming := tenant.Token(row.options...)
			_, before := split(t, incoming)
			_, tokens := post(t, tenant.Client(), endpoint, onBehalfForm(incoming))
			if tokens["access_token"] == nil || tokens["refresh_token"] == nil {
				t.Fatalf("got %v, want tokens", tokens)
			}
			_, claims := split(t, tokens["access_token"].(string))
			if claims["aud"] != entratest.GraphClientID || claims["oid"] != before["oid"] || claims["appid"] != entratest.APIClientID || claims["scp"] != "openid profile User.Read" {
				t.Errorf("got aud %v, oid %v, appid %v, scp %v", claims["aud"], claims["oid"], claims["appid"], claims["scp"])
			}
		})
	}
}

func TestOnBehalfOfCarriesAuthContexts(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Secrets: []string{entratest.APISecret}, Scopes: []string{"Orders.Read"}},
		{ClientID: entratest.ClientID, Scopes: []string{"Down.Read"}},
	}})
	form := onBehalfForm(tenant.Token(entratest.AuthContext("c1"), entratest.CallingApp(entratest.SPAClientID)))
	form.Set("scope", "api://"+entratest.ClientID+"/Down.Read")
	form.Set("claims", `{"access_token":{"acrs":{"essential":true,"value":"c2"}}}`)
	_, tokens := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, form)
	if tokens["access_token"] == nil {
		t.Fatalf("got %v", tokens)
	}
	_, claims := split(t, tokens["access_token"].(string))
	if !reflect.DeepEqual(claims["acrs"], []any{"c1", "c2"}) || claims["aud"] != entratest.ClientID || claims["scp"] != "Down.Read" {
		t.Errorf("got acrs %v, aud %v, scp %v", claims["acrs"], claims["aud"], claims["scp"])
	}
}

func TestOnBehalfOfRefusals(t *testing.T) {
	tenant := entratest.New(t)
	good := tenant.Token()
	for _, row := range []struct {
		name      string
		assertion string
		changes   map[string][]string
		status    int
		number    float64
	}{
		{"another audience", tenant.Token(entratest.Audience(entratest.SPAClientID)), nil, 400, 500131},
		{"an app-only token", tenant.Token(entratest.App("x")), nil, 400, 50013},
		{"an ID token", tenant.Token(entratest.IDToken()), nil, 400, 50013},
		{"expired", tenant.Token(entratest.Expired()), nil, 400, 500133},
		{"not yet valid", tenant.Token(entratest.NotYetValid()), nil, 400, 500133},
		{"signed by an unknown key", tenant.Token(entratest.SignedBy(tenant.UnknownKey())), nil, 400, 50013},
		{"with another payload", strings.Split(good, ".")[0] + "." + strings.Split(tenant.Token(entratest.User("bob")), ".")[1] + "." + strings.Split(good, ".")[2], nil, 400, 50013},
		{"of an algorithm that Entra lacks", tenant.Token(entratest.Header("alg", "HS256")), nil, 400, 50013},
		{"unsigned", tenant.Token(entratest.Header("alg", "none")), nil, 400, 50013},
		{"not a token", "x", nil, 400, 50013},
		{"not base64url", "!.!.!", nil, 400, 50013},
		{"an unknown user", tenant.Token(entratest.Claim("oid", entratest.OtherTenantID)), nil, 400, 50013},
		{"another tenant's token", tenant.Token(entratest.Tenant(entratest.OtherTenantID)), nil, 400, 700005},
		{"no secret", good, map[string][]string{"client_secret": nil}, 401, 7000218},
		{"a wrong secret", good, map[string][]string{"client_secret": {"x"}}, 401, 7000215},
		{"no assertion", good, map[string][]string{"assertion": nil}, 400, 900144},
		{"no requested_token_use", good, map[string][]string{"requested_token_use": nil}, 400, 900144},
		{"no scope", good, map[string][]string{"scope": nil}, 400, 900144},
		{"all of Graph beside one scope of it", good, map[string][]string{"scope": {"https://graph.microsoft.com/.default https://graph.microsoft.com/User.Read"}}, 400, 70011},
		{"an unknown resource", good, map[string][]string{"scope": {"api://x/y"}}, 400, 500011},
		{"claims that are no JSON", good, map[string][]string{"claims": {"x"}}, 400, 9000410},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, answer := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, changed(onBehalfForm(row.assertion), row.changes))
			if response.StatusCode != row.status || !reflect.DeepEqual(answer["error_codes"], []any{row.number}) {
				t.Errorf("got %d %v, want %d AADSTS%v", response.StatusCode, answer, row.status, row.number)
			}
		})
	}
}

// graphToken gets a Graph token through the on-behalf-of flow.
func graphToken(t *testing.T, tenant *entratest.Server, scope string) string {
	t.Helper()
	form := onBehalfForm(tenant.Token())
	form.Set("scope", scope)
	_, tokens := post(t, tenant.Client(), loginHost+entratest.TenantID+tokenPath, form)
	token, ok := tokens["access_token"].(string)
	if !ok {
		t.Fatalf("got %v, want a Graph token", tokens)
	}
	return token
}

// RFC 9110 section 11.1
func TestGraphReadsTheSchemeInAnyCase(t *testing.T) {
	tenant := entratest.New(t)
	for authorization, want := range map[string]int{
		"bearer " + tenant.Token(entratest.Graph()): 200,
		"BEARER " + tenant.Token(entratest.Graph()): 200,
		"Bearer": 401,
		"Basic " + tenant.Token(entratest.Graph()):   401,
		"Bearerx " + tenant.Token(entratest.Graph()): 401,
	} {
		request, _ := http.NewRequest("GET", "https://graph.microsoft.com/oidc/userinfo", nil)
		request.Header.Set("Authorization", authorization)
		response, err := tenant.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, response)
		if response.StatusCode != want {
			t.Errorf("%.8s: got %d, want %d", authorization, response.StatusCode, want)
		}
	}
}

func askGraph(t *testing.T, client *http.Client, method, url, token string) (*http.Response, map[string]any) {
	t.Helper()
	request, _ := http.NewRequest(method, url, nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response, decode(t, readAll(t, response))
}

// Clients write the user's path in several ways, as the pointer to groups in a token does.
func TestGraphFindsTheUserByEveryPath(t *testing.T) {
	const groups = "77777777-7777-4777-8777-777777777777"
	tenant := entratest.New(t, entratest.Config{Users: []entratest.Account{
		{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", GivenName: "Alice", Groups: []string{groups}},
		{ObjectID: entratest.BobObjectID, Username: "bob@contoso.example"},
	}})
	const graph = "https://graph.microsoft.com/v1.0/"
	token := tenant.Token(entratest.Graph())
	for path, status := range map[string]int{
		"me":                               200,
		"me/":                              200,
		"users/" + entratest.AliceObjectID: 200,
		"users/ALICE@contoso.example":      200,
		"users/" + entratest.BobObjectID:   403,
		"users/" + entratest.AliceObjectID + "/messages": 404,
	} {
		response, user := askGraph(t, tenant.Client(), "GET", graph+path, token)
		if response.StatusCode != status || status == 200 && user["id"] != entratest.AliceObjectID {
			t.Errorf("%s: got %d %v, want %d", path, response.StatusCode, user, status)
		}
	}
	for _, path := range []string{"me/getMemberGroups", "me/getMemberObjects", "users/" + entratest.AliceObjectID + "/getMemberObjects",
		entratest.TenantID + "/users/" + entratest.AliceObjectID + "/getMemberObjects"} {
		if _, answer := askGraph(t, tenant.Client(), "POST", graph+path, token); !reflect.DeepEqual(answer["value"], []any{groups}) {
			t.Errorf("%s: got %v, want the group", path, answer)
		}
	}
	foreign := graph + entratest.OtherTenantID + "/users/" + entratest.AliceObjectID + "/getMemberObjects"
	if response, answer := askGraph(t, tenant.Client(), "POST", foreign, token); response.StatusCode != http.StatusForbidden {
		t.Errorf("in another tenant: got %d %v, want 403", response.StatusCode, answer)
	}
	_, user := askGraph(t, tenant.Client(), "GET", graph+"me?$select=id,%20DisplayName", token)
	if got, want := names(user), []string{"@odata.context", "displayName", "id"}; !reflect.DeepEqual(got, want) {
		t.Errorf("$select: got %v, want %v", got, want)
	}
}

func TestGraphAnswersItsOwnTokens(t *testing.T) {
	tenant := entratest.New(t)
	base := start(t, tenant)
	minted := tenant.Token(entratest.Graph())
	exchanged := graphToken(t, tenant, "User.Read openid email")
	tenant.RotateKeys() // Graph still knows the key that signed them.
	for _, row := range []struct {
		client *http.Client
		base   string
	}{{tenant.Client(), "https://graph.microsoft.com"}, {plainClient(t), base + "/graph"}} {
		for _, token := range []string{minted, exchanged} {
			_, user := askGraph(t, row.client, "GET", row.base+"/v1.0/me", token)
			if user["id"] != entratest.AliceObjectID || user["displayName"] != "Alice Example" || user["userPrincipalName"] != "alice@contoso.example" {
				t.Errorf("%s/v1.0/me: got %v", row.base, user)
			}
			_, info := askGraph(t, row.client, "GET", row.base+"/oidc/userinfo", token)
			if info["name"] != "Alice Example" || info["email"] != "alice@contoso.example" {
				t.Errorf("%s/oidc/userinfo: got %v", row.base, info)
			}
			_, groups := askGraph(t, row.client, "POST", row.base+"/v1.0/me/getMemberObjects", token)
			if list, _ := groups["value"].([]any); len(list) != 1 {
				t.Errorf("%s: got groups %v, want Alice's", row.base, groups)
			}
		}
	}
}

// https://learn.microsoft.com/graph/api/user-list-transitivememberof
func TestGraphListsGroupsInPages(t *testing.T) {
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("66666666-6666-4666-8666-%012d", i))
	}
	tenant := entratest.New(t, entratest.Config{Users: []entratest.Account{
		{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", Groups: ids},
		{ObjectID: entratest.BobObjectID, Username: "bob@contoso.example"},
	}})
	base := start(t, tenant)
	alice, bob := tenant.Token(entratest.Graph()), tenant.Token(entratest.Graph(), entratest.User("bob"))
	for _, row := range []struct {
		name, token, query string
		pages              int
	}{
		{"the default page", alice, "", 3},
		{"pages of 200", alice, "?$select=id&$top=200", 2},
		{"one page", alice, "?$top=250", 1},
		{"no group", bob, "", 1},
	} {
		for graph, client := range map[string]*http.Client{"https://graph.microsoft.com": tenant.Client(), base + "/graph": plainClient(t)} {
			var got []string
			pages := 0
			for next := graph + "/v1.0/me/transitiveMemberOf" + row.query; next != ""; pages++ {
				response, answer := askGraph(t, client, "GET", next, row.token)
				groups, ok := answer["value"].([]any)
				if response.StatusCode != http.StatusOK || !ok || pages > row.pages {
					t.Fatalf("%s of %s: page %d: got %d %v", row.name, graph, pages, response.StatusCode, answer)
				}
				for _, group := range groups {
					got = append(got, group.(map[string]any)["id"].(string))
				}
				next, _ = answer["@odata.nextLink"].(string)
				if next != "" && !strings.HasPrefix(next, graph+"/v1.0/me/transitiveMemberOf?") {
					t.Fatalf("%s of %s: got the next link %s", row.name, graph, next)
				}
			}
			if want := ids[:len(ids)*min(1, len(got))]; pages != row.pages || !slices.Equal(got, want) || (len(got) == 0) != (row.token == bob) {
				t.Errorf("%s of %s: got %d groups on %d pages, want %d on %d", row.name, graph, len(got), pages, len(want), row.pages)
			}
		}
	}
	for _, query := range []string{"?$top=0", "?$top=1000", "?$top=x", "?$skiptoken=-1", "?$skiptoken=251", "?$skiptoken=x"} {
		if response, answer := askGraph(t, tenant.Client(), "GET", "https://graph.microsoft.com/v1.0/me/transitiveMemberOf"+query, alice); response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %d %v, want 400", query, response.StatusCode, answer)
		}
	}
}

func TestGraphRefusesOtherTokens(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name, token string
		status      int
		code        string
	}{
		{"none", "", 401, "InvalidAuthenticationToken"},
		{"for the API", tenant.Token(), 401, "InvalidAuthenticationToken"},
		{"expired", tenant.Token(entratest.Graph(), entratest.Expired()), 401, "InvalidAuthenticationToken"},
		{"signed elsewhere", tenant.Token(entratest.Graph(), entratest.SignedBy(entratest.NewKey())), 401, "InvalidAuthenticationToken"},
		{"forged for Graph", tenant.Token(entratest.Audience(entratest.GraphClientID), entratest.Header("nonce", "x")), 401, "InvalidAuthenticationToken"},
		{"app-only", tenant.Token(entratest.Graph(), entratest.App("User.Read.All")), 400, "BadRequest"},
		{"without the scope", tenant.Token(entratest.Graph(), entratest.Scopes("openid")), 403, "Authorization_RequestDenied"},
		{"of an unknown user", tenant.Token(entratest.Graph(), entratest.Claim("oid", entratest.OtherTenantID)), 404, "Request_ResourceNotFound"},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, answer := askGraph(t, tenant.Client(), "GET", "https://graph.microsoft.com/v1.0/me", row.token)
			detail, _ := answer["error"].(map[string]any)
			if response.StatusCode != row.status || detail["code"] != row.code {
				t.Errorf("got %d %v, want %d %s", response.StatusCode, answer, row.status, row.code)
			}
			if got := response.Header.Get("WWW-Authenticate") != ""; got != (row.status == 401) {
				t.Errorf("got WWW-Authenticate %q", response.Header.Get("WWW-Authenticate"))
			}
		})
	}
	request, _ := http.NewRequest("OPTIONS", "https://graph.microsoft.com/v1.0/me", nil)
	response, err := tenant.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Access-Control-Allow-Headers"); response.StatusCode != 204 || !strings.Contains(got, "authorization") {
		t.Errorf("preflight: got %d, headers %q; want 204 and authorization among them", response.StatusCode, got)
	}
}
