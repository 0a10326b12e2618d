// Package policy_test judges claim sets that no token was made for: the tables need neither keys nor requests.
package policy_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// now is when claim sets are judged.
var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// newPolicy returns the policy of the sample API for one tenant, after change, unless nil, has changed its configuration.
func newPolicy(t *testing.T, change func(*policy.Config)) *policy.Policy {
	t.Helper()
	config := policy.Config{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID}
	if change != nil {
		change(&config)
	}
	p, wrong := policy.New(config)
	if err := errors.Join(wrong...); err != nil {
		t.Fatalf("New: got %v, want no mistake", err)
	}
	return p
}

// user returns the claims of a user token of this issuer, which are good for an hour.
func user(issuer string) claimset.Set {
	return claimset.Set{
		Aud: entratest.APIClientID, AudCount: 1, Iss: issuer, Exp: now.Add(time.Hour), Nbf: now, Iat: now, Ver: testbed.VersionOfIssuer(issuer),
		Tid: testbed.TenantOfIssuer(issuer), Oid: entratest.AliceObjectID, Sub: "pairwise",
		Azp: entratest.SPAClientID, AzpACR: "0", AppID: entratest.SPAClientID, AppIDACR: "0",
		Scp: entratest.ScopeRead, HasScp: true, Scopes: []string{entratest.ScopeRead},
	}
}

// application makes a set the claims of an application with a role.
func application(s *claimset.Set) {
	s.IDTyp, s.HasIDTyp, s.Sub = "app", true, s.Oid
	s.Scp, s.HasScp, s.Scopes = "", false, nil
	s.Roles, s.AzpACR = []string{entratest.RoleDaemon}, "1"
}

// idToken makes a set the claims of an ID token.
func idToken(s *claimset.Set) {
	s.Azp, s.AzpACR, s.AppID, s.AppIDACR = "", "", "", ""
	s.Scp, s.HasScp, s.Scopes = "", false, nil
	s.IDTokenClaim = "nonce"
}

// judge lets p judge a set twice. It checks what holds for every judgment: the set does not change, and the second one says
// the same.
func judge(t *testing.T, p *policy.Policy, set claimset.Set, owner policy.KeyOwner, issuer string) (policy.Verdict, error) {
	t.Helper()
	before := set
	before.Scopes, before.Roles, before.Groups = slices.Clone(set.Scopes), slices.Clone(set.Roles), slices.Clone(set.Groups)
	v, err := p.Judge(&set, owner, issuer, now)
	if !reflect.DeepEqual(set, before) {
		t.Errorf("got the set %+v afterwards, want it unchanged", set)
	}
	if again, alsoErr := p.Judge(&set, owner, issuer, now); again != v || reasonOf(alsoErr) != reasonOf(err) {
		t.Errorf("got %+v and %v at first, then %+v and %v", v, err, again, alsoErr)
	}
	if err != nil && v != (policy.Verdict{}) {
		t.Errorf("got the verdict %+v beside the error %v, want none", v, err)
	}
	return v, err
}

// reasonOf returns why a set was refused, "" if it was not.
func reasonOf(err error) string {
	var refused *refuse.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &refused) || refused.Reason == "":
		return "an error without reason: " + err.Error()
	}
	return refused.Reason
}

// row is a good user token of the first tenant with one change, at a policy with one change.
type row struct {
	name   string
	config func(*policy.Config)
	issuer string // default: version 2.0 of the first tenant
	set    func(*claimset.Set)
	want   string // the reason, "" for an accepted set
	says   string // what the operator reads, in part
}

func run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.issuer == "" {
				r.issuer = testbed.PublicV2
			}
			set := user(r.issuer)
			if r.set != nil {
				r.set(&set)
			}
			_, err := judge(t, newPolicy(t, r.config), set, policy.KeyOwner{}, r.issuer)
			if got := reasonOf(err); got != r.want || r.want != "" && !strings.Contains(err.Error(), r.says) {
				t.Errorf("got reason %q (%v), want %q and a text that says %q", got, err, r.want, r.says)
			}
		})
	}
}

// Each set has two faults: the one that is found first decides.
func TestTheFirstFaultDecides(t *testing.T) {
	faults := []struct {
		reason string
		spoil  func(*claimset.Set, *policy.KeyOwner)
	}{
		{refuse.Expired, func(s *claimset.Set, _ *policy.KeyOwner) { s.Exp = now.Add(-time.Hour) }},
		{refuse.Issuer, func(s *claimset.Set, _ *policy.KeyOwner) { s.Iss = "https://evil.example/" }},
		{refuse.Version, func(s *claimset.Set, _ *policy.KeyOwner) { s.Ver = "3.0" }},
		{refuse.Tenant, func(s *claimset.Set, _ *policy.KeyOwner) {
			// Another tenant, with its own issuer unless that is broken already.
			s.Tid = entratest.OtherTenantID
			s.Iss = strings.Replace(s.Iss, entratest.TenantID, entratest.OtherTenantID, 1)
		}},
		{refuse.KeyIssuer, func(_ *claimset.Set, o *policy.KeyOwner) { o.Issuer = "https://evil.example/" }},
		{refuse.Audience, func(s *claimset.Set, _ *policy.KeyOwner) { s.Aud = "api://other" }},
		{refuse.BoundToken, func(s *claimset.Set, _ *policy.KeyOwner) { s.Cnf = true }},
		{refuse.IDToken, func(s *claimset.Set, _ *policy.KeyOwner) { s.Azp, s.AppID = "", "" }},
		{refuse.Claims, func(s *claimset.Set, _ *policy.KeyOwner) { s.Oid = "" }},
		{refuse.NoPermissions, func(s *claimset.Set, _ *policy.KeyOwner) { s.Scp, s.Scopes = "", nil }},
	}
	p := newPolicy(t, nil)
	for i, early := range faults {
		for _, late := range faults[i:] {
			set, owner := user(testbed.PublicV2), policy.KeyOwner{}
			late.spoil(&set, &owner)
			if late.reason != early.reason {
				early.spoil(&set, &owner)
			}
			if _, err := judge(t, p, set, owner, ""); reasonOf(err) != early.reason {
				t.Errorf("%s and %s: got reason %q (%v), want %s", early.reason, late.reason, reasonOf(err), err, early.reason)
			}
		}
	}
}
