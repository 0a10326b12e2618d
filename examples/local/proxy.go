package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// microsoftHosts are answered by the fake tenant; every other host is refused.
var microsoftHosts = []string{
	"login.microsoftonline.com",
	"login.microsoftonline.us",
	"login.partner.microsoftonline.cn",
	"sts.windows.net",
	"graph.microsoft.com",
}

// proxy is an HTTP proxy (CONNECT, RFC 9110 section 9.3.6) that ends TLS itself.
type proxy struct {
	url     string
	ca      []byte // PEM of the certificate to trust
	servers []*http.Server
}

func startProxy(microsoft http.Handler) (*proxy, error) {
	ca, certificate, err := newCertificate(microsoftHosts)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	tunnels := &tunnelListener{address: listener.Addr(), connections: make(chan net.Conn), closed: make(chan struct{})}
	p := &proxy{url: "http://" + listener.Addr().String(), ca: ca}
	p.serve(listener, connect(tunnels))
	p.serve(tls.NewListener(tunnels, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}), microsoft)
	return p, nil
}

func (p *proxy) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	p.servers = append(p.servers, server)
	go func() { _ = server.Serve(listener) }() // It ends with close.
}

func (p *proxy) close() {
	for _, server := range p.servers {
		_ = server.Close()
	}
}

// connect takes over connections to Microsoft's hosts.
func connect(tunnels *tunnelListener) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || err != nil || port != "443" || !slices.Contains(microsoftHosts, host) {
			http.Error(w, "this proxy leads to the fake tenant alone", http.StatusForbidden)
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if _, err := io.WriteString(connection, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			_ = connection.Close() // The client has gone.
			return
		}
		tunnels.add(connection)
	}
}

// tunnelListener is a net.Listener of the connections that came through the proxy.
type tunnelListener struct {
	address     net.Addr
	connections chan net.Conn
	once        sync.Once
	closed      chan struct{}
}

func (l *tunnelListener) add(connection net.Conn) {
	select {
	case l.connections <- connection:
	case <-l.closed:
		_ = connection.Close() // Nobody serves it any more.
	}
}

func (l *tunnelListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *tunnelListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *tunnelListener) Addr() net.Addr { return l.address }
