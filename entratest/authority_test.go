package entratest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// R12, R33
func TestClouds(t *testing.T) {
	for _, row := range []struct {
		cloud                        entratest.Cloud
		host, issuer1, issuer2, name string
		graph                        string
	}{
		{entratest.Worldwide, "login.microsoftonline.com", "https://sts.windows.net/", "https://login.microsoftonline.com/", "microsoftonline.com", "graph.microsoft.com"},
		{entratest.USGovernment, "login.microsoftonline.us", "https://sts.windows.net/", "https://login.microsoftonline.us/", "microsoftonline.us", "graph.microsoft.us"},
		{entratest.China, "login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn/", "https://login.partner.microsoftonline.cn/", "partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"},
	} {
		t.Run(row.cloud.String(), func(t *testing.T) {
			tenant := entratest.New(t, entratest.Config{Cloud: row.cloud})
			base := "https://" + row.host + "/" + entratest.TenantID
			document := getJSON(t, tenant.Client(), base+configPath)
			for member, want := range map[string]string{
				"issuer":              row.issuer2 + entratest.TenantID + "/v2.0",
				"jwks_uri":            base + keysPath,
				"cloud_instance_name": row.name,
				"msgraph_host":        row.graph,
				"userinfo_endpoint":   "https://" + row.graph + "/oidc/userinfo",
			} {
				if document[member] != want {
					t.Errorf("got %s %v, want %v", member, document[member], want)
				}
			}
			if got, want := getJSON(t, tenant.Client(), base+configPath1)["issuer"], row.issuer1+entratest.TenantID+"/"; got != want {
				t.Errorf("version 1.0: got issuer %v, want %v", got, want)
			}
			token := tenant.Token()
			key := published(t, tenant.Client(), base+keysPath, token)
			if !verifies(t, publicKey(t, key), token) || key["cloud_instance_name"] != row.name || key["issuer"] != row.issuer2+"{tenantid}/v2.0" {
				t.Errorf("got key of cloud %v with issuer %v", key["cloud_instance_name"], key["issuer"])
			}
			for version, options := range map[string][]entratest.TokenOption{
				row.issuer2 + entratest.TenantID + "/v2.0": nil, row.issuer1 + entratest.TenantID + "/": {entratest.V1()},
			} {
				if _, claims := split(t, tenant.Token(options...)); claims["iss"] != version {
					t.Errorf("got iss %v, want %v", claims["iss"], version)
				}
			}
			_, answer := post(t, tenant.Client(), base+tokenPath, daemonForm())
			if answer["access_token"] == nil {
				t.Errorf("token endpoint: got %v, want a token", answer)
			}
		})
	}
}

