package entratest

import (
	"errors"
	"net/url"
	"strings"
)

// authority is who issues the tokens when it is not one of Entra's clouds.
type authority struct {
	kind   authorityKind
	host   string // in lower case, with its port if it has one
	tenant string // the path segment: directory ID or domain name
	policy string // of B2C
	tfp    bool   // the B2C path, and so the issuer, begins with /tfp
}

type authorityKind int

const (
	entraID authorityKind = iota
	externalID
	b2c
)

// parseAuthority reads the forms that Config.Authority names. Sources:
// https://learn.microsoft.com/entra/external-id/customers and
// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
func parseAuthority(text string) (authority, error) {
	if text == "" {
		return authority{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return authority{}, errors.New("want an https URL without user, query or fragment")
	}
	a := authority{kind: externalID, host: strings.ToLower(u.Host)}
	for _, cloud := range []Cloud{Worldwide, USGovernment, China} {
		if facts, _ := cloud.facts(); a.host == facts.login {
			return authority{}, errors.New(a.host + " is Entra's own host: leave Authority empty and set Cloud")
		}
	}
	path := strings.Split(strings.Trim(strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v2.0"), "/"), "/")
	if a.tfp = path[0] == "tfp"; a.tfp {
		path = path[1:]
	}
	name, ciam := strings.CutSuffix(a.host, ".ciamlogin.com")
	switch {
	case len(path) == 2 && isPolicy(path[1]):
		a.kind, a.policy = b2c, path[1]
	case len(path) == 1 && path[0] == "" && ciam:
		path[0] = name + ".onmicrosoft.com"
	case len(path) != 1 || path[0] == "" || a.tfp:
		return authority{}, errors.New("want the path /<tenant>/v2.0 or /<tenant>/<B2C_1 policy>/v2.0")
	}
	a.tenant = strings.ToLower(path[0])
	return a, nil
}

// isPolicy recognizes the names of B2C policies and user flows.
func isPolicy(segment string) bool { return strings.HasPrefix(strings.ToLower(segment), "b2c_1") }

// tenantID returns the tenant segment if it is a directory ID, else "".
func (a authority) tenantID() string {
	if guidPattern.MatchString(a.tenant) {
		return a.tenant
	}
	return ""
}

// domain returns the tenant segment if it is a domain name, else "".
func (a authority) domain() string {
	if a.tenantID() != "" {
		return ""
	}
	return a.tenant
}

// issuer returns the issuer of a version for a tenant. For common and
// organizations the tenant is "{tenantid}".
func (s *Server) issuer(version int, tenant string) string {
	a := s.authority
	switch {
	case a.kind == externalID: // Whatever the authority's host (R34).
		return "https://" + tenant + ".ciamlogin.com/" + tenant + "/v2.0"
	case a.kind == b2c && a.tfp:
		return "https://" + a.host + "/tfp/" + tenant + "/" + strings.ToLower(a.policy) + "/v2.0/"
	case a.kind == b2c: // With a trailing slash (R35).
		return "https://" + a.host + "/" + tenant + "/v2.0/"
	case version == 1:
		return "https://" + s.cloud.sts + "/" + tenant + "/"
	}
	return "https://" + s.cloud.login + "/" + tenant + "/v2.0"
}

// home is the host of the endpoints.
func (s *Server) home() string {
	if s.authority.kind != entraID {
		return s.authority.host
	}
	return s.cloud.login
}

// path is what endpoints of a tenant segment begin with.
func (s *Server) path(segment string) string {
	switch {
	case s.authority.kind == b2c && s.authority.tfp:
		return "/tfp/" + segment + "/" + s.authority.policy
	case s.authority.kind == b2c:
		return "/" + segment + "/" + s.authority.policy
	}
	return "/" + segment
}
