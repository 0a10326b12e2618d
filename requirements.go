package entra

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/entra-go/entra/internal/quote"
)

// ClientIn is met if the application that asked for the token is one of ids, application (client) IDs of either case. For
// applications with a secret or certificate that is as good as a password; anybody can pretend to be a public client
// ([Claims.ClientAuth] "0"), so combine it with a scope there. Without ids nobody meets it.
func ClientIn(ids ...string) Requirement {
	accepted := lowered(ids)
	return func(_ context.Context, c *Claims) error {
		if kindOfClaims(c) == 0 || c.ClientID == "" || !slices.Contains(accepted, strings.ToLower(c.ClientID)) {
			return forbidden(ReasonClient, "client application %s is not accepted here; add it to ClientIn if it may call", quote.Text(clientOf(c)))
		}
		return nil
	}
}

func clientOf(c *Claims) string {
	if c == nil {
		return ""
	}
	return c.ClientID
}

// TenantIn is met by tokens of the tenants ids, directory (tenant) IDs of either case: for routes that fewer tenants may
// use than [Options.Tenants] or AllowAnyTenant let in. Without ids nobody meets it.
func TenantIn(ids ...string) Requirement {
	accepted := lowered(ids)
	return func(_ context.Context, c *Claims) error {
		if kindOfClaims(c) == 0 || c.TenantID == "" || !slices.Contains(accepted, c.TenantID) {
			// The token is good and its tenant known: unlike a foreign token, this is no 401.
			return forbidden(ReasonTenant, "tenant %s is not accepted here; add it to TenantIn if it may call", quote.Text(tenantOfClaims(c)))
		}
		return nil
	}
}

func tenantOfClaims(c *Claims) string {
	if c == nil {
		return ""
	}
	return c.TenantID
}

func lowered(ids []string) []string {
	lower := make([]string, len(ids))
	for i, id := range ids {
		lower[i] = strings.ToLower(id)
	}
	return lower
}

var authContextID = regexp.MustCompile(`^c[1-9][0-9]?$`)

// AuthContext is met by user tokens that satisfy the Conditional Access authentication context id, c1 to c99. A client
// that declares the capability cp1 is answered with a claims challenge, 401, and comes back with a token that satisfies
// it after its user has stepped up; any other client, and every application, with 403. To see who declares it, the API's
// manifest must ask for the optional claim xms_cc. It panics if id is no such ID.
//
// Source: https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context
func AuthContext(id string) Requirement {
	if !authContextID.MatchString(id) {
		panic("entra: AuthContext(" + strconv.Quote(id) + "): expected the ID of an authentication context, c1 to c99")
	}
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != UserToken {
			return offKind(ReasonAuthContext, "the authentication context "+id+" belongs to user tokens", kind)
		}
		if slices.Contains(c.AuthContexts, id) {
			return nil
		}
		const text = "the sign-in does not satisfy the authentication context %s but %s; %s"
		if !slices.ContainsFunc(c.ClientCapabilities, func(cc string) bool { return strings.EqualFold(cc, "cp1") }) {
			return forbidden(ReasonAuthContext, text, id, listed(c.AuthContexts), "the token does not say that its client can step up: the client must declare the capability cp1, and the API's manifest ask for the optional claim xms_cc in access tokens")
		}
		err := forbidden(ReasonAuthContext, text, id, listed(c.AuthContexts), "the client was sent a claims challenge and must request a token with those claims")
		err.Claims = `{"access_token":{"acrs":{"essential":true,"value":"` + id + `"}}}`
		return err
	}
}
