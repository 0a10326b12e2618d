package entratest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/login"
)

// Handler returns the Server as a handler for a program's own http.Server, which
// must listen on a loopback address and should be named by Config.PublicURL.
// Requests that arrive on any other address get 403.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	s.record(r, host)
	if s.isDown() {
		panic(http.ErrAbortHandler)
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !isLoopback(local.String()) {
		s.login.Refuse(w, r, http.StatusForbidden, "The fake tenant serves loopback addresses only.")
		return
	}
	if !s.isOwnHost(r, host) {
		s.login.Refuse(w, r, http.StatusMisdirectedRequest, "The fake tenant has no host name "+strconv.Quote(host)+".")
		return
	}
	if h := s.fault(r.URL.Path); h != nil {
		h(w, r)
		return
	}
	s.login.ServeHTTP(w, r)
}

// isOwnHost guards the listeners against DNS rebinding: a page elsewhere must not
// reach them under a name of its own. Microsoft's hosts are served, because a
// client's dialer may send their requests here.
func (s *Server) isOwnHost(r *http.Request, host string) bool {
	if !login.HasBase(r.Context()) {
		return true
	}
	name := (&url.URL{Host: host}).Hostname()
	return login.IsLoopbackHost(name) || s.tenant.Service(name) != directory.NoService
}

// localBase is what a local issuer begins with, or "" if issuers are Microsoft's.
func (s *Server) localBase() string {
	if !s.config.LocalIssuer {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.urls), s.config.PublicURL)[0]
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Start serves the tenant over plain http on a free loopback port and returns
// its URL, such as "http://localhost:40123". Tokens keep Microsoft's issuers.
func (s *Server) Start() (url string, err error) { return s.StartOn("localhost:0") }

// StartOn is Start on an address like "localhost:8080" or "127.0.0.1:8080". It
// refuses addresses that are not loopback, and returns an error if the port is
// taken. The URL says localhost wherever that reaches the address.
func (s *Server) StartOn(addr string) (url string, err error) {
	listeners, name, err := listenLoopback(addr)
	if err != nil {
		return "", err
	}
	url = "http://" + name
	return url, s.serve(url, listeners...)
}

// AuthorityMetadata returns the tenant's version 2.0 metadata as JSON, with the
// endpoints of the listener that was started first. It is what MSAL.js takes as
// authorityMetadata, so that a page keeps its production authority and reaches
// this Server over plain http.
func (s *Server) AuthorityMetadata() string {
	s.mu.Lock()
	base := append(slices.Clone(s.urls), s.login.DefaultBase())[0]
	s.mu.Unlock()
	text, err := s.login.Metadata(base)
	if err != nil {
		panic("entratest: " + err.Error()) // Strings and lists of them always marshal.
	}
	return string(text)
}

// serve serves the tenant under the URL on listeners, until Close.
func (s *Server) serve(url string, listeners ...net.Listener) error {
	if err := s.listen(s.Handler(), url, listeners...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls = append(s.urls, url)
	return nil
}

// listen serves a handler, until Close, for which base begins the URLs of endpoints.
func (s *Server) listen(handler http.Handler, base string, listeners ...net.Listener) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 2 * time.Minute, // It bounds the TLS handshake too, and clients under test may get little of a busy machine.
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context {
			return login.WithBase(context.Background(), base)
		},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		for _, l := range listeners {
			_ = l.Close()
		}
		return errors.New("entratest: the Server is closed")
	}
	s.listeners = append(s.listeners, server)
	for _, l := range listeners {
		go func() { _ = server.Serve(l) }() // It ends with Close.
	}
	return nil
}

// listenLoopback listens on addr. For localhost it takes the same port on both
// address families, as far as the machine has them, so that no other program can
// answer in the tenant's place.
func listenLoopback(addr string) (listeners []net.Listener, name string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", fmt.Errorf("entratest: address %q: want host:port, such as localhost:8080: %w", addr, err)
	}
	if host != "localhost" && !isLoopback(net.JoinHostPort(host, port)) {
		return nil, "", fmt.Errorf("entratest: address %q is not loopback; use localhost:%s", addr, port)
	}
	if host != "localhost" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, "", fmt.Errorf("entratest: %w", err)
		}
		return []net.Listener{l}, l.Addr().String(), nil
	}
	for range 10 { // A free port of one family may be taken in the other.
		listeners, name, err = listenBoth(port)
		if err == nil || port != "0" {
			break
		}
	}
	return listeners, name, err
}

func listenBoth(port string) ([]net.Listener, string, error) {
	four, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return nil, "", fmt.Errorf("entratest: %w", err)
	}
	chosen := strconv.Itoa(four.Addr().(*net.TCPAddr).Port)
	name := net.JoinHostPort("localhost", chosen)
	six, err := net.Listen("tcp6", "[::1]:"+chosen)
	switch {
	case err == nil:
		return []net.Listener{four, six}, name, nil
	case hasIPv6():
		_ = four.Close()
		return nil, "", fmt.Errorf("entratest: %w", err)
	}
	return []net.Listener{four}, name, nil
}

func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
