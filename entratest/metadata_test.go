package entratest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// R12
func TestMetadata(t *testing.T) {
	tenant := entratest.New(t)
	const version1 = "authorization_endpoint check_session_iframe claims_supported cloud_graph_host_name cloud_instance_name " +
		"device_authorization_endpoint end_session_endpoint frontchannel_logout_supported http_logout_supported " +
		"id_token_signing_alg_values_supported issuer jwks_uri kerberos_endpoint microsoft_multi_refresh_token msgraph_host rbac_url " +
		"response_modes_supported response_types_supported scopes_supported subject_types_supported tenant_region_scope " +
		"token_endpoint token_endpoint_auth_methods_supported userinfo_endpoint"
	version2 := strings.NewReplacer("check_session_iframe ", "", "microsoft_multi_refresh_token ", "",
		"rbac_url ", "rbac_url request_uri_parameter_supported ").Replace(version1)
	for _, row := range []struct {
		segment, suffix, members, issuer string
	}{
		{entratest.TenantID, configPath, version2, "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"},
		{entratest.TenantDomain, configPath, version2, "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"},
		{entratest.OtherTenantID, configPath, version2, "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"},
		{"common", configPath, version2, "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"organizations", configPath, version2, "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"consumers", configPath, version2, "https://login.microsoftonline.com/" + entratest.PersonalTenantID + "/v2.0"},
		{entratest.TenantID, configPath1, version1, "https://sts.windows.net/" + entratest.TenantID + "/"},
		{"common", configPath1, version1, "https://sts.windows.net/{tenantid}/"},
	} {
		t.Run(row.segment+row.suffix, func(t *testing.T) {
			document := getJSON(t, tenant.Client(), loginHost+row.segment+row.suffix)
			if got := strings.Join(names(document), " "); got != row.members {
				t.Errorf("got members  %s\nwant members %s", got, row.members)
			}
			if document["issuer"] != row.issuer {
				t.Errorf("got issuer %v, want %v", document["issuer"], row.issuer)
			}
			if _, body := get(t, tenant.Client(), document["jwks_uri"].(string)); !strings.Contains(string(body), `"kid"`) {
				t.Errorf("jwks_uri %v leads to %s", document["jwks_uri"], body)
			}
			// Many programs learn a domain's directory ID here, from the third segment of an endpoint.
			segment := strings.NewReplacer(entratest.TenantDomain, entratest.TenantID).Replace(row.segment)
			for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "end_session_endpoint", "jwks_uri"} {
				if got, want := document[endpoint].(string), loginHost+segment+"/"; !strings.HasPrefix(got, want) {
					t.Errorf("got %s %s, want it below %s", endpoint, got, want)
				}
			}
			if got := document["tenant_region_scope"] == nil; got != strings.Contains(row.issuer, "{tenantid}") {
				t.Errorf("got tenant_region_scope %v", document["tenant_region_scope"])
			}
		})
	}
}

func TestUnknownTenantsAreRefused(t *testing.T) {
	tenant := entratest.New(t)
	for _, path := range []string{configPath, configPath1, keysPath, keysV1Path} {
		response, body := get(t, tenant.Client(), loginHost+"33333333-3333-4333-8333-333333333333"+path)
		if response.StatusCode != 400 || decode(t, body)["error"] != "invalid_tenant" {
			t.Errorf("%s: got %d %s, want 400 invalid_tenant", path, response.StatusCode, body)
		}
	}
}

func TestMetadataIsReadableByPages(t *testing.T) {
	tenant := entratest.New(t)
	for _, path := range []string{configPath, keysPath, tokenPath} {
		request, _ := http.NewRequest("OPTIONS", loginHost+"common"+path, nil)
		request.Header.Set("Origin", "http://localhost:3000")
		response, err := tenant.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 204 || response.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got %d %v, want 204 open to any origin", path, response.StatusCode, response.Header)
		}
	}
	response, err := tenant.Client().Post(loginHost+"common"+keysPath, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 405 {
		t.Errorf("POST: got %d, want 405", response.StatusCode)
	}
}
