package interop_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

const redirectOfWeb = "http://localhost:3000/auth/callback"

// pythonWay is how a Python program finds the tenant.
type pythonWay struct {
	name        string
	tenant      *entratest.Server
	authority   string
	issuer      string
	discovery   bool // MSAL may ask Microsoft's hosts which authorities there are
	environment []string
	verifier    *entra.Verifier
	key         []byte // of the daemon's certificate, as PEM
	thumbprint  string
}

// pythonWays are Microsoft's names, a listener that keeps Microsoft's issuers, and a local issuer.
func pythonWays(t *testing.T) []pythonWay {
	t.Helper()
	id, err := clientIdentity()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum(id.certificate.Raw) // as Entra shows it
	thumbprint := hex.EncodeToString(digest[:])
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	way := func(name string, localIssuer bool) pythonWay {
		config := entratest.Sample{}.Config()
		config.LocalIssuer = localIssuer
		config.Apps[1].Certificates = []*x509.Certificate{id.certificate}
		config.Apps[1].Scopes = []string{scopeOfMiddle}
		return pythonWay{name: name, tenant: entratest.New(t, config), key: key, thumbprint: thumbprint}
	}
	microsoft, listener, own := way("Microsoft's host names", false), way("a listener", false), way("a local issuer", true)
	hosts, err := microsoft.tenant.StartHosts()
	if err != nil {
		t.Fatal(err)
	}
	microsoft.discovery, microsoft.authority, microsoft.issuer = true, "https://login.microsoftonline.com/"+entratest.TenantID, issuer
	microsoft.environment = append(trusted(t, hosts.CertPEM), "HTTPS_PROXY="+hosts.Proxy, "NO_PROXY=localhost,127.0.0.1")
	microsoft.verifier = newVerifier(t, microsoft.tenant, entratest.APIClientID)
	for _, w := range []*pythonWay{&listener, &own} {
		base, err := w.tenant.StartTLS()
		if err != nil {
			t.Fatal(err)
		}
		w.authority, w.environment = base+"/"+entratest.TenantID, trusted(t, w.tenant.CertPEM())
	}
	listener.issuer, listener.verifier = issuer, newVerifier(t, listener.tenant, entratest.APIClientID)
	own.issuer = own.authority + "/v2.0"
	own.verifier, err = entra.NewVerifier(entra.Options{
		Authority: own.issuer, Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: trusting(own.tenant.CertPool()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return []pythonWay{microsoft, listener, own}
}

// trusted returns the environment of a Python program that trusts the certificates: requests reads one variable, OpenSSL
// the other.
func trusted(t *testing.T, pem []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"REQUESTS_CA_BUNDLE=" + file, "SSL_CERT_FILE=" + file}
}

// do runs a program of the folder python, asks it a question and reads its answer.
func (w pythonWay) do(t *testing.T, python, program string, question map[string]any, answer any) {
	t.Helper()
	text, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, "python/"+program)
	command.Env = append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), w.environment...)
	command.Stdin = bytes.NewReader(text)
	var said, complained bytes.Buffer
	command.Stdout, command.Stderr = &said, &complained
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &complained)
	}
	if err := json.Unmarshal(said.Bytes(), answer); err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, &said, &complained)
	}
}

// job has what a client's configuration names.
func (w pythonWay) job(more map[string]any) map[string]any {
	job := map[string]any{
		"authority": w.authority, "issuer": w.issuer, "discovery": w.discovery,
		"client": entratest.ClientID, "secret": entratest.ClientSecret, "thumbprint": w.thumbprint, "key": string(w.key),
		"page": entratest.SPAClientID, "redirect": redirectOfWeb, "alice": entratest.AliceObjectID,
		"appScope": apiScopes, "read": orders, "write": entratest.APIURI + "/" + entratest.ScopeWrite,
	}
	for name, value := range more {
		job[name] = value
	}
	return job
}

