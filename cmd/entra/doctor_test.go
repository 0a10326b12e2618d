package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// answers is a network that answers by function.
type answers func(*http.Request) (*http.Response, error)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(r *http.Request, status int, contentType, body string) *http.Response {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // into memory
	answer := w.Result()
	answer.Request = r
	return answer
}

// lives is a network in which a tenant lives in a cloud, and other clouds do not know it.
func lives(t *testing.T, cloud entratest.Cloud, change func(*http.Request, *http.Response)) http.RoundTripper {
	tenant := entratest.New(t, entratest.Config{Cloud: cloud})
	return answers(func(r *http.Request) (*http.Response, error) {
		answer, err := tenant.Transport().RoundTrip(r)
		if err != nil {
			answer, err = response(r, 400, "application/json", `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}`), nil
		}
		if answer != nil && change != nil {
			change(r, answer)
		}
		return answer, err
	})
}

func failsWith(err error) func(*testing.T) http.RoundTripper {
	return func(*testing.T) http.RoundTripper {
		return answers(func(*http.Request) (*http.Response, error) { return nil, err })
	}
}

func answersWith(status int, contentType, body string) func(*testing.T) http.RoundTripper {
	return func(*testing.T) http.RoundTripper {
		return answers(func(r *http.Request) (*http.Response, error) { return response(r, status, contentType, body), nil })
	}
}

func worldwide(change func(*http.Request, *http.Response)) func(*testing.T) http.RoundTripper {
	return func(t *testing.T) http.RoundTripper { return lives(t, entratest.Worldwide, change) }
}

// clock sets the answers' dates off by the duration.
func clock(off time.Duration) func(*http.Request, *http.Response) {
	return func(_ *http.Request, answer *http.Response) {
		answer.Header.Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
	}
}

// issuedBy lets the answers come over TLS, with a certificate by this authority.
func issuedBy(organization string) func(*http.Request, *http.Response) {
	return func(_ *http.Request, answer *http.Response) {
		answer.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{byAuthority(organization)}}
	}
}

func byAuthority(organization string) *x509.Certificate {
	return &x509.Certificate{Issuer: pkix.Name{Organization: []string{organization}, CommonName: "Root"}}
}

var unknownAuthority = &url.Error{Op: "Get", URL: "https://login.microsoftonline.com", Err: &tls.CertificateVerificationError{
	Err: x509.UnknownAuthorityError{Cert: byAuthority("Company\x1b[31m Security")},
}}

