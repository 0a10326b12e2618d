package entratest_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// payload shows some claims of a token, which nobody has verified.
func payload(token string, names ...string) {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range names {
		fmt.Println(name, claims[name])
	}
}

// A program without tests uses NewServer; a test uses New, which closes the
// tenant by itself.
func ExampleNewServer() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	response, err := tenant.Client().Get("https://login.microsoftonline.com/common/discovery/v2.0/keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	_, err = tenant.Client().Get("https://example.com/")
	fmt.Println(err)
	// Output:
	// 200 OK
	// Get "https://example.com/": entratest: host "example.com" is not one of Microsoft's that this server stands in for; nothing was sent
}

// Token mints what Entra would issue; options say what is different.
func ExampleServer_Token() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(), "ver", "scp", "preferred_username")
	payload(tenant.Token(entratest.App(entratest.RoleDaemon), entratest.V1()), "ver", "aud", "roles")
	payload(tenant.Token(entratest.Claim("tid", 7), entratest.Without("scp")), "tid", "scp")
	// Output:
	// ver 2.0
	// scp Orders.Read
	// preferred_username alice@contoso.example
	// ver 1.0
	// aud api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
	// roles [Orders.Read.All]
	// tid 7
	// scp <nil>
}

// Key documents can fail, hang and lie.
func ExampleServer_AnswerKeys() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	response, err := tenant.Client().Get("https://login.microsoftonline.com/common/discovery/keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode, response.Header.Get("Retry-After"), tenant.KeyRequests())
	// Output: 503 5 1
}

// An External ID tenant issues its tokens under another host than its authority's.
func ExampleConfig_authority() {
	tenant, err := entratest.NewServer(entratest.Config{
		Authority: "https://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(), "iss")
	// Output: iss https://11111111-1111-4111-8111-111111111111.ciamlogin.com/11111111-1111-4111-8111-111111111111/v2.0
}

// Programs that need a URL get one on a loopback port; tokens keep Microsoft's
// issuer.
func ExampleServer_Start() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	base, err := tenant.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := http.PostForm(base+"/"+entratest.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {entratest.ClientID},
		"client_secret": {entratest.ClientSecret},
		"scope":         {entratest.APIURI + "/.default"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		fmt.Println(err)
		return
	}
	payload(answer.AccessToken, "iss", "roles")
	// Output:
	// iss https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
	// roles [Orders.Read.All]
}

// A test signs a user in without a browser: login_hint names the account.
func ExampleServer_Client_signIn() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	client := tenant.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Get("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?" + url.Values{
		"client_id":     {entratest.SPAClientID},
		"response_type": {"code"},
		"redirect_uri":  {"http://localhost:3000/"},
		"scope":         {"openid"},
		"state":         {"42"},
		"login_hint":    {"alice@contoso.example"},
	}.Encode())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	target, err := response.Location()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Host, target.Query().Get("state"), target.Query().Has("code"))
	// Output: localhost:3000 42 true
}

// Keys rotate, vanish and come back, as Entra's do.
func ExampleServer_RotateKeys() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	before := tenant.Key()
	after := tenant.RotateKeys()
	fmt.Println("signs now:", tenant.Key() == after, tenant.Key() == before)
	tenant.Withdraw(after) // The endpoint is eventually consistent: a key in use may be missing for hours.
	tenant.Publish(after)
	tenant.Publish(after.With("issuer", "https://login.microsoftonline.com/"+entratest.OtherTenantID+"/v2.0"))
	// Output: signs now: true false
}

// fakeEntra sends every request to a fake tenant that another process serves, such
// as the command entra emulator. It needs nothing but the standard library, and a
// Verifier that has it by mistake accepts no token where no fake tenant is served.
type fakeEntra struct{ address string } // of this machine, such as "localhost:8085"

func (f fakeEntra) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host // The fake tenant answers as this one of Microsoft's hosts.
	r.URL.Scheme, r.URL.Host = "http", f.address
	return http.DefaultTransport.RoundTrip(r)
}

