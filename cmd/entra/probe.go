package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/entra-go/entra/internal/fetch"
)

// probe is a network that keeps what every exchange tells of the way to Entra.
type probe struct {
	base     http.RoundTripper
	progress io.Writer

	mu        sync.Mutex
	exchanges []*exchange
}

// exchange is a request and its answer.
type exchange struct {
	url         *url.URL
	begin, end  time.Time
	err         error
	step        string // how far a request without answer came: see fetch.Way
	status      int
	statusText  string
	contentType string
	location    string
	date        time.Time // of the answer; zero if it has none
	body        []byte
	bodyErr     error             // what ended it before its end
	certificate *x509.Certificate // of the host
}

func newProbe(s surroundings) *probe { return &probe{base: s.newNetwork(), progress: s.stderr} }

func (p *probe) all() []*exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*exchange(nil), p.exchanges...)
}

func (p *probe) RoundTrip(r *http.Request) (*http.Response, error) {
	done := announce(p.progress, r)
	x := &exchange{url: r.URL, begin: time.Now()}
	ctx, way := fetch.Follow(r.Context(), r.URL)
	response, err := p.base.RoundTrip(r.WithContext(ctx))
	x.end = time.Now()
	if err == nil {
		x.read(response)
	}
	x.err, x.step = err, way.Step()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchanges = append(p.exchanges, x)
	if err != nil {
		done("no answer")
	} else {
		done(x.statusText)
	}
	return response, err
}

// read keeps what the answer tells, and leaves its body to be read again.
func (x *exchange) read(response *http.Response) {
	x.status, x.statusText = response.StatusCode, response.Status
	x.contentType, x.location = response.Header.Get("Content-Type"), response.Header.Get("Location")
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		x.date = date
	}
	if response.TLS != nil && len(response.TLS.PeerCertificates) > 0 {
		x.certificate = response.TLS.PeerCertificates[0]
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, longestDocument+1))
	x.body, x.bodyErr = body, err
	// A body that is broken off or too long must reach package entra as it is.
	response.Body = &prefixed{Reader: io.MultiReader(bytes.NewReader(body), failing{err}, response.Body), Closer: response.Body}
}

// fetchTimeout is what package entra allows a fetch.
const fetchTimeout = 10 * time.Second

// get asks for a document. It follows no redirect, since none of Entra's documents is elsewhere.
func (p *probe) get(ctx context.Context, address string) *exchange {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	before := len(p.all())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &exchange{err: err}
	}
	client := &http.Client{Transport: p, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err == nil {
		response.Body.Close()
	}
	if made := p.all(); len(made) > before {
		return made[len(made)-1]
	}
	return &exchange{url: request.URL, err: err}
}

// noSuchTenant reports whether Entra itself says that it knows no such tenant.
func (x *exchange) noSuchTenant() bool {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	return (x.status == http.StatusBadRequest || x.status == http.StatusNotFound) && json.Unmarshal(x.body, &answer) == nil &&
		(answer.Error == "invalid_tenant" || strings.HasPrefix(answer.Description, "AADSTS90002"))
}

// problem says what is wrong with an exchange and what to change, or "".
func (e *examination) problem(x *exchange) string {
	host := x.url.Hostname()
	switch {
	case x.err != nil:
		return e.networkProblem(host, x.err, x.step)
	case x.bodyErr != nil:
		return fmt.Sprintf("the answer of %s breaks off after %d bytes: %s: something on the way is slow, or ends the connection", host, len(x.body), printable(x.bodyErr.Error(), longestValue))
	case x.status == http.StatusOK && json.Valid(x.body):
		return ""
	case x.status == http.StatusProxyAuthRequired:
		return e.proxyName() + " asks for credentials (407): put them into HTTPS_PROXY, as http://user:password@host:port"
	case x.status >= 300 && x.status < 400:
		target := "elsewhere"
		if u, err := url.Parse(x.location); err == nil && u.Host != "" {
			target = "to " + printable(u.Host, longestName)
		}
		return fmt.Sprintf("%s sends the request on %s (%d), which Entra never does for its documents: a proxy or a sign-in page of the network answers in its place", host, target, x.status)
	case x.status == http.StatusOK:
		return notEntra(x)
	case x.status == http.StatusNetworkAuthenticationRequired:
		return fmt.Sprintf("%s answers %s: a sign-in page of the network is in the way", host, printable(x.statusText, longestName))
	case x.status == http.StatusTooManyRequests || x.status >= 500:
		return fmt.Sprintf("%s answers %s: wait, and try again", host, printable(x.statusText, longestName))
	case !json.Valid(x.body):
		return fmt.Sprintf("%s answers %s, with something that is not Entra's: a proxy or firewall refuses the request; let it pass GET %s", host, printable(x.statusText, longestName), x.url)
	}
	return fmt.Sprintf("%s answers %s to GET %s; is the address right?", host, printable(x.statusText, longestName), x.url)
}

