package entratest

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// Config describes the fake tenant. The zero value is the sample tenant: an API
// (APIClientID) that publishes two scopes, a confidential client (ClientID) with
// a secret and an application permission, a single-page application
// (SPAClientID), and the users alice and bob. Lists that are set replace the
// sample's.
type Config struct {
	TenantID string      // directory (tenant) ID; default TenantID, or the GUID in Authority
	Domain   string      // its verified domain name; default TenantDomain, or the name in Authority
	Tenants  []Directory // further tenants that exist; default OtherTenantID
	Cloud    Cloud       // default Worldwide
	Apps     []AppRegistration
	Users    []Account
	Clock    func() time.Time // default time.Now

	// Authority makes the Server an External ID tenant or an Azure AD B2C tenant, under
	// Microsoft's domain name or a custom one, in place of Cloud's login hosts. It is
	// an https URL such as
	//
	//	https://contoso.ciamlogin.com/<tenant ID or contoso.onmicrosoft.com>/v2.0
	//	https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0
	//	https://login.contoso.example/<tenant ID>/v2.0
	//
	// A path segment that begins with B2C_1_ or B2C_1A_, in any case, is the policy
	// and makes it B2C.
	Authority string

	// Strict refuses what Entra refuses and local development finds handy: redirect
	// URIs on loopback hosts that are not registered, redeeming a page's authorization
	// code without PKCE or from elsewhere than a page, and secrets sent by Basic
	// without form encoding (RFC 6749 section 2.3.1).
	Strict bool

	// LocalIssuer makes issuers begin with the URL of the listener that was started
	// first, or else with PublicURL, so that metadata's issuer is the URL at which a
	// client found it (OpenID Connect Discovery 1.0 section 4.3). Clients that insist
	// on that, such as openid-client, oauth4webapi, Auth.js and oauth2-proxy, then work
	// without Microsoft's host names.
	//
	// An entra.Verifier accepts the tokens of a listener started by StartTLS:
	//
	//	entra.Options{
	//		Authority: url + "/" + entratest.TenantID + "/v2.0",
	//		Tenants:   []string{entratest.TenantID},
	//		…
	//	}
	//
	// It excludes Authority. Without a URL, issuers are Microsoft's.
	LocalIssuer bool

	// PublicURL is where a program serves Handler, such as "http://localhost:8080".
	// Endpoints in metadata begin with it. Default: Microsoft's own URLs.
	PublicURL string
}

// Directory is a tenant besides the main one.
type Directory struct {
	ID     string // GUID
	Domain string // may be empty
}

// AppRegistration is an application that the tenants know: an API, a client, or both.
type AppRegistration struct {
	ClientID        string // GUID
	Name            string // shown when a user signs in; default ClientID
	Secrets         []string
	Certificates    []*x509.Certificate // whose keys may sign client assertions
	RedirectURIs    []string            // of the web platform
	SPARedirectURIs []string            // of the single-page application platform

	AppIDURIs    []string // Application ID URIs; "api://" + ClientID is always one
	Scopes       []string // delegated permissions that this API publishes
	TokenVersion int      // requestedAccessTokenVersion, 1 or 2; default 2
	OwnKey       bool     // a signing key of its own, published under ?appid= only
	GroupClaims  bool     // groupMembershipClaims: tokens for it, ID tokens too, list the user's groups

	// Permissions are the application permissions (app roles) granted to this
	// client, by the ClientID of the API.
	Permissions map[string][]string
}

// Account is a user.
type Account struct {
	ObjectID   string // GUID
	TenantID   string // default Config.TenantID; PersonalTenantID for a personal account
	Username   string // preferred_username and upn, such as alice@contoso.example
	GivenName  string
	FamilyName string
	Roles      map[string][]string // app roles, by the ClientID of the API
	Groups     []string            // object IDs
}

// Cloud is one of Microsoft's national clouds, each with login hosts and issuers
// of its own; see https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud.
type Cloud int

// The clouds. The zero value is the worldwide one.
const (
	Worldwide    Cloud = iota // login.microsoftonline.com
	USGovernment              // login.microsoftonline.us, GCC High and DoD
	China                     // login.partner.microsoftonline.cn, operated by 21Vianet
)

// String returns the cloud's Go name.
func (c Cloud) String() string {
	if !c.known() {
		return "unknown cloud"
	}
	return directory.Clouds()[c].Name
}

