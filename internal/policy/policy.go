// Package policy says whose tokens are accepted, and what an accepted token is. It is made once, from a configuration that
// it checks wholly, and then judges claim sets of verified tokens without side effects: the same claims, key owner and
// time always give the same verdict.
package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/quote"
)

// Config says whose tokens are accepted. Its fields are those of entra.Options, and are explained there.
type Config struct {
	Tenants                 []string
	AllowAnyTenant          bool
	ClientID                string
	Audiences               []string
	Cloud                   Cloud
	Authority               string
	UserFlows               []string
	TrustedClients          []string
	AppKeys                 bool
	AllowIDTokens           bool
	AllowWithoutPermissions bool
	ClockSkew               time.Duration
}

// Policy is a checked Config. It never changes and is safe for concurrent use.
type Policy struct {
	authority          authority
	clientID           string          // in lower case; "" if none is configured
	audiences          []string        // as configured, then ClientID and its URI
	audienceSet        map[string]bool // the same without a slash at the end
	appKeys            bool
	idTokens           bool
	withoutPermissions bool
	trusted            map[string]bool // client IDs in lower case
	skew               time.Duration
}

// KeyOwner is whose key signed a token, as the key document says: whose tokens it signs, perhaps with {tenantid} in it,
// and the cloud instance. Either may be "", not said.
type KeyOwner struct{ Issuer, Cloud string }

const (
	defaultClockSkew = time.Minute
	minClockSkew     = time.Second
	maxClockSkew     = time.Hour
)

// mistakes gathers what is wrong with a Config, so that one error can name all of it.
type mistakes []error

func (m *mistakes) add(field, format string, args ...any) {
	*m = append(*m, fmt.Errorf("entra: Options.%s: %s", field, fmt.Sprintf(format, args...)))
}

// New returns the Policy for c, or every mistake in it with its field.
func New(c Config) (*Policy, []error) {
	var wrong mistakes
	tenants := readTenants(&c, &wrong)
	p := &Policy{
		authority:          authority{tenants: tenants},
		appKeys:            c.AppKeys,
		idTokens:           c.AllowIDTokens,
		withoutPermissions: c.AllowWithoutPermissions,
		audienceSet:        make(map[string]bool),
	}
	p.readClient(&c, tenants, &wrong)
	p.readAudiences(&c, &wrong)
	p.readClockSkew(&c, &wrong)
	// Last, so that mistakes come in the order of the fields; tenants are read even so, for what they say of Tenants.
	if c.Authority != "" {
		p.authority = authority{external: readExternal(&c, &wrong)}
	} else if len(c.UserFlows) > 0 {
		wrong.add("UserFlows", userFlowsWithoutB2C)
	}
	p.readTrustedClients(&c, &wrong)
	// No Policy comes with a mistake: half a configuration could accept what the other half forbids.
	if len(wrong) > 0 {
		return nil, wrong
	}
	return p, nil
}

func (p *Policy) readClient(c *Config, tenants *tenants, wrong *mistakes) {
	// Entra writes client IDs in lower case, and aud and azp are compared exactly.
	p.clientID = strings.ToLower(c.ClientID)
	switch {
	case c.ClientID == "":
		requireClient(c, wrong)
	case !isGUID(p.clientID):
		wrong.add("ClientID", "%s is no GUID; expected the Application (client) ID of this API", quote.Text(c.ClientID))
	case microsoftAPI(p.clientID) != "":
		wrong.add("ClientID", "%s is %s, an API of Microsoft's own; expected the Application (client) ID of this API", quote.Text(c.ClientID), microsoftAPI(p.clientID))
	// The two IDs stand side by side in the portal, and are mixed up often.
	case slices.Contains(tenants.listed, p.clientID):
		wrong.add("ClientID", "is one of Tenants; expected the Application (client) ID of this API, not the Directory (tenant) ID")
	}
	if c.AppKeys && (len(tenants.listed) != 1 || tenants.personal) {
		wrong.add("AppKeys", "needs exactly one tenant in Tenants, a work or school one, found %s: whoever manages an application's keys could otherwise sign for every tenant", tenants.count())
	}
}

func requireClient(c *Config, wrong *mistakes) {
	for _, option := range []struct {
		name string
		set  bool
	}{{"AllowAnyTenant", c.AllowAnyTenant}, {"AppKeys", c.AppKeys}, {"AllowIDTokens", c.AllowIDTokens}} {
		if option.set {
			wrong.add("ClientID", "is empty; %s needs the Application (client) ID of this API", option.name)
		}
	}
	// Without an audience of its own the API would have to accept tokens for any API.
	if len(c.Audiences) == 0 {
		wrong.add("ClientID", "and Audiences are empty; a token's audience must be this API: give its Application (client) ID")
	}
}

func (p *Policy) readAudiences(c *Config, wrong *mistakes) {
	for i, audience := range c.Audiences {
		if problem := p.audienceProblem(audience, c.AllowAnyTenant); problem != "" {
			wrong.add(fmt.Sprintf("Audiences[%d]", i), "%s %s", quote.Text(audience), problem)
		}
		// A client ID may be written in any case; a URI is compared as it is.
		if lower := strings.ToLower(audience); isGUID(lower) {
			audience = lower
		}
		p.accept(audience)
	}
	// Version 2.0 tokens name the client ID, version 1.0 tokens the URI that Entra makes of it.
	if p.clientID != "" {
		p.accept(p.clientID)
		p.accept("api://" + p.clientID)
	}
}

