package conformance_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func allowIDTokens(o *entra.Options) { o.AllowIDTokens = true }

// ID tokens are for pages that sign their user in and call their own back end: both share one app registration.
func TestIDTokens(t *testing.T) {
	tenant := entratest.New(t)
	idToken := func(more ...entratest.TokenOption) []entratest.TokenOption {
		return append([]entratest.TokenOption{entratest.IDToken()}, more...)
	}
	tests := []struct {
		name  string
		token []entratest.TokenOption
		want  entra.Reason
		kind  entra.Kind
	}{
		{"version 2.0", idToken(), "", entra.IDToken},
		{"version 1.0", idToken(entratest.V1(), entratest.Audience(entratest.APIClientID)), "", entra.IDToken},
		{"with a nonce", idToken(entratest.Nonce("n-0S6_WzA2Mj")), "", entra.IDToken},
		{"with the hash of an access token", idToken(entratest.Claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")), "", entra.IDToken},
		{"with the hash of a code, and a client", idToken(entratest.Claim("c_hash", "LDktKdoQak3Pk0cnXxCltA"), entratest.Claim("azp", entratest.APIClientID)), "", entra.IDToken},
		{"with app roles", idToken(entratest.Roles(entratest.RoleAdmin)), "", entra.IDToken},
		{"an audience in an array", idToken(entratest.Claim("aud", []string{entratest.APIClientID})), "", entra.IDToken},
		{"an access token beside it", nil, "", entra.UserToken},
		{"an application's token beside it", []entratest.TokenOption{entratest.App(entratest.RoleDaemon)}, "", entra.AppToken},

		{"for another application", idToken(entratest.Audience(entratest.SPAClientID)), entra.ReasonAudience, 0},
		{"for an Application ID URI", idToken(entratest.Audience(entratest.APIURI)), entra.ReasonAudience, 0},
		{"for a further audience", idToken(entratest.Audience("api://orders")), entra.ReasonAudience, 0},
		{"for two audiences", idToken(entratest.Claim("aud", []string{entratest.APIClientID, entratest.SPAClientID})), entra.ReasonAudience, 0},
		{"of another tenant", idToken(entratest.Tenant(entratest.OtherTenantID)), entra.ReasonTenant, 0},
		{"expired", idToken(entratest.Expired()), entra.ReasonExpired, 0},
		{"without exp", idToken(entratest.Without("exp")), entra.ReasonClaims, 0},
		{"without oid", idToken(entratest.Without("oid")), entra.ReasonClaims, 0},
		{"without sub", idToken(entratest.Without("sub")), entra.ReasonClaims, 0},
		{"bound to a key", idToken(entratest.Bound()), entra.ReasonBoundToken, 0},
		{"with a scope, so that it is none", idToken(entratest.Claim("scp", entratest.ScopeRead)), entra.ReasonIDToken, 0},
		{"with an empty scope, so that it is none", idToken(entratest.Claim("scp", "")), entra.ReasonIDToken, 0},
		{"with idtyp, so that it is none", idToken(entratest.Claim("idtyp", "user")), entra.ReasonIDToken, 0},
		{"with a client and nothing that only ID tokens have", idToken(entratest.Claim("azp", entratest.APIClientID)), entra.ReasonNoPermissions, 0},
		{"a null nonce", idToken(entratest.Claim("nonce", nil)), entra.ReasonClaims, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.AllowIDTokens, o.Audiences = true, []string{"api://orders"}
			})
			claims, err := verifier.Verify(t.Context(), tenant.Token(test.token...))
			if got := entra.ReasonOf(err); got != test.want {
				t.Fatalf("got reason %q (%v), want %q", got, err, test.want)
			}
			if err == nil && claims.Kind != test.kind {
				t.Errorf("got kind %v, want %v", claims.Kind, test.kind)
			}
		})
	}
}

