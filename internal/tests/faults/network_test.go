package faults_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// body is a response body made of a function that reads.
type body func([]byte) (int, error)

func (f body) Read(p []byte) (int, error) { return f(p) }
func (f body) Close() error               { return nil }

// A fetch runs in a goroutine of its own, where no server recovers a panic.
func TestATransportThatMisbehaves(t *testing.T) {
	tests := map[string]func(*http.Request) (*http.Response, error){
		"it panics":                func(*http.Request) (*http.Response, error) { panic("a transport") },
		"it panics with an error":  func(*http.Request) (*http.Response, error) { panic(errors.New("a transport")) },
		"it aborts the handler":    func(*http.Request) (*http.Response, error) { panic(http.ErrAbortHandler) },
		"it dereferences nil":      func(*http.Request) (*http.Response, error) { return nil, errors.New((*http.Request)(nil).Method) },
		"it returns nothing":       func(*http.Request) (*http.Response, error) { return nil, nil },
		"its body panics":          withBody(func([]byte) (int, error) { panic("a body") }),
		"its body fails":           withBody(func([]byte) (int, error) { return 0, errors.New("a body") }),
		"its body ends in between": withBody(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }),
		"its error is enormous":    func(*http.Request) (*http.Response, error) { return nil, errors.New(strings.Repeat("\x00x", 1<<20)) },
	}
	for name, misbehave := range tests {
		t.Run(name, func(t *testing.T) {
			odd := true
			change := func(o *entra.Options) {
				inner := o.HTTPClient.Transport
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					if odd {
						return misbehave(r)
					}
					return inner.RoundTrip(r)
				})
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				_, err := v.Verify(t.Context(), tenant.Token())
				if got := outcome(err); got != "keys_unavailable" || len(err.Error()) > 2000 {
					t.Errorf("got %s (%d bytes: %.100v), want keys_unavailable in 2,000 bytes at most", got, len(err.Error()), err)
				}
				odd = false
				time.Sleep(5 * time.Second)
				lasting := tenant.Token(entratest.Lifetime(10 * time.Hour))
				expect(t, v, lasting, accepted)
				odd = true
				time.Sleep(2 * time.Hour)
				expect(t, v, lasting, accepted)
				if got := v.Stats().FetchFailures; got != 2 {
					t.Errorf("got %d failures, want 2", got)
				}
			})
		})
	}
}

func withBody(read body) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		response := testbed.Response(r, http.StatusOK, "")
		response.Body = read
		return response, nil
	}
}

// A transport should end with the context of its request, but not every one does.
func TestATransportThatIgnoresItsContextHoldsNobody(t *testing.T) {
	stuck := false
	change := func(o *entra.Options) {
		inner := o.HTTPClient.Transport
		o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
			if stuck {
				time.Sleep(time.Hour)
			}
			return inner.RoundTrip(r)
		})
	}
	bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		lasting := tenant.Token(entratest.Lifetime(10 * time.Hour))
		expect(t, v, lasting, accepted)
		stuck = true
		for range 5 {
			expectAfter(t, v, junkToken(), "unknown_key", 10*time.Second)
			expect(t, v, lasting, accepted)
		}
		stuck = false
		time.Sleep(2 * time.Hour)
		tenant.RotateKeys()
		expect(t, v, tenant.Token(), accepted)
	})
}

// The first requests give up in the moment in which the first fetch does, and must not leave the operator without a cause.
func TestTheErrorOfAFirstFetchThatHangsNamesItsURL(t *testing.T) {
	change := func(o *entra.Options) {
		o.HTTPClient = testbed.Client(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			return nil, errors.New("late")
		})
	}
	bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		const want = "https://login.microsoftonline.com/" + entratest.TenantID + "/discovery/v2.0/keys: the fetch has run for 10s and has not ended"
		if _, err := v.Verify(t.Context(), tenant.Token()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		time.Sleep(time.Minute)
	})
}

