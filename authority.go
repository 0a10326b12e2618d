package entra

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/entra-go/entra/internal/quote"
)

// authority is a configured External ID, B2C or custom-domain authority.
type authority struct {
	url    string // without a slash at the end
	host   string
	tenant string // the directory that its tokens must name; "" for any
	policy string // the B2C policy that its path names; "" for none
}

const metadataPath = "/.well-known/openid-configuration"

func readAuthority(o *Options, wrong *mistakes) *authority {
	if o.AllowAnyTenant {
		wrong.add("Authority", "excludes AllowAnyTenant: an authority is one directory")
	}
	if o.Cloud != Worldwide {
		wrong.add("Authority", "excludes Cloud: the authority's own host decides")
	}
	u, err := url.Parse(o.Authority)
	if err != nil {
		wrong.add("Authority", "%s is no URL", quote.Text(o.Authority))
		return nil
	}
	if problem := authorityProblem(u, o.Authority); problem != "" {
		wrong.add("Authority", "%s %s", quote.Text(o.Authority), problem)
		return nil
	}
	a := &authority{url: strings.TrimSuffix(u.String(), "/"), host: strings.ToLower(u.Host)}
	if len(o.Tenants) == 1 {
		a.tenant = strings.ToLower(o.Tenants[0])
	}
	if inPath := tenantOf(strings.ToLower(a.url)); inPath != "" && a.tenant != "" && inPath != a.tenant {
		wrong.add("Tenants", "names another directory than Authority, %s; leave it out or make them agree", inPath)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if isPolicy(segment) {
			a.policy = segment
		}
	}
	return a
}

func authorityProblem(u *url.URL, text string) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case strings.ContainsAny(text, "<>{}"):
		return "holds a placeholder; write the directory's ID in its place"
	case strings.ContainsFunc(text, isSpaceOrControl):
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
	case microsoftHosts[host]:
		return "is Microsoft's own login host; use Tenants (and Cloud) instead of Authority"
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), metadataPath):
		return "ends in " + metadataPath + "; leave that out"
	case strings.Trim(u.Path, "/") == "":
		return "names no directory in its path; expected a URL such as https://contoso.ciamlogin.com/<tenant ID>/v2.0"
	}
	return ""
}

// isPolicy reports whether a path segment is the name of a B2C user flow or custom policy, which all begin alike.
func isPolicy(segment string) bool {
	lower := strings.ToLower(segment)
	return strings.HasPrefix(lower, "b2c_1_") || strings.HasPrefix(lower, "b2c_1a_")
}

func (a *authority) metadataURL() string { return a.url + metadataPath }

// signInURL is the page at which users of the authority sign in, by the same pattern as everywhere at Entra.
func (a *authority) signInURL() string {
	return strings.TrimSuffix(a.url, "/v2.0") + "/oauth2/v2.0/authorize"
}

// check returns why metadata cannot be the authority's, or nil. The issuer may be on another host (External ID names
// the tenant in it), but it must be one text, to be compared exactly.
func (a *authority) check(issuer, keysURL string) error {
	if strings.Contains(issuer, "{") {
		return fmt.Errorf("the metadata's issuer %s is a template; the authority must name one directory", quote.Text(issuer))
	}
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the metadata's issuer %s is no https URL", quote.Text(issuer))
	}
	keys, err := url.Parse(keysURL)
	if err != nil || keys.Scheme != "https" || strings.ToLower(keys.Host) != a.host || keys.User != nil {
		return fmt.Errorf("the metadata's jwks_uri %s is no https URL on %s", quote.Text(keysURL), a.host)
	}
	return nil
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
