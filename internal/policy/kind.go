package policy

import (
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
	if err := p.authority.checkIdentity(set); err != nil {
		return 0, err
	}
	kind := accessKind(set)
	switch {
	case kind == 0 && set.HasIDTyp:
		return 0, refuse.New(refuse.NoPermissions, "the token's idtyp is %s and its scp %s, which permit nothing together", quote.Text(set.IDTyp), quote.Text(set.Scp))
	case kind == 0:
		return 0, refuse.New(refuse.NoPermissions, `no scope and no role: expose a scope under "Expose an API" and let the client request it, or assign an app role to the client under "API permissions"`)
	case kind == AppToken && len(set.Roles) == 0 && !p.withoutPermissions:
		return 0, refuse.New(refuse.NoPermissions, "no scope and no role: assign an app role of this API to the client application and grant admin consent, or set Options.AllowWithoutPermissions and check Claims.ClientID; this is an application token without roles")
	}
	return kind, nil
}

// accessKind returns the kind of an access token, or 0 if it permits nobody anything.
func accessKind(set *claimset.Set) Kind {
	switch {
	case set.IDTyp == "app" && len(set.Scopes) == 0:
		return AppToken
	case len(set.Scopes) > 0 && (!set.HasIDTyp || set.IDTyp == "user"):
		return UserToken
	case !set.HasIDTyp && !set.HasScp && set.Oid != "" && set.Oid == set.Sub:
		return AppToken
	}
	return 0
}

// idTokenCause returns what makes the token an ID token, or "". Entra signs both kinds alike and says JWT in both.
func idTokenCause(set *claimset.Set) string {
	switch {
	case set.Azp == "" && set.AppID == "":
		return "it names no client, azp or appid"
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
		return 0, refuse.New(refuse.IDToken, "the token has scp or idtyp, so it is no ID token, but it names no client, azp or appid")
	case withoutSlash(set.Aud) != p.clientID:
		return 0, refuse.New(refuse.Audience, "audience of the ID token is %s; expected %s, Options.ClientID: ID tokens are accepted for that application alone", quote.Text(set.Aud), p.clientID)
	case client != "" && client != p.clientID:
		return 0, refuse.New(refuse.IDToken, "the ID token was issued to %s (azp or appid); expected %s, Options.ClientID", quote.Text(client), p.clientID)
	}
	if err := p.authority.checkIdentity(set); err != nil {
		return 0, err
	}
	return IDToken, nil
}
