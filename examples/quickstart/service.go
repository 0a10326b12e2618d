package main

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// service is the API as it runs. A restart replaces its verifier, which then holds no keys; requests under way end
// with the one they began with.
type service struct {
	tenant    *entratest.Server
	logger    *slog.Logger
	refusals  refusals
	instances atomic.Pointer[instance]
}

type instance struct {
	http.Handler
	verifier *entra.Verifier
}

func newService(tenant *entratest.Server, logger *slog.Logger) (*service, error) {
	s := &service{tenant: tenant, logger: logger}
	return s, s.restart()
}

func (s *service) restart() error {
	verifier, err := newVerifier(s.tenant, s.logger, s.refusals.write)
	if err != nil {
		return err
	}
	s.instances.Store(&instance{newAPI(verifier), verifier})
	return nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.instances.Load().ServeHTTP(w, r)
}

func (s *service) stats() entra.Stats { return s.instances.Load().verifier.Stats() }

const (
	requestID      = "Request-Id"
	longestID      = 64
	refusalsToKeep = 64
)

// refusals keeps why the last requests were refused, by their request IDs ("" if there was none): the operator's side
// of a refusal, which no client sees. The zero value is ready.
type refusals struct {
	mu     sync.Mutex
	errs   map[string]error
	oldest []string
}

// write is an [entra.Options.ErrorHandler].
func (l *refusals) write(w http.ResponseWriter, r *http.Request, err error) {
	if id := r.Header.Get(requestID); len(id) <= longestID {
		l.add(id, err)
	}
	entra.WriteProblem(w, r, err)
}

func (l *refusals) add(id string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.errs == nil {
		l.errs = make(map[string]error)
	}
	if _, known := l.errs[id]; !known {
		l.oldest = append(l.oldest, id)
	}
	l.errs[id] = err
	if len(l.oldest) > refusalsToKeep {
		delete(l.errs, l.oldest[0])
		l.oldest = l.oldest[1:]
	}
}

// of returns why the last request with this ID was refused, or nil.
func (l *refusals) of(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errs[id]
}
