package rig

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/soak/invariants"
)

// keysURL is the one URL that the Verifiers may fetch.
const keysURL = "https://login.microsoftonline.com/" + entratest.TenantID + "/discovery/v2.0/keys"

// wire is the network between the Verifiers and the fake Entra: https over loopback sockets, whatever host is asked for.
type wire struct {
	address   string // of the fake Entra
	refused   atomic.Bool
	distrust  atomic.Bool
	trusting  *http.Transport
	untrusted *http.Transport
}

func newWire(address *url.URL, roots *x509.CertPool) *wire {
	w := &wire{address: address.Host}
	w.trusting = w.transport(roots)
	w.untrusted = w.transport(x509.NewCertPool())
	return w
}

func (w *wire) transport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext:     w.dial,
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"},
		MaxIdleConns:    4,
	}
}

// nobody is an address where no program listens.
const nobody = "127.0.0.1:1"

func (w *wire) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	address := w.address
	if w.refused.Load() {
		address = nobody
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// cut closes idle connections, so that the next fetch opens a new one.
func (w *wire) cut() {
	w.trusting.CloseIdleConnections()
	w.untrusted.CloseIdleConnections()
}

func (w *wire) current() http.RoundTripper {
	if w.distrust.Load() {
		return w.untrusted
	}
	return w.trusting
}

// observer is the transport of one Verifier. It records in the ledger what passes.
type observer struct {
	wire     *wire
	ledger   *invariants.Ledger
	report   *report
	instance int

	fetches, failures, running atomic.Int64
}

func (t *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.URL.String() != keysURL || r.Host != "" && r.Host != r.URL.Host || r.Header.Get("Authorization") != "" {
		t.report.violation(brokenFetch, "a Verifier asked for "+r.Method+" "+r.URL.String())
		return nil, fmt.Errorf("the soak serves %s alone", keysURL)
	}
	now := time.Now()
	fetch, err := t.ledger.Began(t.instance, now)
	if err != nil {
		t.report.violation(brokenFetch, fmt.Sprintf("instance %d: %v", t.instance, err))
	}
	t.fetches.Add(1)
	t.running.Add(1)
	answer := &observed{observer: t, fetch: fetch, began: now}
	response, err := t.wire.current().RoundTrip(r)
	if err != nil {
		answer.end()
		return nil, err
	}
	answer.body, answer.status = response.Body, response.StatusCode
	response.Body = answer
	return response, nil
}

// observed is the body of an answer. Closing it ends the fetch.
type observed struct {
	observer *observer
	fetch    *invariants.Fetch
	began    time.Time
	body     io.ReadCloser
	status   int
	read     bytes.Buffer
	// whole: all of a document that is not too large was read; good: it named a usable key; over: the fetch has ended.
	whole, good, over bool
}

const documentLimit = 1 << 20

func (b *observed) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.read.Write(p[:n])
	if err == io.EOF && !b.whole && b.status == http.StatusOK && b.read.Len() <= documentLimit {
		b.whole = true
		good, over := b.fetch.Delivered(time.Now(), keyIDs(b.read.Bytes()))
		b.good = good
		b.observer.report.delivered(over)
	}
	return n, err
}

// keyIDs returns the key IDs that a key document names; none if it is no JSON.
func keyIDs(document []byte) (ids []string) {
	var set struct{ Keys []struct{ Kid string } }
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	for _, key := range set.Keys {
		ids = append(ids, key.Kid)
	}
	return ids
}

func (b *observed) Close() error {
	err := b.body.Close()
	b.end()
	return err
}

func (b *observed) end() {
	if b.over {
		return
	}
	b.over = true
	if !b.good {
		b.observer.failures.Add(1)
	}
	err := b.fetch.Ended(time.Now())
	// A machine that stands still lets fetches time out, which is no fault of the Verifier.
	if err != nil && b.observer.report.stalls.since(b.began) < invariants.LongStall {
		b.observer.report.violation(brokenFetch, fmt.Sprintf("instance %d: %v", b.observer.instance, err))
	}
	b.observer.running.Add(-1)
}
