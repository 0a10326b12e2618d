package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestTenantInAndClientIn(t *testing.T) {
	const client = "DDDDDDDD-DDDD-4DDD-8DDD-DDDDDDDDDDDD" // entratest.ClientID
	daemon, otherDaemon := entratest.App(entratest.RoleDaemon), entratest.CallingApp(entratest.SPAClientID)
	tests := []struct {
		name        string
		requirement entra.Requirement
		token       []entratest.TokenOption
		want        entra.Reason
	}{
		{"the tenant", entra.TenantIn(entratest.OtherTenantID, entratest.TenantID), nil, ""},
		{"the tenant of an application", entra.TenantIn(entratest.TenantID), []entratest.TokenOption{daemon}, ""},
		{"another tenant", entra.TenantIn(entratest.TenantID), []entratest.TokenOption{entratest.Tenant(entratest.OtherTenantID)}, entra.ReasonTenant},
		{"a tenant that only begins alike", entra.TenantIn(entratest.TenantID[:35]), nil, entra.ReasonTenant},
		{"a domain name, which no token has", entra.TenantIn("contoso.onmicrosoft.com"), nil, entra.ReasonTenant},
		{"no tenants", entra.TenantIn(), nil, entra.ReasonTenant},
		{"an empty tenant", entra.TenantIn(""), nil, entra.ReasonTenant},

		{"the client, in upper case", entra.ClientIn(client), []entratest.TokenOption{entratest.CallingApp(entratest.ClientID)}, ""},
		{"the client of a version 1.0 token", entra.ClientIn(client), []entratest.TokenOption{entratest.V1(), daemon, entratest.CallingApp(entratest.ClientID)}, ""},
		{"another client", entra.ClientIn(client), []entratest.TokenOption{otherDaemon}, entra.ReasonClient},
		{"another client of a version 1.0 token", entra.ClientIn(client), []entratest.TokenOption{entratest.V1(), otherDaemon}, entra.ReasonClient},
		{"this API as its own client", entra.ClientIn(entratest.APIClientID), nil, entra.ReasonClient},
		{"no clients", entra.ClientIn(), nil, entra.ReasonClient},
		{"an empty client", entra.ClientIn(""), nil, entra.ReasonClient},
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = nil, true })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reached testbed.Spy
			w := testbed.Serve(verifier.Authenticate(entra.Require(test.requirement)(&reached)), "Bearer "+tenant.Token(test.token...))
			if test.want == "" {
				if w.Code != http.StatusOK || reached.Calls != 1 {
					t.Errorf("got status %d and %d calls, want 200 and 1: %s", w.Code, reached.Calls, w.Body)
				}
				return
			}
			// A failed requirement is 403 even where the reason, tenant, is one that a token can be refused for.
			if w.Code != http.StatusForbidden || reached.Calls != 0 || !strings.Contains(w.Body.String(), string(test.want)) {
				t.Errorf("got status %d, %d calls and %s, want 403 and the reason %s", w.Code, reached.Calls, w.Body, test.want)
			}
		})
	}
}

func TestRequirementsRefuseClaimsOfNoKind(t *testing.T) {
	claims := &entra.Claims{TenantID: entratest.TenantID, ClientID: entratest.ClientID, AuthContexts: []string{"c1"}}
	for name, requirement := range map[string]entra.Requirement{
		"TenantIn": entra.TenantIn(entratest.TenantID), "ClientIn": entra.ClientIn(entratest.ClientID), "AuthContext": entra.AuthContext("c1"),
	} {
		for _, c := range []*entra.Claims{claims, nil} {
			if err := requirement(t.Context(), c); !errors.Is(err, entra.ErrForbidden) {
				t.Errorf("%s of %v: got %v, want ErrForbidden", name, c, err)
			}
		}
	}
}

type customers map[string]bool // by tenant ID: whether they pay

var errCustomersDown = errors.New("the list of customers is down")

// isCustomer looks tenants up in a list that changes while the program runs.
func isCustomer(list customers) entra.Requirement {
	return func(ctx context.Context, c *entra.Claims) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch pays, known := list[c.TenantID]; {
		case list == nil:
			return errCustomersDown
		case !known:
			return fmt.Errorf("tenant %s is no customer: %w", c.TenantID, entra.ErrForbidden)
		case !pays:
			return fmt.Errorf("tenant %s does not pay: %w", c.TenantID, entra.ErrForbidden)
		}
		return nil
	}
}

func TestRequirementOfOnesOwn(t *testing.T) {
	tests := []struct {
		name   string
		list   customers
		status int
		reason entra.Reason
	}{
		{"a customer", customers{entratest.OtherTenantID: true}, http.StatusOK, ""},
		{"a customer that does not pay", customers{entratest.OtherTenantID: false}, http.StatusForbidden, entra.ReasonForbidden},
		{"a stranger", customers{entratest.TenantID: true}, http.StatusForbidden, entra.ReasonForbidden},
		{"the list is down", nil, http.StatusInternalServerError, entra.ReasonInternal},
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = nil, true })
	token := tenant.Token(entratest.Tenant(entratest.OtherTenantID))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reached testbed.Spy
			w := testbed.Serve(verifier.Authenticate(entra.Require(isCustomer(test.list))(&reached)), "Bearer "+token)
			if w.Code != test.status || (reached.Calls == 1) != (test.status == http.StatusOK) {
				t.Errorf("got status %d and %d calls, want %d: %s", w.Code, reached.Calls, test.status, w.Body)
			}
			if !strings.Contains(w.Body.String(), string(test.reason)) || strings.Contains(w.Body.String(), entratest.OtherTenantID) || strings.Contains(w.Body.String(), "customer") {
				t.Errorf("got %s, want the reason %q and nothing of the error's text", w.Body, test.reason)
			}
			challenged := strings.Contains(w.Header().Get("WWW-Authenticate"), `error="insufficient_scope"`)
			if challenged != (test.status == http.StatusForbidden) {
				t.Errorf("got the challenge %q with status %d", w.Header().Get("WWW-Authenticate"), w.Code)
			}
		})
	}
}

