package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// Kind says what a token lets its bearer be. The values are those of entra.Kind.
type Kind uint8

// The kinds. The zero value is none of them.
const (
	UserToken Kind = iota + 1
	AppToken
	IDToken
)

// Verdict is what follows from the claims of an accepted token.
type Verdict struct {
	Kind                 Kind
	TenantID             string
	Subject              string // sub, where it names one user or application
	ClientID, ClientAuth string // "" for an ID token: the application that asked for it is this API's own registration
	PreferredUsername    string
	UserFlow             string
	Guest                bool
	Agent, AgentUser     bool
}

// Judge decides whether a token with a good signature is accepted: set is what it says, owner whose key signed it, and
// issuer what the authority's metadata names. Judge changes nothing that it reads. Its errors are [*refuse.Error].
//
// The order is part of the contract, since the first failure is the one that a caller hears of: time, issuer and tenant,
// the key's owner, audience, kind, permissions.
func (p *Policy) Judge(set *claimset.Set, owner KeyOwner, issuer string, now time.Time) (Verdict, error) {
	// Time comes first: an expired token is told as such, whatever else it is.
	if err := p.checkDates(set, now); err != nil {
		return Verdict{}, err
	}
	tenant, err := p.authority.checkIssuer(set, issuer, p.isTrusted(set))
	if err != nil {
		return Verdict{}, p.withHint(err, set)
	}
	if err := p.authority.checkKey(set, tenant, owner); err != nil {
		return Verdict{}, err
	}
	if err := p.checkAudience(set); err != nil {
		return Verdict{}, err
	}
	kind, err := p.kind(set)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{
		Kind:              kind,
		TenantID:          tenant,
		Subject:           p.authority.subject(set),
		PreferredUsername: displayName(set),
		UserFlow:          p.authority.userFlow(set),
		AgentUser:         hasFacet(set.XmsSubFct, agentUser),
	}
	v.Agent = v.AgentUser || isAgent(set)
	// The application that asked for an ID token is this API's own registration, and no caller.
	if kind != IDToken {
		v.ClientID, v.ClientAuth = Client(set)
	}
	// An application is nobody's guest, though its token may have idp.
	if kind != AppToken {
		v.Guest = p.authority.isGuest(set, tenant)
	}
	return v, nil
}

// withHint says behind the refusal of an issuer what that issuer is, where people mix it up.
func (p *Policy) withHint(err error, set *claimset.Set) error {
	refused, ok := err.(*refuse.Error)
	if !ok || refused.Reason != refuse.Issuer {
		return err
	}
	if hint := p.hint(set.Iss, set.Aud, ""); hint != "" {
		refused.Text += "; " + hint
	}
	return err
}

func (p *Policy) checkDates(set *claimset.Set, now time.Time) error {
	// A date of 1970 is not zero: only a missing claim is.
	if set.Exp.IsZero() {
		return missing("exp", ", and one that never ends is never accepted; Entra always sends it: look at who issued the token")
	}
	if err := p.CheckLifetime(set.Exp, set.Nbf, set.Iat, now); err != nil {
		return err
	}
	if set.Nbf.After(set.Exp) {
		return refuse.New(refuse.Claims, "the token's nbf is after its exp; Entra makes no such token: look at who issued it").Because(jwt.ErrTokenInvalidClaims)
	}
	return nil
}

// CheckLifetime compares the dates of a token with the clock: at its first use and, since a token can expire while it is
// remembered, at every other. A date that the token does not have is the zero time, long past.
func (p *Policy) CheckLifetime(exp, nbf, iat, now time.Time) error {
	// At the very second of exp the token is over (RFC 7519 section 4.1.4).
	if !exp.After(now.Add(-p.skew)) {
		return refuse.New(refuse.Expired, "the token expired at %s, %s ago (clock skew allowed: %s); the client must get a new one, or a clock is wrong", stamp(exp), rounded(now.Sub(exp)), p.skew).
			Because(jwt.ErrTokenExpired)
	}
	latest := now.Add(p.skew)
	if nbf.After(latest) {
		return p.notYetValid("nbf", nbf, now).Because(jwt.ErrTokenNotValidYet)
	}
	// RFC 7519 asks for no check of iat. A token from the future is one of a clock that is wrong, or of nobody's.
	if iat.After(latest) {
		return p.notYetValid("iat", iat, now).Because(jwt.ErrTokenUsedBeforeIssued)
	}
	return nil
}

