package entratest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// relyingParty is an OpenID Connect client that takes nothing on trust, as
// openid-client, oauth4webapi and go-oidc do.
type relyingParty struct {
	t        *testing.T
	client   *http.Client
	issuer   string
	metadata map[string]any
}

// discover reads metadata as OpenID Connect Discovery 1.0 section 4.3 demands: the
// issuer must be the very text that the document was found by.
func discover(t *testing.T, client *http.Client, issuer string) (*relyingParty, error) {
	t.Helper()
	metadata := getJSON(t, client, issuer+"/.well-known/openid-configuration")
	if metadata["issuer"] != issuer {
		return nil, fmt.Errorf("metadata's issuer is %v, and it was found at %s", metadata["issuer"], issuer)
	}
	return &relyingParty{t, client, issuer, metadata}, nil
}

func (p *relyingParty) endpoint(name string) string {
	p.t.Helper()
	text, _ := p.metadata[name].(string)
	if text == "" {
		p.t.Fatalf("metadata lacks %s", name)
	}
	return text
}

// signIn runs the authorization code flow, and returns the token response after
// the checks of OpenID Connect Core section 3.1.3.7.
func (p *relyingParty) signIn(form url.Values) map[string]any {
	p.t.Helper()
	response, body := get(p.t, p.client, p.endpoint("authorization_endpoint")+"?"+form.Encode())
	_, values := answer(p.t, response, string(body))
	if values.Get("state") != form.Get("state") {
		p.t.Errorf("got state %q, want %q", values.Get("state"), form.Get("state"))
	}
	if iss := values.Get("iss"); iss != "" && iss != p.issuer { // RFC 9207
		p.t.Errorf("got iss %q beside the code, want %q", iss, p.issuer)
	}
	_, tokens := post(p.t, p.client, p.endpoint("token_endpoint"), redeemForm(values.Get("code")))
	text, _ := tokens["id_token"].(string)
	if text == "" {
		p.t.Fatalf("got %v, want an ID token", tokens)
	}
	claims, err := p.verify(text, form.Get("client_id"), form.Get("nonce"))
	if err != nil {
		p.t.Fatalf("the ID token: %v", err)
	}
	tokens["claims"] = claims
	return tokens
}

func (p *relyingParty) verify(token, audience, nonce string) (map[string]any, error) {
	p.t.Helper()
	_, claims := split(p.t, token)
	key := published(p.t, p.client, p.endpoint("jwks_uri"), token)
	switch {
	case !verifies(p.t, publicKey(p.t, key), token):
		return nil, errors.New("the published key does not verify it")
	case claims["iss"] != p.issuer:
		return nil, fmt.Errorf("iss is %v, want %s", claims["iss"], p.issuer)
	case claims["aud"] != audience:
		return nil, fmt.Errorf("aud is %v, want %s", claims["aud"], audience)
	case claims["nonce"] != nonce:
		return nil, fmt.Errorf("nonce is %v, want %s", claims["nonce"], nonce)
	}
	return claims, nil
}

// trusting is a browser on the network that trusts a certificate.
func trusting(t *testing.T, pool *x509.CertPool) (*http.Client, *http.Transport) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Transport:     transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, transport
}

