package entratest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

func TestTLSOnLoopback(t *testing.T) {
	tenant := entratest.New(t)
	url, err := tenant.StartTLS()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(url, "https://localhost:") {
		t.Errorf("got URL %s", url)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: tenant.CertPool()}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, base := range []string{url, strings.Replace(url, "localhost", "127.0.0.1", 1)} {
		document := getJSON(t, client, base+"/"+entratest.TenantID+configPath)
		if got, want := document["token_endpoint"], url+"/"+entratest.TenantID+tokenPath; got != want {
			t.Errorf("got token_endpoint %v, want %v", got, want)
		}
	}
	stranger := &http.Transport{}
	defer stranger.CloseIdleConnections()
	if response, err := (&http.Client{Transport: stranger}).Get(url + "/common" + keysPath); err == nil {
		response.Body.Close()
		t.Error("a client that does not trust the authority got an answer")
	}
	if _, err := tenant.StartTLSOn("192.0.2.1:0"); err == nil {
		t.Error("StartTLSOn another address: got no error")
	}
}

func TestAuthorityIsGoodForLoopbackOnly(t *testing.T) {
	tenant := entratest.New(t)
	block, _ := pem.Decode(tenant.CertPEM())
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !ca.IsCA || !ca.PermittedDNSDomainsCritical || len(ca.PermittedDNSDomains) != 1 || ca.PermittedDNSDomains[0] != "localhost" || len(ca.PermittedIPRanges) != 2 {
		t.Errorf("got a certification authority for %v and %v, want localhost and loopback addresses alone", ca.PermittedDNSDomains, ca.PermittedIPRanges)
	}
	if other := entratest.New(t); string(other.CertPEM()) == string(tenant.CertPEM()) {
		t.Error("two servers share an authority")
	}
}
