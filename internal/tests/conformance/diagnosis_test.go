package conformance_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// diagnosis is a mistake that people often make, and what the operator then reads.
type diagnosis struct {
	name    string
	options func(*entra.Options)
	require entra.Requirement
	token   func(*entratest.Server) string
	reason  entra.Reason
	says    []string // what was found, what was expected, what to change
}

func mint(options ...entratest.TokenOption) func(*entratest.Server) string {
	return func(s *entratest.Server) string { return s.Token(options...) }
}

const (
	strangerAPI = "99999999-9999-4999-8999-999999999999"
	accepted2   = entratest.APIClientID + ", " + entratest.APIURI // the audiences that a ClientID stands for
	defaultOf   = "request the scope " + entratest.APIURI + "/.default"
)

// diagnoses are the ten mistakes that people make most.
var diagnoses = []diagnosis{
	{name: "1 the token is for another API", token: mint(entratest.Audience(strangerAPI)),
		reason: entra.ReasonAudience, says: []string{strangerAPI, "expected one of " + accepted2, defaultOf}},
	{name: "1 the token is for Azure Resource Manager", token: mint(entratest.Audience("https://management.azure.com/")),
		reason: entra.ReasonAudience, says: []string{"audience is Azure Resource Manager", defaultOf}},
	{name: "1 the API is known by its URI only, the token says its client ID",
		options: func(o *entra.Options) { o.ClientID, o.Audiences = "", []string{"api://orders"} }, token: mint(),
		reason: entra.ReasonAudience, says: []string{entratest.APIClientID, "expected one of api://orders", "request the scope api://orders/.default", "set Options.ClientID"}},
	{name: "1 the API is known by its client ID only, the token says its URI", token: mint(entratest.V1(), entratest.Audience("api://orders")),
		reason: entra.ReasonAudience, says: []string{`"api://orders"`, "expected one of " + accepted2, "Options.Audiences", "requestedAccessTokenVersion"}},

	{name: "2 a version 1.0 token whose ver was rewritten", token: mint(entratest.V1(), entratest.Claim("ver", "2.0")),
		reason: entra.ReasonVersion, says: []string{`ver is "2.0"`, "expected 1.0"}},

	{name: "3 a Graph token", token: mint(entratest.Graph()),
		reason: entra.ReasonMicrosoftAPIToken, says: []string{"nonce", "Microsoft Graph", "only that API can verify it", defaultOf}},
	{name: "3 a token of the old Azure AD Graph", token: mint(entratest.Audience("https://graph.windows.net")),
		reason: entra.ReasonAudience, says: []string{"audience is Azure AD Graph", defaultOf}},

	{name: "4 an application with signing keys of its own", token: func(s *entratest.Server) string { return s.Token(entratest.SignedBy(s.UnknownKey())) },
		reason: entra.ReasonUnknownKey, says: []string{"no signing key", "held", testbed.PublicV2, entratest.APIClientID, "unverified", "Options.AppKeys"}},

	{name: "5 a daemon to which no app role is assigned", token: mint(entratest.App()),
		reason: entra.ReasonNoPermissions, says: []string{"application token without roles", "assign an app role of this API to the client application", "admin consent", "Options.AllowWithoutPermissions"}},
	{name: "5 a user token without a scope", token: mint(entratest.Scopes()),
		reason: entra.ReasonNoPermissions, says: []string{"no scope and no role", "Expose an API", "API permissions"}},
	{name: "5 a daemon calls a route for users", require: entra.Scope(entratest.ScopeRead), token: mint(entratest.App(entratest.RoleDaemon)),
		reason: entra.ReasonScope, says: []string{"application token", "belongs to user tokens"}},

	{name: "6 a tenant that is not listed", token: mint(entratest.Tenant(entratest.OtherTenantID)),
		reason: entra.ReasonTenant, says: []string{entratest.OtherTenantID, "not accepted", "expected " + entratest.TenantID, "add it to Options.Tenants", "AllowAnyTenant"}},
	{name: "6 a personal account at an API for any tenant", options: func(o *entra.Options) {
		o.Tenants, o.AllowAnyTenant = nil, true
	}, token: func(s *entratest.Server) string { return s.Token(entratest.Personal(), entratest.SignedBy(s.Key())) },
		reason: entra.ReasonTenant, says: []string{"personal Microsoft account", "entra.PersonalAccounts", "Options.Tenants"}},

	{name: "7 a tenant of the US Government's cloud", token: mint(entratest.Claim("iss", testbed.GovernmentV2)),
		reason: entra.ReasonIssuer, says: []string{`"https://login.microsoftonline.us/`, "expected " + testbed.PublicV2 + " or " + testbed.PublicV1, "cloud Worldwide", "Options.Cloud"}},
	{name: "7 the same with a key of that cloud, version 1.0", token: func(s *entratest.Server) string {
		key := s.UnknownKey()
		s.Publish(key.With("cloud_instance_name", "microsoftonline.us"))
		return s.Token(entratest.V1(), entratest.SignedBy(key))
	}, reason: entra.ReasonKeyIssuer, says: []string{`the cloud "microsoftonline.us"`, "Worldwide", "set Options.Cloud"}},

	{name: "8 a token of External ID at an API for tenants", token: mint(entratest.Claim("iss", testbed.ExternalIDIssuer)),
		reason: entra.ReasonIssuer, says: []string{entratest.TenantID + ".ciamlogin.com", "expected " + testbed.PublicV2, "Options.Authority"}},

	{name: "9 a client that cannot step up", require: entra.AuthContext("c1"), token: mint(),
		reason: entra.ReasonAuthContext, says: []string{"authentication context c1 (the token has no authentication contexts)", "the client must declare the capability cp1", "manifest", "xms_cc"}},
	{name: "9 a client that can step up", require: entra.AuthContext("c1"), token: mint(entratest.Capabilities("cp1"), entratest.AuthContext("c2")),
		reason: entra.ReasonAuthContext, says: []string{`authentication context c1 (the token has the authentication contexts "c2")`, "was sent a claims challenge", "request a token with"}},

	{name: "10 a token of another issuer, signed with a shared secret", token: mint(entratest.Header("alg", "HS256")),
		reason: entra.ReasonAlgorithm, says: []string{`alg is "HS256"`, "RS256", "another issuer"}},
	{name: "10 a token of another authority", token: func(s *entratest.Server) string { return s.Token(entratest.SignedBy(s.UnknownKey())) },
		reason: entra.ReasonUnknownKey, says: []string{"no signing key", "unverified", testbed.PublicV2}},
}

