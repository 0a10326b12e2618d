package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// trouble is an API in trouble: its log, its metrics, and what answers its requests.
type trouble struct {
	tenant   *entratest.Server
	log      bytes.Buffer
	verifier *entra.Verifier
	handler  http.Handler
}

func newTrouble(t *testing.T, change func(*entra.Options, *entratest.Server)) *trouble {
	t.Helper()
	now := &trouble{tenant: entratest.New(t)}
	options := entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: now.tenant.Client(),
		Logger:     slog.New(slog.NewTextHandler(&now.log, nil)),
	}
	if change != nil {
		change(&options, now.tenant)
	}
	var err error
	if now.verifier, err = entra.NewVerifier(options); err != nil {
		t.Fatal(err)
	}
	now.handler = now.verifier.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return now
}

func (now *trouble) send(tokens ...string) (status int) {
	for _, token := range tokens {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		now.handler.ServeHTTP(w, r)
		status = w.Code
	}
	return status
}

// metrics returns what Prometheus reads.
func (now *trouble) metrics() string {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(now.verifier))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// runbook returns a section of docs/operations.md.
func runbook(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/operations.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return strings.Join(strings.Fields(section), " ")
}

// Each fault of the runbook is injected: the words that its section tells the operator to look for are those that appear.
func TestTheRunbookNamesWhatAppears(t *testing.T) {
	for _, row := range []struct {
		section string
		options func(*entra.Options, *entratest.Server)
		fault   func(*trouble) (status int)
		status  int
		logs    []string
		metrics []string // as they appear; the runbook has them without their value
	}{
		{
			section: "Entra cannot be reached",
			fault:   func(now *trouble) int { now.tenant.Down(); return now.send(now.tenant.Token()) },
			status:  http.StatusServiceUnavailable,
			logs:    []string{"entra: signing keys not refreshed", "url=", "error=", "entra: request refused", "reason=keys_unavailable", "status=503"},
			metrics: []string{
				"entra_keys 0", "entra_key_fetch_failures_total 1", "entra_keys_fetched_timestamp_seconds 0",
				`entra_refused_total{reason="keys_unavailable"} 1`,
			},
		},
		{
			section: "Entra cannot be reached",
			fault: func(now *trouble) (status int) {
				now.send(now.tenant.Token())
				now.tenant.Down()
				for range 24 * 60 {
					time.Sleep(time.Minute)
					status = max(status, now.send(now.tenant.Token(entratest.IssuedAt(time.Now()))))
				}
				return status
			},
			status:  http.StatusOK,
			logs:    []string{"entra: signing keys not refreshed"},
			metrics: []string{"entra_keys 3", "entra_keys_fetched_timestamp_seconds 9.466848e+08"},
		},
		{
			section: "Throttling",
			fault: func(now *trouble) int {
				now.tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "30")
					w.WriteHeader(http.StatusTooManyRequests)
				})
				return now.send(now.tenant.Token())
			},
			status:  http.StatusServiceUnavailable,
			logs:    []string{"entra: signing keys not refreshed", "answered with status 429"},
			metrics: []string{"entra_key_fetch_failures_total 1"},
		},
		{
			section: "A rotation",
			fault: func(now *trouble) int {
				now.send(now.tenant.Token(), now.tenant.Token(entratest.SignedBy(now.tenant.UnknownKey())))
				now.tenant.RotateKeys()
				status := now.send(now.tenant.Token())
				time.Sleep(time.Minute)
				if mended := now.send(now.tenant.Token()); mended != http.StatusOK {
					return mended
				}
				return status
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=unknown_key"},
			metrics: []string{`entra_refused_total{reason="unknown_key"} 2`},
		},
		{
			section: "A compromised key",
			options: func(options *entra.Options, tenant *entratest.Server) {
				options.DistrustedKeys = []string{tenant.Key().ID()}
			},
			fault:   func(now *trouble) int { return now.send(now.tenant.Token()) },
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=distrusted_key"},
			metrics: []string{`entra_refused_total{reason="distrusted_key"} 1`},
		},
		{
			section: "A wrong clock",
			fault: func(now *trouble) int {
				return now.send(now.tenant.Token(entratest.IssuedAt(time.Now().Add(-3*time.Hour))), now.tenant.Token(entratest.IssuedAt(time.Now().Add(10*time.Minute))))
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=expired", "reason=not_yet_valid", "ahead of this machine's clock"},
			metrics: []string{"entra_tokens_verified_total 0"},
		},
		{
			section: "A flood of junk",
			fault: func(now *trouble) (status int) {
				now.send(now.tenant.Token())
				for range 2 {
					for range 30 {
						good := now.tenant.Token()
						status = now.send(now.tenant.Token(entratest.SignedBy(now.tenant.UnknownKey())), "e30.e30", good[:len(good)-8]+"AAAAAAAA")
					}
					time.Sleep(11 * time.Second)
				}
				return status
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=unknown_key", "malformed", "signature", "left_out"},
			metrics: []string{"entra_refused_total"},
		},
	} {
		t.Run(row.section, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := newTrouble(t, row.options)
				if got := row.fault(now); got != row.status {
					t.Errorf("got status %d, want %d", got, row.status)
				}
				synctest.Wait()
				section, metrics := runbook(t, row.section), now.metrics()
				for _, word := range row.logs {
					if !strings.Contains(now.log.String(), word) {
						t.Errorf("got no %q in the log\n%.2000s", word, now.log.String())
					}
					if !strings.Contains(section, word) {
						t.Errorf("the runbook does not name %q", word)
					}
				}
				for _, line := range row.metrics {
					name, _, _ := strings.Cut(line, " ")
					if !strings.Contains(metrics, line) {
						t.Errorf("got no %q in the metrics\n%s", line, metrics)
					}
					if !strings.Contains(section, name) {
						t.Errorf("the runbook does not name %q", name)
					}
				}
			})
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// pipe is a network that leads each connection to serve, in memory.
func pipe(serve func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			serve(there)
		}()
		return here, nil
	}
}

