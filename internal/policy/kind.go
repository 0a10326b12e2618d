package policy

import (
	"strings"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
)

// kind finds out what the token lets its bearer be, in the order that Microsoft's documentation gives: idtyp, then scp,
// then whether oid and sub are the same. Roles prove nothing: users have app roles too.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
func (p *Policy) kind(set *claimset.Set) (Kind, error) {
	// Whoever sends a bound token, of any kind, must prove that he holds its key. Proof of possession is not verified
	// here, so a bound token is refused.
	if set.Cnf {
		return 0, refuse.New(refuse.BoundToken, "the token is bound to a key (cnf) and was sent as a plain bearer token; the client must request one without proof of possession")
	}
	if cause := idTokenCause(set); cause != "" {
		return p.checkIDToken(set, cause)
	}
	// Before the identity, which is what these tokens lack.
	if p.isTrusted(set) {
		return AppToken, nil
	}
	if err := p.authority.checkIdentity(set); err != nil {
		return 0, err
	}
	kind := p.authority.accessKind(set)
	switch {
	case kind == 0:
		return 0, p.noPermissions(set)
	// Entra gives such a token to every application of the tenant that asks.
	case kind == AppToken && len(set.Roles) == 0 && !p.withoutPermissions:
		return 0, refuse.New(refuse.NoPermissions, "no scope and no role: assign an app role of this API to the client application and grant admin consent (to a managed identity, which has none, by %s), or set Options.AllowWithoutPermissions or TrustedClients and check Claims.ClientID; this is an application token without roles", assignRole)
	}
	return kind, nil
}

// assignRole is the command that gives an app role to a managed identity, for which there is no admin consent.
//
// Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-assign-app-role-managed-identity
const assignRole = "az rest -m POST -u https://graph.microsoft.com/v1.0/servicePrincipals/{identity}/appRoleAssignments"

// isTrusted reports whether an application token is accepted without roles, and without claims that Microsoft's own
// services leave out, since its client is among TrustedClients and proved itself. A token that could be a user's is
// never: with scp, with another idtyp than app, or with an oid that is not its sub.
func (p *Policy) isTrusted(set *claimset.Set) bool {
	if len(p.trusted) == 0 {
		return false
	}
	client, _ := Client(set)
	return p.trusted[strings.ToLower(client)] && isProved(set) && !p.authority.isB2C() &&
		len(set.Scopes) == 0 && (!set.HasIDTyp || set.IDTyp == "app") &&
		(set.IDTyp == "app" || !set.HasScp && (set.Oid == set.Sub || set.Oid == "" || set.Sub == ""))
}

// isProved reports whether the client proved itself to Entra, by a secret (1) or a certificate or federation (2).
func isProved(set *claimset.Set) bool {
	_, auth := Client(set)
	// The client is named in one version's claim and its proof in the other's: one of the two is empty.
	if auth == "" {
		auth = set.AzpACR + set.AppIDACR
	}
	return auth == "1" || auth == "2"
}

// noPermissions says what a token has that permits nothing, and what to change.
func (p *Policy) noPermissions(set *claimset.Set) error {
	switch {
	case set.HasIDTyp:
		return refuse.New(refuse.NoPermissions, "the token's idtyp is %s and its scp %s, which permit nothing together%s", quote.Text(set.IDTyp), quote.Text(set.Scp), scopeAdvice)
	case len(set.Roles) > 0:
		return refuse.New(refuse.NoPermissions, "the token has the roles %s and no scope (scp), and nothing shows that it is an application's%s", quote.Text(strings.Join(set.Roles, " ")), scopeAdvice)
	}
	return refuse.New(refuse.NoPermissions, `no scope and no role: expose a scope under "Expose an API" and let the client request it, or assign an app role to the client under "API permissions"`)
}

const scopeAdvice = `: for a user, expose a scope under "Expose an API" and let the client request it; for an application, let the API's manifest ask for the optional claim idtyp in access tokens`

// accessKind returns the kind of an access token of Entra ID or External ID, or 0 if it permits nobody anything. Without
// idtyp, which is an optional claim, an application is told by its oid, which is its sub, and by having proved itself.
func accessKind(set *claimset.Set) Kind {
	switch {
	// An agent that acts for itself has an empty scp, or "/".
	case set.IDTyp == "app" && len(set.Scopes) == 0:
		return AppToken
	// scp and idtyp app contradict each other, and are refused below.
	case len(set.Scopes) > 0 && (!set.HasIDTyp || set.IDTyp == "user"):
		return UserToken
	case !set.HasIDTyp && !set.HasScp && set.Oid != "" && set.Oid == set.Sub && isProved(set):
		return AppToken
	}
	return 0
}

// idTokenCause returns what makes the token an ID token, or "". Entra signs both kinds alike and says JWT in both.
func idTokenCause(set *claimset.Set) string {
	switch {
	// Access tokens always say who asked for them.
	case set.Azp == "" && set.AppID == "":
		return "it names no client, azp or appid"
	// Access tokens of B2C may carry the nonce too, but beside scp.
	case set.IDTokenClaim != "" && !set.HasScp:
		return "it has " + set.IDTokenClaim + " and no scp"
	}
	return ""
}

func (p *Policy) checkIDToken(set *claimset.Set, cause string) (Kind, error) {
	client, _ := Client(set)
	switch {
	case !p.idTokens:
		return 0, refuse.New(refuse.IDToken, "ID token (%s) where an access token is expected; the client must send the access token for a scope of this API, or set Options.AllowIDTokens if the page and this API share one app registration", cause)
	// Neither claim ever stands in an ID token: this is something else, without a client.
	case set.HasScp || set.HasIDTyp:
		return 0, refuse.New(refuse.IDToken, "the token has scp or idtyp, so it is no ID token, but it names no client, azp or appid: the client must send an access token of Entra's")
	case withoutSlash(set.Aud) != p.clientID:
		return 0, refuse.New(refuse.Audience, "audience of the ID token is %s; expected %s, Options.ClientID: ID tokens are accepted for that application alone", quote.Text(set.Aud), p.clientID)
	// Another party's ID token says that its user signed in there, not here.
	case client != "" && client != p.clientID:
		return 0, refuse.New(refuse.IDToken, "the ID token was issued to %s (azp or appid); expected %s, Options.ClientID: the page must sign in with this API's own registration, or send its access token", quote.Text(client), p.clientID)
	}
	if err := p.authority.checkIdentity(set); err != nil {
		return 0, err
	}
	return IDToken, nil
}
