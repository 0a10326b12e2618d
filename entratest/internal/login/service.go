// Package login answers the paths of Entra's login hosts and of Microsoft Graph:
// metadata, key documents, instance discovery, sign-in pages, the authorization and
// token endpoints, and the few paths of Graph that an API's own code calls.
//
// It decides who gets which token. An [Issuer] makes the tokens and has the keys.
package login

import (
	"context"
	"crypto/rsa"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// Issuer makes tokens and knows the keys that sign them.
type Issuer interface {
	// Name returns the iss of tokens of a version for a tenant, which is "{tenantid}"
	// in the documents of common and organizations.
	Name(version int, tenant string) string

	Issue(Token) (string, error)

	// Keys returns what the version 2.0 key document of a tenant segment lists, or
	// the own key of the application appID if it has one. The caller may change it.
	Keys(segment, appID string) []jsonobject.Object

	// PublicKey returns the key with an ID, also once it was withdrawn, or nil.
	PublicKey(keyID string) *rsa.PublicKey
}

// Token describes a token to issue.
type Token struct {
	Kind     Kind
	Version  int // 1 or 2
	Tenant   string
	Audience string
	Graph    bool   // for Microsoft Graph; overrides Version and Audience
	Client   string // that asked for it
	Proof    string // how the client proved itself, the value of azpacr: "0", "1" or "2"
	User     string // object ID or user name

	Scopes, Roles, Groups []string
	Overage               bool // of groups, with the pointer to them
	HasGroups             bool // of groups, as an ID token in a fragment says it
	AuthContexts          []string
	Capabilities          []string
	Email                 bool              // of ID tokens: the user's address
	Unnamed               bool              // of ID tokens: without what the scope profile adds
	Nonce                 string            // of ID tokens
	AuthTime              time.Time         // of ID tokens: when the user signed in, or zero
	Hashes                map[string]string // of ID tokens: c_hash and at_hash
}

// Kind tells the tokens of users and applications apart.
type Kind int

// The kinds of tokens.
const (
	Delegated Kind = iota
	AppOnly
	IDToken
)

// TokenLifetime is how long tokens are good.
const TokenLifetime = time.Hour

// Config is what a Service needs to know.
type Config struct {
	Tenant    *directory.Tenant
	Issuer    Issuer
	Clock     func() time.Time
	Strict    bool
	PublicURL string // the base of requests whose context has none; default https and the tenant's host
}

// Service has the handlers. It is safe for concurrent use.
type Service struct {
	config Config
	tenant *directory.Tenant
	issuer Issuer
	pages  *template.Template
	login  http.Handler
	graph  http.Handler
	grants grants
}

// New returns a Service with its routes.
func New(config Config) *Service {
	s := &Service{config: config, tenant: config.Tenant, issuer: config.Issuer, pages: parsePages()}
	s.login = s.loginRoutes()
	s.graph = s.graphRoutes()
	return s
}

// ServeHTTP sends a request to the service that its host or path names.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.tenant.Service(strings.ToLower(r.Host)) == directory.Graph:
		s.graph.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/graph/"):
		http.StripPrefix("/graph", s.graph).ServeHTTP(w, r)
	default:
		s.login.ServeHTTP(w, r)
	}
}

type baseKey struct{}

// WithBase marks requests with the URL of the listener through which they came,
// which begins the URLs of endpoints. It stems from configuration: one taken from
// the Host header would let a client choose where others are sent.
func WithBase(ctx context.Context, url string) context.Context {
	return context.WithValue(ctx, baseKey{}, url)
}

// HasBase reports whether the request came through a listener.
func HasBase(ctx context.Context) bool {
	_, ok := ctx.Value(baseKey{}).(string)
	return ok
}

func (s *Service) baseURL(r *http.Request) string {
	if base, ok := r.Context().Value(baseKey{}).(string); ok {
		return base
	}
	return s.DefaultBase()
}

// DefaultBase is the base of requests that came through no listener.
func (s *Service) DefaultBase() string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	return "https://" + s.tenant.Home()
}
