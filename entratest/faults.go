package entratest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/entra-go/entra/entratest/internal/login"
)

// faults are the troubles in force. Server.mu guards them.
type faults struct {
	keys, metadata http.HandlerFunc
	down           bool
	hanging        map[chan struct{}]bool // closed by Restore
	restored       int                    // how often Restore was called
}

var errDown = errors.New("entratest: connection refused (the Server is Down)")

// AnswerKeys lets h answer every request for a key document; nil restores the
// Server's own answer. In process, h runs in a goroutine of its own, so that the
// caller's context can end the wait: h should return when its request's context
// ends. Flush sends what was written so far. A panic with http.ErrAbortHandler
// breaks the connection off.
func (s *Server) AnswerKeys(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.keys = h
}

// AnswerMetadata is AnswerKeys for the OpenID metadata documents.
func (s *Server) AnswerMetadata(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.metadata = h
}

// FailKeys answers requests for key documents with the status and a text.
func (s *Server) FailKeys(status int) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, http.StatusText(status), status)
	})
}

// HangKeys leaves requests for key documents without an answer until their
// context ends, or until Restore or Close, when they get the document.
func (s *Server) HangKeys() {
	before := s.restored()
	s.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
		if s.wait(r.Context(), nil, before) {
			s.login.ServeHTTP(w, r)
		}
	})
}

// DelayKeys answers requests for key documents after d, or at once after Restore.
func (s *Server) DelayKeys(d time.Duration) {
	before := s.restored()
	s.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		if s.wait(r.Context(), timer.C, before) {
			s.login.ServeHTTP(w, r)
		}
	})
}

// Down breaks every connection: clients in process get an error, listeners close
// connections without an answer. Restore ends it.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.down = true
}

// Restore ends every fault.
func (s *Server) Restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for released := range s.faults.hanging {
		close(released)
	}
	s.faults = faults{restored: s.faults.restored + 1}
}

func (s *Server) restored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.restored
}

// wait returns true once the alarm rings or Restore was called after the fault was
// set, and false if ctx ends first. The request makes the channel itself, so that
// it belongs to the request's synctest bubble.
func (s *Server) wait(ctx context.Context, alarm <-chan time.Time, before int) bool {
	released := make(chan struct{})
	s.mu.Lock()
	if s.faults.restored != before {
		s.mu.Unlock()
		return true
	}
	if s.faults.hanging == nil {
		s.faults.hanging = map[chan struct{}]bool{}
	}
	s.faults.hanging[released] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.faults.hanging, released)
	}()
	select {
	case <-alarm:
		return true
	case <-released:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.down
}

// fault returns the handler that stands in for the Server's own answer, or nil.
func (s *Server) fault(path string) http.HandlerFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case login.IsKeys(path):
		return s.faults.keys
	case login.IsMetadata(path):
		return s.faults.metadata
	}
	return nil
}
