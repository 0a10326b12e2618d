package directory

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Authority is who issues the tokens when it is not one of Entra's clouds.
type Authority struct {
	Kind   AuthorityKind
	Text   string // as configured
	Host   string // in lower case, with its port if it has one
	Tenant string // the path segment: directory ID or domain name
	Policy string // of B2C
	TFP    bool   // the B2C path, and so the issuer, begins with /tfp
}

// AuthorityKind tells the services apart.
type AuthorityKind int

// The services. The zero value is Entra ID in one of its clouds.
const (
	EntraID AuthorityKind = iota
	ExternalID
	B2C
)

// ParseAuthority reads the forms that entratest.Config.Authority names. Sources:
// https://learn.microsoft.com/entra/external-id/customers and
// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
func ParseAuthority(text string) (Authority, error) {
	if text == "" {
		return Authority{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Authority{}, errors.New("want an https URL without user, query or fragment")
	}
	a := Authority{Kind: ExternalID, Text: text, Host: strings.ToLower(u.Host)}
	for _, cloud := range Clouds() {
		if a.Host == cloud.Login {
			return Authority{}, errors.New(a.Host + " is Entra's own host: leave Authority empty and set Cloud")
		}
	}
	path := strings.Split(strings.Trim(strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v2.0"), "/"), "/")
	if a.TFP = path[0] == "tfp"; a.TFP {
		path = path[1:]
	}
	name, ciam := strings.CutSuffix(a.Host, ".ciamlogin.com")
	switch {
	case len(path) == 2 && IsPolicy(path[1]):
		a.Kind, a.Policy = B2C, path[1]
	case len(path) == 1 && path[0] == "" && ciam:
		path[0] = name + ".onmicrosoft.com"
	case len(path) != 1 || path[0] == "" || a.TFP:
		return Authority{}, errors.New("want the path /<tenant>/v2.0 or /<tenant>/<B2C_1 policy>/v2.0")
	}
	a.Tenant = strings.ToLower(path[0])
	return a, nil
}

var policyPattern = regexp.MustCompile(`^[bB]2[cC]_1[aA]?_[A-Za-z0-9_-]+$`)

// IsPolicy reports whether a path segment is the name of a B2C user flow or custom
// policy. A Verifier has the same rule.
func IsPolicy(segment string) bool { return policyPattern.MatchString(segment) }

// TenantID returns the tenant segment if it is a directory ID, else "".
func (a Authority) TenantID() string {
	if IsGUID(a.Tenant) {
		return a.Tenant
	}
	return ""
}

// Domain returns the tenant segment if it is a domain name, else "".
func (a Authority) Domain() string {
	if a.TenantID() != "" {
		return ""
	}
	return a.Tenant
}

// Issuer returns the issuer of a version for a tenant. For common and
// organizations the tenant is "{tenantid}".
func (t *Tenant) Issuer(version int, tenant string) string {
	a := t.Authority
	switch {
	case a.Kind == ExternalID: // Whatever the authority's host.
		return "https://" + tenant + ".ciamlogin.com/" + tenant + "/v2.0"
	case a.Kind == B2C && a.TFP:
		return "https://" + a.Host + "/tfp/" + tenant + "/" + strings.ToLower(a.Policy) + "/v2.0/"
	case a.Kind == B2C: // With a trailing slash (tokens-overview).
		return "https://" + a.Host + "/" + tenant + "/v2.0/"
	case version == 1:
		return "https://" + t.Cloud.STS + "/" + tenant + "/"
	}
	return "https://" + t.Cloud.Login + "/" + tenant + "/v2.0"
}

// Home is the host of the endpoints.
func (t *Tenant) Home() string {
	if t.Authority.Kind != EntraID {
		return t.Authority.Host
	}
	return t.Cloud.Login
}

// Path is what the paths of a tenant segment's endpoints begin with.
func (t *Tenant) Path(segment string) string {
	switch {
	case t.Authority.Kind == B2C && t.Authority.TFP:
		return "/tfp/" + segment + "/" + t.Authority.Policy
	case t.Authority.Kind == B2C:
		return "/" + segment + "/" + t.Authority.Policy
	}
	return "/" + segment
}

// Service is what answers at a host name.
type Service int

// The services of a host.
const (
	NoService Service = iota
	Login
	Graph
	Discovery // instance discovery alone
)

// Service tells which of the services a host in lower case names.
func (t *Tenant) Service(host string) Service {
	entra := host == t.Cloud.Login || slices.Contains(t.Cloud.Aliases, host)
	switch {
	case host == t.Cloud.Graph:
		return Graph
	case host == t.Home(), entra && t.Authority.Kind == EntraID:
		return Login
	case t.Authority.Kind == ExternalID && host == t.ID+".ciamlogin.com":
		return Login
	case entra: // MSAL asks Entra about every other authority that it is given.
		return Discovery
	}
	return NoService
}

// Hosts are the host names that any service answers to.
func (t *Tenant) Hosts() []string {
	names := append([]string{t.Home(), t.Cloud.Graph, t.Cloud.Login}, t.Cloud.Aliases...)
	if t.Authority.Kind == ExternalID {
		names = append(names, t.ID+".ciamlogin.com")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// UnknownHost explains why nothing is sent to a host.
func (t *Tenant) UnknownHost(host string) error {
	for _, c := range Clouds() {
		if host == c.Login || host == c.Graph {
			return fmt.Errorf("entratest: host %q belongs to the cloud %s, and Config.Cloud is %s", host, c.Name, t.Cloud.Name)
		}
	}
	return fmt.Errorf("entratest: host %q is not one of Microsoft's that this server stands in for; nothing was sent", host)
}
