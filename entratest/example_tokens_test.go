package entratest_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// sampleTenant is the sample tenant, and a Verifier of the sample API.
func sampleTenant() (*entratest.Server, *entra.Verifier) {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		panic(err)
	}
	return tenant, newVerifier(tenant)
}

func newVerifier(tenant *entratest.Server) *entra.Verifier {
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return verifier
}

// verdict is what the Verifier says to a token: a kind, or why it refuses.
func verdict(verifier *entra.Verifier, token string) string {
	claims, err := verifier.Verify(context.Background(), token)
	if err != nil {
		return "refused: " + string(entra.ReasonOf(err))
	}
	return claims.Kind.String()
}

// Each option, and what an API says to such a token: most describe one that is
// valid, the others one that no API should accept.
func ExampleTokenOption() {
	tenant, verifier := sampleTenant()
	defer tenant.Close()
	began := time.Now().Add(-30 * time.Minute)
	for _, token := range []struct {
		name    string
		options []entratest.TokenOption
	}{
		{"V1", []entratest.TokenOption{entratest.V1()}},
		{"V2", []entratest.TokenOption{entratest.V2()}},
		{"User", []entratest.TokenOption{entratest.User("bob")}},
		{"CallingApp", []entratest.TokenOption{entratest.CallingApp(entratest.SPAClientID)}},
		{"Scopes", []entratest.TokenOption{entratest.Scopes(entratest.ScopeWrite)}},
		{"Roles", []entratest.TokenOption{entratest.Roles(entratest.RoleAdmin)}},
		{"Groups", []entratest.TokenOption{entratest.Groups("0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a")}},
		{"Overage", []entratest.TokenOption{entratest.Overage()}},
		{"Guest", []entratest.TokenOption{entratest.Guest()}},
		{"AuthContext", []entratest.TokenOption{entratest.AuthContext("c1")}},
		{"Capabilities", []entratest.TokenOption{entratest.Capabilities("cp1")}},
		{"Agent", []entratest.TokenOption{entratest.Agent()}},
		{"AgentUser", []entratest.TokenOption{entratest.AgentUser()}},
		{"AgentBlueprint", []entratest.TokenOption{entratest.AgentBlueprint(entratest.ClientID)}},
		{"Claim", []entratest.TokenOption{entratest.Claim("extension_shop", "north")}},
		{"IssuedAt, Lifetime", []entratest.TokenOption{entratest.IssuedAt(began), entratest.Lifetime(time.Hour)}},
		{"App", []entratest.TokenOption{entratest.App(entratest.RoleDaemon)}},
		{"App without roles", []entratest.TokenOption{entratest.App()}},
		{"Expired", []entratest.TokenOption{entratest.Expired()}},
		{"NotYetValid", []entratest.TokenOption{entratest.NotYetValid()}},
		{"Audience", []entratest.TokenOption{entratest.Audience("api://another")}},
		{"Tenant", []entratest.TokenOption{entratest.Tenant(entratest.OtherTenantID)}},
		{"Personal", []entratest.TokenOption{entratest.Personal()}},
		{"IDToken, Nonce", []entratest.TokenOption{entratest.IDToken(), entratest.Nonce("n-1")}},
		{"Graph", []entratest.TokenOption{entratest.Graph()}},
		{"Bound", []entratest.TokenOption{entratest.Bound()}},
		{"Without", []entratest.TokenOption{entratest.Without("exp")}},
		{"Header", []entratest.TokenOption{entratest.Header("alg", "HS256")}},
		{"WithoutHeader", []entratest.TokenOption{entratest.WithoutHeader("kid")}},
		{"SignedBy", []entratest.TokenOption{entratest.SignedBy(tenant.UnknownKey())}},
		{"RawHeader", []entratest.TokenOption{entratest.RawHeader([]byte("no JSON"))}},
		{"RawPayload", []entratest.TokenOption{entratest.RawPayload([]byte(`{"exp":"soon"}`))}},
	} {
		fmt.Printf("%-18s %s\n", token.name, verdict(verifier, tenant.Token(token.options...)))
	}
	// Output:
	// V1                 user token
	// V2                 user token
	// User               user token
	// CallingApp         user token
	// Scopes             user token
	// Roles              user token
	// Groups             user token
	// Overage            user token
	// Guest              user token
	// AuthContext        user token
	// Capabilities       user token
	// Agent              user token
	// AgentUser          user token
	// AgentBlueprint     user token
	// Claim              user token
	// IssuedAt, Lifetime user token
	// App                application token
	// App without roles  refused: no_permissions
	// Expired            refused: expired
	// NotYetValid        refused: not_yet_valid
	// Audience           refused: audience
	// Tenant             refused: tenant
	// Personal           refused: unknown_key
	// IDToken, Nonce     refused: id_token
	// Graph              refused: microsoft_api_token
	// Bound              refused: bound_token
	// Without            refused: claims
	// Header             refused: algorithm
	// WithoutHeader      refused: header
	// SignedBy           refused: unknown_key
	// RawHeader          refused: malformed
	// RawPayload         refused: claims
}