// The client's own timeout applies where it is shorter than 10 seconds.
func TestTheClientsTimeout(t *testing.T) {
	for name, test := range map[string]struct{ timeout, want time.Duration }{
		"none":        {0, 10 * time.Second},
		"two seconds": {2 * time.Second, 2 * time.Second},
		"an hour":     {time.Hour, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var client *http.Client
			change := func(o *entra.Options) {
				o.HTTPClient.Timeout = test.timeout
				client = o.HTTPClient
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				tenant.HangKeys()
				expectAfter(t, v, tenant.Token(), "keys_unavailable", test.want)
				if client.Timeout != test.timeout || client.CheckRedirect != nil {
					t.Error("the caller's client was changed, want it left alone")
				}
			})
		})
	}
}

// Over real connections keys are accepted only from a server whose certificate the client trusts.
func TestTheConnectionToEntraIsAuthenticated(t *testing.T) {
	tenant := entratest.New(t)
	const issuer = "https://login.contoso.example/" + entratest.TenantID + "/v2.0"
	var server *httptest.Server
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			io.WriteString(w, testbed.MetadataDocument(issuer, server.URL+"/keys")) //nolint:errcheck // The fetch fails by itself.
			return
		}
		io.WriteString(w, testbed.KeyDocument(tenant.Key())) //nolint:errcheck // The fetch fails by itself.
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	trusting := server.Client()
	tests := map[string]struct {
		client *http.Client
		want   string
	}{
		"a certificate that the client trusts":      {trusting, accepted},
		"a certificate of an unknown authority":     {&http.Client{Transport: new(http.Transport)}, "keys_unavailable"},
		"the default client":                        {nil, "keys_unavailable"},
		"a protocol version that is not agreed on":  {withTLS(trusting, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10; c.MinVersion = tls.VersionTLS10 }), "keys_unavailable"},
		"a certificate for a host of another name":  {withTLS(trusting, func(c *tls.Config) { c.ServerName = "login.microsoftonline.com" }), "keys_unavailable"},
		"a certificate that the client checks anew": {withTLS(trusting, func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return errors.New("no") } }), "keys_unavailable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.Authority, o.HTTPClient = server.URL+"/contoso/v2.0", test.client
			})
			_, err := v.Verify(t.Context(), testbed.SignClaims(tenant.Key(), testbed.UserClaims(issuer, entratest.TenantID, "2.0")))
			if got := outcome(err); got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

// withTLS returns a copy of client after change has changed its TLS configuration.
func withTLS(client *http.Client, change func(*tls.Config)) *http.Client {
	transport := client.Transport.(*http.Transport).Clone() //nolint:errcheck // httptest's client has one.
	change(transport.TLSClientConfig)
	return &http.Client{Transport: transport}
}

func TestRedirectsOnTheSameHostAreFollowed(t *testing.T) {
	for name, test := range map[string]struct {
		hops int
		want string
	}{
		"one": {1, accepted}, "three": {3, accepted}, "four": {4, "keys_unavailable"}, "a hundred": {100, "keys_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(o *entra.Options) {
				inner := o.HTTPClient.Transport
				var hops int
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					if hops++; hops > test.hops {
						return inner.RoundTrip(r)
					}
					response := testbed.Response(r, http.StatusFound, "")
					response.Header.Set("Location", "https://LOGIN.microsoftonline.com"+r.URL.Path+"?hop")
					return response, nil
				})
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				expect(t, v, tenant.Token(), test.want)
			})
		})
	}
}

// The client's own redirect policy may refuse more redirects, but permits none that the library refuses.
func TestTheClientsOwnRedirectPolicyIsAskedToo(t *testing.T) {
	for name, test := range map[string]struct {
		location string
		policy   func(*http.Request, []*http.Request) error
		want     string
	}{
		"it refuses":                {"/other/discovery/v2.0/keys", func(*http.Request, []*http.Request) error { return errors.New("no") }, "keys_unavailable"},
		"it takes the first answer": {"/other/discovery/v2.0/keys", func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, "keys_unavailable"},
		"it permits all":            {"https://evil.example/", func(*http.Request, []*http.Request) error { return nil }, "keys_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(o *entra.Options) { o.HTTPClient.CheckRedirect = test.policy }
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				redirect(302, test.location)(tenant)
				expect(t, v, tenant.Token(), test.want)
				testbed.WantOneHost(t, tenant)
			})
		})
	}
}
