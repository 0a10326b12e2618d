package entratest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Config describes the fake tenant. The zero value is the sample tenant: an API
// (APIClientID) that publishes two scopes, a confidential client (ClientID) with
// a secret and an application permission, a single-page application
// (SPAClientID), and the users alice and bob. Lists that are set replace the
// sample's.
type Config struct {
	TenantID string      // directory (tenant) ID; default TenantID
	Domain   string      // its verified domain name; default TenantDomain
	Tenants  []Directory // further tenants that exist; default OtherTenantID
	Cloud    Cloud       // default Worldwide
	Apps     []AppRegistration
	Users    []Account
	Clock    func() time.Time // default time.Now

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

func (a Account) name() string { return strings.TrimSpace(a.GivenName + " " + a.FamilyName) }

// matches reports whether name is the user's object ID, user name, or its part
// before the at sign.
func (a Account) matches(name string) bool {
	local, _, _ := strings.Cut(a.Username, "@")
	return name == a.ObjectID || strings.EqualFold(name, a.Username) || strings.EqualFold(name, local)
}

func (a AppRegistration) isAPI() bool { return len(a.AppIDURIs) > 0 || len(a.Scopes) > 0 }

func (a AppRegistration) confidential() bool { return len(a.Secrets) > 0 || len(a.Certificates) > 0 }

// identifiers are the audiences by which clients may ask for the API.
func (a AppRegistration) identifiers() []string {
	return append(slices.Clone(a.AppIDURIs), "api://"+a.ClientID, a.ClientID)
}

var guidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// withDefaults returns the complete configuration, or one error that names every
// mistake with its field.
func (c Config) withDefaults() (Config, error) {
	c.fill()
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("entratest: "+format, args...))
		}
	}
	_, known := c.Cloud.facts()
	check(known, "Cloud: %d is no cloud", int(c.Cloud))
	check(guidPattern.MatchString(c.TenantID), "TenantID: %q is no lower-case GUID", c.TenantID)
	for i, t := range c.Tenants {
		check(guidPattern.MatchString(t.ID), "Tenants[%d].ID: %q is no lower-case GUID", i, t.ID)
	}
	seen := map[string]bool{}
	for i, a := range c.Apps {
		check(guidPattern.MatchString(a.ClientID), "Apps[%d].ClientID: %q is no lower-case GUID", i, a.ClientID)
		check(!seen[a.ClientID], "Apps[%d].ClientID: %s appears twice", i, a.ClientID)
		check(a.TokenVersion == 1 || a.TokenVersion == 2, "Apps[%d].TokenVersion: %d is neither 1 nor 2", i, a.TokenVersion)
		seen[a.ClientID] = true
	}
	for i, u := range c.Users {
		check(guidPattern.MatchString(u.ObjectID), "Users[%d].ObjectID: %q is no lower-case GUID", i, u.ObjectID)
		check(u.Username != "", "Users[%d].Username is empty", i)
	}
	return c, errors.Join(mistakes...)
}

func (c *Config) fill() {
	if c.TenantID == "" {
		c.TenantID = TenantID
	}
	if c.Domain == "" {
		c.Domain = TenantDomain
	}
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

// app returns the registration with the client ID.
func (c *Config) app(clientID string) (AppRegistration, bool) {
	i := slices.IndexFunc(c.Apps, func(a AppRegistration) bool { return strings.EqualFold(a.ClientID, clientID) })
	if i < 0 {
		return AppRegistration{}, false
	}
	return c.Apps[i], true
}

// api returns the API that identifier names, ignoring one trailing slash.
func (c *Config) api(identifier string) (AppRegistration, bool) {
	identifier = strings.TrimSuffix(identifier, "/")
	i := slices.IndexFunc(c.Apps, func(a AppRegistration) bool { return slices.Contains(a.identifiers(), identifier) })
	if i < 0 {
		return AppRegistration{}, false
	}
	return c.Apps[i], true
}

// defaultAPI is the audience of tokens that name none.
func (c *Config) defaultAPI() string {
	if i := slices.IndexFunc(c.Apps, AppRegistration.isAPI); i >= 0 {
		return c.Apps[i].ClientID
	}
	return APIClientID
}

// defaultClient is the calling application of tokens that name none.
func (c *Config) defaultClient() string {
	if i := slices.IndexFunc(c.Apps, func(a AppRegistration) bool { return !a.isAPI() }); i >= 0 {
		return c.Apps[i].ClientID
	}
	return ClientID
}

// tenant resolves a tenant segment (GUID or domain) to the directory ID.
func (c *Config) tenant(name string) (id string, ok bool) {
	switch name = strings.ToLower(name); name {
	case c.TenantID, strings.ToLower(c.Domain):
		return c.TenantID, true
	case PersonalTenantID, "consumers":
		return PersonalTenantID, true
	}
	for _, t := range c.Tenants {
		if name == t.ID || t.Domain != "" && strings.EqualFold(name, t.Domain) {
			return t.ID, true
		}
	}
	return "", false
}

// account returns the user called name, or the tenant's first user for "".
func (c *Config) account(name, tenant string) (Account, error) {
	i := slices.IndexFunc(c.Users, func(a Account) bool {
		return name == "" && a.TenantID == tenant || name != "" && a.matches(name)
	})
	switch {
	case i >= 0:
		return c.Users[i], nil
	case name == "" && len(c.Users) > 0:
		return c.Users[0], nil
	case name == "":
		return sampleUsers(tenant, c.Domain)[0], nil
	}
	known := make([]string, len(c.Users))
	for i, u := range c.Users {
		known[i] = u.Username
	}
	return Account{}, fmt.Errorf("entratest: no user is called %q; Config.Users has %s", name, strings.Join(known, ", "))
}
