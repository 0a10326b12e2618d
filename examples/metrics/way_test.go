package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// through is what a Verifier uses by default, with dialling and more of it changed.
func through(d dial, change ...func(*http.Transport)) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the tests' own environment has no say
	transport.DialContext = d
	for _, c := range change {
		c(transport)
	}
	return &http.Client{Transport: transport}
}

// pipe leads each connection to serve, in memory, where no time passes that is not waited for.
func pipe(serve func(net.Conn)) dial {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			serve(there)
		}()
		return here, nil
	}
}

// says answers the first request with a text, and ends the connection.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			fmt.Fprint(conn, text)
		}
	}
}

func by(proxy string) func(*http.Transport) {
	return func(transport *http.Transport) {
		transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	}
}

// refused dials an address whose port is closed.
func refused(ctx context.Context, network, _ string) (net.Conn, error) {
	dialer := &net.Dialer{Control: func(string, string, syscall.RawConn) error {
		return os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}}
	return dialer.DialContext(ctx, network, "192.0.2.1:443")
}

// resolving dials with a name server that answers each question with a response code of RFC 1035 section 4.1.1, or never.
func resolving(code byte, never bool) dial {
	return (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if never {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			var length [2]byte // as over TCP, since a pipe is a stream
			for {
				if _, err := io.ReadFull(there, length[:]); err != nil {
					return
				}
				message := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(there, message); err != nil {
					return
				}
				message[2], message[3] = message[2]|0x80, 0x80|code
				if _, err := there.Write(append(length[:], message...)); err != nil {
					return
				}
			}
		}()
		return here, nil
	}}}).DialContext
}

// dropped dials an address from which nothing comes back.
func dropped(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	if !strings.HasPrefix(address, "192.0.2.") {
		address = "192.0.2.1:443"
	}
	return dialer.DialContext(ctx, network, address)
}

// silent takes what is sent and answers nothing.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// ends takes the first bytes and ends the connection.
func ends(conn net.Conn) { _, _ = conn.Read(make([]byte, 1<<14)) }

// resets is a connection that the other side, or a firewall in its place, ends by a reset.
type resets struct{ net.Conn }

func (r resets) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

func reset(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := pipe(silent)(ctx, network, address)
	return resets{conn}, err
}

// wrapped is a transport of the program's own around net/http's.
type wrapped struct{ *http.Transport }

func serve200(body string) http.HandlerFunc { return answer(http.StatusOK, body) }

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// cure returns what the runbook says to do about an error: the cell of the first row one of whose words it holds.
func cure(t *testing.T, text string) string {
	t.Helper()
	rows := regexp.MustCompile(`\| ([^|]*) \| ([^|]*) \|`).FindAllStringSubmatch(runbook(t, "Entra cannot be reached"), -1)
	if len(rows) < 10 {
		t.Fatalf("got %d rows in the runbook, want the table of errors", len(rows))
	}
	word := regexp.MustCompile("`([^`]*)`")
	for _, row := range rows {
		for _, w := range word.FindAllStringSubmatch(row[1], -1) {
			sought := strings.TrimRight(w[1], "… ")
			if regexp.MustCompile(`^\d{3}$`).MatchString(sought) {
				sought = "status " + sought
			}
			if sought != "error" && strings.Contains(text, sought) {
				return row[2]
			}
		}
	}
	return "nothing"
}

