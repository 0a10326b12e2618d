package entratest

import (
	"fmt"
	"slices"
	"strings"
)

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
	name = strings.ToLower(name)
	switch personal := name == PersonalTenantID || name == "consumers"; {
	case name == c.TenantID || name == strings.ToLower(c.Domain):
		return c.TenantID, true
	case personal && c.Cloud == Worldwide && c.Authority == "":
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

// objectIDIn is the user's object ID in a tenant: one human has one in each.
func (a Account) objectIDIn(tenant string) string {
	if a.TenantID == tenant {
		return a.ObjectID
	}
	return derivedGUID("user", tenant, a.ObjectID)
}