// Faults of Entra's endpoints, each until Restore. A Verifier that holds no key
// yet cannot serve meanwhile, and says so: at once, unless Entra does not answer.
func ExampleServer_HangKeys() {
	unavailable := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) }
	for _, fault := range []struct {
		name     string
		begin    func(*entratest.Server)
		patience time.Duration
	}{
		{"DelayKeys", func(s *entratest.Server) { s.DelayKeys(10 * time.Millisecond) }, time.Minute},
		{"HangKeys", (*entratest.Server).HangKeys, 100 * time.Millisecond},
		{"FailKeys", func(s *entratest.Server) { s.FailKeys(http.StatusTooManyRequests) }, time.Minute},
		{"AnswerKeys", func(s *entratest.Server) { s.AnswerKeys(unavailable) }, time.Minute},
		{"SetKeys", func(s *entratest.Server) { s.SetKeys() }, time.Minute},
		{"Down", (*entratest.Server).Down, time.Minute},
	} {
		tenant, verifier := sampleTenant()
		fault.begin(tenant)
		ctx, cancel := context.WithTimeout(context.Background(), fault.patience)
		err := verifier.Ready(ctx)
		cancel()
		fmt.Printf("%-10s ready: %v\n", fault.name, err == nil)
		tenant.Restore()
		tenant.Close()
	}
	// Output:
	// DelayKeys  ready: true
	// HangKeys   ready: false
	// FailKeys   ready: false
	// AnswerKeys ready: false
	// SetKeys    ready: false
	// Down       ready: false
}

// An External ID authority whose metadata is wrong.
func ExampleServer_AnswerMetadata() {
	const authority = "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"
	tenant, err := entratest.NewServer(entratest.Config{Authority: authority})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	tenant.AnswerMetadata(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"issuer": "https://login.example/{tenantid}", "jwks_uri": "https://contoso.ciamlogin.com/keys"}`)
	})
	verifier, err := entra.NewVerifier(entra.Options{
		Authority: authority, ClientID: entratest.APIClientID,
		HTTPClient: tenant.Client(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(errors.Is(verifier.Ready(context.Background()), entra.ErrKeysUnavailable))
	// Output:
	// true
}

// A key of one's own signs anything, under the ID that it is published with.
func ExampleKey() {
	key := entratest.NewKey()
	signed := key.Sign([]byte(`{"alg":"RS256"}`), []byte(`{"sub":"anybody"}`))
	dot := strings.LastIndex(signed, ".")
	signature, err := base64.RawURLEncoding.DecodeString(signed[dot+1:])
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte(signed[:dot]))
	fmt.Println("verifies:", rsa.VerifyPKCS1v15(key.PublicKey(), crypto.SHA256, digest[:], signature) == nil)
	fmt.Println("published as:", key.JWK()["kty"], key.JWK()["kid"] == key.ID())
	fmt.Println("changed:", key.With("kid", "mine").ID())

	tenant, verifier := sampleTenant()
	defer tenant.Close()
	fmt.Println("unknown:", verdict(verifier, tenant.Token(entratest.SignedBy(key))))
	tenant.Publish(key)
	fmt.Println("published:", verdict(newVerifier(tenant), tenant.Token(entratest.SignedBy(key))))
	tenant.Withdraw(key)
	fmt.Println("withdrawn:", verdict(newVerifier(tenant), tenant.Token(entratest.SignedBy(key))))
	fmt.Println("of personal accounts:", verdict(verifier, tenant.Token(entratest.SignedBy(tenant.PersonalKey()))))
	// Output:
	// verifies: true
	// published as: RSA true
	// changed: mine
	// unknown: refused: unknown_key
	// published: user token
	// withdrawn: refused: unknown_key
	// of personal accounts: refused: unknown_key
}

// An application with claims mapping has a signing key of its own, which the
// documents list under ?appid= only.
func ExampleServer_AppKey() {
	tenant, err := entratest.NewServer(entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{entratest.ScopeRead}, OwnKey: true},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	token := tenant.Token(entratest.SignedBy(tenant.AppKey(entratest.APIClientID)))
	for _, appKeys := range []bool{false, true} {
		verifier, err := entra.NewVerifier(entra.Options{
			Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, AppKeys: appKeys,
			HTTPClient: tenant.Client(), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("AppKeys", appKeys, verdict(verifier, token))
	}
	// Output:
	// AppKeys false refused: unknown_key
	// AppKeys true user token
}

// What the code under test asked for.
func ExampleServer_Requests() {
	tenant, verifier := sampleTenant()
	defer tenant.Close()
	for range 3 {
		verdict(verifier, tenant.Token())
	}
	fmt.Println(tenant.KeyRequests())
	for _, r := range tenant.Requests() {
		fmt.Println(r.Method, r.Host, r.Path)
	}
	// Output:
	// 1
	// GET login.microsoftonline.com /11111111-1111-4111-8111-111111111111/discovery/v2.0/keys
}

// A program's own server serves the tenant beside other paths.
func ExampleServer_Handler() {
	tenant, err := entratest.NewServer(entratest.Config{Cloud: entratest.China, PublicURL: "http://localhost:8080"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/"+entratest.TenantID+"/discovery/v2.0/keys", nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, loopback{}))
	w := httptest.NewRecorder()
	tenant.Handler().ServeHTTP(w, r)
	fmt.Println(w.Code, entratest.China)
	fmt.Println(strings.Contains(tenant.AuthorityMetadata(), `"token_endpoint":"http://localhost:8080/`))
	// Output:
	// 200 China
	// true
}

// loopback is the address of a server on this machine.
type loopback struct{}

func (loopback) Network() string { return "tcp" }
func (loopback) String() string  { return "127.0.0.1:8080" }

// A client in another language is given the certificate in a file, and a Go
// client the pool.
func ExampleServer_StartTLSOn() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	url, err := tenant.StartTLSOn("localhost:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	roots := x509.NewCertPool()
	fmt.Println(roots.AppendCertsFromPEM(tenant.CertPEM()), roots.Equal(tenant.CertPool()))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	response, err := client.Get(url + "/common/discovery/v2.0/keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// true true
	// 200 OK
}

// A client with a time limit of its own, on the transport of Client.
func ExampleServer_Transport() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	client := &http.Client{Transport: tenant.Transport(), Timeout: time.Minute}
	response, err := client.Get("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, strings.Contains(string(text), `"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"`), err)
	// Output:
	// 200 true <nil>
}
