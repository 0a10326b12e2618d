package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"

	"github.com/entra-go/entra/entratest"
)

const emulatorHelp = `Usage: entra emulator [flags]

Serves a Microsoft Entra tenant on this machine: metadata, keys, sign-in pages, tokens and a small Microsoft Graph. It prints
a token of a user and one of an application, the lines of Go that point an API to it, and what clients in other languages
need to be told, and serves until it is interrupted.

Its users and secrets are samples that everybody knows, so it listens on loopback addresses alone. No API that matters may
ever accept its tokens. docs/local.md says which clients need which way, with a program for each.

Examples:
  entra emulator
  entra emulator -tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 -client 6e74172b-be56-4843-9ff4-e66a39bb12e3 \
    -scope Orders.Read -role Orders.Read.All          # an API with its own IDs
  entra emulator -https localhost:8443 -ca ca.pem      # for clients that insist on https
  entra emulator -local-issuer -ca ca.pem              # for clients that insist on metadata under the issuer's URL
`

const (
	defaultHTTP  = "localhost:8085"
	defaultHTTPS = "localhost:8443"
	anyPort      = "localhost:0"

	defaultURL = "http://localhost:8080/orders" // as in README.md
	urlUsage   = "`URL` of a route of the API, for the curl lines"
)

func emulator(ctx context.Context, args []string, s surroundings) (int, error) {
	var f fakeFlags
	var httpAddr, httpsAddr, ca, url string
	var localIssuer bool
	set := newFlags("emulator", emulatorHelp, s.stdout)
	f.register(set.FlagSet)
	set.StringVar(&httpAddr, "http", "", "loopback `address` for plain http; port 0 takes a free one (default "+defaultHTTP+", or a free port if that is taken)")
	set.StringVar(&httpsAddr, "https", "", "loopback `address` for https (default "+defaultHTTPS+", or a free port if that is taken)")
	set.StringVar(&ca, "ca", "", "`file` to write the certificate to that clients must trust for https")
	set.StringVar(&url, "url", defaultURL, urlUsage)
	set.BoolVar(&localIssuer, "local-issuer", false, "issue tokens under the https address instead of Microsoft's, for clients that insist on metadata under the issuer's URL")
	err := set.parse(args, "it takes flags alone")
	if err == nil {
		err = readEnvironment(set.FlagSet, s.env)
	}
	if err != nil {
		return misuse, err
	}
	config, err := f.config()
	if err == nil {
		err = checkURL(url)
	}
	if err != nil {
		return misuse, err
	}
	config.LocalIssuer = localIssuer
	tenant, err := newFake(config)
	if err != nil {
		return misuse, err
	}
	defer tenant.Close()
	r := recipe{tenant: tenant, URL: url, LocalIssuer: localIssuer}
	start := []func() error{
		func() (err error) {
			r.HTTPS, err = startAt("-https", httpsAddr, defaultHTTPS, tenant.StartTLSOn)
			return err
		},
		func() (err error) { r.HTTP, err = startAt("-http", httpAddr, defaultHTTP, tenant.StartOn); return err },
	}
	if !localIssuer {
		// Endpoints in the metadata lead to the listener that was started first.
		start[0], start[1] = start[1], start[0]
	}
	for _, one := range start {
		if err == nil {
			err = one()
		}
	}
	if err == nil && ca != "" {
		r.CA, err = writeCertificate(ca, tenant.CertPEM())
	}
	if err == nil {
		err = r.print(s.stdout)
	}
	if err != nil {
		fmt.Fprintln(s.stderr, "entra emulator:", err)
		return bad, nil
	}
	<-ctx.Done()
	fmt.Fprintln(s.stdout, "\nstopped")
	return good, nil
}

// writeCertificate returns the absolute path of the file, because clients run in other folders.
func writeCertificate(file string, pem []byte) (path string, err error) {
	if path, err = filepath.Abs(file); err == nil {
		err = os.WriteFile(path, pem, 0o644)
	}
	if err != nil {
		return "", fmt.Errorf("-ca: %w", err)
	}
	return path, nil
}

