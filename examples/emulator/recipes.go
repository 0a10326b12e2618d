package main

import (
	_ "embed"
	"io"
	"strings"
	"text/template"

	"github.com/entra-go/entra/entratest"
)

// recipe is what the recipes are filled in with.
type recipe struct {
	HTTP, HTTPS string // where the emulator answers
	CA          string // file with the certificate; "" if none was written
}

func (recipe) Tenant() string      { return entratest.TenantID }
func (recipe) API() string         { return entratest.APIClientID }
func (recipe) APISecret() string   { return entratest.APISecret }
func (recipe) Daemon() string      { return entratest.ClientID }
func (recipe) Secret() string      { return entratest.ClientSecret }
func (recipe) Page() string        { return entratest.SPAClientID }
func (recipe) Scope() string       { return entratest.APIURI + "/" + entratest.ScopeRead }
func (recipe) AppScope() string    { return entratest.APIURI + "/.default" }
func (r recipe) TLSHost() string   { return strings.TrimPrefix(r.HTTPS, "https://") }
func (r recipe) Authority() string { return r.HTTPS + "/" + entratest.TenantID }

func (r recipe) TokenURL() string {
	return r.HTTP + "/" + entratest.TenantID + "/oauth2/v2.0/token"
}

func (r recipe) Metadata() string {
	return r.HTTP + "/" + entratest.TenantID + "/v2.0/.well-known/openid-configuration"
}

func (r recipe) CAFile() string {
	if r.CA == "" {
		return "ca.pem (write it with -ca ca.pem)"
	}
	return r.CA
}

//go:embed recipes.txt
var recipes string

func printRecipes(out io.Writer, r recipe) error {
	return template.Must(template.New("recipes").Parse(recipes)).Execute(out, r)
}
