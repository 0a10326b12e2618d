package entra_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// asked sends a request of a caller with these claims through Require.
func asked(claims *entra.Claims, requirements ...entra.Requirement) (*httptest.ResponseRecorder, int) {
	var reached spy
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r = r.WithContext(entra.ContextWithClaims(r.Context(), claims))
	w := httptest.NewRecorder()
	entra.Require(requirements...)(&reached).ServeHTTP(w, r)
	return w, reached.calls
}

// The callers of the rows below.
var (
	userCaller = &entra.Claims{Kind: entra.UserToken, TenantID: homeTenant, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
	appCaller = &entra.Claims{Kind: entra.AppToken, TenantID: homeTenant, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Read.All", "Orders.Admin"}}
	idCaller = &entra.Claims{Kind: entra.IDToken, TenantID: homeTenant,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
	kindless = &entra.Claims{TenantID: homeTenant, ClientID: entratest.ClientID,
		Scopes: []string{"Orders.Read"}, Roles: []string{"Orders.Admin", "Orders.Read.All"}}
)

func TestRequirements(t *testing.T) {
	const (
		scope, role, permission = entra.ReasonScope, entra.ReasonRole, entra.ReasonAppPermission
		client, tenant          = entra.ReasonClient, entra.ReasonTenant
		forbidden               = entra.ReasonForbidden
	)
	read, admin, daemon := entra.Scope("Orders.Read"), entra.Role("Orders.Admin"), entra.AppPermission("Orders.Read.All")
	rows := []struct {
		rule, name  string
		caller      *entra.Claims
		requirement entra.Requirement
		want        entra.Reason // "" means met
	}{
		{"R62", "a user with the scope", userCaller, read, ""},
		{"R62", "a user without the scope", userCaller, entra.Scope("Orders.Write"), scope},
		{"R62", "a user, the scope in other case", userCaller, entra.Scope("orders.read"), scope},
		{"R62", "a user with a role of the scope's name", userCaller, entra.Scope("Orders.Admin"), scope},
		{"R62 R65", "an application with the scope's name in scp", appCaller, read, scope},
		{"R62 R65", "an application with a role of the scope's name", appCaller, entra.Scope("Orders.Read.All"), scope},
		{"R56", "an ID token with the scope's name", idCaller, read, scope},
		{"R62", "claims without a kind", kindless, read, forbidden},

		{"R63", "a user with the role", userCaller, admin, ""},
		{"R63", "a user whose ID token has the role", idCaller, admin, ""},
		{"R63", "a user without the role", userCaller, entra.Role("Orders.Owner"), role},
		{"R63", "a user, the role in other case", userCaller, entra.Role("orders.admin"), role},
		{"R63", "a user with a scope of the role's name", userCaller, entra.Role("Orders.Read"), role},
		{"R63 R65", "an application with a permission of the role's name", appCaller, admin, role},
		{"R63", "claims without a kind, for a role", kindless, admin, forbidden},

		{"R63", "an application with the permission", appCaller, daemon, ""},
		{"R63", "an application without the permission", appCaller, entra.AppPermission("Orders.Write.All"), permission},
		{"R63 R65", "a user with a role of the permission's name", userCaller, daemon, permission},
		{"R63 R65", "an ID token with a role of the permission's name", idCaller, daemon, permission},
		{"R63", "claims without a kind, for a permission", kindless, daemon, forbidden},

		{"R65", "scope or permission, a user with the scope", userCaller, entra.AnyOf(read, daemon), ""},
		{"R65", "scope or permission, an application with the permission", appCaller, entra.AnyOf(read, daemon), ""},
		{"R65", "scope or permission, a user with a role of the permission's name", userCaller, entra.AnyOf(entra.Scope("x"), daemon), scope},
		{"R65", "scope or permission, an application with a scope's name", appCaller, entra.AnyOf(read, entra.AppPermission("x")), permission},

		{"R66", "a client that may", userCaller, entra.ClientIn("x", strings.ToUpper(entratest.ClientID)), ""},
		{"R66", "another client", userCaller, entra.ClientIn(entratest.SPAClientID), client},
		{"R66", "no client may", userCaller, entra.ClientIn(), client},
		{"R66", "a token without client", idCaller, entra.ClientIn(entratest.ClientID), client},
		{"R66", "a token without client, an empty ID accepted", idCaller, entra.ClientIn(""), client},
		{"R68", "a tenant that may", userCaller, entra.TenantIn(otherTenant, strings.ToUpper(homeTenant)), ""},
		{"R68", "another tenant", userCaller, entra.TenantIn(otherTenant), tenant},
		{"R86", "no tenant may", userCaller, entra.TenantIn(), tenant},
		{"R86", "claims without tenant, an empty ID accepted", &entra.Claims{Kind: entra.UserToken}, entra.TenantIn(""), tenant},

		{"R86", "any of nothing", userCaller, entra.AnyOf(), forbidden},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			w, calls := asked(r.caller, r.requirement)
			if r.want == "" {
				if w.Code != http.StatusOK || calls != 1 {
					t.Errorf("got status %d and %d calls, want 200 and 1: %s", w.Code, calls, w.Body)
				}
				return
			}
			if w.Code != http.StatusForbidden || calls != 0 || !strings.Contains(w.Body.String(), `"reason":"`+string(r.want)+`"`) {
				t.Errorf("got status %d, %d calls and body %s, want 403, none and reason %s", w.Code, calls, w.Body, r.want)
			}
			if err := r.requirement(t.Context(), r.caller); r.want != forbidden && (!errors.Is(err, entra.ErrForbidden) || entra.ReasonOf(err) != r.want) {
				t.Errorf("got %v (%s), want ErrForbidden with reason %s", err, entra.ReasonOf(err), r.want)
			}
			// Called outside of Require, a requirement must not panic for want of claims either.
			if err := r.requirement(t.Context(), nil); err == nil {
				t.Error("got no error for no claims, want one")
			}
		})
	}
}

func met(context.Context, *entra.Claims) error { return nil }

func failing(err error) entra.Requirement {
	return func(context.Context, *entra.Claims) error { return err }
}

func TestRequireWantsAllOfThem(t *testing.T) {
	read := entra.Scope("Orders.Read")
	var asks []string
	noted := func(name string, err error) entra.Requirement {
		return func(context.Context, *entra.Claims) error { asks = append(asks, name); return err }
	}
	for _, r := range []struct {
		rule, name   string
		requirements []entra.Requirement
		status       int
		asks         string
	}{
		{"R86", "none", nil, http.StatusForbidden, ""},
		{"R86", "two that are met", []entra.Requirement{read, entra.Role("Orders.Admin")}, http.StatusOK, ""},
		{"R86", "the second is not met", []entra.Requirement{read, entra.Scope("x")}, http.StatusForbidden, ""},
		{"R86", "the first is not met: the second is not asked", []entra.Requirement{noted("a", entra.ErrForbidden), noted("b", nil)}, http.StatusForbidden, "a"},
		{"R86", "in their order", []entra.Requirement{noted("a", nil), noted("b", nil)}, http.StatusOK, "ab"},
		{"R89", "one that fails", []entra.Requirement{met, failing(errors.New("database"))}, http.StatusInternalServerError, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			asks = nil
			w, calls := asked(userCaller, r.requirements...)
			if w.Code != r.status || (calls == 1) != (r.status == http.StatusOK) || strings.Join(asks, "") != r.asks {
				t.Errorf("got status %d, %d calls, asked %v, want %d and asked %q", w.Code, calls, asks, r.status, r.asks)
			}
		})
	}
}