// startAt starts a listener at addr, or at the default address, or if that is taken at a free port.
func startAt(flag, addr, standard string, start func(string) (string, error)) (url string, err error) {
	if addr != "" {
		url, err = start(addr)
	} else if url, err = start(standard); errors.Is(err, syscall.EADDRINUSE) {
		url, err = start(anyPort)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "", fmt.Errorf("%s %s: another program has this port; choose another, or leave %s out to get a free one", flag, addr, flag)
	case err != nil:
		return "", fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	return url, nil
}

// recipe fills in the recipes.
type recipe struct {
	tenant      *fake
	HTTP, HTTPS string // where the emulator answers
	CA          string // absolute path of the certificate; "" if none was written
	URL         string // of a route of the API
	LocalIssuer bool
}

func (r recipe) Tenant() string    { return r.tenant.config.TenantID }
func (r recipe) API() string       { return r.tenant.api().ClientID }
func (r recipe) URI() string       { return r.tenant.uri() }
func (r recipe) Scopes() string    { return strings.Join(r.tenant.api().Scopes, ", ") }
func (r recipe) Roles() string     { return strings.Join(r.tenant.permissions(), ", ") }
func (r recipe) UserToken() string { return r.tenant.userToken() }
func (r recipe) AppToken() string  { return r.tenant.appToken() }
func (recipe) APISecret() string   { return entratest.APISecret }
func (recipe) Daemon() string      { return entratest.ClientID }
func (recipe) Secret() string      { return entratest.ClientSecret }
func (recipe) Page() string        { return entratest.SPAClientID }
func (r recipe) AppScope() string  { return r.URI() + "/.default" }
func (r recipe) HTTPHost() string  { return strings.TrimPrefix(r.HTTP, "http://") }
func (r recipe) Authority() string { return r.HTTPS + "/" + r.Tenant() }

func (r recipe) Scope() string {
	if scopes := r.tenant.api().Scopes; len(scopes) > 0 {
		return r.URI() + "/" + scopes[0]
	}
	return r.AppScope()
}

// Audiences names an Application ID URI that does not follow from the client ID.
func (r recipe) Audiences() string {
	if r.URI() == "api://"+r.API() {
		return ""
	}
	return r.URI()
}

func (r recipe) TokenURL() string { return r.HTTP + "/" + r.Tenant() + "/oauth2/v2.0/token" }

func (r recipe) Metadata() string {
	base := r.HTTP
	if r.LocalIssuer {
		base = r.HTTPS
	}
	return base + "/" + r.Tenant() + "/v2.0" + metadataPath
}

// Environment returns the variables that the programs of docs/local.md read.
func (r recipe) Environment() []string {
	variables := append(settings(r.tenant), "AZURE_AUTHORITY_HOST="+r.HTTPS+"/", "ENTRA_METADATA="+r.Metadata())
	if r.LocalIssuer {
		variables = append(variables, "ENTRA_ISSUER="+r.Authority()+"/v2.0")
	}
	if r.CA != "" {
		variables = append(variables, trust(r.CA)...)
	}
	return variables
}

// CAFile names the certificate in recipes.
func (r recipe) CAFile() string { return cmp.Or(r.CA, "ca.pem") }

// Strict names the clients that look for metadata under the issuer's URL, and so need an issuer that is there.
func (recipe) Strict() string { return strings.Join(strictClients, ", ") }

var strictClients = []string{
	"Apache", "Auth.js", "Authlib", "express-oauth2-jwt-bearer", "express-openid-connect", "go-oidc", "jose",
	"jsonwebtoken and jwks-rsa", "oauth2-proxy", "oauth4webapi", "openid-client", "PyJWT", "zitadel/oidc",
}

//go:embed recipes.txt
var recipes string

func (r recipe) print(out io.Writer) error {
	functions := template.FuncMap{"export": export, "word": shellWord}
	return template.Must(template.New("recipes").Funcs(functions).Parse(recipes)).Execute(out, r)
}
