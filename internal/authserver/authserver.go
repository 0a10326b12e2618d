// Package authserver keeps the metadata with which an API tells clients that its authorization server is Entra (RFC 8414):
// Entra's own document, under an issuer of the API's. Entra's lacks what clients of the Model Context Protocol must insist
// on, the code challenge methods, and for several tenants its issuer is a template, which they must refuse.
package authserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/fetch"
)

const (
	// refreshAfter is the age from which on a document is fetched anew when it is asked for.
	refreshAfter = time.Hour
	// patience is how long a request waits for a newer document while an older one could answer it.
	patience = time.Second
	// After a failed fetch the next one starts no sooner than failureMin later, doubling.
	failureMin      = time.Second
	failureMax      = time.Minute
	failureMaxEmpty = 5 * time.Second // while there is no document
	// maxWaiting bounds the requests that wait for a fetch. Anybody can ask, without a token.
	maxWaiting = 1024
)

// Document is the metadata of one authorization server. Its methods are safe for concurrent use.
type Document struct {
	client *fetch.Client
	log    *slog.Logger
	url    string
	issuer string

	mu      sync.Mutex
	body    []byte // nil: there never was one
	fetched time.Time
	running chan struct{} // closed when the fetch under way has ended; nil: there is none
	waiting int           // requests that wait for it
	delay   time.Duration // of the last failures; 0: the last fetch was good
	rest    time.Time     // no fetch starts before
	failure error         // of the last fetch
}

// UnavailableError says that there never was a document. It names the cause but does not wrap it: the deadline of a fetch
// is not the deadline of whoever asked.
type UnavailableError struct {
	RetryAfter time.Duration // until the next fetch may start; 0: at once
	Cause      string
}

func (e *UnavailableError) Error() string {
	return "the authorization server's metadata cannot be had: " + e.Cause
}

// New returns the metadata at url, to be published under issuer. Nothing is fetched yet. Trouble with fetches is logged to
// log at level Warn.
func New(client *fetch.Client, log *slog.Logger, url, issuer string) *Document {
	return &Document{client: client, log: log, url: url, issuer: issuer}
}

// Get returns the document as it is published. It fetches one if there is none or it is older than an hour, unless a fetch
// failed a moment ago; all who ask meanwhile share the fetch. While a fetch fails or takes long, what is there is
// returned, whatever its age. Its error is an [*UnavailableError], or that of ctx. Callers must not change the bytes.
func (d *Document) Get(ctx context.Context) ([]byte, error) {
	body, running := d.look(time.Now())
	if running == nil {
		return d.held(time.Now())
	}
	defer d.leave()
	limit := fetch.Timeout
	if body != nil {
		limit = patience
	}
	// A transport that ignores its context must not hold requests longer than promised.
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-running:
	case <-timer.C:
	case <-ctx.Done():
		// An older document answers even a caller who is about to leave.
		if body == nil {
			return nil, ctx.Err()
		}
	}
	return d.held(time.Now())
}

// look returns the document at hand and, if a newer one is wanted, the fetch to wait for; whoever waits must leave. It
// starts a fetch that is due.
func (d *Document) look(now time.Time) (body []byte, running <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.body != nil && now.Sub(d.fetched) < refreshAfter {
		return d.body, nil
	}
	if d.running == nil && !now.Before(d.rest) {
		d.running = make(chan struct{})
		go d.fetch(d.running)
	}
	// Whoever finds too many waiting gets the older document, or 503.
	if d.running == nil || d.waiting == maxWaiting {
		return d.body, nil
	}
	d.waiting++
	return d.body, d.running
}

func (d *Document) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
}

func (d *Document) held(now time.Time) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.body != nil {
		return d.body, nil
	}
	e := &UnavailableError{RetryAfter: max(0, d.rest.Sub(now)), Cause: "the fetch takes too long"}
	if d.failure != nil {
		e.Cause = d.failure.Error()
	}
	return nil, e
}

func (d *Document) fetch(ended chan struct{}) {
	// Not the context of the request that started it: others wait for it too.
	ctx, cancel := context.WithTimeout(context.Background(), fetch.Timeout)
	defer cancel()
	body, err := d.get(ctx)
	d.end(body, err)
	// The log comes first, so that whoever sees the outcome finds its cause there.
	d.report(err)
	close(ended)
}

func (d *Document) get(ctx context.Context) (body []byte, err error) {
	// A panicking transport would take down the process here, where no server recovers it.
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, fmt.Errorf("the HTTP client panicked: %v", p)
		}
	}()
	text, err := d.client.Get(ctx, d.url)
	if err != nil {
		return nil, err
	}
	if body, err = republish(string(text), d.issuer); err != nil {
		return nil, fmt.Errorf("%s: %w", d.url, err)
	}
	return body, nil
}

// end notes the outcome of a fetch.
func (d *Document) end(body []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.running, d.failure = nil, err
	if err == nil {
		d.body, d.fetched, d.delay, d.rest = body, now, 0, time.Time{}
		return
	}
	limit := failureMax
	if d.body == nil {
		limit = failureMaxEmpty
	}
	d.delay = min(max(failureMin, 2*d.delay), limit)
	d.rest = now.Add(max(d.delay, min(fetch.RetryAfter(err), limit)))
}

func (d *Document) report(err error) {
	if err == nil {
		return
	}
	// A panicking log handler would take down the process here, where no server recovers it.
	defer func() { _ = recover() }()
	d.log.LogAttrs(context.Background(), slog.LevelWarn, "entra: authorization server metadata not refreshed",
		slog.String("url", d.url), slog.Any("error", err))
}