func TestRequirementsAreCopied(t *testing.T) {
	all := []entra.Requirement{entra.Scope("x")}
	handler, any := entra.Require(all...)(new(spy)), entra.AnyOf(all...)
	clients := []string{"x"}
	in := entra.ClientIn(clients...)
	all[0], clients[0] = met, entratest.ClientID
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(entra.ContextWithClaims(r.Context(), userCaller)))
	if w.Code != http.StatusForbidden || any(t.Context(), userCaller) == nil || in(t.Context(), userCaller) == nil {
		t.Error("got a requirement that changed with its caller's list, want it copied")
	}
}

func TestAnyOfReportsWhatFits(t *testing.T) {
	database := errors.New("database is down")
	own := fmt.Errorf("not your order: %w", entra.ErrForbidden)
	write, admin, daemon := entra.Scope("Orders.Write"), entra.Role("x"), entra.AppPermission("x")
	for _, r := range []struct {
		name         string
		caller       *entra.Claims
		requirements []entra.Requirement
		status       int
		reason       entra.Reason
	}{
		{"the first that fits a user", userCaller, []entra.Requirement{daemon, write, admin}, 403, entra.ReasonScope},
		{"the first that fits an application", appCaller, []entra.Requirement{write, admin, daemon}, 403, entra.ReasonAppPermission},
		{"the first that fits an ID token", idCaller, []entra.Requirement{write, daemon, admin}, 403, entra.ReasonRole},
		{"the first of all if none fits", appCaller, []entra.Requirement{admin, write}, 403, entra.ReasonRole},
		{"one of one's own, which may fit", appCaller, []entra.Requirement{write, failing(own)}, 403, entra.ReasonForbidden},
		{"one that could not decide", userCaller, []entra.Requirement{write, failing(database), admin}, 500, entra.ReasonInternal},
		{"one that could not decide before one that is met", userCaller, []entra.Requirement{failing(database), met}, 200, ""},
		{"one that is met before one that is not asked", userCaller, []entra.Requirement{met, func(context.Context, *entra.Claims) error { panic("asked") }}, 200, ""},
		{"an alternative of alternatives", userCaller, []entra.Requirement{entra.AnyOf(daemon, write), admin}, 403, entra.ReasonScope},
	} {
		t.Run(r.name, func(t *testing.T) {
			w, _ := asked(r.caller, entra.AnyOf(r.requirements...))
			if w.Code != r.status || r.reason != "" && !strings.Contains(w.Body.String(), `"reason":"`+string(r.reason)+`"`) {
				t.Errorf("got status %d and body %s, want %d and reason %q", w.Code, w.Body, r.status, r.reason)
			}
		})
	}
}
