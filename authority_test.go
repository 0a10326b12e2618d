package entra_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const (
	externalID     = "https://contoso.ciamlogin.com/" + homeTenant + "/v2.0"
	externalIDKeys = "https://contoso.ciamlogin.com/" + homeTenant + "/discovery/v2.0/keys"
	b2c            = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_SignIn/v2.0"
	metadataPart   = "/.well-known/openid-configuration"
)

func TestAuthorityMetadataIsChecked(t *testing.T) {
	k := entratest.New(t).Key()
	tests := []struct {
		name            string
		issuer, keysURL string
		bad             string // what the operator's text names; "" for good metadata
	}{
		{"good metadata", externalIDv2, externalIDKeys, ""},
		{"an issuer on another host", "https://elsewhere.example/" + homeTenant + "/v2.0", externalIDKeys, ""},
		{"keys on the same host in upper case", externalIDv2, strings.Replace(externalIDKeys, "contoso", "CONTOSO", 1), ""},
		{"a template as issuer", "https://login.microsoftonline.com/{tenantid}/v2.0", externalIDKeys, "template"},
		{"an issuer over http", strings.Replace(externalIDv2, "https", "http", 1), externalIDKeys, "no https URL"},
		{"an issuer that is no URL", "contoso", externalIDKeys, "no https URL"},
		{"no issuer", "", externalIDKeys, "lacks issuer"},
		{"no address of keys", externalIDv2, "", "lacks issuer or jwks_uri"},
		{"keys on another host", externalIDv2, "https://evil.example/discovery/v2.0/keys", "jwks_uri"},
		{"keys on a subdomain", externalIDv2, "https://keys.contoso.ciamlogin.com/keys", "jwks_uri"},
		{"keys on a host that only begins alike", externalIDv2, "https://contoso.ciamlogin.com.evil.example/keys", "jwks_uri"},
		{"keys on another port", externalIDv2, "https://contoso.ciamlogin.com:8443/keys", "jwks_uri"},
		{"keys over http", externalIDv2, strings.Replace(externalIDKeys, "https", "http", 1), "jwks_uri"},
		{"keys behind user info", externalIDv2, strings.Replace(externalIDKeys, "https://", "https://contoso.ciamlogin.com@evil.example/", 1), "jwks_uri"},
		{"keys with user info", externalIDv2, strings.Replace(externalIDKeys, "https://", "https://admin@", 1), "jwks_uri"},
		{"keys at a relative address", externalIDv2, "/discovery/v2.0/keys", "jwks_uri"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &publisher{texts: map[string]string{
				externalID + metadataPart: metadataDocument(test.issuer, test.keysURL),
				test.keysURL:              keyDocument(k),
			}}
			_, err := verifierAt(t, p, entra.Options{Authority: externalID}).Verify(t.Context(), signClaims(k, userClaims(test.issuer, homeTenant, "2.0")))
			if test.bad == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if entra.ReasonOf(err) != entra.ReasonKeysUnavailable || !strings.Contains(err.Error(), test.bad) {
				t.Errorf("got reason %q (%v), want keys_unavailable and a text that says %q", entra.ReasonOf(err), err, test.bad)
			}
			if got := len(p.requests()); got != 1 {
				t.Errorf("got %d requests %q, want the metadata's alone", got, p.requests())
			}
		})
	}
}

// redirecting answers every request for one URL with a redirect to another.
type redirecting struct {
	*publisher
	from, to string
}

func (r redirecting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.publisher.RoundTrip(request)
	if err == nil && request.URL.String() == r.from {
		response.StatusCode = http.StatusFound
		response.Header.Set("Location", r.to)
	}
	return response, err
}

