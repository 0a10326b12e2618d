package rig

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/soak/invariants"
	"github.com/entra-go/entra/internal/tests/oracle"
)

// fakeEntra is the tenant, the network on the way to it, and its state of health.
type fakeEntra struct {
	tenant *entratest.Server
	wire   *wire
	ledger *invariants.Ledger

	second atomic.Pointer[oracle.Oracle]

	mu    sync.Mutex
	state string
}

// oracle judges tokens by all keys that Entra has listed so far.
func (e *fakeEntra) oracle() *oracle.Oracle { return e.second.Load() }

// trust says that the keys verify tokens. Only the schedule calls it, before Entra lists them.
func (e *fakeEntra) trust(keys ...*entratest.Key) {
	next := &oracle.Oracle{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Keys: oracle.Keys(keys...)}
	if old := e.second.Load(); old != nil {
		maps.Copy(next.Keys, old.Keys)
	}
	e.second.Store(next)
	for _, key := range keys {
		e.ledger.Usable(key.ID())
	}
}

func startEntra(o *invariants.Ledger) (*fakeEntra, error) {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		return nil, err
	}
	started, err := tenant.StartTLS()
	if err != nil {
		tenant.Close()
		return nil, err
	}
	address, err := url.Parse(started)
	if err != nil {
		tenant.Close()
		return nil, err
	}
	return &fakeEntra{tenant: tenant, wire: newWire(address, tenant.CertPool()), ledger: o}, nil
}

func (e *fakeEntra) close() {
	e.tenant.Close()
	e.wire.cut()
}

func (e *fakeEntra) now() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
}

// troubled reports whether Entra is in trouble.
func (e *fakeEntra) troubled() bool { return !strings.HasPrefix(e.now(), wellState) }

// wellState begins the state of an Entra that is well.
const wellState = "well"

func (e *fakeEntra) say(state string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = state
}

// beWell ends all trouble. Each answer with keys then takes that long.
func (e *fakeEntra) beWell(latency time.Duration) {
	e.wire.refused.Store(false)
	e.wire.distrust.Store(false)
	e.wire.cut()
	e.tenant.Restore()
	e.tenant.DelayKeys(latency)
	e.say(fmt.Sprintf("%s, %s", wellState, latency))
	e.ledger.Well(time.Now())
}

func (e *fakeEntra) trouble(f fault) {
	e.ledger.Troubled()
	e.tenant.Restore()
	f.begin(e)
	e.say(f.name)
}

// fault is one kind of trouble.
type fault struct {
	name  string
	begin func(*fakeEntra)
}

// faults returns every kind of trouble. Numbers in them are drawn anew.
func faults(r *rand.Rand) []fault {
	retryAfter := fmt.Sprint(1 + r.IntN(20))
	return []fault{
		{"status 500", func(e *fakeEntra) { e.tenant.FailKeys(http.StatusInternalServerError) }},
		{"status 404", func(e *fakeEntra) { e.tenant.FailKeys(http.StatusNotFound) }},
		{"status 304", answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })},
		{"status 429, Retry-After " + retryAfter, answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusTooManyRequests)
		})},
		{"hanging", func(e *fakeEntra) { e.tenant.HangKeys() }},
		{"hanging for good", answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })},
		{"hanging in the body", answers(func(w http.ResponseWriter, r *http.Request) {
			write(w, `{"keys":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})},
		{"closing connections", func(e *fakeEntra) { e.tenant.Down() }},
		{"refusing connections", func(e *fakeEntra) { e.wire.refused.Store(true); e.wire.cut() }},
		{"with a certificate that nobody trusts", func(e *fakeEntra) { e.wire.distrust.Store(true) }},
		{"redirecting", answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://keys.example/", http.StatusFound)
		})},
		{"answering HTML", says("<!DOCTYPE html><title>Maintenance</title>")},
		{"answering {}", says(`{}`)},
		{"answering null", says(`null`)},
		{"answering an empty key set", says(`{"keys":[]}`)},
		{"answering unusable keys", says(`{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"},{"kty":"RSA","use":"sig","kid":"b","n":"AQ","e":"AQ"},7,null]}`)},
		{"answering half a document", says(`{"keys":[{"kty":"RSA","use":"sig","kid":"a","n":"`)},
		{"breaking answers off", answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4000")
			write(w, `{"keys":[`)
			panic(http.ErrAbortHandler)
		})},
		{"answering without an end", answers(endless)},
		{"answering a gzip bomb", answers(bomb)},
	}
}

func answers(h http.HandlerFunc) func(*fakeEntra) {
	return func(e *fakeEntra) { e.tenant.AnswerKeys(h) }
}

func says(body string) func(*fakeEntra) {
	return answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		write(w, body)
	})
}

// write ignores errors: a Verifier may stop reading at any time.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

func endless(w http.ResponseWriter, _ *http.Request) {
	write(w, `{"keys":[`)
	for range 4 * documentLimit / 1024 {
		write(w, fmt.Sprintf("%1024s", "{},"))
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	write(z, `{"keys":[`)
	for range 8 * documentLimit / 1024 {
		write(z, fmt.Sprintf("%1024s", " "))
	}
	write(z, `]}`)
	_ = z.Close()
}
