package interop_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
)

// oauth2Proxy builds oauth2-proxy and returns a folder for PATH.
func oauth2Proxy(t *testing.T) (folder string) {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "go", "-C", "oauth2proxy", "tool", "-n", "oauth2-proxy").Output()
	if err != nil {
		t.Fatalf("building oauth2-proxy: %v", err)
	}
	return linked(t, "oauth2-proxy", strings.TrimSpace(string(path)))
}

func oauth2ProxySignsUsersIn(t *testing.T, l *local, command []string) {
	path := oauth2Proxy(t)
	for _, provider := range []string{"oidc", "entra-id"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel() // It waits for a refresh.
			flags := []string{"--provider=" + provider, "--cookie-refresh=1s", "--cookie-name=" + provider}
			p := proxy(t, l.verifier, path, l.environment, append(slices.Clone(command), flags...)...)
			const want = "200 user token of " + entratest.AliceObjectID
			if got := textOf(t, l.asPerson(), p.url, ""); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
			// A session is refreshed when it is used more than a second after it began, in whole seconds.
			first := p.arrivals().token
			for deadline := time.Now().Add(patience); p.arrivals().token == first; time.Sleep(50 * time.Millisecond) {
				if got := textOf(t, l.asPerson(), p.url, ""); got != want || time.Now().After(deadline) {
					t.Fatalf("got %s with the first token, want a new one by the refresh token", got)
				}
			}
		})
	}
}

// A client that has a token of its own passes oauth2-proxy without a session.
func TestOAuth2ProxyJudgesTokensAsTheLibraryDoes(t *testing.T) {
	path := oauth2Proxy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			verifier := w.verifier(t)
			p := proxy(t, verifier, path, w.settings(t), "sh", "local/oauth2-proxy.sh", "--api-route=^/") // answers instead of a sign-in
			p.check(t, verifier, append(w.judged(http.StatusUnauthorized), attempt{"no token", "", 401, false}))
		})
	}
}

// An ID token names no more than 200 groups, and points to Microsoft Graph for more; see
// https://learn.microsoft.com/security/zero-trust/develop/configure-tokens-group-claims-app-roles.
func TestOAuth2ProxyReadsGroupsFromGraph(t *testing.T) {
	path := oauth2Proxy(t)
	config := entratest.Sample{TenantID: ownTenant, ClientID: ownClient}.Config()
	config.Apps[1].GroupClaims = true // of the application that signs users in
	config.Users[0].Groups = nil
	for i := range 201 {
		config.Users[0].Groups = append(config.Users[0].Groups, fmt.Sprintf("66666666-6666-4666-8666-%012d", i))
	}
	tenant := entratest.New(t, config)
	hosts, err := tenant.StartHosts()
	if err != nil {
		t.Fatal(err)
	}
	l := &local{variables: map[string]string{"SSL_CERT_FILE": publicFile(t, "ca.pem", hosts.CertPEM), "HTTPS_PROXY": hosts.Proxy}}
	l.reach(t)
	settings := append(way{tenant: tenant, hosts: true, proxy: hosts.Proxy, trust: hosts.CertPEM}.settings(t), "AZURE_TENANT_ID="+ownTenant)
	for _, provider := range []string{"entra-id", "azure"} { // the newer and the older one for Entra
		t.Run(provider, func(t *testing.T) {
			p := proxy(t, l.verifier, path, settings, "sh", "local/oauth2-proxy.sh", "--provider="+provider, "--cookie-name="+provider,
				"--scope=openid profile email offline_access")
			if got := textOf(t, l.asPerson(), p.url, ""); !strings.HasPrefix(got, "401") {
				t.Fatalf("got %s, want the API to refuse a token for Microsoft Graph", got)
			}
			got := strings.Split(p.arrivals().header.Get("X-Forwarded-Groups"), ",")
			slices.Sort(got)
			if !slices.Equal(got, config.Users[0].Groups) {
				t.Errorf("got %d groups, %.100q…, want the user's %d", len(got), got, len(config.Users[0].Groups))
			}
		})
	}
}