func TestAuthorityKeysAreNotFollowedElsewhere(t *testing.T) {
	k := entratest.New(t).Key()
	for to, want := range map[string]entra.Reason{
		"https://contoso.ciamlogin.com/keys": "",
		"https://evil.example/keys":          entra.ReasonKeysUnavailable,
		"http://contoso.ciamlogin.com/keys":  entra.ReasonKeysUnavailable,
	} {
		p := &publisher{texts: authorityTexts(externalID, externalIDv2, k)}
		p.publish(to, keyDocument(k))
		verifier, err := entra.NewVerifier(entra.Options{
			Authority: externalID, ClientID: entratest.APIClientID, Logger: discard(),
			HTTPClient: &http.Client{Transport: redirecting{p, externalIDKeys, to}},
		})
		if err != nil {
			t.Fatalf("NewVerifier: got %v, want no error", err)
		}
		if _, err := verifier.Verify(t.Context(), signClaims(k, userClaims(externalIDv2, homeTenant, "2.0"))); entra.ReasonOf(err) != want {
			t.Errorf("keys redirected to %s: got reason %q (%v), want %q", to, entra.ReasonOf(err), err, want)
		}
	}
}

func TestTenantOfAnAuthority(t *testing.T) {
	k := entratest.New(t).Key()
	const nameless = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/v2.0/"
	tests := []struct {
		name    string
		tenants []string
		issuer  string
		tid     any
		want    entra.Reason
		found   string // TenantID
	}{
		{"tid and issuer agree", nil, externalIDv2, homeTenant, "", homeTenant},
		{"no tid: the issuer's tenant", nil, b2cIssuer, nil, "", homeTenant},
		{"no tid and an issuer with the policy", nil, b2cPolicyIssuer, nil, "", homeTenant},
		{"no tid and no tenant in the issuer", nil, nameless, nil, "", ""},
		{"a tid beside an issuer that names none", nil, nameless, otherTenant, "", otherTenant},
		{"another tid than the issuer's", nil, externalIDv2, otherTenant, entra.ReasonTenant, ""},
		{"the listed tenant", []string{homeTenant}, externalIDv2, homeTenant, "", homeTenant},
		{"the listed tenant, in the issuer alone", []string{homeTenant}, b2cIssuer, nil, "", homeTenant},
		{"another tenant than the listed one", []string{otherTenant}, externalIDv2, homeTenant, entra.ReasonTenant, ""},
		{"another tenant than the listed one, in the issuer alone", []string{otherTenant}, b2cIssuer, nil, entra.ReasonTenant, ""},
		{"a listed tenant, and none to be found", []string{homeTenant}, nameless, nil, entra.ReasonTenant, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &publisher{texts: authorityTexts(b2c, test.issuer, k)}
			verifier := verifierAt(t, p, entra.Options{Authority: b2c, Tenants: test.tenants})
			claims := userClaims(test.issuer, homeTenant, "2.0")
			claims["tid"] = test.tid
			got, err := verifier.Verify(t.Context(), signClaims(k, claims))
			if entra.ReasonOf(err) != test.want {
				t.Fatalf("got reason %q (%v), want %q", entra.ReasonOf(err), err, test.want)
			}
			if err == nil && got.TenantID != test.found {
				t.Errorf("got TenantID %q, want %q", got.TenantID, test.found)
			}
		})
	}
}