func (p *Policy) audienceProblem(audience string, anyTenant bool) string {
	switch {
	case audience == "":
		return "is empty; expected an Application ID URI such as api://orders"
	case strings.Trim(audience, "/") == "" || strings.HasSuffix(strings.TrimRight(audience, "/"), ":"):
		return "names nothing; expected an Application ID URI such as api://orders"
	case strings.ContainsFunc(audience, quote.IsBlank):
		return "holds white space; expected an Application ID URI such as api://orders"
	case microsoftAPI(audience) != "":
		return "is " + microsoftAPI(audience) + ", an API of Microsoft's own, and its tokens are not for anybody else: name this API's Application ID URI"
	case anyTenant && p.clientID != "" && strings.HasPrefix(strings.ToLower(audience), "api://") && strings.Contains(strings.ToLower(audience), p.clientID) && !p.isUnique(strings.ToLower(audience)):
		return "holds the ClientID only as part of a longer name; such a URI is unique within one tenant only, and AllowAnyTenant accepts all. For Teams set requestedAccessTokenVersion to 2 in the manifest: tokens then name the client ID, which is accepted anyway, and this audience can be left out"
	case anyTenant && !p.isUnique(strings.ToLower(audience)):
		return "does not contain the ClientID; such a URI is unique within one tenant only, and AllowAnyTenant accepts all: use api://" + p.clientID + " or an https URI of a verified domain"
	}
	return ""
}

// isUnique reports whether an audience can belong to an application of one tenant only: a client ID can, a URI of a
// verified domain, and an api:// URI that contains the client ID.
//
// Source: https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
func (p *Policy) isUnique(audience string) bool {
	switch {
	// Entra lets a tenant use http and https URIs of its verified domains alone.
	case isGUID(audience), strings.HasPrefix(audience, "https://"), strings.HasPrefix(audience, "http://"):
		return true
	case p.clientID == "", !strings.HasPrefix(audience, "api://"):
		return false
	}
	// A segment of its own: api://<client ID>0 is somebody else's.
	return slices.Contains(strings.Split(audience, "/"), p.clientID)
}

func (p *Policy) accept(audience string) {
	p.audiences = append(p.audiences, audience)
	p.audienceSet[withoutSlash(audience)] = true
}

func (p *Policy) readClockSkew(c *Config, wrong *mistakes) {
	p.skew = c.ClockSkew
	switch {
	case c.ClockSkew == 0:
		p.skew = defaultClockSkew
	// Zero means the default, so that "none" needs a value of its own.
	case c.ClockSkew < 0:
		p.skew = 0
	case c.ClockSkew < minClockSkew || c.ClockSkew > maxClockSkew:
		wrong.add("ClockSkew", "%v is not between %v and %v; a time.Duration counts nanoseconds: write 2*time.Minute", c.ClockSkew, minClockSkew, maxClockSkew)
	}
}

func (p *Policy) readTrustedClients(c *Config, wrong *mistakes) {
	p.trusted = make(map[string]bool)
	for i, id := range c.TrustedClients {
		lower := strings.ToLower(id)
		if !isGUID(lower) {
			wrong.add(fmt.Sprintf("TrustedClients[%d]", i), "%s is no GUID; expected the Application (client) ID of an application, such as 0bf30f3b-4a52-48df-9a82-234910c4a086 (Microsoft Graph change notifications)", quote.Text(id))
			continue
		}
		// azp is compared in lower case, as Entra writes it.
		p.trusted[lower] = true
	}
}

// KeySources returns where the key documents are: the authority's and, with AppKeys, the application's own.
func (p *Policy) KeySources() []KeySource {
	sources := []KeySource{p.authority.keySource("")}
	if p.appKeys {
		sources = append(sources, p.authority.keySource("?appid="+p.clientID))
	}
	return sources
}

// CheckMetadata returns why metadata cannot be the authority's, given its issuer and jwks_uri, or nil.
func (p *Policy) CheckMetadata(issuer, keysURL string) error {
	if p.authority.external == nil {
		return errors.New("this authority has no metadata")
	}
	return p.authority.external.checkMetadata(issuer, keysURL)
}

// SignInURL returns the page where users of the authority sign in.
func (p *Policy) SignInURL() string { return p.authority.signInURL() }

// AuthorizationServers returns the issuers whose metadata tells a client where to ask for a token. issuer is what the
// authority's own metadata names; nil is returned if that must be known first and is "".
func (p *Policy) AuthorizationServers(issuer string) []string {
	return p.authority.servers(issuer)
}

// IsB2C reports whether the authority is an Azure AD B2C tenant.
func (p *Policy) IsB2C() bool { return p.authority.isB2C() }

// MetadataURL returns where the authority publishes its OpenID metadata: for several tenants, the document of them all.
func (p *Policy) MetadataURL() string { return p.authority.metadataURL() }

// ScopePrefix returns what a client puts before the name of a scope to ask for it, "" if that is not known.
func (p *Policy) ScopePrefix() string {
	// A client asks by a URI; a bare client ID is no scope's beginning.
	for _, audience := range p.audiences {
		if strings.Contains(audience, "://") {
			return withoutSlash(audience) + "/"
		}
	}
	return ""
}

// ScopeCure says, behind a text, with which scope a client gets a token for this API.
func (p *Policy) ScopeCure() string {
	if prefix := p.ScopePrefix(); prefix != "" {
		return ": request the scope " + prefix + ".default"
	}
	return ""
}

func withoutSlash(audience string) string { return strings.TrimSuffix(audience, "/") }

// isGUID reports whether s is a GUID in lower case, as Entra writes them: 8-4-4-4-12 hexadecimal digits.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c < '0' || c > '9' && c < 'a' || c > 'f':
			return false
		}
	}
	return true
}
