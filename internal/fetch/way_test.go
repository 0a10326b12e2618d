package fetch_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// A fetch whose time is over says what it waited for, in the words that package net has for it. Whether the client or its
// dialer sees first that the time is over differs from run to run.
func TestAFetchThatTimesOutSaysWhereItWaited(t *testing.T) {
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	noNameServer := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return nil, wait(ctx)
	}}}
	// The resolver's configuration is one for the process, and must not be a bubble's.
	offline := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}
	if _, err := offline.LookupHost(t.Context(), "login.microsoftonline.com"); err == nil {
		t.Fatal("got an address without a name server")
	}
	dropped := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error { return wait(ctx) }}
	// silent takes a connection and what is sent there.
	silent := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there) //nolint:errcheck // It ends with the connection.
		return here, nil
	}
	through := func(proxy string) func(*http.Request) (*url.URL, error) {
		return http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	}
	for name, row := range map[string]struct {
		dial  func(context.Context, string, string) (net.Conn, error)
		proxy func(*http.Request) (*url.URL, error)
		url   string
		want  string
	}{
		"no name server":             {noNameServer.DialContext, nil, address, "dial tcp: lookup login.microsoftonline.com"},
		"no way to the host":         {dropped.DialContext, nil, "https://192.0.2.1/keys", "dial tcp 192.0.2.1:443"},
		"another port":               {dropped.DialContext, nil, "https://192.0.2.1:8443/keys", "dial tcp 192.0.2.1:8443"},
		"no name server for a proxy": {noNameServer.DialContext, through("proxy.example:3128"), address, "proxyconnect tcp: dial tcp: lookup proxy.example"},
		"no way to the proxy":        {dropped.DialContext, through("192.0.2.2:3128"), address, "proxyconnect tcp: dial tcp 192.0.2.2:3128"},
		"a dialer of the caller's":   {func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, wait(ctx) }, nil, address, "dial tcp login.microsoftonline.com:443"},
		"no answer":                  {silent, nil, "http://login.microsoftonline.com:443/keys", "no answer to the request"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := &http.Transport{DialContext: row.dial, Proxy: row.proxy}
				defer transport.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), fetch.Timeout)
				defer cancel()
				_, err := fetch.New(&http.Client{Transport: transport}).Get(ctx, row.url)
				if err == nil || strings.Count(err.Error(), row.want) != 1 {
					t.Errorf("got %v, want %q once", err, row.want)
				}
			})
		})
	}
}

// Without a transport of net/http nobody says how far a request came, and an error that is none of time needs no word.
func TestAFetchThatFailsOtherwiseSaysNoMore(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
	_, err := fetch.New(&http.Client{Transport: transport}).Get(t.Context(), address)
	if !errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "(") {
		t.Errorf("got %v, want the error as it is", err)
	}
}

// An authority's URL can be as long as the rest of the text, and what the runbook tells apart stands behind it.
func TestALongURLLeavesRoomForWhatWentWrong(t *testing.T) {
	long := "https://login.contoso.example/" + strings.Repeat("B2C_1A_signin/", 40) + "v2.0/.well-known/openid-configuration"
	const words = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New(words) }}
	_, err := fetch.New(&http.Client{Transport: transport}).Get(t.Context(), long)
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want %q in it", err, words)
	}
}

// A captive portal's URL often holds the one that was asked for, and much more.
func TestALongRedirectLeavesRoomForWhatWentWrong(t *testing.T) {
	client := answering(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://portal.example/?from="+strings.Repeat("x", 1000), http.StatusFound)
	})
	_, err := fetch.New(client).Get(t.Context(), address)
	const want = address + `: redirect to another host or scheme ("https://portal.example") refused`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A caller's transport may trace all of its requests with one ClientTrace, which httptrace.WithClientTrace changes in place
// where a request has a trace already. Its hooks must run once a request, and fetches side by side must not race.
func TestACallersOwnTraceStaysAsItIs(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	var calls atomic.Int32
	trace := &httptrace.ClientTrace{GetConn: func(string) { calls.Add(1) }}
	hook := reflect.ValueOf(trace.GetConn).Pointer()
	client := fetch.New(testbed.Client(func(r *http.Request) (*http.Response, error) {
		return server.Client().Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	}))
	const fetches = 8
	var wait sync.WaitGroup
	for range fetches {
		wait.Go(func() {
			if _, err := client.Get(t.Context(), server.URL); err != nil {
				t.Errorf("got %v, want the document", err)
			}
		})
	}
	wait.Wait()
	changed := reflect.ValueOf(trace.GetConn).Pointer() != hook
	if got := calls.Load(); got != fetches || changed {
		t.Errorf("got %d calls, and the caller's hook changed: %v; want %d and the hook as it was", got, changed, fetches)
	}
}