func TestStrictClientsFindALocalIssuer(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{LocalIssuer: true})
	base, err := tenant.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	network, _ := trusting(t, tenant.CertPool())
	for name, client := range map[string]*http.Client{"on the network": network, "in process": browser(t, tenant)} {
		t.Run(name, func(t *testing.T) {
			party, err := discover(t, client, base+"/"+entratest.TenantID+"/v2.0")
			if err != nil {
				t.Fatal(err)
			}
			for name, endpoint := range party.metadata {
				if text, _ := endpoint.(string); strings.HasSuffix(name, "_endpoint") && !strings.HasPrefix(text, base+"/") {
					t.Errorf("got %s %v, want it at %s", name, endpoint, base)
				}
			}
			tokens := party.signIn(pageRequest())
			verifier, err := entra.NewVerifier(entra.Options{
				Authority:  party.issuer,
				Tenants:    []string{entratest.TenantID},
				ClientID:   entratest.APIClientID,
				HTTPClient: client,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, daemon := post(t, client, party.endpoint("token_endpoint"), daemonForm())
			for kind, token := range map[entra.Kind]any{
				entra.UserToken: tokens["access_token"],
				entra.AppToken:  daemon["access_token"],
			} {
				claims, err := verifier.Verify(t.Context(), token.(string))
				if err != nil || claims.Kind != kind || claims.Issuer != party.issuer {
					t.Errorf("a Verifier with this Authority: got %+v, %v; want kind %v", claims, err, kind)
				}
			}
			if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.Claim("iss", loginHost+entratest.TenantID+"/v2.0"))); entra.ReasonOf(err) != entra.ReasonIssuer {
				t.Errorf("Microsoft's issuer: got %v, want it refused", err)
			}
		})
	}
	if _, err := discover(t, network, base+"/common/v2.0"); err == nil {
		t.Error("common: got an issuer, want the template that Entra's document has")
	}
	old := getJSON(t, network, base+"/"+entratest.TenantID+configPath1)
	if want := base + "/" + entratest.TenantID + "/"; old["issuer"] != want {
		t.Errorf("version 1.0: got issuer %v, want %s", old["issuer"], want)
	}
	if _, claims := split(t, tenant.Token(entratest.V1())); claims["iss"] != old["issuer"] {
		t.Errorf("version 1.0: got iss %v, want %v", claims["iss"], old["issuer"])
	}
}

func TestLocalIssuerFollowsTheConfiguration(t *testing.T) {
	issuer := func(tenant *entratest.Server) any {
		_, claims := split(t, tenant.Token())
		return claims["iss"]
	}
	const path = "/" + entratest.TenantID + "/v2.0"
	tenant := entratest.New(t, entratest.Config{LocalIssuer: true})
	if got, want := issuer(tenant), "https://login.microsoftonline.com"+path; got != want {
		t.Errorf("without a URL: got %v, want %s", got, want)
	}
	first := start(t, tenant)
	second := start(t, tenant)
	if got := issuer(tenant); got != first+path {
		t.Errorf("with two listeners: got %v, want %s", got, first+path)
	}
	if got := getJSON(t, plainClient(t), second+path+"/.well-known/openid-configuration")["issuer"]; got != first+path {
		t.Errorf("at the second listener: got %v, want the one issuer %s", got, first+path)
	}
	mounted := entratest.New(t, entratest.Config{LocalIssuer: true, PublicURL: "https://localhost:9/entra"})
	if got, want := issuer(mounted), "https://localhost:9/entra"+path; got != want {
		t.Errorf("with PublicURL: got %v, want %s", got, want)
	}
	if _, err := entratest.NewServer(entratest.Config{LocalIssuer: true, Authority: "https://contoso.ciamlogin.com/"}); err == nil || !strings.Contains(err.Error(), "LocalIssuer") {
		t.Errorf("with Authority: got %v, want an error that names LocalIssuer", err)
	}
}