// operatorReads serves one request and returns what the log says of its refusal.
func operatorReads(t *testing.T, d diagnosis) (reason entra.Reason, text, body string) {
	t.Helper()
	var log bytes.Buffer
	tenant := entratest.New(t)
	token := d.token(tenant)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		if d.options != nil {
			d.options(o)
		}
	})
	var handler http.Handler = new(testbed.Spy)
	if d.require != nil {
		handler = entra.Require(d.require)(handler)
	}
	w := testbed.Serve(verifier.Authenticate(handler), "Bearer "+token)
	var line struct {
		Reason entra.Reason
		Error  string
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("got status %d and the log %q, want one line: %v", w.Code, &log, err)
	}
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), strings.Split(token, ".")[2]) {
		t.Errorf("got the log %s, want nothing of the token in it", &log)
	}
	return line.Reason, line.Error, w.Body.String()
}

func TestOperatorsTextsOfTheMostFrequentMistakes(t *testing.T) {
	for _, d := range diagnoses {
		t.Run(d.name, func(t *testing.T) {
			reason, text, body := operatorReads(t, d)
			if reason != d.reason {
				t.Errorf("got reason %q, want %q", reason, d.reason)
			}
			for _, want := range d.says {
				if !strings.Contains(text, want) {
					t.Errorf("got the text\n%s\nwant it to say %q", text, want)
				}
			}
			if strings.Contains(body, text) || strings.Contains(body, d.says[0]) && len(d.says[0]) > 20 {
				t.Errorf("got the answer %s, want nothing of the operator's text in it", body)
			}
		})
	}
}

// Version 1.0 and 2.0 tokens pass side by side, so the second most frequent mistake cannot be made.
func TestBothVersionsPass(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for _, version := range []entratest.TokenOption{entratest.V1(), entratest.V2()} {
		for _, audience := range []string{entratest.APIClientID, entratest.APIURI, entratest.APIURI + "/"} {
			if _, err := verifier.Verify(t.Context(), tenant.Token(version, entratest.Audience(audience))); err != nil {
				t.Errorf("audience %s: got %v, want no error", audience, err)
			}
		}
	}
}

// What is wrong with the metadata of an authority stands in the error of Ready.
func TestOperatorsTextOfAnAuthorityThatIsATemplate(t *testing.T) {
	k := entratest.New(t).Key()
	const common = "https://login.contoso.example/common/v2.0"
	p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(common, testbed.PublicOwner, k)}
	err := testbed.NewVerifierAt(t, p, entra.Options{Authority: common}).Ready(t.Context())
	for _, want := range []string{common, "{tenantid}", "is a template", "must name one directory"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a text that says %q", err, want)
		}
	}
}