// What stands in the way to Entra is told apart by words of the line, as the runbook says. No time passes
// but where nobody answers.
func TestTheRunbookTellsApartWhatIsInTheWay(t *testing.T) {
	through := func(dial func(context.Context, string, string) (net.Conn, error)) http.RoundTripper {
		return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example:3128"}), DialContext: dial}
	}
	dead := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	asks := pipe(func(proxy net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(proxy)); err == nil {
			fmt.Fprint(proxy, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		}
	})
	opensTLS := httptest.NewTLSServer(nil) // for its certificate
	opensTLS.Close()
	intercepted := &http.Transport{DialContext: pipe(func(proxy net.Conn) { _ = tls.Server(proxy, opensTLS.TLS).Handshake() })}
	const longerThanAFetch = 30 * time.Second
	hangs := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		time.Sleep(longerThanAFetch)
		return nil, os.ErrDeadlineExceeded
	}}
	noName := transport(func(*http.Request) (*http.Response, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "login.microsoftonline.com", IsNotFound: true}
	})
	answers := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	section := runbook(t, "Entra cannot be reached")
	for name, row := range map[string]struct {
		transport http.RoundTripper
		answer    http.HandlerFunc
		want      string
	}{
		"no name":             {transport: noName, want: "no such host"},
		"a dead proxy":        {transport: through(dead), want: "proxyconnect tcp:"},
		"a proxy's password":  {transport: through(asks), want: "Proxy Authentication Required"},
		"a proxy in the TLS":  {transport: intercepted, want: "x509:"},
		"a closed way":        {transport: hangs, want: "context deadline exceeded"},
		"a proxy's page":      {answer: answers(http.StatusOK, "<html>blocked"), want: "the document is no JSON object"},
		"a misspelt tenant":   {answer: answers(http.StatusBadRequest, "{}"), want: "answered with status 400"},
		"Entra's own trouble": {answer: answers(http.StatusBadGateway, ""), want: "answered with status 5"},
	} {
		synctest.Test(t, func(t *testing.T) {
			now := newTrouble(t, func(options *entra.Options, tenant *entratest.Server) {
				if row.transport != nil {
					options.HTTPClient = &http.Client{Transport: row.transport}
				}
				if row.answer != nil {
					tenant.AnswerKeys(row.answer)
				}
			})
			now.send(now.tenant.Token())
			synctest.Wait()
			if !strings.Contains(now.log.String(), row.want) {
				t.Errorf("%s: got the log %s, want %q", name, now.log.String(), row.want)
			}
			time.Sleep(longerThanAFetch) // Then no connection is being opened any more.
		})
		if !strings.Contains(section, row.want) {
			t.Errorf("the runbook does not name %q", row.want)
		}
	}
}
