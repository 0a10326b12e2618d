package entra

import (
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/golang-jwt/jwt/v5"
)

// judge decides whether a token with a good signature is valid here, and fills in the claims that are conclusions. The
// order is that of design and of the texts: time, issuer, key, audience, kind, permissions.
func (s *settings) judge(p *payload, k *keyset.Key, issuer string, now time.Time) error {
	s.describe(p)
	if err := p.checkDates(now, s.skew); err != nil {
		return err
	}
	if err := s.checkIssuer(p, issuer); err != nil {
		return err
	}
	if err := s.checkKey(p.claims, k); err != nil {
		return err
	}
	if err := s.checkAudience(p); err != nil {
		return err
	}
	if err := s.checkKind(p); err != nil {
		return err
	}
	if p.claims.Kind == AppToken && len(p.claims.Roles) == 0 && !s.unpermitted {
		return noPermissions(AppToken)
	}
	return nil
}

func (p *payload) checkDates(now time.Time, skew time.Duration) error {
	if p.claims.ExpiresAt.IsZero() {
		return missingClaim("exp", "; Entra always sends it, and a token that never ends is never accepted")
	}
	if err := p.claims.checkLifetime(now, skew); err != nil {
		return err
	}
	if p.claims.NotBefore.After(p.claims.ExpiresAt) {
		return badClaims("the token's nbf is after its exp")
	}
	return nil
}

// checkLifetime is asked at every use of a token, remembered ones included. A date that the token does not have is the
// zero time, long past.
func (c *Claims) checkLifetime(now time.Time, skew time.Duration) error {
	if earliest := now.Add(-skew); !c.ExpiresAt.After(earliest) {
		return expired(c.ExpiresAt, now, skew)
	}
	latest := now.Add(skew)
	if c.NotBefore.After(latest) {
		return notYetValid("nbf", c.NotBefore, now, skew)
	}
	if c.IssuedAt.After(latest) {
		return notYetValid("iat", c.IssuedAt, now, skew)
	}
	return nil
}

func (s *settings) checkIssuer(p *payload, issuer string) error {
	c := p.claims
	if s.authority != nil {
		return s.checkAuthority(p, issuer)
	}
	own, listed := s.accepted[c.TenantID]
	if !listed {
		if !isGUID(c.TenantID) {
			return wrongTenant("the token's tid is " + quote.Text(c.TenantID) + "; expected a directory ID, a GUID in lower case")
		}
		own = s.cloud.issuers(c.TenantID)
	}
	var version string
	switch {
	case c.Issuer == own.v2:
		version = "2.0"
	case c.Issuer == own.v1 && c.TenantID == PersonalAccounts:
		return wrongIssuer(c.Issuer, own.v2+": personal accounts get version 2.0 tokens only")
	case c.Issuer == own.v1:
		version = "1.0"
	default:
		return wrongIssuer(c.Issuer, own.v2+" or "+own.v1+", which follow from its tid and the cloud "+s.cloud.name+"; tokens of another cloud need Options.Cloud, those of External ID, B2C or a custom domain Options.Authority")
	}
	if c.Version != version {
		return wrongVersion("the token's ver is " + quote.Text(c.Version) + "; expected " + version + ", the version of its issuer")
	}
	if listed {
		return nil
	}
	return s.unlisted(c.TenantID)
}

// issuersOf returns how tokens of the tenant name their issuer. The tenant is a GUID, but not yet an accepted one.
func (s *settings) issuersOf(tenant string) issuers {
	if own, ok := s.accepted[tenant]; ok {
		return own
	}
	return s.cloud.issuers(tenant)
}

// unlisted decides about a tenant that Options.Tenants does not name.
func (s *settings) unlisted(tenant string) error {
	switch {
	case tenant == PersonalAccounts:
		return wrongTenant("the token is of a personal Microsoft account; add entra.PersonalAccounts to Options.Tenants if those are welcome")
	case s.anyTenant:
		return nil
	}
	return wrongTenant("tenant " + tenant + " is not accepted; expected " + s.expectedTenants() + ": add it to Options.Tenants if it is a customer's, or set AllowAnyTenant and decide by Claims.TenantID")
}

// expectedTenants is for texts: a long list would tell less than its length.
func (s *settings) expectedTenants() string {
	switch {
	case len(s.accepted) == 1 && s.personal:
		return "personal accounts"
	case len(s.accepted) == 1:
		return s.tenants[0]
	}
	return fmt.Sprintf("one of the %d in Options.Tenants", len(s.accepted))
}

