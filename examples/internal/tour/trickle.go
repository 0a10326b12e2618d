package tour

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const (
	trickleEvery = 500 * time.Millisecond
	ticksToKeep  = 240             // two minutes
	watchedFor   = 5 * time.Second // after the page last asked
	renewAfter   = 30 * time.Minute
)

// trickle sends requests to the API while somebody watches the page: one with the same token each time, and one with a
// new token. The page's chart shows their answers while keys change and Entra cannot be reached.
type trickle struct {
	tenant *entratest.Server
	api    *service

	mu      sync.Mutex
	ticks   []tick
	next    int
	events  []string // since the last tick
	down    bool
	watched time.Time
	started int64 // tells this run of the program from others

	kept     string // the token that is sent again and again
	mintedAt time.Time
}

// tick holds the answers to the two requests of one moment, and the key set's counts after them.
type tick struct {
	Number   int      `json:"number"`
	At       int64    `json:"at"` // Unix time in milliseconds
	Kept     outcome  `json:"kept"`
	New      outcome  `json:"new"`
	Fetches  uint64   `json:"fetches"`
	Failures uint64   `json:"failures"`
	Down     bool     `json:"down"`
	Events   []string `json:"events,omitempty"`
}

type outcome struct {
	Status int          `json:"status"`
	Reason entra.Reason `json:"reason,omitempty"` // from the problem document that a client gets
}

func newTrickle(tenant *entratest.Server, api *service) *trickle {
	return &trickle{tenant: tenant, api: api, started: time.Now().UnixNano()}
}

// run sends requests until ctx ends.
func (t *trickle) run(ctx context.Context) {
	ticker := time.NewTicker(trickleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if t.isWatched(now) {
				t.tick(ctx, now)
			}
		}
	}
}

func (t *trickle) isWatched(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Sub(t.watched) < watchedFor
}

func (t *trickle) tick(ctx context.Context, now time.Time) {
	if now.Sub(t.mintedAt) > renewAfter {
		t.kept, t.mintedAt = t.tenant.Token(), now
	}
	result := tick{
		At:   now.UnixMilli(),
		Kept: t.ask(ctx, t.kept),
		New:  t.ask(ctx, t.tenant.Token()),
	}
	stats := t.api.stats()
	result.Fetches, result.Failures = stats.Fetches, stats.FetchFailures

	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	result.Number, result.Down = t.next, t.down
	result.Events, t.events = t.events, nil
	t.ticks = append(t.ticks, result)
	if len(t.ticks) > ticksToKeep {
		t.ticks = slices.Delete(t.ticks, 0, 1)
	}
}

func (t *trickle) ask(ctx context.Context, token string) outcome {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, trickleKey{}, true), 2*time.Second)
	defer cancel()
	r := (&http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/orders"}, Host: "localhost",
		Header: http.Header{"Authorization": {"Bearer " + token}}, Body: http.NoBody,
	}).WithContext(ctx)
	w := &recorder{header: make(http.Header)}
	t.api.ServeHTTP(w, r)
	result := outcome{Status: w.status}
	if w.status != http.StatusOK {
		var problem struct{ Reason entra.Reason }
		if json.Unmarshal(w.body, &problem) == nil {
			result.Reason = problem.Reason
		}
	}
	return result
}

// recorder is an http.ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

type trickleKey struct{}

// withoutTrickle leaves the trickle's requests out of the log, so that it shows the reader's requests alone.
type withoutTrickle struct{ slog.Handler }

func (h withoutTrickle) Handle(ctx context.Context, record slog.Record) error {
	if ctx.Value(trickleKey{}) != nil {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

// state answers with the ticks after the one that the query names, and with the counts of the key set.
func (t *trickle) state(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after")) // from the beginning, if it is missing
	stats := t.api.stats()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched = time.Now()
	var news []tick
	for _, one := range t.ticks {
		if one.Number > after {
			news = append(news, one)
		}
	}
	reply(w, http.StatusOK, map[string]any{
		"started": strconv.FormatInt(t.started, 10), "ticks": news, "down": t.down, "signsWith": t.tenant.Key().ID(), "stats": statsOf(stats),
	})
}

func statsOf(s entra.Stats) map[string]any {
	out := map[string]any{
		"verified": s.Verified, "remembered": s.Remembered, "refused": s.Refused,
		"fetches": s.Fetches, "failures": s.FetchFailures, "keys": s.Keys,
	}
	if !s.LastFetch.IsZero() {
		out["lastFetch"] = s.LastFetch.UnixMilli()
	}
	return out
}

func (t *trickle) rotate(w http.ResponseWriter, _ *http.Request) {
	t.tenant.RotateKeys()
	t.happened("keys rotated", nil)
	w.WriteHeader(http.StatusNoContent)
}

func (t *trickle) takeDown(w http.ResponseWriter, _ *http.Request) {
	t.happened("Entra down", func() { t.tenant.Down(); t.down = true })
	w.WriteHeader(http.StatusNoContent)
}

func (t *trickle) restore(w http.ResponseWriter, _ *http.Request) {
	t.happened("Entra back", func() { t.tenant.Restore(); t.down = false })
	w.WriteHeader(http.StatusNoContent)
}

func (t *trickle) restart(w http.ResponseWriter, _ *http.Request) {
	if err := t.api.restart(); err != nil {
		complain(w, http.StatusInternalServerError, err)
		return
	}
	t.happened("API restarted", nil)
	w.WriteHeader(http.StatusNoContent)
}

func (t *trickle) happened(event string, change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if change != nil {
		change()
	}
	t.events = append(t.events, event)
}
