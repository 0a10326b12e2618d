package fetch

import (
	"cmp"
	"context"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
)

// Way is how far a request has come on its way to an authority. An HTTP client whose context ends says only that it
// did, whether it waited for a name, for a connection or for an answer. It is safe for concurrent use.
type Way struct {
	mu   sync.Mutex
	host string // of the URL, with its port
	via  string // "proxyconnect tcp: " for as long as the proxy is what a request waits for
	step string
}

// Follow returns a context that tells the Way how far a request for url has come, if it is made with a transport of
// net/http.
func Follow(ctx context.Context, url *url.URL) (context.Context, *Way) {
	w := &Way{host: net.JoinHostPort(url.Hostname(), cmp.Or(url.Port(), "443"))}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(address string) {
			via := ""
			if !strings.EqualFold(address, w.host) {
				via = "proxyconnect tcp: "
			}
			w.set(via, "dial tcp "+address)
		},
		DNSStart:     func(i httptrace.DNSStartInfo) { w.reach("dial tcp: lookup " + i.Host) },
		ConnectStart: func(network, address string) { w.reach("dial " + network + " " + address) },
		ConnectDone: func(_, address string, err error) {
			if err == nil {
				w.reach("no answer from " + address)
			}
		},
		TLSHandshakeStart: func() { w.set("", "TLS handshake") },
		WroteRequest:      func(httptrace.WroteRequestInfo) { w.set("", "no answer to the request") },
	}), w
}

func (w *Way) reach(step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = step
}

func (w *Way) set(via, step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.via, w.step = via, step
}

// Step says what the request was about last, in the words that package net has for it where it fails: "dial tcp:
// lookup" and a name, "dial tcp" and an address, both after "proxyconnect tcp: " if they are a proxy's, "TLS handshake", or that no
// answer comes. It is empty before the first step.
func (w *Way) Step() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.step == "" {
		return ""
	}
	return w.via + w.step
}
