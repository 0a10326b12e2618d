package policy

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// external is an authority at a URL of its own: External ID, Azure AD B2C or a custom domain. Its metadata names the one
// issuer, and where the keys are.
type external struct {
	url    string // without a slash at the end
	host   string
	tenant string // the directory that its tokens must name; "" for any
	b2c    *b2c   // nil: another authority than B2C
}

const userFlowsWithoutB2C = "names policies without a B2C Authority, which they belong to; leave it out, or set Authority to one such as https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"

const metadataPath = "/.well-known/openid-configuration"

func readExternal(c *Config, wrong *mistakes) *external {
	if c.AllowAnyTenant {
		wrong.add("Authority", "excludes AllowAnyTenant: an authority is one directory")
	}
	if c.Cloud != Worldwide {
		wrong.add("Authority", "excludes Cloud: the authority's own host decides")
	}
	u, err := url.Parse(c.Authority)
	if err != nil {
		wrong.add("Authority", "%s is no URL", quote.Text(c.Authority))
		return nil
	}
	if problem := authorityProblem(u, c.Authority); problem != "" {
		wrong.add("Authority", "%s %s", quote.Text(c.Authority), problem)
		return nil
	}
	// Hosts are compared in lower case, paths as they are: B2C answers to both.
	e := &external{url: strings.TrimSuffix(u.String(), "/"), host: strings.ToLower(u.Host)}
	if len(c.Tenants) == 1 {
		e.tenant = strings.ToLower(c.Tenants[0])
	}
	if inPath := tenantOf(strings.ToLower(e.url)); inPath != "" && e.tenant != "" && inPath != e.tenant {
		wrong.add("Tenants", "names another directory than Authority, %s; leave it out or make them agree", inPath)
	}
	e.b2c = readB2C(c, e, wrong)
	if e.b2c == nil && len(c.UserFlows) > 0 {
		wrong.add("UserFlows", userFlowsWithoutB2C)
	}
	return e
}

func authorityProblem(u *url.URL, text string) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	// First, since it says more than that the text is no URL.
	case strings.ContainsAny(text, "<>{}"):
		return "holds a placeholder; write the directory's ID in its place"
	case strings.ContainsFunc(text, quote.IsBlank):
		return "holds white space; remove it"
	case u.Scheme != "https":
		return "is no https URL; expected one such as https://contoso.ciamlogin.com/<tenant ID>/v2.0"
	case host == "":
		return "names no host; expected a URL such as https://contoso.ciamlogin.com/<tenant ID>/v2.0"
	case u.User != nil:
		return "holds user information; remove what stands before the @"
	case u.RawQuery != "" || u.ForceQuery:
		return "holds a query; a B2C policy belongs into the path: https://<name>.b2clogin.com/<name>.onmicrosoft.com/<policy>/v2.0"
	case strings.Contains(text, "#"):
		return "holds a fragment; remove what follows the #"
	// Tenants derives issuers by itself there; metadata could only widen what is accepted.
	case microsoftHosts[host]:
		return "is Microsoft's own login host; use Tenants (and Cloud) instead of Authority"
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), metadataPath):
		return "ends in " + metadataPath + "; leave that out"
	case strings.Trim(u.Path, "/") == "":
		return "names no directory in its path; expected a URL such as https://contoso.ciamlogin.com/<tenant ID>/v2.0"
	}
	return ""
}

// checkMetadata returns why metadata cannot be the authority's, or nil. The issuer may be on another host (External ID
// names the tenant in it), but it must be one text, to be compared exactly.
func (e *external) checkMetadata(issuer, keysURL string) error {
	// A template would accept every directory of Microsoft's.
	if strings.Contains(issuer, "{") {
		return fmt.Errorf("the metadata's issuer %s is a template; the authority must name one directory", quote.Text(issuer))
	}
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the metadata's issuer %s is no https URL", quote.Text(issuer))
	}
	// Keys from another host would make that host an authority too.
	keys, err := url.Parse(keysURL)
	if err != nil || keys.Scheme != "https" || strings.ToLower(keys.Host) != e.host || keys.User != nil {
		return fmt.Errorf("the metadata's jwks_uri %s is no https URL on %s", quote.Text(keysURL), e.host)
	}
	return nil
}

// checkIssuer compares with the issuer that the authority's metadata names. Version and issuer need not agree: B2C says
// 1.0 in tokens that look like version 2.0.
func (e *external) checkIssuer(set *claimset.Set, issuer string) (string, error) {
	// Without known metadata no issuer is right, not even an empty one.
	if set.Iss == "" || set.Iss != issuer {
		return "", refuse.New(refuse.Issuer, "issuer is %s; expected %s, as the metadata of Options.Authority says; another authority needs a Verifier of its own", quote.Text(set.Iss), quote.Text(issuer)).
			Because(jwt.ErrTokenInvalidIssuer)
	}
	if set.Ver != "1.0" && set.Ver != "2.0" {
		return "", refuse.New(refuse.Version, "the token's ver is %s; expected 1.0 or 2.0: look at who issued the token", quote.Text(set.Ver))
	}
	tenant, err := e.directory(set.Tid, tenantOf(issuer))
	if err != nil {
		return "", err
	}
	if e.b2c != nil {
		err = e.b2c.checkUserFlow(set)
	}
	return tenant, err
}

// directory returns the token's directory: its tid or, without one, the directory in the issuer's path.
func (e *external) directory(tid, inPath string) (string, error) {
	tenant := tid
	switch {
	case tid == "":
		tenant = inPath
	case !isGUID(tid):
		return "", refuse.New(refuse.Tenant, "the token's tid is %s; expected a directory ID, a GUID in lower case%s", quote.Text(tid), e.tidCure(tid))
	// A custom policy can write any tid; the issuer is the authority's own word.
	case inPath != "" && tid != inPath:
		return "", refuse.New(refuse.Tenant, "the token's tid %s is not the directory of its issuer, %s: look at who issued the token", tid, inPath)
	}
	// Also where tenant is "": a directory that cannot be told is not the one that was asked for.
	if e.tenant != "" && tenant != e.tenant {
		return "", refuse.New(refuse.Tenant, "the token's directory is %s; expected %s, the one in Options.Tenants: change that, or refuse this directory's clients", quote.Text(tenant), e.tenant)
	}
	return tenant, nil
}

// tidCure says, behind a text, what to change where a tid is a domain name.
func (e *external) tidCure(tid string) string {
	if e.b2c == nil || !strings.Contains(tid, ".") {
		return ""
	}
	return ": the custom policy writes the domain name into it; use the claim resolver {Policy:TenantObjectId} in place of {Policy:TenantId}, or leave tid out"
}

// tenantOf returns the directory that an issuer's path names, or "".
func tenantOf(issuer string) string {
	_, path, _ := strings.Cut(strings.TrimPrefix(issuer, "https://"), "/")
	for segment := range strings.SplitSeq(path, "/") {
		if isGUID(segment) {
			return segment
		}
	}
	return ""
}

// isGuest follows acct alone: idp names the provider that any customer may come from. B2C has no guests.
func (e *external) isGuest(set *claimset.Set) bool {
	return e.b2c == nil && set.HasAcct && set.Acct == 1
}

func (e *external) userFlow(set *claimset.Set) string {
	// acr names the policy in old tokens, and an assurance level in others.
	if set.TFP == "" && isUserFlow(set.ACR) {
		return set.ACR
	}
	return set.TFP
}

// base returns the authority's place, without the version.
func (e *external) base() string { return strings.TrimSuffix(e.url, "/v2.0") }
