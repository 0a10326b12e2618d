package entra_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const (
	homeTenant  = entratest.TenantID
	otherTenant = entratest.OtherTenantID
)

// publisher is an Entra of which only the documents matter: it serves texts by URL, 404 for every other, and remembers
// what it was asked for.
type publisher struct {
	mu    sync.Mutex
	texts map[string]string
	asked []string
}

func (p *publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.String())
	w := httptest.NewRecorder()
	text, ok := p.texts[r.URL.String()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, text)
	response := w.Result()
	response.Request = r
	return response, nil
}

func (p *publisher) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *publisher) publish(url, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts[url] = text
}

// keyDocument is the text of a document that lists keys.
func keyDocument(keys ...*entratest.Key) string {
	set := struct {
		Keys []map[string]any `json:"keys"`
	}{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.JWK())
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func metadataDocument(issuer, keysURL string) string {
	text, err := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": keysURL})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// userClaims are those of a good user token but for who issued it.
func userClaims(issuer, tenant, version string) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"aud": entratest.APIClientID, "iss": issuer, "tid": tenant, "ver": version,
		"iat": now, "nbf": now, "exp": now + 3600,
		"oid": entratest.AliceObjectID, "sub": "pairwise", "scp": entratest.ScopeRead,
		"azp": entratest.SPAClientID, "appid": entratest.SPAClientID,
	}
}