func notEntra(x *exchange) string {
	return fmt.Sprintf("the answer of %s is no document of Entra's but %s: a proxy or a sign-in page of the network answers in its place", x.url.Hostname(), printable(x.contentType, longestName))
}

func (e *examination) proxyName() string {
	if e.proxy == nil {
		return "a proxy on the way"
	}
	return "the proxy " + e.proxy.Host
}

// networkProblem says why there is no answer.
func (e *examination) networkProblem(host string, err error, step string) string {
	var (
		dns       *net.DNSError
		operation *net.OpError
		unknown   x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		failed    net.Error
	)
	step, hangsAtProxy := strings.CutPrefix(step, "proxyconnect tcp: ")
	unresolved, inLookup := strings.CutPrefix(step, "dial tcp: lookup ")
	timedOut := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &failed) && failed.Timeout()
	viaProxy := errors.As(err, &operation) && operation.Op == "proxyconnect" || timedOut && hangsAtProxy
	target := host
	if viaProxy {
		target = e.proxyName()
	}
	switch {
	case errors.As(err, &dns) && dns.IsTimeout, timedOut && inLookup:
		if dns != nil {
			unresolved = dns.Name
		}
		return fmt.Sprintf("the name %s cannot be resolved: no name server answers; look at DNS%s", printable(unresolved, longestValue), e.orProxy())
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s cannot be resolved: look at DNS%s", printable(dns.Name, longestValue), e.orProxy())
	case errors.As(err, &unknown):
		return fmt.Sprintf("the certificate of %s is issued by %s, which this machine does not trust. If Microsoft uses that authority (DigiCert, Microsoft), the machine or its container has no root certificates: install ca-certificates. Else a proxy reads the traffic (TLS interception): let it pass %s unread, or let Go trust its certificate: SSL_CERT_FILE names a file with it on Linux, the system's store holds it on Windows and macOS", target, issuerOf(unknown.Cert), host)
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate that answers for %s is for other names, issued by %s: something else answers in its place; look at DNS, the hosts file and the proxy", target, issuerOf(name.Certificate))
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate of %s is not valid: %s; look at this machine's clock first", target, printable(invalid.Error(), longestValue))
	case errors.As(err, &record):
		return fmt.Sprintf("%s answers without TLS: a proxy or a sign-in page of the network is in the way", target)
	case strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired)):
		return e.proxyName() + " asks for credentials (407): put them into HTTPS_PROXY, as http://user:password@host:port"
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s refuses the connection: look at the firewall, the proxy and the hosts file", target)
	case timedOut:
		return e.hangProblem(host, step, viaProxy)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Sprintf("there is no way to %s: look at this machine's network", target)
	case e.proxy == nil && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)):
		return fmt.Sprintf("the connection to %s is broken off: a firewall on the way does not let it pass; where only a proxy reaches the internet, set HTTPS_PROXY", host)
	case e.proxy != nil:
		return fmt.Sprintf("%s does not lead to %s: %s", e.proxyName(), host, printable(err.Error(), longestValue))
	}
	return fmt.Sprintf("%s cannot be reached: %s", host, printable(err.Error(), longestValue))
}

// hangProblem says what keeps a request to a host waiting that came as far as step, at the proxy or behind it.
func (e *examination) hangProblem(host, step string, atProxy bool) string {
	switch {
	case atProxy:
		return fmt.Sprintf("%s does not answer within %v: look at the address in HTTPS_PROXY, and at the proxy", e.proxyName(), fetchTimeout)
	case e.proxy != nil:
		return fmt.Sprintf("%s does not answer within %v through %s: look at the proxy", host, fetchTimeout, e.proxyName())
	case step != "" && !strings.HasPrefix(step, "dial "):
		return fmt.Sprintf("%s takes the connection and does not answer within %v (%s): something on the way holds it back, or Entra is slow", host, fetchTimeout, step)
	}
	return fmt.Sprintf("%s does not answer within %v: a firewall drops the connection; where only a proxy reaches the internet, set HTTPS_PROXY", host, fetchTimeout)
}

// orProxy is the advice that goes with a fault that a proxy would mend, where none is set.
func (e *examination) orProxy() string {
	if e.proxy != nil {
		return " and at HTTPS_PROXY"
	}
	return "; where only a proxy reaches the internet, set HTTPS_PROXY"
}

func issuerOf(certificate *x509.Certificate) string {
	if certificate == nil {
		return "an unknown authority"
	}
	return printable(certificate.Issuer.String(), longestValue)
}
