package interop_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
)

const scopeOfMiddle = "access_as_user" // published by the middle tier, which then acts on behalf of its user

// identity is a client's key and the certificate that the tenant knows it by.
type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

var clientIdentity = sync.OnceValues(newIdentity)

func newIdentity() (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "orders daemon"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return identity{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	return identity{certificate, key}, err
}

// newTenant returns a tenant with the sample API and a confidential client that is itself an API: a daemon when it
// asks for itself, a middle tier when it acts on behalf of a user.
func newTenant(t testing.TB) (*entratest.Server, identity) {
	t.Helper()
	id, err := clientIdentity()
	if err != nil {
		t.Fatalf("making a certificate: %v", err)
	}
	tenant := entratest.New(t, entratest.Config{Strict: true, Apps: []entratest.AppRegistration{
		{
			ClientID: entratest.APIClientID,
			Name:     "Orders API",
			Scopes:   []string{entratest.ScopeRead, entratest.ScopeWrite},
		},
		{
			ClientID:     entratest.ClientID,
			Name:         "Orders daemon and middle tier",
			Secrets:      []string{entratest.ClientSecret},
			Certificates: []*x509.Certificate{id.certificate},
			Scopes:       []string{scopeOfMiddle},
			RedirectURIs: []string{"http://localhost/auth/callback"},
			Permissions:  map[string][]string{entratest.APIClientID: {entratest.RoleDaemon}},
		},
		{
			ClientID:        entratest.SPAClientID,
			Name:            "Orders page",
			SPARedirectURIs: []string{"http://localhost/"},
		},
	}})
	return tenant, id
}

// userAtMiddle is a token that a page sends to the middle tier.
func userAtMiddle(tenant *entratest.Server, options ...entratest.TokenOption) string {
	return tenant.Token(append([]entratest.TokenOption{
		entratest.Audience(entratest.ClientID), entratest.CallingApp(entratest.SPAClientID), entratest.Scopes(scopeOfMiddle),
	}, options...)...)
}