func (c Cloud) known() bool { return c >= 0 && int(c) < len(directory.Clouds()) }

var publicURLPattern = regexp.MustCompile(`^(https?://[^/?#\s]+(/[^?#\s]*)?)?$`)

// withDefaults returns the complete configuration, or one error that names every
// mistake with its field.
func (c Config) withDefaults() (Config, error) {
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("entratest: "+format, args...))
		}
	}
	authority, err := directory.ParseAuthority(c.Authority)
	check(err == nil, "Authority: %v", err)
	check(c.Authority == "" || c.Cloud == Worldwide, "Authority and Cloud exclude each other")
	check(c.Authority == "" || !c.LocalIssuer, "Authority and LocalIssuer exclude each other")
	check(authority.TenantID() == "" || c.TenantID == "" || c.TenantID == authority.TenantID(),
		"TenantID: %q is not the tenant of Authority, %q", c.TenantID, authority.TenantID())
	check(publicURLPattern.MatchString(c.PublicURL), "PublicURL: %q is no http URL without query", c.PublicURL)
	c.fill(authority)
	check(c.Cloud.known(), "Cloud: %d is no cloud", int(c.Cloud))
	check(directory.IsGUID(c.TenantID), "TenantID: %q is no lower-case GUID", c.TenantID)
	for i, t := range c.Tenants {
		check(directory.IsGUID(t.ID), "Tenants[%d].ID: %q is no lower-case GUID", i, t.ID)
	}
	seen := map[string]bool{}
	for i, a := range c.Apps {
		check(directory.IsGUID(a.ClientID), "Apps[%d].ClientID: %q is no lower-case GUID", i, a.ClientID)
		check(!seen[a.ClientID], "Apps[%d].ClientID: %s appears twice", i, a.ClientID)
		check(a.TokenVersion == 1 || a.TokenVersion == 2, "Apps[%d].TokenVersion: %d is neither 1 nor 2", i, a.TokenVersion)
		seen[a.ClientID] = true
	}
	tenant := c.tenant()
	for i, u := range c.Users {
		check(directory.IsGUID(u.ObjectID), "Users[%d].ObjectID: %q is no lower-case GUID", i, u.ObjectID)
		check(u.Username != "", "Users[%d].Username is empty", i)
		_, exists := tenant.Resolve(u.TenantID)
		check(exists, "Users[%d].TenantID: there is no tenant %q; add it to Tenants", i, u.TenantID)
	}
	return c, errors.Join(mistakes...)
}

func (c *Config) fill(authority directory.Authority) {
	c.TenantID = cmp.Or(c.TenantID, authority.TenantID(), TenantID)
	c.Domain = cmp.Or(c.Domain, authority.Domain(), TenantDomain)
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.Tenants == nil {
		c.Tenants = []Directory{{ID: OtherTenantID, Domain: "fabrikam.example"}}
	}
	if c.Apps == nil {
		c.Apps = sampleApps()
	}
	if c.Users == nil {
		c.Users = sampleUsers(c.TenantID, c.Domain)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.Apps, c.Users = slices.Clone(c.Apps), slices.Clone(c.Users)
	for i := range c.Apps {
		if c.Apps[i].TokenVersion == 0 {
			c.Apps[i].TokenVersion = 2
		}
		if c.Apps[i].Name == "" {
			c.Apps[i].Name = c.Apps[i].ClientID
		}
	}
	for i := range c.Users {
		if c.Users[i].TenantID == "" {
			c.Users[i].TenantID = c.TenantID
		}
	}
}

// tenant returns what the Server knows, from a complete configuration.
func (c Config) tenant() *directory.Tenant {
	t := &directory.Tenant{ID: c.TenantID, Domain: c.Domain}
	t.Authority, _ = directory.ParseAuthority(c.Authority) // withDefaults reports its error.
	if c.Cloud.known() {
		t.Cloud = directory.Clouds()[c.Cloud]
	}
	for _, other := range c.Tenants {
		t.Others = append(t.Others, directory.Name(other))
	}
	for _, app := range c.Apps {
		t.Apps = append(t.Apps, directory.App(app))
	}
	for _, user := range c.Users {
		t.Users = append(t.Users, directory.User(user))
	}
	return t
}
