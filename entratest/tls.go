package entratest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// tlsIdentity is a certification authority that signed one certificate, and whose
// key is forgotten. Nothing is written to disk.
type tlsIdentity struct {
	ca   *x509.Certificate
	leaf tls.Certificate
}

func (i tlsIdentity) config() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{i.leaf},
		NextProtos:   []string{"http/1.1"},
		MinVersion:   tls.VersionTLS12,
	}
}

// StartTLS is Start over https, with a certificate that CertPool verifies.
func (s *Server) StartTLS() (url string, err error) { return s.StartTLSOn("localhost:0") }

// StartTLSOn is StartOn over https, with a certificate that CertPool verifies.
func (s *Server) StartTLSOn(addr string) (url string, err error) {
	identity, err := s.localTLS()
	if err != nil {
		return "", err
	}
	listeners, name, err := listenLoopback(addr)
	if err != nil {
		return "", err
	}
	for i := range listeners {
		listeners[i] = tls.NewListener(listeners[i], identity.config())
	}
	url = "https://" + name
	return url, s.serve(url, listeners...)
}

// CertPool returns a pool with the authority that signed the certificate of
// StartTLS. It is good for localhost, 127.0.0.0/8 and ::1 alone, for three months.
func (s *Server) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	identity, err := s.localTLS()
	if err != nil {
		s.fail(err)
		return pool
	}
	pool.AddCert(identity.ca)
	return pool
}

// CertPEM returns the certificate of CertPool as PEM, for programs that take a
// file, such as Node.js with NODE_EXTRA_CA_CERTS.
func (s *Server) CertPEM() []byte {
	identity, err := s.localTLS()
	if err != nil {
		s.fail(err)
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: identity.ca.Raw})
}

// newLocalTLS is called when the identity of localhost is first needed.
func newLocalTLS() (tlsIdentity, error) {
	return newTLSIdentity(certificateNames{
		dns: []string{"localhost"},
		ips: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ranges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}, time.Now(), 90*24*time.Hour)
}

// certificateNames are what a certificate is good for. Its authority is good for
// the host names and the ranges of addresses.
type certificateNames struct {
	dns    []string
	ips    []net.IP
	ranges []*net.IPNet
}

func newTLSIdentity(names certificateNames, now time.Time, lifetime time.Duration) (tlsIdentity, error) {
	authority := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "entratest, for " + names.dns[0] + " on this machine only"},
		KeyUsage:                    x509.KeyUsageCertSign,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names.dns,
		PermittedIPRanges:           names.ranges,
	}
	if len(names.ranges) == 0 { // Without any constraint on addresses, all would be permitted.
		authority.ExcludedIPRanges = []*net.IPNet{
			{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
			{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
		}
	}
	server := &x509.Certificate{
		Subject:     pkix.Name{CommonName: names.dns[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names.dns,
		IPAddresses: names.ips,
	}
	for _, certificate := range []*x509.Certificate{authority, server} {
		certificate.SerialNumber = new(big.Int).SetBytes(directory.RandomBytes(16))
		certificate.NotBefore, certificate.NotAfter = now.Add(-time.Hour), now.Add(lifetime)
	}
	caDER, caKey, err := certify(authority, authority, nil)
	if err != nil {
		return tlsIdentity{}, err
	}
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return tlsIdentity{}, fmt.Errorf("entratest: %w", err)
	}
	leafDER, leafKey, err := certify(server, ca, caKey)
	return tlsIdentity{ca, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}}, err
}

// certify makes a key and its certificate, signed by the parent's key or by itself.
func certify(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("entratest: %w", err)
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("entratest: %w", err)
	}
	return der, key, nil
}
