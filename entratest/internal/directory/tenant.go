// Package directory holds what a fake tenant knows: its names, hosts and issuers,
// its applications and its users. A Tenant never changes once it is in use, so it is
// safe for concurrent use.
package directory

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// Identifiers that Microsoft fixed: the tenant of personal accounts, and
// Microsoft Graph.
const (
	PersonalTenantID = "9188040d-6c67-4c5b-b112-36a304b66dad"
	GraphClientID    = "00000003-0000-0000-c000-000000000000"
)

// Tenant is the main tenant and everything that is registered in it.
type Tenant struct {
	ID        string
	Domain    string
	Others    []Name // further tenants that exist
	Cloud     Cloud
	Authority Authority
	Apps      []App
	Users     []User
}

// Name is a tenant besides the main one.
type Name struct {
	ID     string
	Domain string // may be empty
}

// App is an application: an API, a client, or both. Its fields are those of
// entratest.AppRegistration, which says what they mean.
type App struct {
	ClientID        string
	Name            string
	Secrets         []string
	Certificates    []*x509.Certificate
	RedirectURIs    []string
	SPARedirectURIs []string
	AppIDURIs       []string
	Scopes          []string
	TokenVersion    int
	OwnKey          bool
	GroupClaims     bool
	Permissions     map[string][]string
}

// User has the fields of entratest.Account, which says what they mean.
type User struct {
	ObjectID   string
	TenantID   string
	Username   string
	GivenName  string
	FamilyName string
	Roles      map[string][]string
	Groups     []string
}

// FullName is what pages and tokens call the user.
func (u User) FullName() string { return strings.TrimSpace(u.GivenName + " " + u.FamilyName) }

// Matches reports whether name is the user's object ID, user name, or its part
// before the at sign.
func (u User) Matches(name string) bool {
	local, _, _ := strings.Cut(u.Username, "@")
	return name == u.ObjectID || strings.EqualFold(name, u.Username) || strings.EqualFold(name, local)
}

// ObjectIDIn is the user's object ID in a tenant: one person has one in each.
func (u User) ObjectIDIn(tenant string) string {
	if u.TenantID == tenant {
		return u.ObjectID
	}
	return DerivedGUID("user", tenant, u.ObjectID)
}

// IsAPI reports whether the application publishes anything to ask tokens for.
func (a App) IsAPI() bool { return len(a.AppIDURIs) > 0 || len(a.Scopes) > 0 }

// Confidential reports whether the application can prove who it is.
func (a App) Confidential() bool { return len(a.Secrets) > 0 || len(a.Certificates) > 0 }

// Identifiers are the names by which clients may ask for the API.
func (a App) Identifiers() []string {
	return append(slices.Clone(a.AppIDURIs), "api://"+a.ClientID, a.ClientID)
}

// App returns the registration with the client ID.
func (t *Tenant) App(clientID string) (App, bool) {
	return find(t.Apps, func(a App) bool { return strings.EqualFold(a.ClientID, clientID) })
}

// API returns the API that identifier names, ignoring one trailing slash.
func (t *Tenant) API(identifier string) (App, bool) {
	identifier = strings.TrimSuffix(identifier, "/")
	return find(t.Apps, func(a App) bool { return slices.Contains(a.Identifiers(), identifier) })
}

// DefaultAPI is the audience of tokens that name none, or "" without any API.
func (t *Tenant) DefaultAPI() string {
	api, _ := find(t.Apps, App.IsAPI)
	return api.ClientID
}

// DefaultClient is the calling application of tokens that name none, or "" if
// every application is an API.
func (t *Tenant) DefaultClient() string {
	client, _ := find(t.Apps, func(a App) bool { return !a.IsAPI() })
	return client.ClientID
}

// Resolve returns the directory ID that a tenant segment (GUID or domain name)
// stands for.
func (t *Tenant) Resolve(segment string) (id string, ok bool) {
	segment = strings.ToLower(segment)
	switch personal := segment == PersonalTenantID || segment == "consumers"; {
	case segment == t.ID || segment == strings.ToLower(t.Domain):
		return t.ID, true
	case personal && t.Cloud.Name == Worldwide && t.Authority.Kind == EntraID:
		return PersonalTenantID, true
	}
	other, ok := find(t.Others, func(n Name) bool {
		return segment == n.ID || n.Domain != "" && strings.EqualFold(segment, n.Domain)
	})
	return other.ID, ok
}

// User returns the user called name; for "", the tenant's first user, or the
// first of all.
func (t *Tenant) User(name, tenant string) (User, error) {
	user, ok := find(t.Users, func(u User) bool {
		return name == "" && u.TenantID == tenant || name != "" && u.Matches(name)
	})
	switch {
	case ok:
		return user, nil
	case name == "" && len(t.Users) > 0:
		return t.Users[0], nil
	case name == "":
		return User{}, fmt.Errorf("entratest: Config.Users is empty, so there is no user to mint a token for")
	}
	known := make([]string, len(t.Users))
	for i, u := range t.Users {
		known[i] = u.Username
	}
	return User{}, fmt.Errorf("entratest: no user is called %q; Config.Users has %s", name, strings.Join(known, ", "))
}

// UserByObjectID finds the user whose object in the tenant is id.
func (t *Tenant) UserByObjectID(id, tenant string) (User, bool) {
	return find(t.Users, func(u User) bool { return u.ObjectIDIn(tenant) == id })
}

// Candidates are the users who may sign in at a tenant segment.
func (t *Tenant) Candidates(segment string) []User {
	tenant, _ := t.Resolve(segment)
	return slices.DeleteFunc(slices.Clone(t.Users), func(u User) bool {
		switch segment {
		case "common":
			return false
		case "organizations":
			return u.TenantID == PersonalTenantID
		}
		return u.TenantID != tenant
	})
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}
