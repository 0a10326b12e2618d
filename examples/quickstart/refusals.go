package main

import (
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// attempt is a request that the API must refuse.
type attempt struct {
	name          string
	method        string // default GET
	authorization string
	status        int
	reason        entra.Reason
}

// attempts are what reaches an API on an ordinary day, and on a bad one.
func attempts(tenant *entratest.Server) []attempt {
	token := func(options ...entratest.TokenOption) string { return "Bearer " + tenant.Token(options...) }
	return []attempt{
		{"no token", "", "", 401, entra.ReasonNoToken},
		{"a header with two tokens", "", "Bearer one two", 400, entra.ReasonInvalidRequest},
		{"a secret instead of a token", "", "Bearer not-a-jwt", 401, entra.ReasonMalformed},
		{"an expired token", "", token(entratest.Expired()), 401, entra.ReasonExpired},
		{"a token for another API", "", token(entratest.Audience("api://payroll")), 401, entra.ReasonAudience},
		{"a token for Microsoft Graph", "", token(entratest.Graph()), 401, entra.ReasonMicrosoftAPIToken},
		{"the ID token of a page's user", "", token(entratest.IDToken()), 401, entra.ReasonIDToken},
		{"a token of another tenant", "", token(entratest.Tenant(entratest.OtherTenantID)), 401, entra.ReasonTenant},
		{"a token of any application in the tenant", "", token(entratest.App()), 401, entra.ReasonNoPermissions},
		{"a token bound to a client certificate", "", token(entratest.Bound()), 401, entra.ReasonBoundToken},
		{"a token signed with a key of one's own", "", token(entratest.SignedBy(tenant.UnknownKey())), 401, entra.ReasonUnknownKey},
		{"a token whose scopes were changed", "", "Bearer " + spliced(tenant), 401, entra.ReasonSignature},
		{"an unsigned token (alg none)", "", token(entratest.Header("alg", "none")), 401, entra.ReasonMalformed},
		{"a token signed with the public key as password (HS256)", "", token(entratest.Header("alg", "HS256")), 401, entra.ReasonAlgorithm},
		{"a token without the scope to add orders", "POST", token(), 403, entra.ReasonScope},
		{"a daemon where a user is needed", "POST", token(entratest.App(entratest.RoleDaemon)), 403, entra.ReasonScope},
	}
}

// spliced is a good token with the payload of another, which grants more.
func spliced(tenant *entratest.Server) string {
	good := strings.Split(tenant.Token(), ".")
	more := strings.Split(tenant.Token(entratest.Scopes(entratest.ScopeRead, entratest.ScopeWrite)), ".")
	return good[0] + "." + more[1] + "." + good[2]
}
