package entratest

import (
	"html/template"
	"net/http"
	"sync"
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
	config    Config
	cloud     cloudFacts
	authority authority
	tb        TB // nil for programs
	pages     *template.Template
	routes    http.Handler
	graph     http.Handler
	grants    grants
	tls       tlsIdentity

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
	cloud, _ := cfg.Cloud.facts()
	authority, _ := parseAuthority(cfg.Authority) // withDefaults has seen its error.
	s := &Server{config: cfg, cloud: cloud, authority: authority, pages: parsePages()}
	s.makeKeys()
	s.routes = s.loginRoutes()
	s.graph = s.graphRoutes()
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