// R34, R35, R36
func TestAuthorities(t *testing.T) {
	const guid = "44444444-4444-4444-8444-444444444444"
	for _, row := range []struct {
		name, authority, tenant, issuer, keys string
	}{
		{"External ID by directory ID", "https://contoso.ciamlogin.com/" + guid + "/v2.0", guid,
			"https://" + guid + ".ciamlogin.com/" + guid + "/v2.0", "https://contoso.ciamlogin.com/" + guid + keysPath},
		{"External ID by name", "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/v2.0", entratest.TenantID,
			"https://" + entratest.TenantID + ".ciamlogin.com/" + entratest.TenantID + "/v2.0", "https://contoso.ciamlogin.com/" + entratest.TenantID + keysPath},
		{"External ID under a domain of one's own", "https://login.contoso.example/" + guid + "/v2.0", guid,
			"https://" + guid + ".ciamlogin.com/" + guid + "/v2.0", "https://login.contoso.example/" + guid + keysPath},
		{"B2C", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0", entratest.TenantID,
			"https://contoso.b2clogin.com/" + entratest.TenantID + "/v2.0/", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin" + keysPath},
		{"B2C under a domain of one's own", "https://login.contoso.example/" + guid + "/b2c_1a_signin/v2.0", guid,
			"https://login.contoso.example/" + guid + "/v2.0/", "https://login.contoso.example/" + guid + "/b2c_1a_signin" + keysPath},
		{"B2C with the policy in its issuer", "https://contoso.b2clogin.com/tfp/" + guid + "/B2C_1_signin/v2.0", guid,
			"https://contoso.b2clogin.com/tfp/" + guid + "/b2c_1_signin/v2.0/", "https://contoso.b2clogin.com/tfp/" + guid + "/B2C_1_signin" + keysPath},
	} {
		t.Run(row.name, func(t *testing.T) {
			tenant := entratest.New(t, entratest.Config{Authority: row.authority})
			document := getJSON(t, tenant.Client(), row.authority+"/.well-known/openid-configuration")
			if document["issuer"] != row.issuer || document["jwks_uri"] != row.keys {
				t.Errorf("got issuer %v, jwks_uri %v; want %s, %s", document["issuer"], document["jwks_uri"], row.issuer, row.keys)
			}
			token := tenant.Token()
			header, claims := split(t, token)
			if claims["iss"] != row.issuer || claims["aud"] != entratest.APIClientID || header["kid"] != tenant.Key().ID() {
				t.Errorf("got iss %v, aud %v, kid %v", claims["iss"], claims["aud"], header["kid"])
			}
			key := published(t, tenant.Client(), row.keys, token)
			if !verifies(t, publicKey(t, key), token) {
				t.Error("the published key does not verify the token")
			}
			b2c := strings.Contains(strings.ToLower(row.authority), "b2c_1")
			if _, issuer := key["issuer"]; issuer == b2c {
				t.Errorf("key has an issuer: %v; want that of External ID only", issuer)
			}
			if got := claims["tid"] == nil && claims["tfp"] != nil && claims["ver"] == "1.0"; got != b2c {
				t.Errorf("got tid %v, tfp %v, ver %v", claims["tid"], claims["tfp"], claims["ver"])
			}
			if !b2c && claims["tid"] != row.tenant {
				t.Errorf("got tid %v, want %v", claims["tid"], row.tenant)
			}
		})
	}
}

func TestAuthorityHostsReplaceEntras(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Authority: "https://contoso.ciamlogin.com/"})
	if _, err := tenant.Client().Get(loginHost + "common" + keysPath); err == nil || !strings.Contains(err.Error(), "Config.Authority") {
		t.Errorf("keys at Entra's host: got %v, want an error that names Config.Authority", err)
	}
	for _, segment := range []string{"common", "organizations", "consumers"} {
		if response, _ := get(t, tenant.Client(), "https://contoso.ciamlogin.com/"+segment+configPath); response.StatusCode != 400 {
			t.Errorf("%s: got status %d, want 400", segment, response.StatusCode)
		}
	}
	document := getJSON(t, tenant.Client(), "https://"+entratest.TenantID+".ciamlogin.com/"+entratest.TenantID+configPath)
	if got, want := document["jwks_uri"], "https://contoso.ciamlogin.com/"+entratest.TenantID+keysPath; got != want {
		t.Errorf("at the issuer's host: got jwks_uri %v, want %v", got, want)
	}
	policies := entratest.New(t, entratest.Config{Authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"})
	for path, want := range map[string]int{"B2C_1_edit": 200, "other": 400} {
		url := "https://contoso.b2clogin.com/contoso.onmicrosoft.com/" + path + keysPath
		if response, _ := get(t, policies.Client(), url); response.StatusCode != want {
			t.Errorf("policy %s: got status %d, want %d", path, response.StatusCode, want)
		}
	}
	policies.HangKeys()
	policies.Restore()
	policies.DelayKeys(0)
	if got := kids(t, policies.Client(), "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_signin"+keysPath); len(got) == 0 {
		t.Error("a delayed answer under /tfp: got no keys")
	}
}

func TestAuthorityMistakes(t *testing.T) {
	for _, config := range []entratest.Config{
		{Authority: "http://contoso.ciamlogin.com/x"},
		{Authority: "https://contoso.ciamlogin.com/x?p=1"},
		{Authority: "https://u@contoso.ciamlogin.com/x"},
		{Authority: "https://login.microsoftonline.com/" + entratest.TenantID},
		{Authority: "https://login.microsoftonline.us/" + entratest.TenantID},
		{Authority: "https://login.contoso.example/"},
		{Authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/signin/v2.0"},
		{Authority: "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/v2.0"},
		{Authority: "https://contoso.ciamlogin.com/" + entratest.OtherTenantID, TenantID: entratest.TenantID},
		{Authority: "https://contoso.ciamlogin.com/", Cloud: entratest.China},
		{PublicURL: "localhost:8080"},
		{PublicURL: "http://localhost:8080/?x"},
	} {
		if s, err := entratest.NewServer(config); err == nil {
			s.Close()
			t.Errorf("%+v: got no error", config)
		}
	}
	tb := &spyTB{}
	entratest.New(tb, entratest.Config{Authority: "https://contoso.ciamlogin.com/"}).Token(entratest.V1())
	if len(tb.failures) != 1 || !strings.Contains(tb.failures[0], "version 1.0") {
		t.Errorf("V1 with an authority: got failures %q, want one", tb.failures)
	}
}

func TestB2CClaimSet(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"})
	_, claims := split(t, tenant.Token())
	if got, want := strings.Join(names(claims), " "), "aud azp exp iat iss name nbf scp sub tfp ver"; got != want {
		t.Errorf("got claims %s, want %s", got, want)
	}
	if claims["tfp"] != "B2C_1_signin" {
		t.Errorf("got tfp %v", claims["tfp"])
	}
	keys := keyList(t, tenant.Client(), "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin"+keysPath)
	if got, want := names(keys[0]), []string{"e", "kid", "kty", "n", "use"}; !slices.Equal(got, want) {
		t.Errorf("got key members %v, want %v", got, want)
	}
}

func TestInstanceDiscovery(t *testing.T) {
	tenant := entratest.New(t)
	url := func(endpoint string) string {
		return loginHost + "common/discovery/instance?api-version=1.1&authorization_endpoint=" + endpoint
	}
	document := getJSON(t, tenant.Client(), url(loginHost+entratest.TenantID+"/oauth2/v2.0/authorize"))
	if got, want := document["tenant_discovery_endpoint"], loginHost+entratest.TenantID+configPath; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	entry := document["metadata"].([]any)[0].(map[string]any)
	if entry["preferred_network"] != "login.microsoftonline.com" || entry["preferred_cache"] != "login.windows.net" || len(entry["aliases"].([]any)) != 4 {
		t.Errorf("got %v", entry)
	}
	for _, endpoint := range []string{"https://evil.example/x/oauth2/v2.0/authorize", "", "%25zz"} {
		response, body := get(t, tenant.Client(), url(endpoint))
		if response.StatusCode != 400 || decode(t, body)["error"] != "invalid_instance" {
			t.Errorf("%q: got %d %s, want 400 invalid_instance", endpoint, response.StatusCode, body)
		}
	}
	base := start(t, tenant)
	own := getJSON(t, tenant.Client(), loginHost+"common/discovery/instance?authorization_endpoint="+loginHost+"common/oauth2/authorize")
	if got, want := own["tenant_discovery_endpoint"], loginHost+"common"+configPath1; got != want {
		t.Errorf("version 1.0: got %v, want %v", got, want)
	}
	listening := getJSON(t, plainClient(t), base+"/common/discovery/instance?authorization_endpoint="+base+"/common/oauth2/v2.0/authorize")
	if got, want := listening["tenant_discovery_endpoint"], base+"/common"+configPath; got != want {
		t.Errorf("on a listener: got %v, want %v", got, want)
	}
	ciam := entratest.New(t, entratest.Config{Authority: "https://contoso.ciamlogin.com/"})
	if response, _ := get(t, ciam.Client(), url("https://contoso.ciamlogin.com/x/oauth2/v2.0/authorize")); response.StatusCode != 200 {
		t.Errorf("Entra's host, asked for the authority: got %d, want 200", response.StatusCode)
	}
}