func TestStrictClientsFindMicrosoftsHosts(t *testing.T) {
	tenant := entratest.New(t)
	hosts, err := tenant.StartHosts()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(hosts.CertPEM) {
		t.Fatal("CertPEM has no certificate")
	}
	proxied, transport := trusting(t, pool)
	proxy, err := url.Parse(hosts.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = http.ProxyURL(proxy)
	mapped, transport := trusting(t, pool)
	var dialer net.Dialer
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		name, port, _ := net.SplitHostPort(address)
		if port != "443" || !slices.Contains(hosts.Names, name) {
			return nil, fmt.Errorf("%s is not mapped", address)
		}
		return dialer.DialContext(ctx, network, hosts.Addr)
	}
	for name, client := range map[string]*http.Client{"through the proxy": proxied, "by a mapping of host names": mapped} {
		t.Run(name, func(t *testing.T) {
			party, err := discover(t, client, loginHost+entratest.TenantID+"/v2.0")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := party.endpoint("userinfo_endpoint"), "https://graph.microsoft.com/oidc/userinfo"; got != want {
				t.Errorf("got userinfo_endpoint %s, want %s", got, want)
			}
			tokens := party.signIn(pageRequest())
			verifier, err := entra.NewVerifier(entra.Options{
				Tenants:    []string{entratest.TenantID},
				ClientID:   entratest.APIClientID,
				HTTPClient: client,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verifier.Verify(t.Context(), tokens["access_token"].(string)); err != nil {
				t.Errorf("a Verifier with its production options: got %v, want the token accepted", err)
			}
			if response, err := client.Get("https://graph.microsoft.com/v1.0/me"); err != nil {
				t.Error(err)
			} else if response.Body.Close(); response.StatusCode != http.StatusUnauthorized {
				t.Errorf("Microsoft Graph: got %d, want 401", response.StatusCode)
			}
		})
	}
	for _, target := range []string{
		"https://example.com/", "https://login.microsoftonline.com.example.com/", "https://login.microsoftonline.com:8443/", "https://localhost/",
	} {
		if response, err := proxied.Get(target); err == nil {
			response.Body.Close()
			t.Errorf("%s through the proxy: got %d, want an error", target, response.StatusCode)
		}
	}
	if response, _ := get(t, proxied, "http://login.microsoftonline.com/common"+keysPath); response.StatusCode != http.StatusForbidden {
		t.Errorf("plain http through the proxy: got %d, want 403", response.StatusCode)
	}
	tenant.Close()
	if response, err := proxied.Get(loginHost + "common" + keysPath); err == nil {
		response.Body.Close()
		t.Error("after Close: got an answer, want an error")
	}
	if _, err := tenant.StartHosts(); err == nil {
		t.Error("StartHosts after Close: got no error")
	}
}

func TestHostsCertificateIsGoodForTheNamesAlone(t *testing.T) {
	for name, config := range map[string]entratest.Config{
		"login.microsoftonline.com": {},
		"login.microsoftonline.us":  {Cloud: entratest.USGovernment},
		"contoso.ciamlogin.com":     {Authority: "https://contoso.ciamlogin.com/"},
	} {
		hosts, err := entratest.New(t, config).StartHosts()
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(hosts.CertPEM)
		for server, want := range map[string]bool{name: true, "localhost": false, "127.0.0.1": false, "example.com": false} {
			connection, err := tls.Dial("tcp", hosts.Addr, &tls.Config{RootCAs: pool, ServerName: server})
			if err == nil {
				connection.Close()
			}
			if got := err == nil; got != want {
				t.Errorf("%s as %s: trusted %v (%v), want %v", name, server, got, err, want)
			}
		}
		if strings.Contains(string(hosts.CertPEM), "PRIVATE") {
			t.Error("CertPEM holds a private key")
		}
	}
	if _, err := entratest.New(t, entratest.Config{Authority: "https://login.contoso.example:8443/x/v2.0"}).StartHosts(); err == nil {
		t.Error("an authority with a port: got no error")
	}
}

func TestSampleWithIdentifiersOfOnesOwn(t *testing.T) {
	const directory, api = "44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555"
	sample := entratest.Sample{
		TenantID: strings.ToUpper(directory),
		ClientID: api,
		AppIDURI: "https://tools.example/mcp",
		Scopes:   []string{"Tools.Call"},
		Roles:    []string{"Tools.Call.All"},
	}
	tenant := entratest.New(t, sample.Config())
	form := daemonForm()
	form.Set("scope", "https://tools.example/mcp/.default")
	_, daemon := post(t, tenant.Client(), loginHost+directory+tokenPath, form)
	verifier, err := entra.NewVerifier(entra.Options{Tenants: []string{directory}, ClientID: api, HTTPClient: tenant.Client()})
	if err != nil {
		t.Fatal(err)
	}
	page := changed(pageRequest(), map[string][]string{"scope": {"openid https://tools.example/mcp/Tools.Call"}})
	_, user := post(t, tenant.Client(), loginHost+directory+tokenPath, redeemForm(code(t, browser(t, tenant), directory, page)))
	for name, token := range map[string]any{
		"minted": tenant.Token(), "minted for an application": tenant.Token(entratest.App(sample.Roles...)),
		"the application's": daemon["access_token"], "the user's": user["access_token"],
	} {
		text, _ := token.(string)
		claims, err := verifier.Verify(t.Context(), text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := append(claims.Scopes, claims.Roles...); len(got) == 0 || !strings.HasPrefix(got[0], "Tools.Call") {
			t.Errorf("%s: got scopes %v and roles %v, want the sample's", name, claims.Scopes, claims.Roles)
		}
	}
	if sample := (entratest.Sample{}).Config(); sample.TenantID != entratest.TenantID || sample.Apps[0].ClientID != entratest.APIClientID {
		t.Errorf("an empty Sample: got %+v, want the sample tenant", sample)
	}
}
