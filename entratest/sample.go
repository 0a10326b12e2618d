package entratest

import (
	"cmp"
	"slices"
	"strings"
)

// Identifiers of the sample tenant, which the zero [Config] describes. All are
// made up, except PersonalTenantID, GraphClientID and ChangeTrackingClientID, which
// are Microsoft's own: the tenant of personal accounts, Microsoft Graph, and the
// application Microsoft Graph Change Tracking.
const (
	TenantID         = "11111111-1111-4111-8111-111111111111"
	TenantDomain     = "contoso.example"
	OtherTenantID    = "22222222-2222-4222-8222-222222222222"
	PersonalTenantID = "9188040d-6c67-4c5b-b112-36a304b66dad"

	APIClientID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa" // the API that tokens are for
	APIURI      = "api://" + APIClientID                 // its Application ID URI
	APISecret   = "not-a-secret~sample.api-1"            // with which the API calls others on behalf of its users

	ClientID     = "dddddddd-dddd-4ddd-8ddd-dddddddddddd" // the calling application, with a secret
	ClientSecret = "not-a-secret~sample.daemon-1"         // of ClientID
	SPAClientID  = "cccccccc-cccc-4ccc-8ccc-cccccccccccc" // a single-page application, a public client

	AliceObjectID = "e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1"
	BobObjectID   = "e2e2e2e2-e2e2-4e2e-8e2e-e2e2e2e2e2e2"

	GraphClientID          = "00000003-0000-0000-c000-000000000000"
	ChangeTrackingClientID = "0bf30f3b-4a52-48df-9a82-234910c4a086" // sends Graph's change notifications
)

// Permissions that the sample API publishes.
const (
	ScopeRead  = "Orders.Read"     // delegated; the scope of a default [Server.Token]
	ScopeWrite = "Orders.Write"    // delegated
	RoleAdmin  = "Orders.Admin"    // an app role for users; Alice has it
	RoleDaemon = "Orders.Read.All" // an application permission; ClientID has it
)

// Sample describes the sample tenant with identifiers of your own, so that a
// program under development keeps its configuration. Empty fields keep the
// sample's values.
type Sample struct {
	TenantID string   // directory (tenant) ID, a GUID in any case
	ClientID string   // of the API, a GUID in any case
	AppIDURI string   // of the API; default "api://" + ClientID. For an MCP server, its URL
	Scopes   []string // delegated permissions that the API publishes
	Roles    []string // app roles of the API; the constant ClientID and the user alice have them
}

// Config returns the tenant's configuration, in which the calling application
// (ClientID with ClientSecret), the page (SPAClientID), the users and the API's
// secret (APISecret) are the sample's. A mistake in a field is reported by New.
func (s Sample) Config() Config {
	cfg := Config{
		TenantID: strings.ToLower(cmp.Or(s.TenantID, TenantID)),
		Domain:   TenantDomain,
		Apps:     sampleApps(),
	}
	cfg.Users = sampleUsers(cfg.TenantID, cfg.Domain)
	api := &cfg.Apps[0]
	if s.ClientID != "" {
		api.ClientID = strings.ToLower(s.ClientID)
		api.AppIDURIs = []string{"api://" + api.ClientID}
	}
	if s.AppIDURI != "" {
		api.AppIDURIs = []string{s.AppIDURI}
	}
	if s.Scopes != nil {
		api.Scopes = slices.Clone(s.Scopes)
	}
	permissions, roles := []string{RoleDaemon}, []string{RoleAdmin}
	if s.Roles != nil {
		permissions, roles = s.Roles, s.Roles
	}
	cfg.Apps[1].Permissions = map[string][]string{api.ClientID: slices.Clone(permissions)}
	cfg.Users[0].Roles = map[string][]string{api.ClientID: slices.Clone(roles)}
	return cfg
}

func sampleApps() []AppRegistration {
	return []AppRegistration{
		{
			ClientID:  APIClientID,
			Name:      "Orders API",
			Secrets:   []string{APISecret},
			AppIDURIs: []string{APIURI},
			Scopes:    []string{ScopeRead, ScopeWrite},
		},
		{
			ClientID:     ClientID,
			Name:         "Orders web and daemon",
			Secrets:      []string{ClientSecret},
			RedirectURIs: []string{"http://localhost:3000/auth/callback"},
			Permissions:  map[string][]string{APIClientID: {RoleDaemon}},
		},
		{
			ClientID:        SPAClientID,
			Name:            "Orders page",
			SPARedirectURIs: []string{"http://localhost:3000/"},
		},
	}
}

func sampleUsers(tenant, domain string) []Account {
	return []Account{
		{
			ObjectID:   AliceObjectID,
			TenantID:   tenant,
			Username:   "alice@" + domain,
			GivenName:  "Alice",
			FamilyName: "Example",
			Roles:      map[string][]string{APIClientID: {RoleAdmin}},
			Groups:     []string{"f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1"},
		},
		{
			ObjectID:   BobObjectID,
			TenantID:   tenant,
			Username:   "bob@" + domain,
			GivenName:  "Bob",
			FamilyName: "Example",
		},
	}
}