// The policies of a B2C tenant share keys and issuer.
func TestPolicyOfAnAuthority(t *testing.T) {
	const plain = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/v2.0"
	tests := []struct {
		name      string
		authority string
		claims    map[string]any
		want      entra.Reason
		flow      string
	}{
		{"its own, as tfp", b2c, map[string]any{"tfp": "B2C_1_SignIn"}, "", "B2C_1_SignIn"},
		{"its own, in lower case", b2c, map[string]any{"tfp": "b2c_1_signin"}, "", "b2c_1_signin"},
		{"its own, as acr", b2c, map[string]any{"acr": "b2c_1_signin"}, "", "b2c_1_signin"},
		{"none in the token", b2c, nil, "", ""},
		{"another, as tfp", b2c, map[string]any{"tfp": "B2C_1_EditProfile"}, entra.ReasonIssuer, ""},
		{"another, as acr", b2c, map[string]any{"acr": "b2c_1_editprofile"}, entra.ReasonIssuer, ""},
		{"a longer name", b2c, map[string]any{"tfp": "B2C_1_SignIn2"}, entra.ReasonIssuer, ""},
		{"another, as tfp beside its own as acr", b2c, map[string]any{"tfp": "B2C_1_EditProfile", "acr": "B2C_1_SignIn"}, entra.ReasonIssuer, ""},
		{"a custom policy", strings.Replace(b2c, "B2C_1_SignIn", "b2c_1a_signup", 1), map[string]any{"tfp": "B2C_1A_SignUp"}, "", "B2C_1A_SignUp"},
		{"another than the custom policy", strings.Replace(b2c, "B2C_1_SignIn", "B2C_1A_SignUp", 1), map[string]any{"tfp": "B2C_1_SignUp"}, entra.ReasonIssuer, ""},
		{"any, where the authority names none", plain, map[string]any{"tfp": "B2C_1_EditProfile"}, "", "B2C_1_EditProfile"},
	}
	k := entratest.New(t).Key()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims := userClaims(b2cIssuer, "", "1.0")
			delete(claims, "tid")
			for name, value := range test.claims {
				claims[name] = value
			}
			p := &publisher{texts: authorityTexts(test.authority, b2cIssuer, k)}
			got, err := verifierAt(t, p, entra.Options{Authority: test.authority}).Verify(t.Context(), signClaims(k, claims))
			if entra.ReasonOf(err) != test.want {
				t.Fatalf("got reason %q (%v), want %q", entra.ReasonOf(err), err, test.want)
			}
			if err == nil && got.UserFlow != test.flow {
				t.Errorf("got UserFlow %q, want %q", got.UserFlow, test.flow)
			}
		})
	}
}

// Metadata is fetched with the keys: an hour after the last good fetch, beside the requests.
func TestAuthorityThatChangesItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := entratest.New(t).Key()
		p := &publisher{texts: authorityTexts(externalID, externalIDv2, k)}
		verifier := verifierAt(t, p, entra.Options{Authority: externalID})
		verify := func(issuer string) entra.Reason {
			claims := userClaims(issuer, homeTenant, "2.0")
			claims["exp"] = time.Now().Add(20 * time.Hour).Unix()
			_, err := verifier.Verify(context.Background(), signClaims(k, claims))
			return entra.ReasonOf(err)
		}
		old := signClaims(k, map[string]any{
			"aud": entratest.APIClientID, "iss": externalIDv2, "ver": "2.0", "exp": time.Now().Add(20 * time.Hour).Unix(),
			"scp": entratest.ScopeRead, "azp": entratest.SPAClientID,
		})
		for range 2 { // verified, then remembered
			if _, err := verifier.Verify(context.Background(), old); err != nil {
				t.Fatalf("before the change: got %v, want no error", err)
			}
		}
		p.publish(externalID+metadataPart, metadataDocument(customDomainV2, externalIDKeys))
		if got := verify(customDomainV2); got != entra.ReasonIssuer {
			t.Errorf("the new name before the refresh: got reason %q, want issuer", got)
		}
		time.Sleep(time.Hour + time.Second)
		_ = verify(externalIDv2) // starts the refresh
		synctest.Wait()
		if got := verify(customDomainV2); got != "" {
			t.Errorf("the new name after the refresh: got reason %q, want none", got)
		}
		if _, err := verifier.Verify(context.Background(), old); entra.ReasonOf(err) != entra.ReasonIssuer {
			t.Errorf("a remembered token of the old name: got reason %q (%v), want issuer", entra.ReasonOf(err), err)
		}
		p.publish(externalID+metadataPart, metadataDocument("https://{tenantid}.ciamlogin.com/", externalIDKeys))
		time.Sleep(time.Hour + time.Second)
		_ = verify(customDomainV2)
		synctest.Wait()
		if got := verify(customDomainV2); got != "" {
			t.Errorf("after metadata that is no good: got reason %q, want none, as before", got)
		}
	})
}
