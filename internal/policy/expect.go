package policy

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/entra-go/entra/internal/quote"
)

// Expectation says whether a token is a policy's to judge, by its issuer alone.
type Expectation int

// The expectations. Perhaps is one of an authority whose metadata was not read yet, so that its issuer is not known.
const (
	No Expectation = iota
	Perhaps
	Yes
)

// Expects compares the issuer that a token claims with those that p accepts. The claim is not verified: it may choose
// who judges the token and nothing else. known is the issuer that the authority's metadata names, "" if it was not read.
func (p *Policy) Expects(issuer, known string) Expectation {
	switch {
	case p.authority.external == nil:
		return p.authority.tenants.expects(issuer)
	case known != "" && issuer == known:
		return Yes
	// Once the issuer is known nothing else will do, so that junk reaches no key set.
	case known == "" && p.authority.external.mayIssue(issuer):
		return Perhaps
	}
	return No
}

// ExpectedIssuers describes for a text the issuers that p accepts.
func (p *Policy) ExpectedIssuers(known string) string {
	switch {
	case p.authority.external == nil:
		return p.authority.tenants.expected()
	case known != "":
		return quote.Text(known)
	}
	return "the issuer of " + p.authority.external.url
}

// Overlap returns why two policies could accept one issuer, or "".
func Overlap(a, b *Policy) string {
	x, y := a.authority, b.authority
	switch {
	case x.external != nil && y.external != nil:
		return x.external.overlap(y.external)
	case x.external != nil || y.external != nil:
		return ""
	}
	return x.tenants.overlap(y.tenants)
}

func (t *tenants) expects(issuer string) Expectation {
	if t.byIssuer[issuer] || t.any && t.cloud.isIssuer(issuer) {
		return Yes
	}
	return No
}

// isIssuer reports whether issuer is that of a work or school tenant of the cloud.
func (c cloudFacts) isIssuer(issuer string) bool {
	tenant := tenantOf(issuer)
	own := c.issuers(tenant)
	// Personal accounts are no part of "any tenant".
	return tenant != "" && tenant != PersonalAccounts && (issuer == own.v1 || issuer == own.v2)
}

func (t *tenants) overlap(other *tenants) string {
	for issuer := range t.byIssuer {
		if other.expects(issuer) == Yes {
			return "both accept " + issuer
		}
	}
	for issuer := range other.byIssuer {
		if t.expects(issuer) == Yes {
			return "both accept " + issuer
		}
	}
	if t.any && other.any && (t.cloud.loginHost == other.cloud.loginHost || t.cloud.v1Host == other.cloud.v1Host) {
		return fmt.Sprintf("both accept every tenant whose issuer is on %s", t.cloud.v1Host)
	}
	return ""
}

const externalIDHost = ".ciamlogin.com"

// mayIssue reports whether the authority's metadata could name this issuer: one on the authority's own host or, as
// External ID does, on the host that is named after the directory.
func (e *external) mayIssue(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return false
	}
	inIssuer, inPath := tenantOf(issuer), tenantOf(e.url)
	if inPath == "" {
		inPath = e.tenant
	}
	// Two directories of External ID share a suffix of the host, never the directory.
	if inIssuer != "" && inPath != "" && inIssuer != inPath {
		return false
	}
	host := strings.ToLower(u.Host)
	return host == e.host || inIssuer != "" && host == inIssuer+externalIDHost
}

func (e *external) overlap(other *external) string {
	same := e.host == other.host || strings.HasSuffix(e.host, externalIDHost) && strings.HasSuffix(other.host, externalIDHost)
	if !same || e.directoryInPath() != other.directoryInPath() {
		return ""
	}
	if e.b2c != nil && other.b2c != nil && !strings.EqualFold(e.b2c.inPath, other.b2c.inPath) {
		return "both accept the issuer of " + e.host + "/" + e.directoryInPath() + "; user flows of one tenant share it: name further ones in Options.UserFlows of one Verifier"
	}
	return "both accept the issuer of " + e.host + "/" + e.directoryInPath()
}

// directoryInPath returns how the authority's URL names its directory: by ID or by domain name.
func (e *external) directoryInPath() string {
	_, path, _ := strings.Cut(strings.TrimPrefix(e.url, "https://"), "/")
	path = strings.TrimPrefix(strings.ToLower(path), "tfp/")
	directory, _, _ := strings.Cut(path, "/")
	return directory
}
