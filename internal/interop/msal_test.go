package interop_test

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/entra-go/entra/entratest"
)

const apiScopes = entratest.APIURI + "/.default"

// confidentialClient is MSAL Go, configured as in production but for what the door needs.
func confidentialClient(t *testing.T, d door, credential confidential.Credential, options ...confidential.Option) confidential.Client {
	t.Helper()
	options = append(options, confidential.WithHTTPClient(d.client))
	if !d.discovery {
		options = append(options, confidential.WithInstanceDiscovery(false))
	}
	client, err := confidential.New(d.authority+"/"+entratest.TenantID, entratest.ClientID, credential, options...)
	if err != nil {
		t.Fatalf("confidential.New: %v", err)
	}
	return client
}

func secret(t *testing.T) confidential.Credential {
	t.Helper()
	credential, err := confidential.NewCredFromSecret(entratest.ClientSecret)
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

func certificate(t *testing.T, id identity) confidential.Credential {
	t.Helper()
	credential, err := confidential.NewCredFromCert([]*x509.Certificate{id.certificate}, id.key)
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

func TestMSALGoGetsTokensForItself(t *testing.T) {
	tenant, id := newTenant(t)
	api := newAPI(t, tenant)
	for _, d := range doors(t, tenant) {
		rows := []struct {
			name       string
			credential confidential.Credential
			options    []confidential.Option
			proof      string // as the API sees it in azpacr
		}{
			{"secret", secret(t), nil, "1"},
			{"certificate", certificate(t, id), nil, "2"},
			{"certificate that is sent along", certificate(t, id), []confidential.Option{confidential.WithX5C()}, "2"},
		}
		for _, row := range rows {
			t.Run(d.name+", "+row.name, func(t *testing.T) {
				client := confidentialClient(t, d, row.credential, row.options...)
				result, err := client.AcquireTokenByCredential(t.Context(), []string{apiScopes})
				if err != nil {
					t.Fatalf("AcquireTokenByCredential: %v", err)
				}
				wantDaemon(t, api, result.AccessToken, row.proof)

				again, err := client.AcquireTokenByCredential(t.Context(), []string{apiScopes})
				if err != nil || again.AccessToken != result.AccessToken {
					t.Errorf("the second token: got another one or %v, want the cached one", err)
				}
			})
		}
	}
}

func TestMSALGoActsOnBehalfOfAUser(t *testing.T) {
	tenant, id := newTenant(t)
	api := newAPI(t, tenant)
	middle := newVerifier(t, tenant, entratest.ClientID)
	for _, d := range doors(t, tenant) {
		for name, credential := range map[string]confidential.Credential{"secret": secret(t), "certificate": certificate(t, id)} {
			t.Run(d.name+", "+name, func(t *testing.T) {
				incoming := userAtMiddle(tenant)
				if _, err := middle.Verify(t.Context(), incoming); err != nil {
					t.Fatalf("the middle tier verifies its token: %v", err)
				}
				client := confidentialClient(t, d, credential)
				result, err := client.AcquireTokenOnBehalfOf(t.Context(), incoming, []string{entratest.APIURI + "/" + entratest.ScopeRead})
				if err != nil {
					t.Fatalf("AcquireTokenOnBehalfOf: %v", err)
				}
				wantUser(t, api, result.AccessToken, entratest.ClientID)
				if status, _ := call(t, api, http.MethodGet, "/orders", incoming); status != http.StatusUnauthorized {
					t.Errorf("the token for the middle tier at the API: got %d, want 401", status)
				}
			})
		}
	}
}

func TestMSALGoReadsTheTenantsRefusals(t *testing.T) {
	tenant, _ := newTenant(t)
	for _, d := range doors(t, tenant) {
		wrong, err := confidential.NewCredFromSecret("wrong")
		if err != nil {
			t.Fatal(err)
		}
		_, err = confidentialClient(t, d, wrong).AcquireTokenByCredential(t.Context(), []string{apiScopes})
		var refused msalerrors.CallErr
		if !errors.As(err, &refused) || refused.Resp.StatusCode != http.StatusUnauthorized || !strings.Contains(err.Error(), "AADSTS7000215") {
			t.Errorf("%s, wrong secret: got %v, want a CallErr with status 401 and AADSTS7000215", d.name, err)
		}
	}
}

// The header that the library sends with a claims challenge carries claims that MSAL Go passes on as they stand.
func TestMSALGoAnswersAClaimsChallenge(t *testing.T) {
	tenant, _ := newTenant(t)
	api := newAPI(t, tenant)
	client := confidentialClient(t, doors(t, tenant)[0], secret(t), confidential.WithClientCapabilities([]string{"cp1"}))
	incoming, scopes := userAtMiddle(tenant), []string{entratest.APIURI + "/" + entratest.ScopeRead}

	first, err := client.AcquireTokenOnBehalfOf(t.Context(), incoming, scopes)
	if err != nil {
		t.Fatalf("AcquireTokenOnBehalfOf: %v", err)
	}
	response := pay(t, api, first.AccessToken)
	if response.StatusCode != http.StatusUnauthorized {
		t.Fatalf("POST /payments without a step-up: got %d, want 401", response.StatusCode)
	}
	second, err := client.AcquireTokenOnBehalfOf(t.Context(), incoming, scopes, confidential.WithClaims(claimsOf(t, response.Header)))
	if err != nil {
		t.Fatalf("AcquireTokenOnBehalfOf with the claims of the challenge: %v", err)
	}
	if response := pay(t, api, second.AccessToken); response.StatusCode != http.StatusOK {
		t.Errorf("POST /payments after the step-up: got %d, want 200", response.StatusCode)
	}
}
