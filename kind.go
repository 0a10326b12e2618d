package entra

import "github.com/entra-go/entra/internal/quote"

// checkKind finds out what the token lets its bearer be, in the order that Microsoft's documentation gives: idtyp,
// then scp, then whether oid and sub are the same. Roles prove nothing: users have app roles too.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
func (s *settings) checkKind(p *payload) error {
	c := p.claims
	// Bound tokens, of any kind: whoever sends one must prove that he holds its key, and here nobody asks.
	if p.bound {
		return boundToken()
	}
	if cause := p.idTokenCause(); cause != "" {
		return s.checkIDToken(p, cause)
	}
	if err := s.requireIdentity(c); err != nil {
		return err
	}
	kind := p.accessKind()
	if kind == 0 {
		return unclear(p)
	}
	c.Kind = kind
	if kind == UserToken {
		c.Guest = p.isGuest(s)
	} else {
		c.Guest = false
	}
	return nil
}

// accessKind returns the kind of an access token, or 0 if it permits nobody anything.
func (p *payload) accessKind() Kind {
	c := p.claims
	switch {
	case p.idtyp == "app" && len(c.Scopes) == 0:
		return AppToken
	case len(c.Scopes) > 0 && (!p.hasIDType || p.idtyp == "user"):
		return UserToken
	case !p.hasIDType && !p.hasScope && c.ObjectID != "" && c.ObjectID == c.Subject:
		return AppToken
	}
	return 0
}

// idTokenCause returns what makes the token an ID token, or "". Entra signs both kinds alike and says JWT in both.
func (p *payload) idTokenCause() string {
	switch {
	case p.azp == "" && p.appid == "":
		return "it names no client, azp or appid"
	case p.idTokenClaim != "" && !p.hasScope:
		return "it has " + p.idTokenClaim + " and no scp"
	}
	return ""
}

func (s *settings) checkIDToken(p *payload, cause string) error {
	c := p.claims
	if !s.idTokens {
		return idToken(cause)
	}
	// Neither claim ever stands in an ID token: this is something else, without a client.
	if p.hasScope || p.hasIDType {
		return invalid(ReasonIDToken, "the token has scp or idtyp, so it is no ID token, but it names no client, azp or appid")
	}
	if withoutSlash(c.Audience) != s.clientID {
		return invalidf(ReasonAudience, "audience of the ID token is %s; expected %s, Options.ClientID: ID tokens are accepted for that application alone", quote.Text(c.Audience), s.clientID)
	}
	if c.ClientID != "" && c.ClientID != s.clientID {
		return invalid(ReasonIDToken, "the ID token was issued to "+quote.Text(c.ClientID)+" (azp or appid); expected "+s.clientID+", Options.ClientID")
	}
	if err := s.requireIdentity(c); err != nil {
		return err
	}
	// The application that asked for it is this API's own registration.
	c.ClientID, c.ClientAuth = "", ""
	c.Kind = IDToken
	c.Guest = p.isGuest(s)
	return nil
}

func (s *settings) requireIdentity(c *Claims) error {
	switch {
	case s.authority != nil:
		return nil
	case c.ObjectID == "":
		return missingClaim("oid", ": its application has no service principal in the tenant, or an ID token was requested without the scope profile")
	case c.Subject == "":
		return missingClaim("sub", "; Entra always sends it")
	}
	return nil
}

func unclear(p *payload) error {
	if p.hasIDType {
		return invalidf(ReasonNoPermissions, "the token's idtyp is %s and its scp %s, which permit nothing together", quote.Text(p.idtyp), quote.Text(p.scp))
	}
	return noPermissions(UserToken)
}

// isGuest follows acct where the token has it, and else idp, which then names a foreign issuer.
func (p *payload) isGuest(s *settings) bool {
	c := p.claims
	switch {
	case p.hasAcct:
		return c.Guest
	case c.IdentityProvider == "" || s.authority != nil:
		return false
	}
	return c.IdentityProvider != c.Issuer && c.IdentityProvider != s.issuersOf(c.TenantID).v1
}
