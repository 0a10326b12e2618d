package entra

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/quote"
	"github.com/golang-jwt/jwt/v5"
)

// This file holds the operator's texts: what was found, what was expected, what to change.

func invalid(reason Reason, text string) *refusal {
	return &refusal{Sentinel: ErrInvalidToken, Reason: string(reason), Text: text}
}

func invalidf(reason Reason, format string, args ...any) *refusal {
	return invalid(reason, fmt.Sprintf(format, args...))
}

// scopeCure names the scope with which a client gets a token for this API.
func (s *settings) scopeCure() string {
	if prefix := s.scopePrefix(); prefix != "" {
		return ": request the scope " + prefix + ".default"
	}
	return ""
}

func unknownKey(kid string, held int) *refusal {
	r := invalid(ReasonUnknownKey, "no signing key "+quote.Text(kid)+" among the "+strconv.Itoa(held)+" held; is the token from another cloud (Options.Cloud) or authority (Options.Authority), or does the application have signing keys of its own (Options.AppKeys)?").
		Because(jwt.ErrTokenUnverifiable)
	r.About.Key = kid
	return r
}

// keysUnavailable tells the causes but does not wrap them: the deadline of a fetch is none of the caller's context.
func keysUnavailable(after time.Duration, causes []string) *refusal {
	text := "no signing key is held and none could be fetched"
	if len(causes) > 0 {
		text += ": " + strings.Join(causes, "; ")
	}
	return &refusal{Sentinel: ErrKeysUnavailable, Reason: string(ReasonKeysUnavailable), Text: text, RetryAfter: after}
}

func badSignature(kid string) *refusal {
	r := invalid(ReasonSignature, "the signature does not fit the key "+quote.Text(kid)+": the token was changed, cut or forged").
		Because(jwt.ErrTokenSignatureInvalid)
	r.About.Key = kid
	return r
}

func badClaims(text string) *refusal {
	return invalid(ReasonClaims, text).Because(jwt.ErrTokenInvalidClaims)
}

func missingClaim(name, cure string) *refusal {
	return invalid(ReasonClaims, "the token has no "+name+cure).Because(jwt.ErrTokenRequiredClaimMissing)
}

func expired(at, now time.Time, skew time.Duration) *refusal {
	return invalidf(ReasonExpired, "the token expired at %s, %s ago (clock skew allowed: %s); the client must get a new one, or a clock is wrong", stamp(at), age(now.Sub(at)), skew).
		Because(jwt.ErrTokenExpired)
}

func notYetValid(claim string, at, now time.Time, skew time.Duration) *refusal {
	cause := jwt.ErrTokenNotValidYet
	if claim == "iat" {
		cause = jwt.ErrTokenUsedBeforeIssued
	}
	return invalidf(ReasonNotYetValid, "the token's %s is %s, %s ahead of this machine's clock (clock skew allowed: %s); is this clock right?", claim, stamp(at), age(at.Sub(now)), skew).
		Because(cause)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// age rounds a duration that may come from a forged date, so that it reads well.
func age(d time.Duration) time.Duration { return d.Round(time.Second) }

func wrongIssuer(found, wanted string) *refusal {
	return invalidf(ReasonIssuer, "issuer is %s; expected %s", quote.Text(found), wanted).Because(jwt.ErrTokenInvalidIssuer)
}

func wrongTenant(text string) *refusal { return invalid(ReasonTenant, text) }

func wrongVersion(text string) *refusal { return invalid(ReasonVersion, text) }

func wrongKeyIssuer(text string) *refusal {
	return invalid(ReasonKeyIssuer, text)
}

// microsoftAPIs are the audiences that mean "for one of Microsoft's own APIs", without a slash at the end.
var microsoftAPIs = map[string]string{
	"00000003-0000-0000-c000-000000000000":    "Microsoft Graph",
	"https://graph.microsoft.com":             "Microsoft Graph",
	"https://graph.microsoft.us":              "Microsoft Graph",
	"https://dod-graph.microsoft.us":          "Microsoft Graph",
	"https://microsoftgraph.chinacloudapi.cn": "Microsoft Graph",
	"00000002-0000-0000-c000-000000000000":    "Azure AD Graph",
	"https://graph.windows.net":               "Azure AD Graph",
	"https://management.azure.com":            "Azure Resource Manager",
	"https://management.core.windows.net":     "Azure Resource Manager",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013":    "Azure Resource Manager",
}

func (s *settings) wrongAudience(c *Claims) *refusal {
	if name, ok := microsoftAPIs[withoutSlash(c.Audience)]; ok {
		return invalidf(ReasonAudience, "audience is %s: the client asked for a token of that API and sent it here%s", name, s.scopeCure()).
			Because(jwt.ErrTokenInvalidAudience)
	}
	cure := "add the audience to Options.Audiences"
	switch {
	case s.clientID == "" && isGUID(c.Audience):
		cure = "set Options.ClientID to it: version 2.0 tokens name the client ID"
	case c.Version == "1.0" && s.authority == nil:
		cure += ", or set requestedAccessTokenVersion to 2 in its manifest: version 1.0 tokens name the Application ID URI, version 2.0 tokens the client ID"
	}
	return invalidf(ReasonAudience, "audience is %s; expected one of %s: the client asked for another API's token%s; if it is this API, %s", quote.Text(c.Audience), strings.Join(s.audiences, ", "), s.scopeCure(), cure).
		Because(jwt.ErrTokenInvalidAudience)
}

func idToken(cause string) *refusal {
	return invalid(ReasonIDToken, "ID token ("+cause+") where an access token is expected; the client must send the access token for a scope of this API, or set Options.AllowIDTokens if the page and this API share one app registration")
}

func noPermissions(kind Kind) *refusal {
	cure := "no scope and no role: expose a scope under \"Expose an API\" and let the client request it, or assign an app role to the client under \"API permissions\""
	if kind == AppToken {
		cure = "no scope and no role: assign an app role of this API to the client application and grant admin consent, or set Options.AllowWithoutPermissions and check Claims.ClientID; this is an application token without roles"
	}
	return invalid(ReasonNoPermissions, cure)
}

func boundToken() *refusal {
	return invalid(ReasonBoundToken, "the token is bound to a key (cnf) and was sent as a plain bearer token; the client must request one without proof of possession")
}

// forbidden is what a requirement answers when the claims do not meet it.
func forbidden(reason Reason, format string, args ...any) *refusal {
	return &refusal{Sentinel: ErrForbidden, Reason: string(reason), Text: fmt.Sprintf(format, args...)}
}

func internalFault(text string, cause error) *refusal {
	if cause != nil {
		text += ": " + cause.Error()
	}
	return &refusal{Reason: string(ReasonInternal), Text: text, Cause: cause}
}