func (p *Policy) notYetValid(claim string, at, now time.Time) *refuse.Error {
	return refuse.New(refuse.NotYetValid, "the token's %s is %s, %s ahead of this machine's clock (clock skew allowed: %s); set this machine's clock right, or let the client wait", claim, stamp(at), rounded(at.Sub(now)), p.skew)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// rounded makes a duration that may come from a forged date readable.
func rounded(d time.Duration) time.Duration { return d.Round(time.Second) }

func missing(claim, cure string) *refuse.Error {
	return refuse.New(refuse.Claims, "the token has no %s%s", claim, cure).Because(jwt.ErrTokenRequiredClaimMissing)
}

func (p *Policy) checkAudience(set *claimset.Set) error {
	switch {
	// Before the comparison: one good audience among several would let in a token made for all of them.
	case set.AudCount > 1:
		return refuse.New(refuse.Audience, "the token has %d audiences; Entra's tokens have one, and one of several could be anybody's: the client must get a token for this API alone", set.AudCount)
	case set.Aud == "":
		return refuse.New(refuse.Audience, "the token has no audience (aud) and could be meant for any API; Entra always sends it: look at who issued the token")
	case p.audienceSet[withoutSlash(set.Aud)]:
		return nil
	}
	return p.wrongAudience(set).Because(jwt.ErrTokenInvalidAudience)
}

func (p *Policy) wrongAudience(set *claimset.Set) *refuse.Error {
	if name := microsoftAPI(set.Aud); name != "" {
		return refuse.New(refuse.Audience, "audience is %s (%s), an API of Microsoft's own: the client asked for a token of that API and sent it here%s", name, quote.Text(set.Aud), p.ScopeCure())
	}
	if idTokenCause(set) != "" && !set.HasScp {
		return refuse.New(refuse.Audience, "audience is %s, and this is an ID token: it is for the application that signed its user in; the page must send its access token instead%s (or, if the page and this API share one app registration, set Options.AllowIDTokens and Options.ClientID)",
			quote.Text(set.Aud), p.ScopeCure())
	}
	cure := "add the audience to Options.Audiences"
	switch {
	case p.clientID == "" && isGUID(set.Aud):
		cure = "set Options.ClientID to it: version 2.0 tokens name the client ID"
	case set.Ver == "1.0":
		cure += p.authority.audienceCure()
	}
	return refuse.New(refuse.Audience, "audience is %s; expected one of %s: the client asked for another API's token%s; if it is this API, %s",
		quote.Text(set.Aud), strings.Join(p.audiences, ", "), p.ScopeCure(), cure)
}

// Client returns the application that asked for the token and how it proved itself. Version 1.0 tokens say it under
// other names than version 2.0 tokens.
func Client(set *claimset.Set) (id, auth string) {
	// An optional claim can put either name into either version.
	if set.Azp == "" || set.Ver == "1.0" && set.AppID != "" {
		return set.AppID, set.AppIDACR
	}
	return set.Azp, set.AzpACR
}

func displayName(set *claimset.Set) string {
	for _, name := range []string{set.PreferredUsername, set.UPN} {
		if name != "" {
			return name
		}
	}
	return set.UniqueName
}

// The facets of agents among those that a token lists for its client (xms_act_fct) and its subject (xms_sub_fct).
const (
	agentIdentity = "11"
	agentUser     = "13" // the account itself is an agent's
)

// isAgent reports whether an agent identity acts, for itself or for somebody. The ID of its blueprint is in no other token.
//
// Source: https://learn.microsoft.com/entra/agent-id/agent-token-claims and
// https://learn.microsoft.com/entra/agent-id/how-to-validate-agent-tokens-downstream-api
func isAgent(set *claimset.Set) bool {
	return set.HasXmsParAppAzp || hasFacet(set.XmsActFct, agentIdentity) || hasFacet(set.XmsSubFct, agentIdentity) || hasFacet(set.XmsActFct, agentUser)
}

// hasFacet looks for a facet among space-separated numbers.
func hasFacet(facets, facet string) bool {
	return facets != "" && slices.Contains(strings.Fields(facets), facet)
}