// What stands in the way to Entra is told apart by words of the line, as the runbook says. The words are those that a
// Verifier logs with the client that it has by default, on faults that are made and not pretended.
func TestTheRunbookTellsApartWhatIsInTheWay(t *testing.T) {
	// The resolver's configuration is one for the process, and must not be a bubble's.
	_, _ = resolving(3, false)(t.Context(), "tcp", "login.microsoftonline.com:443") // there is no such name
	server := httptest.NewTLSServer(nil)                                            // for its certificate, which is good for example.com
	server.Close()
	overTLS := func(serve func(net.Conn)) dial {
		return pipe(func(conn net.Conn) { serve(tls.Server(conn, server.TLS)) })
	}
	shakes := func(conn net.Conn) { _ = conn.(*tls.Conn).Handshake() }
	named := func(transport *http.Transport) { transport.TLSClientConfig = &tls.Config{ServerName: "example.com"} }
	trusting := func(off time.Duration) func(*http.Transport) {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		now := func() time.Time { return time.Now().Add(off) }
		return func(transport *http.Transport) {
			transport.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: "example.com", Time: now}
		}
	}
	const century = 100 * 365 * 24 * time.Hour
	proxy := by("proxy.example:3128")
	const (
		setProxy, passProxy, password = "of `HTTPS_PROXY` is misspelt", "refuses or misses this host", "Put user and password"
		name, way, clock, roots       = "Repair name resolution", "Open the way", "A wrong clock", "Install them"
		elsewhere, letPass, page      = "Something else answers at this name", "lets connections begin", "answers in Entra's place"
		same, tenant, wait, odd       = "The same.", "The tenant or authority", "Entra's own trouble", "The words say what is odd"
	)
	for _, row := range []struct {
		fault  string
		client *http.Client     // nil: Entra answers
		answer http.HandlerFunc // of Entra
		want   string           // the cure
	}{
		{"the name does not exist", through(resolving(3, false)), nil, name},
		{"the name server fails", through(resolving(2, false)), nil, name},
		{"the name server refuses", through(resolving(5, false)), nil, name},
		{"no name server answers", through(resolving(0, true)), nil, name},
		{"the connection is refused", through(refused), nil, way},
		{"a firewall drops the connection", through(dropped), nil, way},
		{"a firewall resets the connection", through(reset), nil, letPass},
		{"a firewall ends the connection", through(pipe(ends)), nil, letPass},
		{"a firewall swallows the handshake", through(pipe(silent)), nil, letPass},
		{"the proxy is away", through(refused, proxy), nil, setProxy},
		{"the proxy has no name", through(resolving(3, false), proxy), nil, setProxy},
		{"no name server knows the proxy", through(resolving(0, true), proxy), nil, setProxy},
		{"the proxy is behind a firewall", through(dropped, by("192.0.2.2:3128")), nil, setProxy},
		{"the proxy is silent", through(pipe(silent), proxy), nil, setProxy},
		{"the proxy wants a password", through(pipe(says("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")), proxy), nil, password},
		{"the proxy forbids the host", through(pipe(says("HTTP/1.1 403 Forbidden\r\n\r\n")), proxy), nil, passProxy},
		{"the proxy does not reach the host", through(pipe(says("HTTP/1.1 502 Bad Gateway\r\n\r\n")), proxy), nil, passProxy},
		{"a proxy in the TLS, or no roots", through(overTLS(shakes), named), nil, roots},
		{"a certificate for another name", through(overTLS(shakes)), nil, elsewhere},
		{"a clock that is a century ahead", through(overTLS(shakes), trusting(century)), nil, clock},
		{"a clock that is a century behind", through(overTLS(shakes), trusting(-century)), nil, clock},
		{"an answer without TLS", through(pipe(func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1<<14))
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\nhello")
		})), nil, page},
		{"an answer that breaks off", through(overTLS(says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")), trusting(0)), nil, wait},
		{"a transport of the program's own hangs", &http.Client{Transport: wrapped{through(dropped).Transport.(*http.Transport)}}, nil, "Run `entra doctor`"},
		{"a page", nil, serve200("<html>blocked"), page},
		{"a redirect to a page", nil, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://portal.example/", http.StatusFound)
		}, page},
		{"a redirect to a page with a long address", nil, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://portal.example/?from="+strings.Repeat("x", 1000), http.StatusFound)
		}, page},
		{"a page with status 403", nil, answer(403, "<html>"), same},
		{"a page with status 511", nil, answer(511, "<html>"), same},
		{"a password by a proxy that nobody set", nil, answer(407, "<html>"), password},
		{"a misspelt tenant", nil, answer(400, "{}"), tenant},
		{"a misspelt authority", nil, answer(404, "{}"), tenant},
		{"too many requests", nil, answer(429, "{}"), "Throttling"},
		{"trouble of Entra's", nil, answer(500, ""), wait},
		{"trouble of a gateway's", nil, answer(503, ""), wait},
		{"no keys", nil, serve200(`{"keys":[]}`), odd},
		{"no usable key", nil, serve200(`{"keys":[{"kty":"EC"}]}`), odd},
		{"a huge document", nil, serve200(strings.Repeat(" ", 2<<20)), odd},
	} {
		t.Run(row.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := newTrouble(t, func(options *entra.Options, tenant *entratest.Server) {
					if row.client != nil {
						options.HTTPClient = row.client
					}
					if row.answer != nil {
						tenant.AnswerKeys(row.answer)
					}
				})
				if status := now.send(now.tenant.Token()); status != http.StatusServiceUnavailable {
					t.Errorf("got status %d, want 503", status)
				}
				synctest.Wait() // The fetch may end a moment after the request.
				lines := strings.Split(now.log.String(), "\n")
				i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "entra: signing keys not refreshed") })
				if i < 0 {
					t.Fatalf("got the log %s, want the failed fetch in it", now.log.String())
				}
				if got := cure(t, lines[i]); !strings.Contains(got, row.want) {
					t.Errorf("got the cure %q, want %q, for %s", got, row.want, lines[i])
				}
				if row.client != nil {
					row.client.CloseIdleConnections()
				}
			})
		})
	}
}