// A program under development keeps its production options but for HTTPClient,
// whose transport leads to the fake tenant of another process.
func ExampleServer_StartOn() {
	tenant, err := entratest.NewServer(entratest.Sample{
		TenantID: "72f988bf-86f1-41af-91ab-2d7cd011db47",
		ClientID: "6e74172b-be56-4843-9ff4-e66a39bb12e3",
		Scopes:   []string{"Orders.Read"},
	}.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	base, err := tenant.StartOn("localhost:0")
	if err != nil {
		fmt.Println(err)
		return
	}

	// In the other process:
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{"72f988bf-86f1-41af-91ab-2d7cd011db47"},
		ClientID:   "6e74172b-be56-4843-9ff4-e66a39bb12e3",
		HTTPClient: &http.Client{Transport: fakeEntra{strings.TrimPrefix(base, "http://")}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := verifier.Verify(context.Background(), tenant.Token())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Kind, claims.TenantID, claims.Scopes)
	// Output: user token 72f988bf-86f1-41af-91ab-2d7cd011db47 [Orders.Read]
}

// A program keeps its configuration and gets tokens for its own identifiers.
func ExampleSample() {
	sample := entratest.Sample{
		TenantID: "72f988bf-86f1-41af-91ab-2d7cd011db47",
		ClientID: "6e74172b-be56-4843-9ff4-e66a39bb12e3",
		Scopes:   []string{"Tools.Call"},
		Roles:    []string{"Tools.Call.All"},
	}
	tenant, err := entratest.NewServer(sample.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(entratest.Scopes(sample.Scopes...)), "aud", "tid", "scp")
	payload(tenant.Token(entratest.App(sample.Roles...)), "idtyp", "roles")
	// Output:
	// aud 6e74172b-be56-4843-9ff4-e66a39bb12e3
	// tid 72f988bf-86f1-41af-91ab-2d7cd011db47
	// scp Tools.Call
	// idtyp app
	// roles [Tools.Call.All]
}

// A client that compares issuers finds the one that it was configured with, and a
// Verifier accepts it as its Authority.
func ExampleConfig_localIssuer() {
	tenant, err := entratest.NewServer(entratest.Config{LocalIssuer: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	base, err := tenant.StartTLS()
	if err != nil {
		fmt.Println(err)
		return
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: tenant.CertPool()}}}
	verifier, err := entra.NewVerifier(entra.Options{
		Authority:  base + "/" + entratest.TenantID + "/v2.0",
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: trusting,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := verifier.Verify(context.Background(), tenant.Token())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Issuer == base+"/"+entratest.TenantID+"/v2.0", claims.Scopes)
	// Output: true [Orders.Read]
}

// Another program reaches the fake tenant under Microsoft's names, because its
// environment leads there.
func ExampleServer_StartHosts() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	hosts, err := tenant.StartHosts()
	if err != nil {
		fmt.Println(err)
		return
	}
	file := filepath.Join(os.TempDir(), "entratest-example.pem")
	if err := os.WriteFile(file, hosts.CertPEM, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file)
	command := exec.Command("my-program")
	command.Env = append(os.Environ(),
		"HTTPS_PROXY="+hosts.Proxy,
		"SSL_CERT_FILE="+file,       // Go and Python
		"NODE_EXTRA_CA_CERTS="+file, // Node.js
	)
	// In that program, https://login.microsoftonline.com is the fake tenant.
	fmt.Println(slices.Contains(hosts.Names, "login.microsoftonline.com"))
	// Output: true
}

// Azure AD B2C can leave the subject out, which then is the same for every user.
func ExampleSubjectNotSupported() {
	tenant, err := entratest.NewServer(entratest.Config{
		Authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(entratest.SubjectNotSupported()), "sub", "oid")
	// Output:
	// sub Not supported currently. Use oid claim.
	// oid e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1
}