// signClaims returns a token; a nil claim is left out.
func signClaims(k *entratest.Key, claims map[string]any) string {
	claims = maps.Clone(claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return k.Sign([]byte(`{"typ":"JWT","alg":"RS256","kid":"`+k.ID()+`"}`), payload)
}

// issuerPlace is a configuration and what it must say to issuers.
type issuerPlace struct {
	name      string
	options   entra.Options
	texts     map[string]string // of its publisher
	accepts   []string          // issuers
	strangers []string          // issuers that are right for their tenant, which is not accepted
}

// The issuers that exist, and some that could be thought to.
const (
	publicV2        = "https://login.microsoftonline.com/" + homeTenant + "/v2.0"
	publicV1        = "https://sts.windows.net/" + homeTenant + "/"
	publicOtherV2   = "https://login.microsoftonline.com/" + otherTenant + "/v2.0"
	publicOtherV1   = "https://sts.windows.net/" + otherTenant + "/"
	personalV2      = "https://login.microsoftonline.com/" + entra.PersonalAccounts + "/v2.0"
	personalV1      = "https://sts.windows.net/" + entra.PersonalAccounts + "/"
	governmentV2    = "https://login.microsoftonline.us/" + homeTenant + "/v2.0"
	chinaV2         = "https://login.partner.microsoftonline.cn/" + homeTenant + "/v2.0"
	chinaV1         = "https://sts.chinacloudapi.cn/" + homeTenant + "/"
	externalIDv2    = "https://" + homeTenant + ".ciamlogin.com/" + homeTenant + "/v2.0"
	customDomainV2  = "https://login.contoso.example/" + homeTenant + "/v2.0"
	b2cIssuer       = "https://contoso.b2clogin.com/" + homeTenant + "/v2.0/"
	b2cPolicyIssuer = "https://contoso.b2clogin.com/tfp/" + homeTenant + "/b2c_1_signin/v2.0/"
	b2cCustomIssuer = "https://login.contoso.example/" + homeTenant + "/v2.0/"
)

const (
	publicOwner     = "https://login.microsoftonline.com/{tenantid}/v2.0"
	governmentOwner = "https://login.microsoftonline.us/{tenantid}/v2.0"
	chinaOwner      = "https://login.partner.microsoftonline.cn/{tenantid}/v2.0"
)

func cloudTexts(url string, keys ...*entratest.Key) map[string]string {
	return map[string]string{url: keyDocument(keys...)}
}

func authorityTexts(authority, issuer string, k *entratest.Key) map[string]string {
	keysURL := strings.TrimSuffix(authority, "/v2.0") + "/discovery/v2.0/keys"
	return map[string]string{
		authority + "/.well-known/openid-configuration": metadataDocument(issuer, keysURL),
		keysURL: keyDocument(k),
	}
}

func authorityPlace(name, authority, issuer string, k *entratest.Key) issuerPlace {
	return issuerPlace{
		name:    name,
		options: entra.Options{Authority: authority},
		texts:   authorityTexts(authority, issuer, k),
		accepts: []string{issuer},
	}
}

// issuerPlaces are all kinds of configurations. The tokens of every one are signed with k.
func issuerPlaces(k *entratest.Key) []issuerPlace {
	public, personal := k.With("issuer", publicOwner), k.With("issuer", personalV2)
	const keys = "/discovery/v2.0/keys"
	return []issuerPlace{
		{"one tenant", entra.Options{Tenants: []string{homeTenant}},
			cloudTexts("https://login.microsoftonline.com/"+homeTenant+keys, public),
			[]string{publicV2, publicV1}, []string{publicOtherV2, publicOtherV1, personalV2}},
		{"several tenants", entra.Options{Tenants: []string{homeTenant, otherTenant}},
			cloudTexts("https://login.microsoftonline.com/organizations"+keys, public),
			[]string{publicV2, publicV1, publicOtherV2, publicOtherV1}, []string{personalV2}},
		{"any tenant", entra.Options{AllowAnyTenant: true},
			cloudTexts("https://login.microsoftonline.com/organizations"+keys, public),
			[]string{publicV2, publicV1, publicOtherV2, publicOtherV1}, []string{personalV2}},
		{"personal accounts", entra.Options{Tenants: []string{entra.PersonalAccounts}},
			cloudTexts("https://login.microsoftonline.com/consumers"+keys, personal),
			[]string{personalV2}, []string{publicV2, publicV1, publicOtherV2, publicOtherV1}},
		{"US Government", entra.Options{Tenants: []string{homeTenant}, Cloud: entra.USGovernment},
			cloudTexts("https://login.microsoftonline.us/"+homeTenant+keys, k.With("issuer", governmentOwner).With("cloud_instance_name", "microsoftonline.us")),
			[]string{governmentV2, publicV1}, []string{publicOtherV1}},
		{"China", entra.Options{Tenants: []string{homeTenant}, Cloud: entra.China},
			cloudTexts("https://login.partner.microsoftonline.cn/"+homeTenant+keys, k.With("issuer", chinaOwner).With("cloud_instance_name", "partner.microsoftonline.cn")),
			[]string{chinaV2, chinaV1}, nil},
		authorityPlace("External ID", "https://contoso.ciamlogin.com/"+homeTenant+"/v2.0", externalIDv2, k),
		authorityPlace("External ID on a custom domain", "https://login.contoso.example/"+homeTenant+"/v2.0", customDomainV2, k),
		authorityPlace("B2C", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0", b2cIssuer, k),
		authorityPlace("B2C with the policy in its issuer", "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_signin/v2.0", b2cPolicyIssuer, k),
		authorityPlace("B2C on a custom domain", "https://login.contoso.example/contoso.onmicrosoft.com/B2C_1_signin/v2.0", b2cCustomIssuer, k),
	}
}

func (p issuerPlace) verifier(t *testing.T) *entra.Verifier {
	t.Helper()
	options := p.options
	options.ClientID = entratest.APIClientID
	options.HTTPClient = &http.Client{Transport: &publisher{texts: p.texts}}
	options.Logger = discard()
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

// want is what the place must answer to a token of issuer and version whose tid fits the issuer.
func (p issuerPlace) want(issuer, version string) entra.Reason {
	fits := p.options.Authority != "" || version == versionOfIssuer(issuer)
	switch {
	case !slices.Contains(p.accepts, issuer) && !slices.Contains(p.strangers, issuer):
		return entra.ReasonIssuer
	case !fits:
		return entra.ReasonVersion
	case slices.Contains(p.strangers, issuer):
		return entra.ReasonTenant
	}
	return ""
}

func versionOfIssuer(issuer string) string {
	if strings.HasSuffix(issuer, "/v2.0") {
		return "2.0"
	}
	return "1.0"
}

func tenantOfIssuer(issuer string) string {
	for _, tenant := range []string{otherTenant, entra.PersonalAccounts} {
		if strings.Contains(issuer, tenant) {
			return tenant
		}
	}
	return homeTenant
}

func TestIssuersOfEveryCloudAndAuthority(t *testing.T) {
	issuers := []string{
		publicV2, publicV1, publicOtherV2, publicOtherV1, personalV2, personalV1, governmentV2, chinaV2, chinaV1,
		externalIDv2, customDomainV2, b2cIssuer, b2cPolicyIssuer, b2cCustomIssuer,
	}
	for _, host := range []string{
		"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
		"login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com",
		"login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "sts.chinacloudapi.cn",
		"login.microsoftonline.de", "login.sovcloud-identity.fr", "login.windows-ppe.net", "contoso.ciamlogin.com",
	} {
		for _, form := range []string{"/" + homeTenant + "/v2.0", "/" + homeTenant + "/"} {
			if issuer := "https://" + host + form; !slices.Contains(issuers, issuer) {
				issuers = append(issuers, issuer)
			}
		}
	}
	k := entratest.New(t).Key()
	for _, place := range issuerPlaces(k) {
		verifier := place.verifier(t)
		for _, issuer := range issuers {
			for _, version := range []string{"1.0", "2.0"} {
				_, err := verifier.Verify(t.Context(), signClaims(k, userClaims(issuer, tenantOfIssuer(issuer), version)))
				if got, want := entra.ReasonOf(err), place.want(issuer, version); got != want {
					t.Errorf("%s, issuer %s, ver %s: got reason %q (%v), want %q", place.name, issuer, version, got, err, want)
				}
			}
		}
	}
}
