package entratest

import (
	"net/http"
	"sync"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/login"
)

// TB is the part of testing.TB that the package needs, so that programs which
// are no tests do not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a fake Entra tenant. Its methods are safe for concurrent use.
type Server struct {
	config   Config
	tenant   *directory.Tenant
	tb       TB // nil for programs
	login    *login.Service
	localTLS func() (tlsIdentity, error) // for localhost, made when it is first needed

	mu        sync.Mutex
	keys      keySet
	faults    faults
	requests  requestLog
	listeners []*http.Server
	urls      []string // of the listeners
	closed    bool
}

// New starts a Server that ends with the test. At most one Config may be given;
// a mistake in it fails the test.
func New(tb TB, cfg ...Config) *Server {
	tb.Helper()
	if len(cfg) > 1 {
		tb.Fatalf("entratest: New takes one Config at most, got %d", len(cfg))
		return nil
	}
	s, err := NewServer(append(cfg, Config{})[0])
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	s.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// NewServer is New for programs. The error names every mistake in cfg. Call Close
// when done.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: cfg, tenant: cfg.tenant(), localTLS: sync.OnceValues(newLocalTLS)}
	s.makeKeys()
	s.login = login.New(login.Config{
		Tenant:    s.tenant,
		Issuer:    issuer{s},
		Clock:     cfg.Clock,
		Strict:    cfg.Strict,
		PublicURL: cfg.PublicURL,
	})
	return s, nil
}

// Close closes the listeners and ends hanging requests; clients in process get
// errors from then on.
func (s *Server) Close() {
	s.Restore()
	s.mu.Lock()
	listeners := s.listeners
	s.listeners, s.closed = nil, true
	s.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close() // A listener that is closed already is what was asked for.
	}
}

// Client returns an HTTP client that reaches the Server without a socket: see
// Transport. It has no timeout.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.Transport()} }

// fail ends the test, or panics in a program: it reports a mistake in the call.
func (s *Server) fail(err error) {
	if s.tb == nil {
		panic(err)
	}
	s.tb.Helper()
	s.tb.Fatalf("%v", err)
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Request is a request that reached the Server, or that its Transport refused.
type Request struct {
	Time   time.Time // by Config.Clock
	Method string
	Host   string
	Path   string
	Query  string // as sent, without the question mark
}

const requestsKept = 10_000

// requestLog remembers requests. Server.mu guards it.
type requestLog struct {
	recent []Request
	keys   int
}

func (s *Server) record(r *http.Request, host string) {
	entry := Request{s.config.Clock(), r.Method, host, r.URL.Path, r.URL.RawQuery}
	s.mu.Lock()
	defer s.mu.Unlock()
	if login.IsKeys(r.URL.Path) {
		s.requests.keys++
	}
	s.requests.recent = append(s.requests.recent, entry)
	if len(s.requests.recent) > requestsKept {
		s.requests.recent = s.requests.recent[1:]
	}
}

// Requests returns the last 10,000 requests, oldest first, those among them that
// a fault answered or that were for a refused host.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests.recent...)
}

// KeyRequests returns how many requests for key documents arrived so far.
func (s *Server) KeyRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.keys
}
