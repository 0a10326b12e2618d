package conformance_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestAuthorityMetadataIsChecked(t *testing.T) {
	k := entratest.New(t).Key()
	tests := []struct {
		name            string
		issuer, keysURL string
		bad             string // what the operator's text names; "" for good metadata
	}{
		{"good metadata", testbed.ExternalIDIssuer, testbed.ExternalIDKeys, ""},
		{"an issuer on another host", "https://elsewhere.example/" + entratest.TenantID + "/v2.0", testbed.ExternalIDKeys, ""},
		{"keys on the same host in upper case", testbed.ExternalIDIssuer, strings.Replace(testbed.ExternalIDKeys, "contoso", "CONTOSO", 1), ""},
		{"a template as issuer", "https://login.microsoftonline.com/{tenantid}/v2.0", testbed.ExternalIDKeys, "template"},
		{"an issuer over http", strings.Replace(testbed.ExternalIDIssuer, "https", "http", 1), testbed.ExternalIDKeys, "no https URL"},
		{"an issuer that is no URL", "contoso", testbed.ExternalIDKeys, "no https URL"},
		{"no issuer", "", testbed.ExternalIDKeys, "lacks issuer"},
		{"no address of keys", testbed.ExternalIDIssuer, "", "lacks issuer or jwks_uri"},
		{"keys on another host", testbed.ExternalIDIssuer, "https://evil.example/discovery/v2.0/keys", "jwks_uri"},
		{"keys on a subdomain", testbed.ExternalIDIssuer, "https://keys.contoso.ciamlogin.com/keys", "jwks_uri"},
		{"keys on a host that only begins alike", testbed.ExternalIDIssuer, "https://contoso.ciamlogin.com.evil.example/keys", "jwks_uri"},
		{"keys on another port", testbed.ExternalIDIssuer, "https://contoso.ciamlogin.com:8443/keys", "jwks_uri"},
		{"keys over http", testbed.ExternalIDIssuer, strings.Replace(testbed.ExternalIDKeys, "https", "http", 1), "jwks_uri"},
		{"keys behind user info", testbed.ExternalIDIssuer, strings.Replace(testbed.ExternalIDKeys, "https://", "https://contoso.ciamlogin.com@evil.example/", 1), "jwks_uri"},
		{"keys with user info", testbed.ExternalIDIssuer, strings.Replace(testbed.ExternalIDKeys, "https://", "https://admin@", 1), "jwks_uri"},
		{"keys at a relative address", testbed.ExternalIDIssuer, "/discovery/v2.0/keys", "jwks_uri"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &testbed.Publisher{Documents: map[string]string{
				testbed.ExternalID + testbed.MetadataPath: testbed.MetadataDocument(test.issuer, test.keysURL),
				test.keysURL: testbed.KeyDocument(k),
			}}
			_, err := testbed.NewVerifierAt(t, p, entra.Options{Authority: testbed.ExternalID}).Verify(t.Context(), testbed.SignClaims(k, testbed.UserClaims(test.issuer, entratest.TenantID, "2.0")))
			if test.bad == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if entra.ReasonOf(err) != entra.ReasonKeysUnavailable || !strings.Contains(err.Error(), test.bad) {
				t.Errorf("got reason %q (%v), want keys_unavailable and a text that says %q", entra.ReasonOf(err), err, test.bad)
			}
			if got := len(p.Requests()); got != 1 {
				t.Errorf("got %d requests %q, want the metadata's alone", got, p.Requests())
			}
		})
	}
}

// redirecting answers every request for one URL with a redirect to another.
type redirecting struct {
	*testbed.Publisher
	from, to string
}

func (r redirecting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.Publisher.RoundTrip(request)
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
		p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, testbed.ExternalIDIssuer, k)}
		p.Publish(to, testbed.KeyDocument(k))
		verifier, err := entra.NewVerifier(entra.Options{
			Authority: testbed.ExternalID, ClientID: entratest.APIClientID, Logger: testbed.Discard(),
			HTTPClient: &http.Client{Transport: redirecting{p, testbed.ExternalIDKeys, to}},
		})
		if err != nil {
			t.Fatalf("NewVerifier: got %v, want no error", err)
		}
		if _, err := verifier.Verify(t.Context(), testbed.SignClaims(k, testbed.UserClaims(testbed.ExternalIDIssuer, entratest.TenantID, "2.0"))); entra.ReasonOf(err) != want {
			t.Errorf("keys redirected to %s: got reason %q (%v), want %q", to, entra.ReasonOf(err), err, want)
		}
	}
}

// Metadata is fetched with the keys: an hour after the last good fetch, beside the requests.
func TestAuthorityThatChangesItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := entratest.New(t).Key()
		p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, testbed.ExternalIDIssuer, k)}
		verifier := testbed.NewVerifierAt(t, p, entra.Options{Authority: testbed.ExternalID})
		verify := func(issuer string) entra.Reason {
			claims := testbed.UserClaims(issuer, entratest.TenantID, "2.0")
			claims["exp"] = time.Now().Add(20 * time.Hour).Unix()
			_, err := verifier.Verify(context.Background(), testbed.SignClaims(k, claims))
			return entra.ReasonOf(err)
		}
		old := testbed.SignClaims(k, map[string]any{
			"aud": entratest.APIClientID, "iss": testbed.ExternalIDIssuer, "ver": "2.0", "exp": time.Now().Add(20 * time.Hour).Unix(),
			"scp": entratest.ScopeRead, "azp": entratest.SPAClientID,
		})
		for range 2 { // verified, then remembered
			if _, err := verifier.Verify(context.Background(), old); err != nil {
				t.Fatalf("before the change: got %v, want no error", err)
			}
		}
		p.Publish(testbed.ExternalID+testbed.MetadataPath, testbed.MetadataDocument(testbed.CustomDomainIssuer, testbed.ExternalIDKeys))
		if got := verify(testbed.CustomDomainIssuer); got != entra.ReasonIssuer {
			t.Errorf("the new name before the refresh: got reason %q, want issuer", got)
		}
		time.Sleep(time.Hour + time.Second)
		_ = verify(testbed.ExternalIDIssuer) // starts the refresh
		synctest.Wait()
		if got := verify(testbed.CustomDomainIssuer); got != "" {
			t.Errorf("the new name after the refresh: got reason %q, want none", got)
		}
		if _, err := verifier.Verify(context.Background(), old); entra.ReasonOf(err) != entra.ReasonIssuer {
			t.Errorf("a remembered token of the old name: got reason %q (%v), want issuer", entra.ReasonOf(err), err)
		}
		p.Publish(testbed.ExternalID+testbed.MetadataPath, testbed.MetadataDocument("https://{tenantid}.ciamlogin.com/", testbed.ExternalIDKeys))
		time.Sleep(time.Hour + time.Second)
		_ = verify(testbed.CustomDomainIssuer)
		synctest.Wait()
		if got := verify(testbed.CustomDomainIssuer); got != "" {
			t.Errorf("after metadata that is no good: got reason %q, want none, as before", got)
		}
	})
}