// A requirement that asks another service gets the context of the request, and ends with it.
func TestRequirementOfOnesOwnGetsTheRequestsContext(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	token := tenant.Token()
	if _, err := verifier.Verify(t.Context(), token); err != nil {
		t.Fatalf("Verify: got %v, want no error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := verifier.Stats().Refused
	var reached testbed.Spy
	guard := verifier.Authenticate(entra.Require(isCustomer(customers{entratest.TenantID: true}))(&reached))
	w := testbed.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard.ServeHTTP(w, r.WithContext(ctx)) }), "Bearer "+token)
	if w.Code != http.StatusServiceUnavailable || reached.Calls != 0 {
		t.Errorf("got status %d and %d calls, want 503 and none", w.Code, reached.Calls)
	}
	if got := verifier.Stats().Refused; len(got) != len(before) {
		t.Errorf("got refusals %v, want %v: a caller that went away is not counted as refused", got, before)
	}
}

// inGroup is what an API that decides by groups has to write: with an overage the groups are unknown, which is not a yes.
func inGroup(id string) entra.Requirement {
	return func(_ context.Context, c *entra.Claims) error {
		for _, group := range c.Groups {
			if group == id {
				return nil
			}
		}
		if c.GroupsOverage {
			return errors.New("too many groups for the token; ask Graph")
		}
		return fmt.Errorf("not in group %s: %w", id, entra.ErrForbidden)
	}
}

func TestGroupsLeftOutAreUnknown(t *testing.T) {
	const group = "99999999-9999-4999-8999-999999999999"
	tests := []struct {
		name   string
		token  []entratest.TokenOption
		status int
	}{
		{"in the group", []entratest.TokenOption{entratest.Groups(group)}, http.StatusOK},
		{"in another", []entratest.TokenOption{entratest.Groups(entratest.AliceObjectID)}, http.StatusForbidden},
		{"in none", nil, http.StatusForbidden},
		{"in too many", []entratest.TokenOption{entratest.Overage()}, http.StatusInternalServerError},
		{"in too many, as the implicit flow says it", []entratest.TokenOption{entratest.Claim("hasgroups", true)}, http.StatusInternalServerError},
		{"in too many, with a pointer", []entratest.TokenOption{entratest.Claim("groups:src1", map[string]string{"endpoint": "https://graph.windows.net/"})}, http.StatusInternalServerError},
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for _, test := range tests {
		w := testbed.Serve(verifier.Authenticate(entra.Require(inGroup(group))(new(testbed.Spy))), "Bearer "+tenant.Token(test.token...))
		if w.Code != test.status {
			t.Errorf("%s: got status %d, want %d", test.name, w.Code, test.status)
		}
	}
}

func TestGuestsAndAgentsAreToldApart(t *testing.T) {
	const blueprint = "77777777-7777-4777-8777-777777777777"
	agentApp := func(scp any) []entratest.TokenOption {
		return []entratest.TokenOption{entratest.App(entratest.RoleDaemon), entratest.Claim("scp", scp),
			entratest.Claim("xms_act_fct", "3 11"), entratest.Claim("xms_par_app_azp", blueprint)}
	}
	tests := []struct {
		name         string
		token        []entratest.TokenOption
		kind         entra.Kind
		guest, agent bool
	}{
		{"a member", nil, entra.UserToken, false, false},
		{"a guest", []entratest.TokenOption{entratest.Guest()}, entra.UserToken, true, false},
		{"a guest of another tenant, by idp alone", []entratest.TokenOption{entratest.Guest(), entratest.Without("acct")}, entra.UserToken, true, false},
		{"a guest with a personal account", []entratest.TokenOption{entratest.Claim("idp", "live.com")}, entra.UserToken, true, false},
		{"an application", []entratest.TokenOption{entratest.App(entratest.RoleDaemon)}, entra.AppToken, false, false},
		{"an agent for itself, scp /", agentApp("/"), entra.AppToken, false, true},
		{"an agent for itself, scp empty", agentApp(""), entra.AppToken, false, true},
		{"an agent for a user", []entratest.TokenOption{entratest.Claim("xms_act_fct", "11")}, entra.UserToken, false, true},
		{"an agent's own user account", []entratest.TokenOption{entratest.Claim("idtyp", "user"), entratest.Claim("xms_sub_fct", "1 13")}, entra.UserToken, false, true},
		{"facets that only look like an agent's", []entratest.TokenOption{entratest.Claim("xms_act_fct", "1 111 130"), entratest.Claim("xms_sub_fct", "11a")}, entra.UserToken, false, false},
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for _, test := range tests {
		claims, err := verifier.Verify(t.Context(), tenant.Token(test.token...))
		if err != nil {
			t.Errorf("%s: got %v, want no error", test.name, err)
			continue
		}
		if claims.Kind != test.kind || claims.Guest != test.guest || claims.Agent != test.agent {
			t.Errorf("%s: got %v, guest %t, agent %t, want %v, %t, %t", test.name, claims.Kind, claims.Guest, claims.Agent, test.kind, test.guest, test.agent)
		}
	}
	claims, err := verifier.Verify(t.Context(), tenant.Token(agentApp("/")...))
	if err != nil || claims.AgentBlueprint != blueprint {
		t.Errorf("got %+v, %v, want the blueprint %s", claims, err, blueprint)
	}
}