// wants checks that the library takes a token for one of this kind, with alice's scope if it is a user's.
func (w pythonWay) wants(t *testing.T, name, token string, kind entra.Kind, scope string) *entra.Claims {
	t.Helper()
	claims, err := w.verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if claims.Kind != kind || kind == entra.UserToken && (claims.ObjectID != entratest.AliceObjectID || !slices.Contains(claims.Scopes, scope)) {
		t.Errorf("%s: got %+v, want a %v of alice with the scope %s", name, claims, kind, scope)
	}
	return claims
}

// MSAL Python compares no issuers. At a host that is not Microsoft's it must not ask Microsoft whether that is an authority.
func TestMSALPython(t *testing.T) {
	python := programs.Python(t, "python3-msal", "msal")
	for _, w := range pythonWays(t) {
		flow := func(name string, more map[string]any) (answer msalPythonAnswer) {
			job := w.job(more)
			job["flow"] = name
			w.do(t, python, "msal_client.py", job, &answer)
			return answer
		}
		t.Run(w.name, func(t *testing.T) {
			a := flow("daemon", nil)
			w.wants(t, "for itself", a.Token, entra.AppToken, "")
			if certified := w.wants(t, "with a certificate", a.Certified, entra.AppToken, ""); certified.ClientAuth != "2" || a.Again != a.Token {
				t.Errorf("got a certificate's token proved by %q and a cached one that is the same: %t", certified.ClientAuth, a.Again == a.Token)
			}

			a = flow("web", nil)
			w.wants(t, "signed in", a.Token, entra.UserToken, entratest.ScopeRead)
			w.wants(t, "renewed", a.Renewed, entra.UserToken, entratest.ScopeRead)
			w.wants(t, "renewed for another scope", a.Other, entra.UserToken, entratest.ScopeWrite)
			if a.Again != a.Token || a.Renewed == a.Token || a.Username != "alice@contoso.example" || a.OID != entratest.AliceObjectID || !a.Challenge {
				t.Errorf("got %+v, want alice, PKCE, and other tokens only where they were renewed", a)
			}

			a = flow("device", nil)
			w.wants(t, "by device code", a.Token, entra.UserToken, entratest.ScopeRead)
			if w.wants(t, "renewed", a.Renewed, entra.UserToken, entratest.ScopeRead); a.Renewed == a.Token || a.Error != "authorization_declined" {
				t.Errorf("got a new token: %t, and %q for a user who declines; want true and authorization_declined", a.Renewed != a.Token, a.Error)
			}

			a = flow("on behalf of", map[string]any{"assertion": userAtMiddle(w.tenant)})
			w.wants(t, "on behalf of alice", a.Token, entra.UserToken, entratest.ScopeRead)
			if stepped := w.wants(t, "stepped up", a.Stepped, entra.UserToken, entratest.ScopeRead); !slices.Contains(stepped.AuthContexts, "c1") {
				t.Errorf("with the claims of a challenge: got %+v, want the context c1", stepped)
			}

			asked := slices.ContainsFunc(w.tenant.Requests(), func(r entratest.Request) bool { return r.Path == "/common/discovery/instance" })
			if asked != w.discovery {
				t.Errorf("got a request for instance discovery: %t, want %t", asked, w.discovery)
			}

			if a = flow("refused", nil); a.Error != "invalid_client" || a.Number != 7000215 {
				t.Errorf("a wrong secret: got %s %d, want invalid_client 7000215", a.Error, a.Number)
			}
		})
	}
}

// Without instance_discovery=False, MSAL asks Microsoft about a host of this machine.
func TestMSALPythonLeavesUnknownHostsToMicrosoft(t *testing.T) {
	python := programs.Python(t, "python3-msal", "msal")
	w := pythonWays(t)[0]
	base, err := w.tenant.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	w.authority = base + "/" + entratest.TenantID
	job := w.job(nil)
	job["flow"] = "authority"
	var a msalPythonAnswer
	if w.do(t, python, "msal_client.py", job, &a); !strings.Contains(a.Error, "invalid_instance") {
		t.Errorf("got %q, want the authority refused", a.Error)
	}
}

