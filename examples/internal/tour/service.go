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
	byID   map[string]refused
	oldest []string
}

// refused is why a request was refused, and whose it was if its token was valid.
type refused struct {
	err    error // nil if the request was not refused
	claims *entra.Claims
}

// write is an [entra.Options.ErrorHandler].
func (l *refusals) write(w http.ResponseWriter, r *http.Request, err error) {
	if id := r.Header.Get(requestID); len(id) <= longestID {
		claims, _ := entra.ClaimsFromContext(r.Context())
		l.add(id, refused{err, claims})
	}
	entra.WriteProblem(w, r, err)
}

func (l *refusals) add(id string, why refused) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = make(map[string]refused)
	}
	if _, known := l.byID[id]; !known {
		l.oldest = append(l.oldest, id)
	}
	l.byID[id] = why
	if len(l.oldest) > refusalsToKeep {
		delete(l.byID, l.oldest[0])
		l.oldest = l.oldest[1:]
	}
}

// of returns why the last request with this ID was refused.
func (l *refusals) of(id string) refused {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}
