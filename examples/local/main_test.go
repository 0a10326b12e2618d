package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func TestTheProxyLeadsToTheFakeTenantAlone(t *testing.T) {
	p, err := startProxy(entratest.New(t).Handler())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	proxyURL, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(p.ca) {
		t.Fatal("got no certificate")
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	for _, test := range []struct{ url, want string }{
		{"https://login.microsoftonline.com/common/discovery/v2.0/keys", "200 OK"},
		{"https://graph.microsoft.com/v1.0/me", "401 Unauthorized"},
		{"https://example.com/", "Forbidden"},
		{"https://login.microsoftonline.com.example.com/", "Forbidden"},
		{"https://login.microsoftonline.com:8443/", "Forbidden"},
		{"http://login.microsoftonline.com/", "403 Forbidden"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if response, err := transport.RoundTrip(request); err != nil {
			got = err.Error()
		} else {
			got = response.Status
			response.Body.Close()
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.url, got, test.want)
		}
	}
}

func TestTheCertificateIsGoodForMicrosoftsHostsAlone(t *testing.T) {
	_, certificate, err := newCertificate(microsoftHosts)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if leaf.IsCA || leaf.VerifyHostname("login.microsoftonline.com") != nil || leaf.VerifyHostname("www.example.com") == nil {
		t.Errorf("got a certificate for %q (authority: %v), want one for Microsoft's hosts", leaf.DNSNames, leaf.IsCA)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	t.Setenv("TMPDIR", t.TempDir())
	for _, test := range []struct {
		name string
		args []string
		want string // of the error
	}{
		{"a folder that does not exist", []string{"./none"}, "go build ./none"},
		{"a flag", []string{"-help"}, "usage: local"},
	} {
		err := run(t.Context(), test.args, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, nil, &out); err != nil || !strings.Contains(out.String(), "export SSL_CERT_FILE=") {
		t.Errorf("interrupted: got %v and %q, want the environment", err, &out)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("got %v left behind, %v; want nothing", left, err)
	}
}