func TestTheDoctorFindsWhatIsInTheWay(t *testing.T) {
	tenant := []string{"-tenant", entratest.TenantDomain, "-client", entratest.APIClientID}
	proxy := &url.URL{Scheme: "http", Host: "proxy.example:3128", User: url.UserPassword("me", "hunter2")}
	for _, row := range []struct {
		name    string
		args    []string
		network func(*testing.T) http.RoundTripper
		proxy   *url.URL
		status  int
		want    string
	}{
		{"all is well", tenant, worldwide(nil), nil, good, `Tenants:  []string{"` + entratest.TenantID + `"}, // Directory (tenant) ID of ` + entratest.TenantDomain},
		{"an ID in capitals", []string{"-tenant", strings.ToUpper(entratest.OtherTenantID)}, worldwide(nil), nil, good, `Tenants:  []string{"` + entratest.OtherTenantID + `"}`},
		{"no client", tenant[:2], worldwide(nil), nil, good, `ClientID: "<Application (client) ID of the API>"`},
		{"the US Government's cloud", tenant, func(t *testing.T) http.RoundTripper { return lives(t, entratest.USGovernment, nil) }, nil, good, "Cloud:    entra.USGovernment,"},
		{"China", tenant, func(t *testing.T) http.RoundTripper { return lives(t, entratest.China, nil) }, nil, good, "Cloud:    entra.China,"},
		{"a cloud that was asked for and does not know it", append([]string{"-cloud", "China"}, tenant...), worldwide(nil), nil, bad, "no cloud that was asked (China) knows a tenant contoso.example"},
		{"no such tenant", []string{"-tenant", "fabrikam.example"}, func(*testing.T) http.RoundTripper {
			return answersWith(400, "application/json", `{"error":"invalid_tenant"}`)(nil)
		}, nil, bad, "no cloud that was asked (Worldwide, USGovernment, China) knows a tenant fabrikam.example"},
		{"a proxy", tenant, worldwide(nil), proxy, good, "http://proxy.example:3128, from HTTPS_PROXY"},

		{"no name resolution", tenant, failsWith(&net.DNSError{Name: "login.microsoftonline.com", IsNotFound: true}), nil, bad, "the name login.microsoftonline.com cannot be resolved"},
		{"no name resolution of the proxy", tenant, failsWith(&net.OpError{Op: "proxyconnect", Err: &net.DNSError{Name: "proxy.example"}}), proxy, bad, "the name proxy.example cannot be resolved"},
		{"TLS interception that the machine does not trust", tenant, failsWith(unknownAuthority), nil, bad, `is issued by "CN=Root,O=Company\x1b[31m Security", which this machine does not trust`},
		{"a certificate for another name", tenant, failsWith(x509.HostnameError{Certificate: byAuthority("Portal"), Host: "login.microsoftonline.com"}), nil, bad, "is for other names"},
		{"a certificate that expired", tenant, failsWith(x509.CertificateInvalidError{Cert: byAuthority("x"), Reason: x509.Expired}), nil, bad, "this machine's clock first"},
		{"no TLS", tenant, failsWith(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), nil, bad, "answers without TLS"},
		{"a firewall that refuses", tenant, failsWith(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), nil, bad, "login.microsoftonline.com refuses the connection"},
		{"a proxy that refuses", tenant, failsWith(&net.OpError{Op: "proxyconnect", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), proxy, bad, "the proxy proxy.example:3128 refuses the connection"},
		{"a proxy that asks who is there", tenant, failsWith(errors.New("Proxy Authentication Required")), proxy, bad, "the proxy proxy.example:3128 asks for credentials"},
		{"a proxy that forbids it", tenant, failsWith(errors.New("Forbidden")), proxy, bad, "the proxy proxy.example:3128 does not lead to login.microsoftonline.com: Forbidden"},
		{"a firewall that drops", tenant, failsWith(context.DeadlineExceeded), nil, bad, "does not answer within 10s"},
		{"a firewall that ends the connection", tenant, failsWith(os.NewSyscallError("read", syscall.ECONNRESET)), nil, bad, "the connection to login.microsoftonline.com is broken off"},
		{"an answer that breaks off", tenant, worldwide(func(_ *http.Request, answer *http.Response) {
			answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"keys":`), failing{io.ErrUnexpectedEOF}))
		}), nil, bad, "breaks off after 8 bytes: unexpected EOF"},
		{"a sign-in page that says so", tenant, answersWith(511, "text/html", "x"), nil, bad, "a sign-in page of the network is in the way"},
		{"no route", tenant, failsWith(os.NewSyscallError("connect", syscall.ENETUNREACH)), nil, bad, "look at this machine's network"},
		{"another fault", tenant, failsWith(errors.New("broken\x1b pipe")), nil, bad, `cannot be reached: "broken\x1b pipe"`},
		{"a sign-in page of the network", tenant, answersWith(200, "text/html", "<html>"), nil, bad, "but text/html"},
		{"a sign-in page elsewhere", tenant, worldwide(func(_ *http.Request, answer *http.Response) {
			answer.StatusCode, answer.Status = 302, "302 Found"
			answer.Header.Set("Location", "https://portal.example/login")
		}), nil, bad, "on to portal.example (302)"},
		{"a firewall that answers", tenant, answersWith(403, "text/html", "blocked"), nil, bad, "answers 403 Forbidden, with something that is not Entra's"},
		{"Entra has trouble", tenant, answersWith(503, "text/plain", "x"), nil, bad, "wait, and try again"},
		{"too many requests", tenant, answersWith(429, "application/json", "{}"), nil, bad, "wait, and try again"},
		{"metadata without an issuer", tenant, answersWith(200, "application/json", `{"issuer":"https://login.example/x"}`), nil, bad, "knows a tenant contoso.example"},
		{"metadata that is no object", tenant, answersWith(200, "application/json", `[]`), nil, bad, "is no document of Entra's"},
		{"a cloud that is not known", tenant, func(*testing.T) http.RoundTripper {
			return answersWith(200, "application/json", `{"issuer":"https://login.sovcloud-identity.fr/`+entratest.TenantID+`/v2.0","cloud_instance_name":"sovcloud-identity.fr"}`)(nil)
		}, nil, bad, "-authority https://<its login host>/" + entratest.TenantID + "/v2.0"},
		{"keys that are away", tenant, worldwide(func(r *http.Request, answer *http.Response) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				answer.StatusCode, answer.Status = 503, "503 Service Unavailable"
			}
		}), nil, bad, "answers 503 Service Unavailable: wait"},
		{"a key document without keys", tenant, worldwide(func(r *http.Request, answer *http.Response) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				answer.Body = io.NopCloser(strings.NewReader(`{"keys":[]}`))
			}
		}), nil, bad, "no signing key"},

		{"a clock that agrees", tenant, worldwide(clock(0)), nil, good, "agrees with that of"},
		{"a clock that is a little slow", tenant, worldwide(clock(30 * time.Second)), nil, good, "clock is 30s behind that of"},
		{"a clock that is slow", tenant, worldwide(clock(5 * time.Minute)), nil, bad, "clock is 5m0s behind that of"},
		{"a clock that is fast", tenant, worldwide(clock(-2 * time.Hour)), nil, bad, "ahead of that of"},
		{"Microsoft's certificates", tenant, worldwide(issuedBy("DigiCert Inc")), nil, good, "ok     TLS      the certificate of login.microsoftonline.com is issued by CN=Root,O=DigiCert Inc"},
		{"TLS interception that the machine trusts", tenant, worldwide(issuedBy("Company Security")), nil, good, "note   TLS"},

		{"an authority", []string{"-authority", theirAuthority, "-client", entratest.APIClientID}, func(t *testing.T) http.RoundTripper {
			return entratest.New(t, entratest.Config{Authority: theirAuthority}).Transport()
		}, nil, good, `Authority: "` + theirAuthority + `",`},
		{"an authority that is none", []string{"-authority", "https://contoso.example/" + theirTenant + "/v2.0"}, answersWith(404, "text/html", "no"), nil, bad, "answers 404 Not Found"},
		{"an authority of another host", []string{"-authority", theirAuthority}, answersWith(200, "application/json", `{"issuer":"https://x.example/","jwks_uri":"https://x.example/keys"}`), nil, bad, "jwks_uri"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var stdout, stderr strings.Builder
			status := run(t.Context(), append([]string{"doctor"}, row.args...), surroundings{
				stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, network: row.network(t),
				env:   func(string) string { return "" },
				proxy: func(*http.Request) (*url.URL, error) { return row.proxy, nil },
			})
			text := strings.Join(strings.Fields(stdout.String()), " ")
			if status != row.status || !strings.Contains(text, strings.Join(strings.Fields(row.want), " ")) {
				t.Errorf("%s: got status %d and\n%s%s\nwant %d and %q", row.name, status, stderr.String(), stdout.String(), row.status, row.want)
			}
			if all := stdout.String() + stderr.String(); strings.ContainsAny(all, "\x1b") || strings.Contains(all, "hunter2") {
				t.Errorf("%s: got a control character or a password in %q", row.name, all)
			}
			if (status == bad) != strings.Contains(stdout.String(), "WRONG") {
				t.Errorf("%s: got status %d and\n%s\nwant what is wrong marked", row.name, status, stdout.String())
			}
		})
	}
}

func TestTheDoctorFindsKeysOfTheApplicationsOwn(t *testing.T) {
	apps := []entratest.AppRegistration{{ClientID: entratest.APIClientID, OwnKey: true}}
	tenant := entratest.New(t, entratest.Config{Apps: apps})
	got := tool{args: []string{"doctor", "-tenant", entratest.TenantID, "-client", entratest.APIClientID}, network: tenant.Transport()}.run(t)
	if got.status != good || !strings.Contains(got.stdout, "AppKeys:  true,") {
		t.Errorf("got %+v, want AppKeys", got)
	}
}

func TestTheDoctorIsMisused(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "give -tenant"},
		{"an argument", []string{"contoso.com"}, "-tenant"},
		{"no tenant's name", []string{"-tenant", "contoso"}, "neither"},
		{"a path", []string{"-tenant", "contoso.com/../../x"}, "neither"},
		{"common", []string{"-tenant", "common"}, "neither"},
		{"a client that is no GUID", []string{"-tenant", entratest.TenantID, "-client", "orders"}, "ClientID"},
		{"Microsoft's own host", []string{"-authority", "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"}, "Authority"},
		{"two clouds", []string{"-authority", theirAuthority, "-cloud", "China"}, "Authority"},
	} {
		if got := (tool{args: append([]string{"doctor"}, row.args...)}).run(t); got.status != misuse || !strings.Contains(got.stderr, row.want) {
			t.Errorf("%s: got %+v, want status 2 and %q", row.name, got, row.want)
		}
	}
}

// What the doctor prints to paste compiles and makes a Verifier.
func TestThePastedOptionsCompile(t *testing.T) {
	var programs []string
	for i, row := range []struct {
		args    []string
		network http.RoundTripper
	}{
		{[]string{"-tenant", entratest.TenantDomain, "-client", entratest.APIClientID}, lives(t, entratest.Worldwide, nil)},
		{[]string{"-tenant", entratest.TenantID, "-client", entratest.APIClientID}, lives(t, entratest.China, nil)},
		{[]string{"-authority", theirAuthority, "-client", entratest.APIClientID}, entratest.New(t, entratest.Config{Authority: theirAuthority}).Transport()},
	} {
		got := tool{args: append([]string{"doctor"}, row.args...), network: row.network}.run(t)
		_, lines, found := strings.Cut(got.stdout, "Paste this:\n")
		if !found {
			t.Fatalf("got %+v, want lines to paste", got)
		}
		programs = append(programs, fmt.Sprintf("func use%d() error {\n%s\n\t_ = verifier\n\treturn err\n}\n", i, lines))
	}
	dir := t.TempDir()
	module := "module example.com/pasted\n\ngo 1.26\n"
	source := "package main\n\nimport \"github.com/entra-go/entra\"\n\n" + strings.Join(programs, "\n") +
		"\nfunc main() {\n\tfor _, use := range []func() error{use0, use1, use2} {\n\t\tif err := use(); err != nil {\n\t\t\tpanic(err)\n\t\t}\n\t}\n}\n"
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.mod": module, "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"mod", "edit", "-require=github.com/entra-go/entra@v0.0.0", "-replace=github.com/entra-go/entra=" + root}, {"mod", "tidy"}, {"run", "."},
	} {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "PWD="+dir)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go %q: %v\n%s\n%s", args, err, out, source)
		}
	}
}

func TestCloudsAreInTheirOrder(t *testing.T) {
	for i, h := range loginHosts {
		if h.cloud != entra.Cloud(i) {
			t.Errorf("got %v at %d, want the cloud with that number", h.cloud, i)
		}
	}
}

// The errors that net/http really returns are told apart as those above, which are made by hand. The servers are outside of the
// bubbles: while one of them is asked, no time passes, so that a slow one does not become one that does not answer.
func TestTheDoctorKnowsRealFaults(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	open := httptest.NewServer(http.NotFoundHandler())
	defer open.Close()
	addressOf := func(server *httptest.Server) string { return server.Listener.Addr().String() }
	closed := "127.0.0.1:" + programs.Port(t)
	refusing := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		return addressOf(server)
	}
	leadsTo := func(address string) *http.Transport {
		return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	}
	// The test server's certificate is good for this name.
	named := func(transport *http.Transport) *http.Transport {
		transport.TLSClientConfig = &tls.Config{ServerName: "example.com"}
		return transport
	}
	through := func(address string) *http.Transport {
		return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address})}
	}
	for _, row := range []struct {
		name    string
		network *http.Transport
		want    string
	}{
		{"a certificate for another name", leadsTo(addressOf(secure)), "is for other names"},
		{"a certificate of nobody's", named(leadsTo(addressOf(secure))), "O=Acme Co, which this machine does not trust"},
		{"no TLS", leadsTo(addressOf(open)), "answers without TLS"},
		{"a port that is closed", leadsTo(closed), "refuses the connection"},
		{"a proxy that is not there", through(closed), "refuses the connection"},
		{"a proxy that asks who is there", through(refusing(407)), "asks for credentials"},
		{"a proxy that forbids it", through(refusing(403)), "does not lead to login.microsoftonline.com"},
	} {
		synctest.Test(t, func(t *testing.T) {
			defer row.network.CloseIdleConnections()
			var stdout strings.Builder
			status := run(t.Context(), []string{"doctor", "-tenant", "contoso.com"}, surroundings{
				stdout: &stdout, stderr: io.Discard, network: row.network, env: func(string) string { return "" },
				proxy: func(r *http.Request) (*url.URL, error) {
					if row.network.Proxy == nil {
						return nil, nil
					}
					return row.network.Proxy(r)
				},
			})
			if text := strings.Join(strings.Fields(stdout.String()), " "); status != bad || !strings.Contains(text, row.want) {
				t.Errorf("%s: got status %d and\n%s\nwant 1 and %q", row.name, status, stdout.String(), row.want)
			}
		})
	}
}

// A request whose time is over says only that. How far it came says whose fault it is.
func TestTheDoctorKnowsWhereARequestHangs(t *testing.T) {
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	noNameServer := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return nil, wait(ctx)
	}}}
	dropped := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error { return wait(ctx) }}
	// The resolver's configuration is one for the process, and must not be a bubble's.
	offline := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}
	_, _ = offline.LookupHost(t.Context(), "login.microsoftonline.com") // it has no name server
	for _, row := range []struct {
		name  string
		dial  func(context.Context, string, string) (net.Conn, error)
		proxy string
		want  string
	}{
		{"no name server", noNameServer.DialContext, "", "the name login.microsoftonline.com cannot be resolved: no name server answers"},
		{"a firewall that drops", func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dropped.DialContext(ctx, network, "192.0.2.1:443")
		}, "", "login.microsoftonline.com does not answer within 10s: a firewall drops the connection"},
		{"a host that says nothing", func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go io.Copy(io.Discard, there) //nolint:errcheck // It ends with the connection.
			return here, nil
		}, "", "takes the connection and does not answer within 10s (TLS handshake)"},
		{"no name server for the proxy", noNameServer.DialContext, "proxy.example:3128", "the name proxy.example cannot be resolved: no name server answers"},
		{"a proxy that says nothing", dropped.DialContext, "192.0.2.2:3128", "the proxy 192.0.2.2:3128 does not answer within 10s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			proxy := func(*http.Request) (*url.URL, error) {
				if row.proxy == "" {
					return nil, nil
				}
				return &url.URL{Scheme: "http", Host: row.proxy}, nil
			}
			network := &http.Transport{DialContext: row.dial, Proxy: proxy}
			defer network.CloseIdleConnections()
			var stdout strings.Builder
			status := run(t.Context(), []string{"doctor", "-tenant", "contoso.com"}, surroundings{
				stdout: &stdout, stderr: io.Discard, network: network, proxy: proxy, env: func(string) string { return "" },
			})
			if text := strings.Join(strings.Fields(stdout.String()), " "); status != bad || !strings.Contains(text, row.want) {
				t.Errorf("%s: got status %d and\n%s\nwant 1 and %q", row.name, status, stdout.String(), row.want)
			}
		})
	}
}

// NO_PROXY may exclude Microsoft's hosts and not an authority's, or one cloud's and not another's.
func TestTheDoctorFindsTheProxyToTheHostThatItAsks(t *testing.T) {
	for host, args := range map[string][]string{
		"login.microsoftonline.com": {"-tenant", "contoso.com"},
		"login.microsoftonline.us":  {"-tenant", "contoso.com", "-cloud", "USGovernment"},
		"contoso.ciamlogin.com":     {"-authority", theirAuthority},
	} {
		var stdout strings.Builder
		run(t.Context(), append([]string{"doctor"}, args...), surroundings{
			stdout: &stdout, stderr: io.Discard, env: func(string) string { return "" }, network: failsWith(errors.New("Forbidden"))(t),
			proxy: func(r *http.Request) (*url.URL, error) {
				if r.URL.Host != host {
					return nil, nil
				}
				return &url.URL{Scheme: "http", Host: "proxy.example:3128"}, nil
			},
		})
		if !strings.Contains(stdout.String(), "http://proxy.example:3128, from HTTPS_PROXY") {
			t.Errorf("%s: got\n%s\nwant its proxy", host, stdout.String())
		}
	}
}

// A password with a special character is the usual reason why HTTPS_PROXY is no URL. net/http then asks a host named http, or
// takes the user for the host and the beginning of the password for its port.
func TestTheDoctorFindsAProxyThatIsNoURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://http://user:hunt#er2@proxy.example:3128":  "WRONG proxy HTTPS_PROXY is no URL of a proxy; write special characters of user and password as %XX",
		"http://https://user:hunt er2@proxy.example:3128": "WRONG proxy HTTPS_PROXY is no URL of a proxy",
		"http://user:2002#hunter@proxy.example:3128":      "WRONG proxy HTTPS_PROXY is no URL of a proxy",
		"http://user:2002/hunter@proxy.example:3128":      "WRONG proxy HTTPS_PROXY is no URL of a proxy",
		"http://user:2002?hunter@proxy.example:3128":      "WRONG proxy HTTPS_PROXY is no URL of a proxy",
		"http://user:hunt%23er2@proxy.example:3128":       "ok proxy http://proxy.example:3128, from HTTPS_PROXY",
		"socks5://user:hunter2@[2001:db8::1]:1080":        "ok proxy socks5://[2001:db8::1]:1080, from HTTPS_PROXY",
	} {
		var stdout, stderr strings.Builder
		run(t.Context(), []string{"doctor", "-tenant", "contoso.com"}, surroundings{
			stdout: &stdout, stderr: &stderr, env: func(string) string { return "" }, network: failsWith(errors.New("Forbidden"))(t),
			proxy: func(*http.Request) (*url.URL, error) { return url.Parse(text) },
		})
		if got := strings.Join(strings.Fields(stdout.String()), " "); !strings.Contains(got, want) {
			t.Errorf("%s: got\n%s\nwant %q", text, stdout.String(), want)
		}
		if all := stdout.String() + stderr.String(); strings.Contains(all, "hunt") || strings.Contains(all, "2002") {
			t.Errorf("%s: got its password in\n%s%s", text, stdout.String(), stderr.String())
		}
	}
}
