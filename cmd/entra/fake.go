package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest"
)

// fakeFlags describe the fake tenant that stands in for Entra: the sample tenant, or one with identifiers of one's own.
type fakeFlags struct {
	tenant, client, uri string
	scopes, roles       list
	strict              bool
}

func (f *fakeFlags) register(set *flag.FlagSet) {
	set.StringVar(&f.tenant, "tenant", "", "directory (tenant) `ID` (default that of the sample tenant; $ENTRA_TENANT_ID)")
	set.StringVar(&f.client, "client", "", "application (client) `ID` of the API (default that of the sample API; $ENTRA_CLIENT_ID)")
	set.StringVar(&f.uri, "uri", "", "Application ID `URI` of the API (default api:// and the client ID)")
	set.Var(&f.scopes, "scope", "`scopes` that the API publishes and the user's token has (default Orders.Read, Orders.Write)")
	set.Var(&f.roles, "role", "app `roles` that the user and the application have (default Orders.Admin and Orders.Read.All)")
	set.BoolVar(&f.strict, "strict", false, "refuse unregistered redirect URIs and codes without PKCE, as Entra does")
}

// absoluteURI leaves out what would end a string in the languages of the recipes.
var absoluteURI = regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:[^\\s\"'`\\\\<>]+$")

// checkURL says what is wrong with the URL of a route of the API.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(text, " \t\r\n") {
		return fmt.Errorf("-url %q is no URL such as %s", text, defaultURL)
	}
	return nil
}

// config returns the tenant's configuration, or what is wrong with the flags.
func (f *fakeFlags) config() (entratest.Config, error) {
	for name, id := range map[string]string{"tenant": f.tenant, "client": f.client} {
		if id != "" && !guid.MatchString(id) {
			return entratest.Config{}, fmt.Errorf("-%s %q is no GUID; the portal's overview page of the app registration has it", name, id)
		}
	}
	switch strings.ToLower(f.client) {
	case entratest.ClientID, entratest.SPAClientID, entratest.GraphClientID:
		return entratest.Config{}, fmt.Errorf("-client %s is an application that the tenant has beside the API; choose another", f.client)
	}
	if f.uri != "" && !absoluteURI.MatchString(f.uri) {
		return entratest.Config{}, fmt.Errorf("-uri %q is no Application ID URI, such as api://orders or https://contoso.example/orders", f.uri)
	}
	for _, name := range append(f.scopes, f.roles...) {
		if strings.Contains(name, "://") {
			return entratest.Config{}, fmt.Errorf("%q: give the bare name, as tokens have it", name)
		}
	}
	for _, name := range f.scopes {
		if strings.HasPrefix(name, ".") || slices.Contains([]string{"openid", "profile", "email", "offline_access"}, name) {
			return entratest.Config{}, fmt.Errorf("-scope %s: clients ask for it beside the API's own scopes, which are the ones to name here", name)
		}
	}
	config := entratest.Sample{TenantID: f.tenant, ClientID: f.client, AppIDURI: f.uri, Scopes: f.scopes, Roles: f.roles}.Config()
	config.Strict = f.strict
	return config, nil
}

// fake is a running fake tenant.
type fake struct {
	*entratest.Server
	config entratest.Config
}

func newFake(config entratest.Config) (*fake, error) {
	server, err := entratest.NewServer(config)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "entratest: "))
	}
	return &fake{server, config}, nil
}

func (f *fake) api() entratest.AppRegistration { return f.config.Apps[0] }

// uri returns the API's Application ID URI.
func (f *fake) uri() string { return f.api().AppIDURIs[0] }

// permissions returns the application permissions of the sample's daemon.
func (f *fake) permissions() []string { return f.config.Apps[1].Permissions[f.api().ClientID] }

// userToken returns a token of the user alice with all scopes of the API.
func (f *fake) userToken() string { return f.Token(entratest.Scopes(f.api().Scopes...)) }

// appToken returns a token of the sample's daemon with all its permissions.
func (f *fake) appToken() string { return f.Token(entratest.App(f.permissions()...)) }
