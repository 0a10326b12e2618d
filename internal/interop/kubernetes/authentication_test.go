package kubernetes_test

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/pkg/authentication/token/union"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const microsoftIssuer = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"

// microsoft serves Microsoft's host names for the whole run: Go reads HTTPS_PROXY once.
var microsoft struct {
	tenant *entratest.Server
	hosts  entratest.Hosts
}

func TestMain(m *testing.M) {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		panic(err)
	}
	hosts, err := tenant.StartHosts()
	if err != nil {
		panic(err)
	}
	os.Setenv("HTTPS_PROXY", hosts.Proxy)
	microsoft.tenant, microsoft.hosts = tenant, hosts
	status := m.Run()
	tenant.Close()
	os.Exit(status)
}

// way is how the API server finds the fake tenant.
type way struct {
	name    string
	tenant  *entratest.Server
	config  string
	options entra.Options // of a Verifier
}

func ways(t *testing.T) []way {
	t.Helper()
	listener, local := entratest.New(t), entratest.New(t, entratest.Config{LocalIssuer: true})
	base, err := listener.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	localBase, err := local.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	localIssuer := localBase + "/" + entratest.TenantID + "/v2.0"
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: local.CertPool(), MinVersion: tls.VersionTLS12}}}
	return []way{
		{"local endpoints", listener, configuration(t, base, "", listener.CertPEM()), entra.Options{HTTPClient: listener.Client()}},
		{"Microsoft's names", microsoft.tenant, configuration(t, "", "", microsoft.hosts.CertPEM), entra.Options{HTTPClient: microsoft.tenant.Client()}},
		{"a local issuer", local, configuration(t, "", localIssuer, local.CertPEM()), entra.Options{Authority: localIssuer, HTTPClient: trusting}},
	}
}

// configuration is the recipe of docs/local.md for an emulator at endpoints, or without discovery URLs. A local issuer takes the
// place of Microsoft's of version 2.0. The file names the certificate, which the API server else finds by SSL_CERT_FILE.
func configuration(t *testing.T, endpoints, issuer string, certificate []byte) string {
	t.Helper()
	text, err := os.ReadFile("../local/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := os.Expand(string(text), func(name string) string {
		return map[string]string{
			"ENTRA_TENANT_ID": entratest.TenantID, "ENTRA_CLIENT_ID": entratest.APIClientID, "AZURE_AUTHORITY_HOST": endpoints + "/",
		}[name]
	})
	if endpoints == "" {
		config = regexp.MustCompile(`(?m)^ +discoveryURL: .*\n`).ReplaceAllString(config, "")
	}
	if issuer != "" {
		config, _, _ = strings.Cut(config, "- issuer: # of tokens of version 1.0") // which it has none of
		config = strings.Replace(config, microsoftIssuer, issuer, 1)
	}
	indented := strings.ReplaceAll(strings.TrimSpace(string(certificate)), "\n", "\n      ")
	return regexp.MustCompile(`(?m)^ +audiences:`).ReplaceAllString(config, "    certificateAuthority: |\n      "+indented+"\n$0")
}

// authority is a certificateAuthority of the configuration.
type authority string

func (a authority) CurrentCABundleContent() []byte { return []byte(a) }

// authenticator reads the configuration as the API server does: strictly, and validated.
func (w way) authenticator(t *testing.T) authenticator.Token {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoded, err := runtime.Decode(serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder(), []byte(w.config))
	if err != nil {
		t.Fatalf("%v\n%s", err, w.config)
	}
	config := decoded.(*apiserver.AuthenticationConfiguration)
	compiler := cel.NewDefaultCompiler()
	if err := validation.ValidateAuthenticationConfiguration(compiler, config, nil).ToAggregate(); err != nil {
		t.Fatalf("%v\n%s", err, w.config)
	}
	var all []authenticator.Token
	for _, jwt := range config.JWT {
		one, err := oidc.New(t.Context(), oidc.Options{JWTAuthenticator: jwt, Compiler: compiler, CAContentProvider: authority(jwt.Issuer.CertificateAuthority)})
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(2 * time.Minute); one.HealthCheck() != nil; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", jwt.Issuer.URL, one.HealthCheck())
			}
		}
		all = append(all, one)
	}
	return union.New(all...)
}

