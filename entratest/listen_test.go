package entratest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func start(t *testing.T, tenant *entratest.Server) string {
	t.Helper()
	url, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestListenerKeepsMicrosoftsIssuer(t *testing.T) {
	tenant := entratest.New(t)
	url := start(t, tenant)
	if !strings.HasPrefix(url, "http://localhost:") {
		t.Errorf("got URL %s, want one of localhost", url)
	}
	for _, host := range []string{"", "login.microsoftonline.com", "localhost:1"} {
		request, _ := http.NewRequest("GET", url+"/"+entratest.TenantID+configPath, nil)
		if host != "" {
			request.Host = host
		}
		response, err := plainClient(t).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		document := decode(t, readAll(t, response))
		for member, want := range map[string]string{
			"issuer":            "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0",
			"jwks_uri":          url + "/" + entratest.TenantID + keysPath,
			"token_endpoint":    url + "/" + entratest.TenantID + tokenPath,
			"userinfo_endpoint": url + "/graph/oidc/userinfo",
		} {
			if document[member] != want {
				t.Errorf("Host %q: got %s %v, want %v", host, member, document[member], want)
			}
		}
	}
	_, answer := post(t, plainClient(t), url+"/"+entratest.TenantID+tokenPath, daemonForm())
	_, claims := split(t, answer["access_token"].(string))
	if want := "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"; claims["iss"] != want {
		t.Errorf("got iss %v, want %v", claims["iss"], want)
	}
}

func TestListenerTakesLoopbackAddressesOnly(t *testing.T) {
	tenant := entratest.New(t)
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "[::]:0", "localhost"} {
		if url, err := tenant.StartOn(addr); err == nil {
			t.Errorf("%s: got %s, want an error", addr, url)
		}
	}
	url, err := tenant.StartOn("127.0.0.1:0")
	if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("got %s, %v; want a URL on 127.0.0.1", url, err)
	}
	taken := strings.TrimPrefix(start(t, tenant), "http://")
	if url, err := tenant.StartOn(taken); err == nil {
		t.Errorf("a taken port: got %s, want an error", url)
	}
}

func TestDownListenerBreaksConnectionsOff(t *testing.T) {
	tenant := entratest.New(t)
	url := start(t, tenant)
	tenant.Down()
	if response, err := http.Get(url + "/common" + keysPath); err == nil {
		response.Body.Close()
		t.Errorf("got status %d, want an error", response.StatusCode)
	}
	tenant.Restore()
	tenant.FailKeys(http.StatusTooManyRequests)
	if response, _ := get(t, plainClient(t), url+"/common"+keysPath); response.StatusCode != 429 {
		t.Errorf("got %d, want 429", response.StatusCode)
	}
	if got := tenant.KeyRequests(); got < 2 {
		t.Errorf("got %d key requests, want 2 at least", got)
	}
}

func TestHandlerIsMountedUnderItsPublicURL(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{PublicURL: "http://localhost:9"})
	server := httptest.NewServer(tenant.Handler())
	defer server.Close()
	document := getJSON(t, plainClient(t), server.URL+"/common"+configPath)
	if got, want := document["jwks_uri"], "http://localhost:9/common"+keysPath; got != want {
		t.Errorf("got jwks_uri %v, want %v", got, want)
	}
	w := httptest.NewRecorder()
	entratest.New(t).Handler().ServeHTTP(w, httptest.NewRequest("GET", "/common"+configPath, nil))
	if got, want := decode(t, w.Body.Bytes())["jwks_uri"], loginHost+"common"+keysPath; got != want {
		t.Errorf("got jwks_uri %v, want %v", got, want)
	}
}

func TestAuthorityMetadataLeadsToTheListener(t *testing.T) {
	tenant := entratest.New(t)
	for _, listening := range []bool{false, true} {
		want := "https://login.microsoftonline.com"
		if listening {
			want = start(t, tenant)
		}
		document := decode(t, []byte(tenant.AuthorityMetadata()))
		if got := document["authorization_endpoint"]; got != want+"/"+entratest.TenantID+authorizePath {
			t.Errorf("got authorization_endpoint %v, want it at %s", got, want)
		}
		if got := document["issuer"]; got != "https://login.microsoftonline.com/"+entratest.TenantID+"/v2.0" {
			t.Errorf("got issuer %v", got)
		}
	}
}

func TestListenerRefusesForeignHostNames(t *testing.T) {
	tenant := entratest.New(t)
	url := start(t, tenant)
	for host, want := range map[string]int{
		"localhost": 200, "127.0.0.1:80": 200, "[::1]:80": 200, "login.microsoftonline.com": 200, "login.microsoftonline.com:8443": 200,
		"evil.example": 421, "localhost.evil.example": 421,
	} {
		request, _ := http.NewRequest("GET", url+"/common"+keysPath, nil)
		request.Host = host
		response, err := plainClient(t).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("Host %s: got %d, want %d", host, response.StatusCode, want)
		}
	}
}
