package policy

import (
	"fmt"
	"strings"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// b2c is what an Azure AD B2C authority has beyond its URL. Its tokens differ from those of other authorities: custom
// policies set claims at will, sub is the object ID of users too, and an application's tokens carry its app roles in scp.
//
// Source: https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview
type b2c struct {
	inPath string          // the policy that the authority's path names; "" for none
	flows  map[string]bool // the policies whose tokens are accepted, in lower case; empty: all of the tenant's
}

// readB2C returns what is B2C's about an authority, nil if it is none.
func readB2C(c *Config, e *external, wrong *mistakes) *b2c {
	b := &b2c{flows: make(map[string]bool)}
	for segment := range strings.SplitSeq(e.url, "/") {
		if isUserFlow(segment) {
			b.inPath = segment
			b.flows[strings.ToLower(segment)] = true
		}
	}
	// A custom domain without a policy in its path is External ID's.
	if b.inPath == "" && !isB2CHost(e.host) {
		return nil
	}
	for i, name := range c.UserFlows {
		field := fmt.Sprintf("UserFlows[%d]", i)
		switch {
		case strings.TrimSpace(name) == "":
			wrong.add(field, "is blank; expected the name of a user flow or custom policy, such as B2C_1_reset")
		case !isUserFlow(name):
			wrong.add(field, "%s is no name of a user flow or custom policy; expected one that begins with B2C_1_ or B2C_1A_, such as B2C_1_reset", quote.Text(name))
		}
		// B2C writes policy names as they were created, and clients as they like.
		b.flows[strings.ToLower(name)] = true
	}
	return b
}

// isB2CHost reports whether a host is one that Microsoft gives to B2C tenants. Custom domains are told by the policy in
// their path.
func isB2CHost(host string) bool {
	for _, suffix := range []string{".b2clogin.com", ".b2clogin.us", ".b2clogin.cn"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// isUserFlow reports whether a text is the name of a B2C user flow or custom policy, which all begin alike.
func isUserFlow(name string) bool {
	lower := strings.ToLower(name)
	rest, ok := strings.CutPrefix(lower, "b2c_1_")
	if !ok {
		rest, ok = strings.CutPrefix(lower, "b2c_1a_")
	}
	return ok && rest != "" && !strings.ContainsFunc(rest, func(r rune) bool {
		return r != '_' && r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// checkUserFlow keeps apart the user flows of a tenant, which share keys and issuer. Tokens of an application name none.
func (b *b2c) checkUserFlow(set *claimset.Set) error {
	found := set.TFP
	if found == "" {
		found = set.ACR
	}
	// Tokens of client credentials name no policy at all; see the guide to authorities.
	if len(b.flows) == 0 || found == "" || b.flows[strings.ToLower(found)] {
		return nil
	}
	return refuse.New(refuse.Issuer, "the token's B2C policy (tfp or acr) is %s; expected %s, the one in the path of Options.Authority%s: add the policy to Options.UserFlows if its users may call this API",
		quote.Text(found), quote.Text(b.inPath), b.orFurther()).Because(jwt.ErrTokenInvalidIssuer)
}

func (b *b2c) orFurther() string {
	if len(b.flows) > 1 || b.inPath == "" {
		return ", or one of Options.UserFlows"
	}
	return ""
}

// noSubject is what B2C sends as sub to every user of a policy whose subject claim is set to "Not supported".
//
// Source: https://learn.microsoft.com/azure/active-directory-b2c/configure-tokens
const noSubject = "Not supported currently. Use oid claim."

// subject returns the sub of a token, or "" if it is the text that all users share.
func (b *b2c) subject(set *claimset.Set) string {
	// Leniently, since taking it for a subject would make one user of all.
	if strings.EqualFold(strings.TrimSpace(set.Sub), noSubject) {
		return ""
	}
	return set.Sub
}

// checkIdentity wants the user or application to be named: by oid, or by a sub that is not everybody's.
func (b *b2c) checkIdentity(set *claimset.Set) error {
	if set.Oid != "" || b.subject(set) != "" {
		return nil
	}
	if set.Sub != "" {
		return refuse.New(refuse.Claims, "the token's sub is the text %s, the same for every user, and it has no oid: nobody is named; set the policy's subject claim to ObjectID, or add the user's object ID to its application claims", quote.Text(set.Sub)).
			Because(jwt.ErrTokenRequiredClaimMissing)
	}
	return missing("oid and no sub", ": nobody is named; add the user's object ID to the application claims of the policy")
}

// accessKind tells a token that carries scopes from one that does not. That is all: B2C has no idtyp, and sub equals oid
// in tokens of users, who must never become an application.
func (b *b2c) accessKind(set *claimset.Set) Kind {
	// idtyp is no claim of B2C's: one that says anything else than user comes from a custom policy, and fails closed.
	if len(set.Scopes) > 0 && (!set.HasIDTyp || set.IDTyp == "user") {
		return UserToken
	}
	return 0
}
