package tour

import (
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// sample is a request with a token, or with what is sent in place of one.
type sample struct {
	id, group, name string
	about           string // who sends such a token, and when
	method          string // default GET
	authorization   func() string
	status          int
	reason          entra.Reason // "" if it is accepted
}

const (
	groupGood      = "Accepted"
	groupNone      = "No token at all"
	groupElse      = "Someone else's"
	groupTime      = "At the wrong time"
	groupForbidden = "Without permission"
	groupForged    = "Forged"
)

// samples returns requests of the kinds that reach an API: first those that are accepted, then those that are refused.
func samples(tenant *entratest.Server) []sample {
	token := func(options ...entratest.TokenOption) func() string {
		return func() string { return "Bearer " + tenant.Token(options...) }
	}
	text := func(s string) func() string { return func() string { return s } }
	unknown := tenant.UnknownKey()
	return []sample{
		{"user", groupGood, "a user's token", "An application calls for Alice, who consented to Orders.Read.", "", token(), 200, ""},
		{"daemon", groupGood, "a daemon's token", "A service calls for itself, with the application permission Orders.Read.All.", "", token(entratest.App(entratest.RoleDaemon)), 200, ""},
		{"writer", groupGood, "a user who may add orders", "Orders.Read and Orders.Write: both routes are open.", "POST", token(entratest.Scopes(entratest.ScopeRead, entratest.ScopeWrite)), 201, ""},
		{"v1", groupGood, "a version 1.0 token", "What an API gets whose manifest does not ask for version 2.0.", "", token(entratest.V1()), 200, ""},
		{"guest", groupGood, "a guest's token", "A user of another company, invited into this tenant.", "", token(entratest.Guest()), 200, ""},

		{"none", groupNone, "no token", "The first request of many clients.", "", text(""), 401, entra.ReasonNoToken},
		{"two", groupNone, "a header with two tokens", "One too many: which of them should count?", "", text("Bearer one two"), 400, entra.ReasonInvalidRequest},
		{"secret", groupNone, "a secret instead of a token", "A client secret belongs to Entra's token endpoint only.", "", text("Bearer not-a-jwt"), 401, entra.ReasonMalformed},

		{"graph", groupElse, "a token for Microsoft Graph", "The page asked for User.Read and sent the token here.", "", token(entratest.Graph()), 401, entra.ReasonMicrosoftAPIToken},
		{"audience", groupElse, "a token for another API", "Its audience is the payroll API of the same tenant.", "", token(entratest.Audience("api://payroll")), 401, entra.ReasonAudience},
		{"id-token", groupElse, "the ID token of a page's user", "It tells the page who signed in; it permits nothing.", "", token(entratest.IDToken()), 401, entra.ReasonIDToken},
		{"tenant", groupElse, "a token of another tenant", "Genuine, but of a tenant that this API does not serve.", "", token(entratest.Tenant(entratest.OtherTenantID)), 401, entra.ReasonTenant},
		{"personal", groupElse, "a personal Microsoft account's token", "Entra lists the keys of such accounts elsewhere.", "", token(entratest.Personal()), 401, entra.ReasonUnknownKey},
		{"bound", groupElse, "a token bound to a client certificate", "Worth nothing without the certificate's key, which is not verified here: refused.", "", token(entratest.Bound()), 401, entra.ReasonBoundToken},

		{"expired", groupTime, "an expired token", "The client kept it too long.", "", token(entratest.Expired()), 401, entra.ReasonExpired},
		{"early", groupTime, "a token of the future", "One of the two clocks is wrong.", "", token(entratest.NotYetValid()), 401, entra.ReasonNotYetValid},

		{"no-role", groupForbidden, "a token of any application in the tenant", "Entra gives one to every application that asks.", "", token(entratest.App()), 401, entra.ReasonNoPermissions},
		{"read-only", groupForbidden, "a token without the scope to add orders", "Good, but Orders.Read does not write.", "POST", token(), 403, entra.ReasonScope},
		{"daemon-write", groupForbidden, "a daemon where a user is needed", "An application's permission is no user's scope.", "POST", token(entratest.App(entratest.RoleDaemon)), 403, entra.ReasonScope},

		{"own-key", groupForged, "a token signed with a key of one's own", "Anybody can make a key and name it.", "", token(entratest.SignedBy(unknown)), 401, entra.ReasonUnknownKey},
		{"spliced", groupForged, "a token whose scopes were changed", "The signature is that of the token as it was.", "", func() string { return "Bearer " + spliced(tenant) }, 401, entra.ReasonSignature},
		{"alg-none", groupForged, "an unsigned token (alg none)", "The oldest trick of all.", "", token(entratest.Header("alg", "none")), 401, entra.ReasonMalformed},
		{"hs256", groupForged, "a token signed with the public key as password (HS256)", "It works wherever the token may choose the algorithm.", "", token(entratest.Header("alg", "HS256")), 401, entra.ReasonAlgorithm},
	}
}

// spliced returns a good token whose payload is replaced by that of another token with more scopes.
func spliced(tenant *entratest.Server) string {
	good := strings.Split(tenant.Token(), ".")
	more := strings.Split(tenant.Token(entratest.Scopes(entratest.ScopeRead, entratest.ScopeWrite)), ".")
	return good[0] + "." + more[1] + "." + good[2]
}
