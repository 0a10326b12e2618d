package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/soak/invariants"
)

// The headers by which the API tells the soak what happened inside.
const (
	instanceHeader = "Soak-Instance"
	arrivedHeader  = "Soak-Arrived" // nanoseconds since the API started
	reachedHeader  = "Soak-Reached" // set by the handlers behind the middleware
)

// api is the server under test. Now and then a new Verifier takes the place of the current one, as a deployment does.
type api struct {
	entra   *fakeEntra
	ledger  *invariants.Ledger
	report  *report
	began   time.Time
	url     string
	server  *http.Server
	deploys sync.Mutex
	current atomic.Pointer[instance]
	retired sync.WaitGroup
	folder  string // of the cache of key documents
}

// instance is one Verifier with its handlers.
type instance struct {
	number   int
	began    time.Time
	verifier *entra.Verifier
	observer *observer
	log      *logSpy
	handler  http.Handler
	inFlight atomic.Int64
	passed   atomic.Uint64 // requests that Authenticate let in
}

func startAPI(e *fakeEntra, o *invariants.Ledger, r *report) (*api, error) {
	folder, err := os.MkdirTemp("", "soak")
	if err != nil {
		return nil, err
	}
	a := &api{entra: e, ledger: o, report: r, began: time.Now(), folder: folder}
	if err := a.deploy(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	a.url = "http://" + listener.Addr().String()
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(newLogSpy(r).handler(), slog.LevelError)}
	go func() { _ = a.server.Serve(listener) }() // Shutdown ends it.
	return a, nil
}

// deploy replaces the Verifier by a new one.
func (a *api) deploy() error {
	a.deploys.Lock()
	defer a.deploys.Unlock()
	in := &instance{number: 1, began: time.Now(), log: newLogSpy(a.report)}
	old := a.current.Load()
	if old != nil {
		in.number = old.number + 1
	}
	in.observer = &observer{wire: a.entra.wire, ledger: a.ledger, report: a.report, instance: in.number}
	options := entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		ClockSkew:  -1, // none: client and API read the same clock
		HTTPClient: &http.Client{Transport: in.observer},
		Logger:     slog.New(in.log.handler()),
	}
	// Two of three find the keys that those before them have fetched, the others must come back without.
	if in.number%3 != 0 {
		options.KeyCache = &cache{entra.DirCache(a.folder), a, in.number}
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return err
	}
	in.verifier = verifier
	in.handler = verifier.Authenticate(in.count(a.secondOpinion(routes())))
	a.ledger.Started(in.number, in.began)
	a.current.Store(in)
	if old != nil {
		a.retire(old)
	}
	return nil
}

// secondOpinion asks the oracle about every token that Authenticate let in.
func (a *api) secondOpinion(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims, ok := entra.ClaimsFromContext(r.Context())
		if !ok {
			a.report.violation(brokenAnswer, "a request was let in without claims")
			return
		}
		if err := a.entra.oracle().Judge(token, claims, a.arrived(w.Header()), time.Now()); err != nil {
			a.report.violation(wrongToken, err.Error())
		}
		next.ServeHTTP(w, r)
	})
}

// arrived returns the time of arrival that the header of an answer names.
func (a *api) arrived(answer http.Header) time.Time {
	since, _ := strconv.ParseInt(answer.Get(arrivedHeader), 10, 64) // ServeHTTP wrote it.
	return a.began.Add(time.Duration(since))
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+ordersPath, entra.Require(entra.Scope(entratest.ScopeRead))(http.HandlerFunc(whoAmI)))
	mux.Handle("GET "+jobsPath, entra.Require(entra.AppPermission(entratest.RoleDaemon))(http.HandlerFunc(whoAmI)))
	return mux
}

func whoAmI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(reachedHeader, "yes")
	claims, ok := entra.ClaimsFromContext(r.Context())
	if !ok {
		http.Error(w, "no claims", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(identity{claims.TenantID, claims.ObjectID, claims.TokenID}) // The client may have left.
}

func (in *instance) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.passed.Add(1)
		next.ServeHTTP(w, r)
	})
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := a.current.Load()
	in.inFlight.Add(1)
	defer in.inFlight.Add(-1)
	w.Header().Set(instanceHeader, strconv.Itoa(in.number))
	w.Header().Set(arrivedHeader, strconv.FormatInt(int64(time.Since(a.began)), 10))
	in.handler.ServeHTTP(w, r)
}

// retire audits an instance that gets no new requests, once its last request and fetch have ended.
func (a *api) retire(in *instance) {
	a.retired.Go(func() {
		deadline := time.Now().Add(30 * time.Second)
		for in.inFlight.Load() > 0 || in.observer.running.Load() > 0 {
			if time.Now().After(deadline) {
				a.report.violation(brokenCount, fmt.Sprintf("instance %d is not quiet 30s after its end: %d requests, %d fetches", in.number, in.inFlight.Load(), in.observer.running.Load()))
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		a.audit(in)
	})
}

// audit compares what a Verifier counts with what was seen. The last request or fetch may not be counted yet, so it looks
// more than once.
func (a *api) audit(in *instance) {
	var wrong []string
	for range 5 {
		time.Sleep(invariants.Slack / 2)
		if wrong = a.miscounted(in); len(wrong) == 0 {
			break
		}
	}
	for _, text := range wrong {
		a.report.violation(brokenCount, text)
	}
	in.log.audit(time.Since(in.began))
	a.report.retired(in.verifier.Stats(), in.log.total())
}

func (a *api) miscounted(in *instance) (wrong []string) {
	stats := in.verifier.Stats()
	for _, row := range []struct {
		name      string
		got, want uint64
	}{
		{"Verified", stats.Verified, in.passed.Load()},
		{"Fetches", stats.Fetches, uint64(in.observer.fetches.Load())},
		{"FetchFailures", stats.FetchFailures, uint64(in.observer.failures.Load())},
		{"Keys", uint64(stats.Keys), uint64(a.ledger.Keys(in.number))},
	} {
		if row.got != row.want {
			wrong = append(wrong, fmt.Sprintf("instance %d: Stats().%s is %d, seen were %d", in.number, row.name, row.got, row.want))
		}
	}
	return wrong
}

// close ends the API. All clients have ended before.
func (a *api) close(ctx context.Context) error {
	err := a.server.Shutdown(ctx)
	a.retire(a.current.Load())
	a.retired.Wait()
	return errors.Join(err, os.RemoveAll(a.folder))
}
