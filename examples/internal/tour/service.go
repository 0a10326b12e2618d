package tour

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/entra-go/entra"
)

// service is the API as it runs. A restart replaces its Verifier with one that holds no keys yet; requests that began
// before the restart keep the Verifier that they began with.
type service struct {
	options   entra.Options
	newAPI    func(*entra.Verifier) http.Handler
	refusals  refusals
	instances atomic.Pointer[instance]
}

type instance struct {
	http.Handler
	verifier *entra.Verifier
}

func newService(options entra.Options, newAPI func(*entra.Verifier) http.Handler) (*service, error) {
	s := &service{options: options, newAPI: newAPI}
	s.options.ErrorHandler = s.refusals.write
	return s, s.restart()
}

func (s *service) restart() error {
	verifier, err := entra.NewVerifier(s.options)
	if err != nil {
		return err
	}
	s.instances.Store(&instance{s.newAPI(verifier), verifier})
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

// refusals keeps the errors of the last refused requests by their request IDs, "" for a request without one. These
// errors are for the operator: the page shows them, and no client of a real API may. The zero value is ready to use.
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

// of returns the error of the last request with this ID, nil if it was not refused.
func (l *refusals) of(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errs[id]
}
