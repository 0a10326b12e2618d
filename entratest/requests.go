package entratest

import (
	"net/http"
	"strings"
	"time"
)

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
	if isKeyPath(r.URL.Path) {
		s.requests.keys++
	}
	s.requests.recent = append(s.requests.recent, entry)
	if len(s.requests.recent) > requestsKept {
		s.requests.recent = s.requests.recent[1:]
	}
}

func isKeyPath(path string) bool {
	return strings.HasSuffix(path, "/discovery/keys") || strings.HasSuffix(path, "/discovery/v2.0/keys")
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
