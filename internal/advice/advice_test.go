package advice_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/advice"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestEachReasonHasAdvice(t *testing.T) {
	verifier, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: entratest.New(t).Client()})
	if err != nil {
		t.Fatal(err)
	}
	_, malformed := verifier.Verify(t.Context(), "x")
	if got := advice.On(malformed, nil); got.Step != advice.Token || !strings.Contains(got.Change, "access_token") {
		t.Errorf("malformed: got %+v, want the step Token and what to send", got)
	}
	for _, reason := range testbed.Reasons(t) {
		if got := advice.ForReason(reason); got.Change == "" || got.Step.String() == "" {
			t.Errorf("%s: got %+v, want a step and what to change; add it in advice.go", reason, got)
		}
	}
}

func TestAdviceFollowsTheKindOfToken(t *testing.T) {
	scope, role, permission := entra.Scope("Orders.Read"), entra.Role("Orders.Admin"), entra.AppPermission("Orders.Read.All")
	for _, row := range []struct {
		name        string
		requirement entra.Requirement
		kind        entra.Kind
		want        string
	}{
		{"a user without the scope asks for it", scope, entra.UserToken, "consents"},
		{"an application cannot ask for a scope", scope, entra.AppToken, "App roles"},
		{"an ID token has no scopes", scope, entra.IDToken, "accessToken"},
		{"a user without the role gets it", role, entra.UserToken, "Users and groups"},
		{"an application has no user's role", role, entra.AppToken, "entra.AppPermission"},
		{"an application without the permission gets it", permission, entra.AppToken, "Grant admin consent"},
		{"a user has no application permission", permission, entra.UserToken, "Expose an API"},
		{"a tenant that a route does not accept", entra.TenantIn("22222222-2222-4222-8222-222222222222"), entra.UserToken, "all is well"},
	} {
		claims := &entra.Claims{Kind: row.kind, TenantID: entratest.TenantID}
		err := row.requirement(t.Context(), claims)
		if got := advice.On(err, claims); got.Step != advice.Require || !strings.Contains(got.Change, row.want) {
			t.Errorf("%s: on %v got %q, want %q", row.name, err, got.Change, row.want)
		}
	}
}

func TestErrorsOfOthersAreRefusedByTheProgram(t *testing.T) {
	for _, err := range []error{errors.New("the database is down"), fmt.Errorf("no customer: %w", entra.ErrForbidden)} {
		if got := advice.On(err, nil); got.Step != advice.Require || got.Change == "" {
			t.Errorf("%v: got %+v, want the step Require and where to look", err, got)
		}
	}
	if got := advice.On(nil, nil); got.Step != advice.Passed || got.Change != "" || got.Step.String() != "" {
		t.Errorf("nil: got %+v, want nothing to change", got)
	}
}

func TestClaimsThatNobodyKnowsCountAsPersonal(t *testing.T) {
	for name, want := range map[string]bool{"aud": false, "preferred_username": true, "extn.nickname": true, "": true} {
		if claim, _ := advice.PayloadClaim(name); claim.Personal != want || claim.Name != name {
			t.Errorf("%q: got %+v, want personal %v", name, claim, want)
		}
	}
	if claim, known := advice.HeaderMember("alg"); !known || claim.Personal {
		t.Errorf("alg: got %+v, want a member that is known", claim)
	}
}

func TestNoClaimIsListedTwice(t *testing.T) {
	for _, list := range [][]advice.Claim{advice.HeaderMembers(), advice.PayloadClaims()} {
		seen := make(map[string]bool)
		for _, claim := range list {
			if seen[claim.Name] || claim.Meaning == "" {
				t.Errorf("%s: got it twice or without meaning", claim.Name)
			}
			seen[claim.Name] = true
		}
	}
}
