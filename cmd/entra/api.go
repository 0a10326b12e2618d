package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/entra-go/entra"
)

// apiFlags describe an API and one of its routes: entra.Options, and what the route requires.
type apiFlags struct {
	tenants, audiences, userFlows, trusted   list
	distrusted                               list
	client, authority                        string
	cloud                                    cloudFlag
	anyTenant, appKeys, idTokens, unassigned bool
	clockSkew                                time.Duration
	maxTokenSize                             int

	scopes, roles, permissions, callers, authContexts list
	human                                             bool
}

func (a *apiFlags) register(set *flag.FlagSet) {
	set.Var(&a.tenants, "tenant", "Tenants: directory (tenant) `IDs`, separated by commas; \"personal\" for personal accounts ($ENTRA_TENANT_ID)")
	set.StringVar(&a.client, "client", "", "ClientID: the application (client) `ID` of the API ($ENTRA_CLIENT_ID)")
	set.Var(&a.audiences, "audience", "Audiences: further Application ID `URIs` of the API ($ENTRA_AUDIENCE)")
	set.Var(&a.cloud, "cloud", "Cloud: Worldwide, USGovernment or China ($ENTRA_CLOUD)")
	set.StringVar(&a.authority, "authority", "", "Authority: the `URL` of an External ID, B2C or custom-domain authority ($ENTRA_AUTHORITY)")
	set.Var(&a.userFlows, "user-flow", "UserFlows: further B2C `policies`, such as B2C_1_reset ($ENTRA_USER_FLOW)")
	set.BoolVar(&a.anyTenant, "any-tenant", false, "AllowAnyTenant ($ENTRA_ANY_TENANT)")
	set.BoolVar(&a.appKeys, "app-keys", false, "AppKeys ($ENTRA_APP_KEYS)")
	set.BoolVar(&a.idTokens, "id-tokens", false, "AllowIDTokens ($ENTRA_ID_TOKENS)")
	set.BoolVar(&a.unassigned, "without-permissions", false, "AllowWithoutPermissions ($ENTRA_WITHOUT_PERMISSIONS)")
	set.Var(&a.trusted, "trusted-client", "TrustedClients: client `IDs` of applications that need no roles ($ENTRA_TRUSTED_CLIENT)")
	set.Var(&a.distrusted, "distrusted-key", "DistrustedKeys: `IDs` of signing keys (kid) that never verify anything ($ENTRA_DISTRUSTED_KEY)")
	set.DurationVar(&a.clockSkew, "clock-skew", 0, "ClockSkew: a `duration` such as 2m; default 1m ($ENTRA_CLOCK_SKEW)")
	set.IntVar(&a.maxTokenSize, "max-token-size", 0, "MaxTokenSize: a number of `bytes`; default 16384 ($ENTRA_MAX_TOKEN_SIZE)")

	set.Var(&a.scopes, "scope", "the route accepts a user's token with one of these `scopes`")
	set.Var(&a.roles, "role", "the route accepts users with one of these app `roles`")
	set.Var(&a.permissions, "permission", "the route accepts applications with one of these `permissions`")
	set.Var(&a.callers, "caller", "the route accepts these client applications alone: their client `IDs`")
	set.BoolVar(&a.human, "human", false, "the route requires a person behind the token")
	set.Var(&a.authContexts, "auth-context", "the route requires these authentication `contexts`, such as c1")
}

// variable returns the environment variable that stands in for a flag, or "" if there is none.
func variable(flag string) string {
	switch flag {
	case "tenant", "client":
		return "ENTRA_" + strings.ToUpper(flag) + "_ID"
	case "audience", "cloud", "authority", "user-flow", "trusted-client", "distrusted-key", "any-tenant", "app-keys", "id-tokens", "without-permissions", "clock-skew", "max-token-size":
		return "ENTRA_" + strings.ReplaceAll(strings.ToUpper(flag), "-", "_")
	}
	return ""
}

// readEnvironment sets the flags that were not given from their variables.
func readEnvironment(set *flag.FlagSet, env func(string) string) (err error) {
	given := make(map[string]bool)
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	set.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if name == "" || given[f.Name] || env(name) == "" || err != nil {
			return
		}
		if wrong := set.Set(f.Name, env(name)); wrong != nil {
			err = fmt.Errorf("the environment variable %s: %w", name, wrong)
		}
	})
	return err
}

func (a *apiFlags) options() entra.Options {
	var tenants []string
	for _, tenant := range a.tenants {
		if tenant == "personal" {
			tenant = entra.PersonalAccounts
		}
		tenants = append(tenants, tenant)
	}
	return entra.Options{
		Tenants:                 tenants,
		AllowAnyTenant:          a.anyTenant,
		ClientID:                a.client,
		Audiences:               a.audiences,
		Cloud:                   entra.Cloud(a.cloud),
		Authority:               a.authority,
		UserFlows:               a.userFlows,
		AppKeys:                 a.appKeys,
		AllowIDTokens:           a.idTokens,
		AllowWithoutPermissions: a.unassigned,
		TrustedClients:          a.trusted,
		DistrustedKeys:          a.distrusted,
		ClockSkew:               a.clockSkew,
		MaxTokenSize:            a.maxTokenSize,
		CacheSize:               -1, // each token is judged once
		Logger:                  slog.New(slog.DiscardHandler),
	}
}

// requirements returns what the route requires: one of the permissions, and each of the rest.
func (a *apiFlags) requirements() (all []entra.Requirement, err error) {
	// Package entra panics at a name that no token can carry, such as one with a URI before it.
	defer func() {
		switch wrong := recover().(type) {
		case nil:
		case string:
			err = errors.New(wrong)
		default:
			panic(wrong)
		}
	}()
	var either []entra.Requirement
	for _, name := range a.scopes {
		either = append(either, entra.Scope(name))
	}
	for _, name := range a.roles {
		either = append(either, entra.Role(name))
	}
	for _, name := range a.permissions {
		either = append(either, entra.AppPermission(name))
	}
	if len(either) > 0 {
		all = append(all, entra.AnyOf(either...))
	}
	if len(a.callers) > 0 {
		all = append(all, entra.ClientIn(a.callers...))
	}
	if a.human {
		all = append(all, entra.Human())
	}
	for _, id := range a.authContexts {
		all = append(all, entra.AuthContext(id))
	}
	return all, nil
}

// cloudFlag is an entra.Cloud by its name, of any case.
type cloudFlag entra.Cloud

var clouds = []entra.Cloud{entra.Worldwide, entra.USGovernment, entra.China}

func (c *cloudFlag) String() string { return entra.Cloud(*c).String() }

func (c *cloudFlag) Set(text string) error {
	for _, cloud := range clouds {
		if strings.EqualFold(text, cloud.String()) {
			*c = cloudFlag(cloud)
			return nil
		}
	}
	return errors.New("is no cloud; expected Worldwide, USGovernment or China")
}