func (w way) verifier(t *testing.T) *entra.Verifier {
	t.Helper()
	options := w.options
	options.Tenants, options.ClientID, options.AllowIDTokens = []string{entratest.TenantID}, entratest.APIClientID, true
	options.Logger = slog.New(slog.DiscardHandler)
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func TestKubernetesJudgesTokensAsTheLibraryDoes(t *testing.T) {
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			verifier, api := w.verifier(t), w.authenticator(t)
			microsoftIssuers := w.options.Authority == ""
			for _, row := range []struct {
				name    string
				options []entratest.TokenOption
				good    bool
			}{
				{"a user's token", []entratest.TokenOption{entratest.Roles(entratest.RoleAdmin)}, true},
				{"an application's token", []entratest.TokenOption{entratest.App(entratest.RoleDaemon)}, true},
				{"an ID token", []entratest.TokenOption{entratest.IDToken()}, true},
				{"a guest's token", []entratest.TokenOption{entratest.Guest()}, true},
				{"a user's token of version 1.0", []entratest.TokenOption{entratest.V1()}, microsoftIssuers},
				{"an application's token of version 1.0", []entratest.TokenOption{entratest.V1(), entratest.App(entratest.RoleDaemon)}, microsoftIssuers},
				{"an expired token", []entratest.TokenOption{entratest.Expired()}, false},
				{"a token not yet valid", []entratest.TokenOption{entratest.NotYetValid()}, false},
				{"a token of an unknown key", []entratest.TokenOption{entratest.SignedBy(w.tenant.UnknownKey())}, false},
				{"a token for another API", []entratest.TokenOption{entratest.Audience(entratest.SPAClientID)}, false},
				{"a token of version 1.0 for another API", []entratest.TokenOption{entratest.Audience("api://" + entratest.SPAClientID), entratest.V1()}, false},
				{"a token of another tenant", []entratest.TokenOption{entratest.Tenant(entratest.OtherTenantID)}, false},
				{"a token of a personal account", []entratest.TokenOption{entratest.Personal()}, false},
				{"an ID token for another client", []entratest.TokenOption{entratest.IDToken(), entratest.CallingApp(entratest.SPAClientID)}, false},
				{"an expired ID token", []entratest.TokenOption{entratest.IDToken(), entratest.Expired()}, false},
				{"a token without algorithm", []entratest.TokenOption{entratest.Header("alg", "none")}, false},
				{"a token of an unknown key without key ID", []entratest.TokenOption{entratest.SignedBy(w.tenant.UnknownKey()), entratest.WithoutHeader("kid")}, false},
			} {
				token := w.tenant.Token(row.options...)
				claims, errHere := verifier.Verify(t.Context(), token)
				answer, ok, errThere := api.AuthenticateToken(t.Context(), token)
				if ok != row.good || (errHere == nil) != row.good {
					t.Errorf("%s: got %v here, and %t, %v from Kubernetes; want accepted: %t", row.name, errHere, ok, errThere, row.good)
					continue
				}
				if !ok {
					continue
				}
				var groups []string
				for _, role := range claims.Roles {
					groups = append(groups, "entra:"+role)
				}
				if user := answer.User; user.GetName() != "entra:"+claims.ObjectID || !slices.Equal(user.GetGroups(), groups) {
					t.Errorf("%s: Kubernetes says %s in %q, the library %s with roles %q", row.name, user.GetName(), user.GetGroups(), claims.ObjectID, claims.Roles)
				}
			}
		})
	}
}
