package interop_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// openIDJob is what node/openid.mjs does.
type openIDJob struct {
	Run          string `json:"run"` // the client or reader
	Hosts        bool   `json:"hosts"`
	Issuer       string `json:"issuer"`
	Keys         string `json:"keys"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	RedirectURI  string `json:"redirectUri"`
	Scope        string `json:"scope"`
	API          string `json:"api"`
	APIScope     string `json:"apiScope"`
	AppScope     string `json:"appScope"`
	Token        string `json:"token,omitempty"` // for a reader to judge
}

type openIDAnswer struct {
	Issuer    string `json:"issuer"` // of the ID token, as the client read it
	Email     string `json:"email"`
	InfoEmail string `json:"infoEmail"` // from userinfo
	User      string `json:"user"`      // tokens for the API
	App       string `json:"app"`
	OID       string `json:"oid"` // what a reader made of Token
	Error     string `json:"error"`
}

// way is how strict clients find the fake tenant's issuer.
type way struct {
	name        string
	hosts       bool
	tenant      *entratest.Server
	issuer      string
	options     entra.Options // of a Verifier
	trust       []byte
	proxy       string // to Microsoft's host names
	environment []string
}

func ways(t *testing.T) []way {
	t.Helper()
	local := entratest.New(t, entratest.Config{LocalIssuer: true})
	base, err := local.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	microsoft := entratest.New(t)
	hosts, err := microsoft.StartHosts()
	if err != nil {
		t.Fatal(err)
	}
	localIssuer := base + "/" + entratest.TenantID + "/v2.0"
	return []way{
		{
			name: "a local issuer", tenant: local, issuer: localIssuer, trust: local.CertPEM(),
			options: entra.Options{Authority: localIssuer, HTTPClient: trusting(local.CertPool())},
		},
		{
			name: "Microsoft's host names", hosts: true, tenant: microsoft, issuer: issuer, trust: hosts.CertPEM, proxy: hosts.Proxy,
			options: entra.Options{HTTPClient: microsoft.Client()},
			environment: []string{
				"NODE_OPTIONS=--require ./node/hosts.cjs", "ENTRA_ADDR=" + hosts.Addr, "ENTRA_HOSTS=" + strings.Join(hosts.Names, ","),
			},
		},
	}
}

func (w way) verifier(t *testing.T) *entra.Verifier {
	t.Helper()
	options := w.options
	options.Tenants, options.ClientID = []string{entratest.TenantID}, entratest.APIClientID
	options.Logger = slog.New(slog.DiscardHandler)
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// do runs one client or reader in Node.js.
func (w way) do(t *testing.T, run, token string) openIDAnswer {
	t.Helper()
	question, err := json.Marshal(openIDJob{
		Run:          run,
		Hosts:        w.hosts,
		Issuer:       w.issuer,
		Keys:         strings.TrimSuffix(w.issuer, "/v2.0") + "/discovery/v2.0/keys",
		ClientID:     entratest.ClientID,
		ClientSecret: entratest.ClientSecret,
		RedirectURI:  "http://localhost:3000/auth/callback",
		Scope:        "openid profile email offline_access",
		API:          entratest.APIClientID,
		APIScope:     orders,
		AppScope:     apiScopes,
		Token:        token,
	})
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trust, w.trust, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node(t), "node/openid.mjs")
	command.Env = append(append(os.Environ(), "NODE_EXTRA_CA_CERTS="+trust), w.environment...)
	command.Stdin = bytes.NewReader(question)
	var said, complained bytes.Buffer
	command.Stdout, command.Stderr = &said, &complained
	if err := command.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, &complained)
	}
	var answer openIDAnswer
	if err := json.Unmarshal(said.Bytes(), &answer); err != nil {
		t.Fatalf("node: %v\n%s%s", err, &said, &complained)
	}
	return answer
}

// Clients that refuse an issuer which is not where they found it, as OpenID Connect Discovery 1.0 section 4.3 says.
func TestStrictOpenIDClientsSignIn(t *testing.T) {
	for _, w := range ways(t) {
		verifier := w.verifier(t)
		for _, client := range []string{"openid-client, secret in the body", "openid-client, Basic", "oauth4webapi", "@auth/core"} {
			t.Run(client+" at "+w.name, func(t *testing.T) {
				answer := w.do(t, client, "")
				const alice = "alice@contoso.example"
				if answer.Error != "" || answer.Issuer != w.issuer || answer.Email != alice || answer.InfoEmail != alice {
					t.Fatalf("got issuer %q, email %q in the ID token and %q of userinfo, error %q; want %s and %s",
						answer.Issuer, answer.Email, answer.InfoEmail, answer.Error, w.issuer, alice)
				}
				if client == "@auth/core" {
					return // It signs users in and calls no API.
				}
				for kind, token := range map[entra.Kind]string{entra.UserToken: answer.User, entra.AppToken: answer.App} {
					if claims, err := verifier.Verify(t.Context(), token); err != nil || claims.Kind != kind {
						t.Errorf("its token for the API: got %+v, %v; want a %v", claims, err, kind)
					}
				}
			})
		}
	}
}

// Libraries and middlewares of APIs in JavaScript judge the fake tenant's tokens as this library does.
func TestJavaScriptReadersJudgeTheTokens(t *testing.T) {
	for _, w := range ways(t) {
		verifier := w.verifier(t)
		for _, reader := range []string{"jose", "jsonwebtoken and jwks-rsa", "express-oauth2-jwt-bearer", "passport-azure-ad"} {
			if reader == "passport-azure-ad" && !w.hosts {
				continue // It takes Microsoft's issuers alone.
			}
			t.Run(reader+" at "+w.name, func(t *testing.T) {
				for name, token := range map[string]string{
					"good":          w.tenant.Token(),
					"expired":       w.tenant.Token(entratest.Expired()),
					"unknown key":   w.tenant.Token(entratest.SignedBy(w.tenant.UnknownKey())),
					"another API's": w.tenant.Token(entratest.Audience(entratest.SPAClientID)),
				} {
					_, err := verifier.Verify(t.Context(), token)
					answer := w.do(t, reader, token)
					if got := answer.OID == entratest.AliceObjectID; got != (name == "good") || got != (err == nil) {
						t.Errorf("%s: got oid %q, error %q; the library says %v", name, answer.OID, answer.Error, err)
					}
				}
			})
		}
	}
}