type msalPythonAnswer struct {
	Token, Again, Certified, Renewed, Other, Stepped string
	Username, OID                                    string
	Challenge                                        bool // PKCE was used
	Error                                            string
	Number                                           int
}

// Authlib's metadata and ID token are compared with the issuer that was configured, so it needs one of two ways.
func TestAuthlib(t *testing.T) {
	python := programs.Python(t, "python3-authlib python3-requests", "authlib", "requests")
	for _, w := range pythonWays(t) {
		if w.name == "a listener" {
			continue
		}
		for _, authentication := range []string{"client_secret_basic", "client_secret_post"} {
			t.Run(w.name+", "+authentication, func(t *testing.T) {
				api := httptest.NewServer(protected(w.verifier))
				defer api.Close()
				var a struct {
					Issuer, Email, InfoEmail, OID, Again string
					Same                                 bool // userinfo's subject is the ID token's
					User, App, Itself                    string
					Called, Renewals                     int
				}
				w.do(t, python, "authlib_client.py", w.job(map[string]any{
					"authentication": authentication, "api": api.URL + "/orders",
				}), &a)
				const alice = "alice@contoso.example"
				if a.Issuer != w.issuer || a.Email != alice || a.InfoEmail != alice || !a.Same || a.OID != entratest.AliceObjectID || a.Again != a.OID {
					t.Errorf("got %+v, want %s, %s and alice's object ID twice", a, w.issuer, alice)
				}
				w.wants(t, "renewed", a.User, entra.UserToken, entratest.ScopeRead)
				w.wants(t, "for itself", a.App, entra.AppToken, "")
				if w.wants(t, "renewed by the session", a.Itself, entra.UserToken, entratest.ScopeRead); a.Called != http.StatusOK || a.Renewals != 2 || a.Itself == a.User {
					t.Errorf("the API: got %d after %d renewals, want 200 after 2, the second by the session itself", a.Called, a.Renewals)
				}
			})
		}
	}
}

// Libraries of APIs in Python judge the fake tenant's tokens as this library does.
func TestPythonReadersJudgeTheTokens(t *testing.T) {
	for _, w := range pythonWays(t) {
		for reader, python := range map[string]string{
			"PyJWT":   programs.Python(t, "python3-jwt python3-cryptography", "jwt", "cryptography"),
			"authlib": programs.Python(t, "python3-authlib python3-requests", "authlib", "requests"),
		} {
			t.Run(reader+" at "+w.name, func(t *testing.T) {
				tokens := map[string]string{
					"good":          w.tenant.Token(),
					"application's": w.tenant.Token(entratest.App(entratest.RoleDaemon)),
					"expired":       w.tenant.Token(entratest.Expired()),
					"unknown key":   w.tenant.Token(entratest.SignedBy(w.tenant.UnknownKey())),
					"another API's": w.tenant.Token(entratest.Audience(entratest.SPAClientID)),
					"other tenant":  w.tenant.Token(entratest.Tenant(entratest.OtherTenantID)),
				}
				var judged map[string]string
				w.do(t, python, "readers.py", w.job(map[string]any{
					"run": reader, "api": entratest.APIClientID, "keys": strings.TrimSuffix(w.authority, "/") + "/discovery/v2.0/keys", "tokens": tokens,
				}), &judged)
				for name, token := range tokens {
					claims, err := w.verifier.Verify(t.Context(), token)
					if accepted := err == nil; accepted && judged[name] != claims.ObjectID || !accepted && !strings.Contains(judged[name], "Error") {
						t.Errorf("%s: got %q, and the library says %v", name, judged[name], err)
					}
				}
			})
		}
	}
}
