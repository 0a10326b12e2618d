package interop_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// apacheServer is what every server needs, in the foreground and with no files but its own. Apache reads ${…} from its
// environment.
const apacheServer = `
ServerName localhost
Listen ${PORT}
PidFile "{folder}/pid"
DefaultRuntimeDir "{folder}"
Mutex posixsem
ErrorLog /dev/stderr
LogLevel warn auth_openidc:info
User www-data
Group www-data
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
`

// apache is a folder for PATH, and how Apache is started with a recipe's directives. Where a later directive stands again,
// it counts.
func apache(t *testing.T, recipe string, directives ...string) (path string, command []string) {
	t.Helper()
	const modules = "/usr/lib/apache2/modules"
	const packages = "apache2-bin libapache2-mod-auth-openidc"
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // which only root's may have
	program := programs.Look(t, packages, "apache2")
	if _, err := os.Stat(modules + "/mod_auth_openidc.so"); err != nil {
		programs.Missing(t, "Apache has no mod_auth_openidc; on Debian: apt-get install "+packages)
	}
	text, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	file := publicFile(t, "apache.conf", nil)
	server := strings.NewReplacer("{folder}", filepath.Dir(file), "{modules}", modules).Replace(apacheServer)
	config := server + string(text) + strings.Join(directives, "\n") + "\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return linked(t, "apache2", program), []string{"sh", "local/apache.sh", "-X", "-f", file}
}

// readable is the environment with the certificate where Apache's own user may read it.
func (l *local) readable(t *testing.T) []string {
	t.Helper()
	certificate, err := os.ReadFile(l.variables["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	return append(l.environment, "SSL_CERT_FILE="+publicFile(t, "ca.pem", certificate))
}

func apacheSignsUsersIn(t *testing.T, l *local) {
	// A token lasts an hour, so that each request finds one to refresh.
	path, command := apache(t, "local/apache-sign-in.conf", "OIDCRefreshAccessTokenBeforeExpiry 7200")
	p := proxy(t, l.verifier, path, l.readable(t), command...)
	const want = "200 user token of " + entratest.AliceObjectID
	if got := textOf(t, l.asPerson(), p.url, ""); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	first := p.arrivals().token
	if got := textOf(t, l.asPerson(), p.url, ""); got != want || p.arrivals().token == first {
		t.Errorf("the next request: got %s with the first token, want a new one by the refresh token", got)
	}
	if got := textOf(t, http.DefaultClient, p.url, l.user); !strings.HasPrefix(got, "401") {
		t.Errorf("a token without a session: got %s, want 401", got)
	}
}

// apacheReadsUserInfo signs in without a scope of the API. The access token is for Microsoft Graph then, and mod_auth_openidc
// asks userinfo with it.
func apacheReadsUserInfo(t *testing.T, l *local) {
	path, command := apache(t, "local/apache-sign-in.conf", "OIDCScope \"openid profile email\"")
	p := proxy(t, l.verifier, path, l.readable(t), command...)
	if got := textOf(t, l.asPerson(), p.url, ""); !strings.HasPrefix(got, "401") {
		t.Fatalf("got %s, want the API to refuse a token for Microsoft Graph", got)
	}
	for name, want := range map[string]string{
		"OIDC_CLAIM_oid":     entratest.AliceObjectID,                            // of the ID token
		"OIDC_CLAIM_tid":     ownTenant,                                          // of the ID token
		"OIDC_CLAIM_picture": "https://graph.microsoft.com/v1.0/me/photo/$value", // of userinfo
		"OIDC_CLAIM_email":   "alice@contoso.example",                            // of both
	} {
		if got := p.arrivals().header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestApacheJudgesTokensAsTheLibraryDoes(t *testing.T) {
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			verifier := w.verifier(t)
			path, command := apache(t, "local/apache-api.conf")
			p := proxy(t, verifier, path, w.settings(t), command...)
			p.check(t, verifier, append(w.judged(http.StatusUnauthorized),
				attempt{"no token", "", 401, false},
				attempt{"a token not yet valid, whose nbf Apache does not read", w.tenant.Token(entratest.NotYetValid()), 401, true},
			))
		})
	}
}