func TestIDTokensAreRefusedUnlessAllowed(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	tests := map[string][]entratest.TokenOption{
		"version 2.0":          {entratest.IDToken()},
		"version 1.0":          {entratest.IDToken(), entratest.V1(), entratest.Audience(entratest.APIClientID)},
		"with app roles":       {entratest.IDToken(), entratest.Roles(entratest.RoleAdmin)},
		"nonce beside azp":     {entratest.IDToken(), entratest.Nonce("n"), entratest.Claim("azp", entratest.SPAClientID)},
		"at_hash beside appid": {entratest.IDToken(), entratest.Claim("at_hash", "h"), entratest.Claim("appid", entratest.SPAClientID)},
		"scp without client":   {entratest.Without("azp", "azpacr")},
		"role without client":  {entratest.App(entratest.RoleDaemon), entratest.Without("azp", "azpacr")},
	}
	for name, token := range tests {
		_, err := verifier.Verify(t.Context(), tenant.Token(token...))
		if !errors.Is(err, entra.ErrInvalidToken) || entra.ReasonOf(err) != entra.ReasonIDToken {
			t.Errorf("%s: got reason %q (%v), want id_token", name, entra.ReasonOf(err), err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "ID token") || !strings.Contains(text, "AllowIDTokens") || !strings.Contains(text, "access token") {
			t.Errorf("%s: got %q, want a text that names the ID token, the access token and AllowIDTokens", name, text)
		}
	}
}

// A user who signed in at the page is not thereby permitted what a scope or an application permission stands for.
func TestIDTokensMeetNoRequirementOfAccessTokens(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, allowIDTokens)
	token := tenant.Token(entratest.IDToken(), entratest.Roles(entratest.RoleAdmin, entratest.RoleDaemon), entratest.AuthContext("c1"),
		entratest.Capabilities("cp1"), entratest.Claim("roles", []string{entratest.RoleAdmin, entratest.RoleDaemon, entratest.ScopeRead}))
	tests := []struct {
		name        string
		requirement entra.Requirement
		want        entra.Reason
	}{
		{"a role of the user", entra.Role(entratest.RoleAdmin), ""},
		{"a role that the user has not", entra.Role("Orders.Owner"), entra.ReasonRole},
		{"its tenant", entra.TenantIn(entratest.TenantID), ""},
		{"a scope", entra.Scope(entratest.ScopeRead), entra.ReasonScope},
		{"an application permission", entra.AppPermission(entratest.RoleDaemon), entra.ReasonAppPermission},
		{"an authentication context", entra.AuthContext("c1"), entra.ReasonAuthContext},
		{"a client", entra.ClientIn(entratest.APIClientID, entratest.SPAClientID, ""), entra.ReasonClient},
		{"a scope or a role", entra.AnyOf(entra.Scope(entratest.ScopeRead), entra.Role(entratest.RoleAdmin)), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reached testbed.Spy
			w := testbed.Serve(verifier.Authenticate(entra.Require(test.requirement)(&reached)), "Bearer "+token)
			wantCode, wantCalls := http.StatusForbidden, 0
			if test.want == "" {
				wantCode, wantCalls = http.StatusOK, 1
			}
			if w.Code != wantCode || reached.Calls != wantCalls {
				t.Errorf("got status %d and %d calls, want %d and %d: %s", w.Code, reached.Calls, wantCode, wantCalls, w.Body)
			}
			if !strings.Contains(w.Body.String(), string(test.want)) {
				t.Errorf("got %s, want the reason %q", w.Body, test.want)
			}
		})
	}
}

// The scope claim of claims made by hand does not turn an ID token into an access token.
func TestIDTokensMadeByHandMeetNoScope(t *testing.T) {
	claims := &entra.Claims{Kind: entra.IDToken, Scopes: []string{entratest.ScopeRead}, Roles: []string{entratest.RoleDaemon}}
	for name, requirement := range map[string]entra.Requirement{
		"Scope": entra.Scope(entratest.ScopeRead), "AppPermission": entra.AppPermission(entratest.RoleDaemon),
	} {
		if err := requirement(t.Context(), claims); !errors.Is(err, entra.ErrForbidden) {
			t.Errorf("%s: got %v, want ErrForbidden", name, err)
		}
	}
}

func TestIDTokensOfAuthorities(t *testing.T) {
	k := entratest.New(t).Key()
	for _, place := range testbed.Places() {
		claims := place.Claims()
		for _, access := range []string{"azp", "appid", "scp"} {
			delete(claims, access)
		}
		claims["nonce"] = "n-0S6_WzA2Mj"
		token := testbed.SignClaims(k, claims)
		got, err := place.NewVerifier(t, k, allowIDTokens).Verify(t.Context(), token)
		if err != nil || got.Kind != entra.IDToken {
			t.Errorf("%s, allowed: got %+v, %v, want an ID token", place.Name, got, err)
		}
		_, err = place.NewVerifier(t, k, nil).Verify(t.Context(), token)
		if entra.ReasonOf(err) != entra.ReasonIDToken {
			t.Errorf("%s, not allowed: got reason %q (%v), want id_token", place.Name, entra.ReasonOf(err), err)
		}
	}
}

// TestIDTokensOfAnotherPartyAreRefused verifies ID tokens for this application that were issued to another one.
func TestIDTokensOfAnotherPartyAreRefused(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.AllowIDTokens = true })
	_, err := verifier.Verify(t.Context(), tenant.Token(entratest.IDToken(), entratest.Claim("azp", entratest.ClientID), entratest.Nonce("n")))
	if got := entra.ReasonOf(err); got != entra.ReasonIDToken {
		t.Errorf("issued to another application: got reason %q (%v), want id_token", got, err)
	}
	claims, err := verifier.Verify(t.Context(), tenant.Token(entratest.IDToken(), entratest.Claim("azp", entratest.APIClientID), entratest.Nonce("n")))
	if err != nil || claims.ClientID != "" {
		t.Errorf("issued to this one: got %v and %v, want no error and no client ID: an ID token names no caller", claims, err)
	}
}
