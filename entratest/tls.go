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
	"sync"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// tlsIdentity is made when it is first needed: a certification authority that
// signs one certificate for the names of this machine, and whose key is then
// forgotten. Nothing is written to disk.
type tlsIdentity struct {
	once sync.Once
	ca   *x509.Certificate
	leaf tls.Certificate
	err  error
}

// StartTLS is Start over https, with a certificate that CertPool verifies.
func (s *Server) StartTLS() (url string, err error) { return s.StartTLSOn("localhost:0") }

// StartTLSOn is StartOn over https, with a certificate that CertPool verifies.
func (s *Server) StartTLSOn(addr string) (url string, err error) {
	if err := s.makeTLS(); err != nil {
		return "", err
	}
	listeners, name, err := listenLoopback(addr)
	if err != nil {
		return "", err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{s.tls.leaf},
		NextProtos:   []string{"http/1.1"},
		MinVersion:   tls.VersionTLS12,
	}
	for i := range listeners {
		listeners[i] = tls.NewListener(listeners[i], config)
	}
	url = "https://" + name
	return url, s.serve(listeners, url)
}

// CertPool returns a pool with the authority that signed the certificate of
// StartTLS. It is good for localhost, 127.0.0.0/8 and ::1 alone.
func (s *Server) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	if err := s.makeTLS(); err != nil {
		s.fail(err)
		return pool
	}
	pool.AddCert(s.tls.ca)
	return pool
}

// CertPEM returns the certificate of CertPool as PEM, for programs that take a
// file, such as Node.js with NODE_EXTRA_CA_CERTS. The authority's key is gone.
func (s *Server) CertPEM() []byte {
	if err := s.makeTLS(); err != nil {
		s.fail(err)
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.tls.ca.Raw})
}

func (s *Server) makeTLS() error {
	s.tls.once.Do(func() { s.tls.ca, s.tls.leaf, s.tls.err = newTLSIdentity(time.Now()) })
	return s.tls.err
}

func newTLSIdentity(now time.Time) (ca *x509.Certificate, leaf tls.Certificate, err error) {
	loopback := []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	authority := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "entratest, for localhost only"},
		KeyUsage:                    x509.KeyUsageCertSign,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           loopback,
	}
	server := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	caDER, caKey, err := certify(authority, authority, nil, now)
	if err != nil {
		return nil, leaf, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, leaf, fmt.Errorf("entratest: %w", err)
	}
	leafDER, leafKey, err := certify(server, ca, caKey, now)
	return ca, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}, err
}

// certify makes a key and its certificate, signed by the parent's key or by itself.
func certify(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, now time.Time) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("entratest: %w", err)
	}
	if parentKey == nil {
		parentKey = key
	}
	template.SerialNumber = new(big.Int).SetBytes(directory.RandomBytes(16))
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.AddDate(0, 3, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("entratest: %w", err)
	}
	return der, key, nil
}