// checkAuthority compares with the issuer that the authority's own metadata names. Version and issuer need not agree:
// B2C says 1.0 in tokens that look like version 2.0.
func (s *settings) checkAuthority(p *payload, issuer string) error {
	c := p.claims
	if c.Issuer == "" || c.Issuer != issuer {
		return wrongIssuer(c.Issuer, quote.Text(issuer)+", as the metadata of Options.Authority says; another authority needs a Verifier of its own")
	}
	if c.Version != "1.0" && c.Version != "2.0" {
		return wrongVersion("the token's ver is " + quote.Text(c.Version) + "; expected 1.0 or 2.0")
	}
	inPath := tenantOf(issuer)
	switch {
	case c.TenantID == "":
		c.TenantID = inPath
	case !isGUID(c.TenantID):
		return wrongTenant("the token's tid is " + quote.Text(c.TenantID) + "; expected a directory ID, a GUID in lower case")
	case inPath != "" && c.TenantID != inPath:
		return wrongTenant("the token's tid " + c.TenantID + " is not the directory of its issuer, " + inPath)
	}
	if s.authority.tenant != "" && c.TenantID != s.authority.tenant {
		return wrongTenant("the token's directory is " + quote.Text(c.TenantID) + "; expected " + s.authority.tenant + ", the one in Options.Tenants")
	}
	return s.checkPolicy(p)
}

// checkPolicy keeps apart the user flows of a B2C tenant, which share keys and issuer.
func (s *settings) checkPolicy(p *payload) error {
	found := p.tfp
	if found == "" {
		found = p.acr
	}
	if s.authority.policy == "" || found == "" || strings.EqualFold(found, s.authority.policy) {
		return nil
	}
	return invalidf(ReasonIssuer, "the token's B2C policy (tfp or acr) is %s; expected %s, as the path of Options.Authority says: another policy needs a Verifier of its own", quote.Text(found), quote.Text(s.authority.policy)).
		Because(jwt.ErrTokenInvalidIssuer)
}

// checkKey refuses tokens that are signed with a key of somebody else: the key document says whose each key is.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
func (s *settings) checkKey(c *Claims, k *keyset.Key) error {
	if s.authority != nil {
		return nil
	}
	if !s.cloud.signsHere(k.Cloud) {
		return wrongKeyIssuer("the token is signed with a key of the cloud " + quote.Text(k.Cloud) + ", which does not sign for " + s.cloud.name + "; set Options.Cloud if the tenant lives in that cloud")
	}
	if k.Issuer == "" {
		return nil
	}
	if signsFor(k.Issuer, c.Issuer, c.TenantID) || c.Version == "1.0" && signsFor(k.Issuer, s.issuersOf(c.TenantID).v2, c.TenantID) {
		return nil
	}
	return wrongKeyIssuer("the token of issuer " + quote.Text(c.Issuer) + " is signed with a key that signs for " + quote.Text(k.Issuer) + " only; Entra makes no such token: treat it as forged")
}

func (s *settings) checkAudience(p *payload) error {
	if p.audiences > 1 {
		return invalidf(ReasonAudience, "the token has %d audiences; Entra's tokens have one, and one of several could be anybody's", p.audiences)
	}
	if p.audience == "" {
		return invalid(ReasonAudience, "the token has no audience (aud); it could be meant for any API")
	}
	p.claims.Audience = p.audience
	if !s.audienceSet[withoutSlash(p.claims.Audience)] {
		return s.wrongAudience(p.claims)
	}
	return nil
}

// describe fills in the claims that stand under several names or follow from others.
func (s *settings) describe(p *payload) {
	c := p.claims
	c.ClientID, c.ClientAuth = p.azp, p.azpacr
	if c.ClientID == "" || c.Version == "1.0" && p.appid != "" {
		c.ClientID, c.ClientAuth = p.appid, p.appidacr
	}
	if c.PreferredUsername == "" {
		c.PreferredUsername = p.upn
	}
	if c.PreferredUsername == "" {
		c.PreferredUsername = p.uniqueName
	}
	if s.authority != nil {
		c.UserFlow = p.tfp
		if c.UserFlow == "" && isPolicy(p.acr) {
			c.UserFlow = p.acr
		}
	}
	c.Agent = hasAgentFacet(p.actorFacets) || hasAgentFacet(p.subjectFacets)
}

// hasAgentFacet looks for 11 (agent identity) and 13 (agent's user account) among space-separated numbers.
//
// Source: https://learn.microsoft.com/entra/agent-id/identity-platform/agent-token-claims
func hasAgentFacet(facets string) bool {
	for facet := range strings.FieldsSeq(facets) {
		if facet == "11" || facet == "13" {
			return true
		}
	}
	return false
}
