package entratest

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Hosts says how other programs on this machine reach a Server under Microsoft's
// own host names; see [Server.StartHosts].
type Hosts struct {
	// Names are the host names, such as login.microsoftonline.com, each on port 443.
	Names []string

	// Proxy is the URL of an HTTP proxy that leads to the names and nowhere else, such
	// as "http://127.0.0.1:40123": the value of HTTPS_PROXY.
	Proxy string

	// Addr is where TLS for the names is served, such as "127.0.0.1:40124", for
	// programs that map host names to addresses.
	Addr string

	// CertPEM is the certificate that programs must trust: the content of the file
	// that SSL_CERT_FILE (which Go reads on Linux and the BSDs), NODE_EXTRA_CA_CERTS or
	// REQUESTS_CA_BUNDLE names. It is good for the names alone and for a day, and its
	// key is gone. Do not add it to a trust store that other programs read.
	CertPEM []byte
}

// StartHosts serves Microsoft's own host names over https on free loopback ports,
// until Close. A program whose environment leads there, as [Hosts] describes, keeps
// its production configuration, whatever language it is written in: it finds
// metadata, issuers and endpoints under the names that it expects. Nothing else on
// the machine changes.
func (s *Server) StartHosts() (Hosts, error) {
	if strings.Contains(s.tenant.Home(), ":") {
		return Hosts{}, fmt.Errorf("entratest: Config.Authority names a port, and host names are served on port 443 alone: %s", s.config.Authority)
	}
	hosts := Hosts{Names: s.tenant.Hosts()}
	identity, err := newTLSIdentity(certificateNames{dns: hosts.Names}, time.Now(), 24*time.Hour)
	if err != nil {
		return Hosts{}, err
	}
	hosts.CertPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: identity.ca.Raw})
	direct, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Hosts{}, fmt.Errorf("entratest: %w", err)
	}
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = direct.Close()
		return Hosts{}, fmt.Errorf("entratest: %w", err)
	}
	hosts.Addr, hosts.Proxy = direct.Addr().String(), "http://"+proxy.Addr().String()
	tunnels := newTunnels(direct)
	if err := s.listen(s.Handler(), "https://"+s.tenant.Home(), tls.NewListener(tunnels, identity.config())); err != nil {
		_ = proxy.Close()
		return Hosts{}, err
	}
	if err := s.listen(connect(tunnels, hosts.Names), "", proxy); err != nil {
		return Hosts{}, err
	}
	return hosts, nil
}

// connect is an HTTP proxy (CONNECT, RFC 9110 section 9.3.6) to the names. What
// comes through it is served by the listener of tunnels.
func connect(tunnels *tunnels, names []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || err != nil || port != "443" || !slices.Contains(names, host) {
			// Anything else would make this an open proxy.
			http.Error(w, "entratest: this proxy leads to the fake tenant alone", http.StatusForbidden)
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, "entratest: "+err.Error(), http.StatusInternalServerError)
			return
		}
		if _, err := io.WriteString(connection, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			_ = connection.Close() // The client has gone.
			return
		}
		tunnels.add(connection)
	})
}

// tunnels is a net.Listener. Its connections are those of the listener direct and
// those that add was given.
type tunnels struct {
	direct      net.Listener
	connections chan net.Conn
	ctx         context.Context // ends with Close
	cancel      context.CancelFunc
}

func newTunnels(direct net.Listener) *tunnels {
	t := &tunnels{direct: direct, connections: make(chan net.Conn)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	go func() {
		for {
			connection, err := direct.Accept()
			if err != nil {
				_ = t.Close() // Both ways end together.
				return
			}
			t.add(connection)
		}
	}()
	return t
}

func (t *tunnels) add(connection net.Conn) {
	select {
	case t.connections <- connection:
	case <-t.ctx.Done():
		_ = connection.Close() // Nobody serves it any more.
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case connection := <-t.connections:
		return connection, nil
	case <-t.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.cancel()
	return t.direct.Close()
}

func (t *tunnels) Addr() net.Addr { return t.direct.Addr() }
