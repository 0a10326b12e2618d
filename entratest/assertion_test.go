package entratest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
)

// credential is a client's certificate with its key.
type credential struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

func newCredential(t *testing.T) credential {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return credential{key, certify(t, key)}
}

func certify(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// assertion signs a client assertion as the MSALs do.
func (c credential) assertion(t *testing.T, alg string, header, claims map[string]any) string {
	t.Helper()
	header["alg"], header["typ"] = alg, "JWT"
	var input string
	for i, part := range []any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			input += "."
		}
		input += base64.RawURLEncoding.EncodeToString(text)
	}
	digest := sha256.Sum256([]byte(input))
	var options crypto.SignerOpts = crypto.SHA256
	if alg == "PS256" {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256}
	}
	signature, err := c.key.Sign(rand.Reader, digest[:], options)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestClientAssertions(t *testing.T) {
	own, foreign := newCredential(t), newCredential(t)
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	oddCertificate := certify(t, elliptical)
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{"x"}},
		{ClientID: entratest.ClientID, Certificates: []*x509.Certificate{oddCertificate, own.certificate}},
	}})
	endpoint := loginHost + entratest.TenantID + tokenPath
	long := sha256.Sum256(own.certificate.Raw)
	for _, row := range []struct {
		name   string
		by     credential
		alg    string
		header map[string]any
		claims map[string]any
		form   map[string][]string
		number float64 // 0: granted
	}{
		{name: "PS256 with a padded standard x5t#S256, as MSAL Go sends", alg: "PS256",
			header: map[string]any{"x5t#S256": base64.StdEncoding.EncodeToString(long[:])}},
		{name: "PS256 with a base64url x5t#S256, as msal-node sends", alg: "PS256",
			header: map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(long[:])}},
		{name: "RS256 with x5t", alg: "RS256"},
		{name: "the thumbprint in kid, as base64url", alg: "RS256", header: map[string]any{"x5t": nil, "kid": thumbprint(own.certificate.Raw)}},
		{name: "the thumbprint in kid, as the portal shows it", alg: "RS256",
			header: map[string]any{"x5t": nil, "kid": strings.ToUpper(hex.EncodeToString(unbase64(t, thumbprint(own.certificate.Raw))))}},
		{name: "another kid", alg: "RS256", header: map[string]any{"x5t": nil, "kid": thumbprint(foreign.certificate.Raw)}, number: 700027},
		{name: "two audiences", alg: "RS256", claims: map[string]any{"aud": []string{loginHost + entratest.TenantID + "/v2.0"}}, number: 50027},
		{name: "without client_id", alg: "RS256", form: map[string][]string{"client_id": nil}},
		{name: "the issuer as audience", alg: "RS256", claims: map[string]any{"aud": loginHost + entratest.TenantID + "/v2.0"}},
		{name: "signed by another key", by: foreign, alg: "RS256", number: 700027},
		{name: "an unregistered certificate", by: foreign, alg: "RS256", header: map[string]any{"x5t": thumbprint(foreign.certificate.Raw)}, number: 700027},
		{name: "no thumbprint", alg: "RS256", header: map[string]any{"x5t": nil}, number: 700027},
		{name: "a certificate without RSA key", alg: "RS256", header: map[string]any{"x5t": thumbprint(oddCertificate.Raw)}, number: 700027},
		{name: "another algorithm", alg: "RS512", number: 700027},
		{name: "expired", alg: "RS256", claims: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, number: 700024},
		{name: "without exp", alg: "RS256", claims: map[string]any{"exp": nil}, number: 700024},
		{name: "another audience", alg: "RS256", claims: map[string]any{"aud": "https://evil.example/x/oauth2/v2.0/token"}, number: 700023},
		{name: "the host alone as audience", alg: "RS256", claims: map[string]any{"aud": "https://login.microsoftonline.com"}, number: 700023},
		{name: "another issuer", alg: "RS256", claims: map[string]any{"iss": "x"}, number: 700021},
		{name: "another client_id", alg: "RS256", form: map[string][]string{"client_id": {entratest.APIClientID}}, number: 700021},
		{name: "an unknown client", alg: "RS256", claims: map[string]any{"sub": "x"}, number: 700016},
		{name: "another assertion type", alg: "RS256", form: map[string][]string{"client_assertion_type": {"x"}}, number: 900144},
		{name: "not a token", alg: "RS256", form: map[string][]string{"client_assertion": {"x"}}, number: 50027},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.by.key == nil {
				row.by = own
			}
			header := map[string]any{"x5t": thumbprint(own.certificate.Raw)}
			if row.header["x5t#S256"] != nil {
				header = map[string]any{}
			}
			claims := map[string]any{"iss": entratest.ClientID, "sub": entratest.ClientID, "aud": endpoint, "jti": "1",
				"nbf": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix()}
			override(header, row.header)
			override(claims, row.claims)
			form := changed(url.Values{
				"grant_type":            {"client_credentials"},
				"client_id":             {entratest.ClientID},
				"scope":                 {entratest.APIURI + "/.default"},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
				"client_assertion":      {row.by.assertion(t, row.alg, header, claims)},
			}, row.form)
			response, answer := post(t, tenant.Client(), endpoint, form)
			if row.number != 0 {
				if response.StatusCode == 200 || !reflect.DeepEqual(answer["error_codes"], []any{row.number}) {
					t.Errorf("got %d %v, want AADSTS%v", response.StatusCode, answer, row.number)
				}
				return
			}
			if response.StatusCode != 200 {
				t.Fatalf("got %d %v, want a token", response.StatusCode, answer)
			}
			if _, token := split(t, answer["access_token"].(string)); token["azpacr"] != "2" {
				t.Errorf("got azpacr %v, want 2", token["azpacr"])
			}
		})
	}
}

func override(object, with map[string]any) {
	for name, value := range with {
		if object[name] = value; value == nil {
			delete(object, name)
		}
	}
}
