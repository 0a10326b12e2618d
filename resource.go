package entra

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/authserver"
	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
	"github.com/go-json-experiment/json"
)

// resource is this API as RFC 9728 describes it to clients that know nothing else.
type resource struct {
	id          string
	metadataURL string
	scopes      []string
	servers     []string // Options.AuthorizationServers
	issuer      string   // the one of servers that is this API's own; "" for none
}

// resource checks Options.Resource and what describes it. It returns nil if there is none.
func (o *Options) resource() (*resource, error) {
	var wrong []error
	for i, scope := range o.ResourceScopes {
		if problem := scopeProblem(scope); problem != "" {
			wrong = append(wrong, mistake("ResourceScopes["+strconv.Itoa(i)+"]", "%s %s", quote.Text(scope), problem))
		}
	}
	for i, server := range o.AuthorizationServers {
		if problem := serverProblem(server); problem != "" {
			wrong = append(wrong, mistake("AuthorizationServers["+strconv.Itoa(i)+"]", "%s %s", quote.Text(server), problem))
		}
	}
	if o.Resource == "" {
		if len(o.ResourceScopes) > 0 {
			wrong = append(wrong, mistake("ResourceScopes", "is given without Resource, whose metadata would name them"))
		}
		if len(o.AuthorizationServers) > 0 {
			wrong = append(wrong, mistake("AuthorizationServers", "is given without Resource, whose metadata would name them; set Resource to the URL of this API"))
		}
		return nil, errors.Join(wrong...)
	}
	u, err := url.Parse(o.Resource)
	if err != nil {
		wrong = append(wrong, mistake("Resource", "%s is no URL", quote.Text(o.Resource)))
		return nil, errors.Join(wrong...)
	}
	if problem := urlProblem(u, o.Resource); problem != "" {
		wrong = append(wrong, mistake("Resource", "%s %s", quote.Text(o.Resource), problem))
	}
	r := &resource{
		id:          o.Resource,
		metadataURL: headerSafe(metadataURLOf(*u)),
		scopes:      append([]string{}, o.ResourceScopes...),
		servers:     append([]string{}, o.AuthorizationServers...),
	}
	r.issuer = r.ownIssuer(u)
	return r, errors.Join(wrong...)
}

func scopeProblem(scope string) string {
	switch {
	case scope == "" || strings.ContainsFunc(scope, quote.IsBlank) || strings.ContainsAny(scope, `"\`):
		return "is no scope; expected a full scope string such as api://orders/Orders.Read"
	case strings.EqualFold(scope[strings.LastIndexByte(scope, '/')+1:], "offline_access"):
		return "asks for a refresh token, which no API grants; leave it out: clients that want one add it themselves"
	}
	return ""
}

// serverProblem says what is wrong with the issuer of an authorization server (RFC 8414 section 2).
func serverProblem(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "is empty; expected the issuer of an authorization server, such as https://api.contoso.com/orders"
	case err != nil:
		return "is no URL; expected the issuer of an authorization server, such as https://api.contoso.com/orders"
	case u.RawQuery != "" || u.ForceQuery:
		return "holds a query, which RFC 8414 section 2 forbids; remove what follows the ?"
	case strings.ContainsAny(text, "<>{}"):
		return "holds a placeholder, and clients compare issuers exactly; name this API's own URL and serve AuthorizationServerMetadata there"
	case strings.Contains(u.Path, "/.well-known/"):
		return "is where metadata is; expected the issuer, which stands in the metadata"
	}
	return urlProblem(u, text)
}

// urlProblem says what is wrong with a URL by which clients know this API or an authorization server.
func urlProblem(u *url.URL, text string) string {
	host := u.Hostname()
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case strings.ContainsFunc(text, quote.IsBlank):
		return "holds white space; remove it"
	case host == "":
		return "names no host; expected an https URL such as https://api.contoso.com/orders"
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback):
		return "is no https URL; http is for loopback hosts only"
	case u.User != nil:
		return "holds user information; remove what stands before the @"
	case strings.Contains(text, "#"):
		return "holds a fragment, which RFC 9728 section 1.2 and RFC 8414 section 2 forbid; remove what follows the #"
	}
	return ""
}

// ownIssuer returns the authorization server that is on the host of the resource, whose URL is u: the resource itself, or
// else the first. On other hosts somebody else answers.
func (r *resource) ownIssuer(u *url.URL) string {
	// The resource itself comes first, since clients compare with what they were given.
	if slices.Contains(r.servers, r.id) {
		return r.id
	}
	for _, server := range r.servers {
		if s, err := url.Parse(server); err == nil && originOf(s) == originOf(u) {
			return server
		}
	}
	return ""
}

// originOf returns what two URLs have in common if the same server answers at both: scheme, host and port.
func originOf(u *url.URL) string {
	defaultPort := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), defaultPort)
}

// warn logs what Entra will refuse, so that whoever configures the API need not find out from its clients.
func (r *resource) warn(logger *slog.Logger) {
	if r == nil {
		return
	}
	if problems := r.entraRefuses(); len(problems) > 0 {
		logger.Warn("entra: Entra refuses clients that ask for a token for this Resource, as those of the Model Context Protocol do (AADSTS9010010)",
			"resource", r.id, "problem", strings.Join(problems, "; "))
	}
}

// entraRefuses says why Entra refuses clients that send the resource's identifier when they ask for a token, as those of the
// Model Context Protocol do. Entra takes it for an Application ID URI, and the scopes that are asked for must be of that one.
//
// Source: https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
func (r *resource) entraRefuses() []string {
	var problems []string
	u, err := url.Parse(r.id)
	switch {
	case err != nil:
	case u.Path == "" || u.Path == "/":
		problems = append(problems, "Resource has no path, and clients write it with a slash at its end, which an Application ID URI has not; give it a path, such as "+u.Scheme+"://"+u.Host+"/mcp")
	case strings.HasSuffix(r.id, "/"):
		problems = append(problems, "Resource ends in a slash, which an Application ID URI may not; remove it")
	}
	prefix := strings.TrimSuffix(r.id, "/") + "/"
	for _, scope := range r.scopes {
		if !strings.HasPrefix(scope, prefix) {
			problems = append(problems, "the scope "+quote.Text(scope)+" of ResourceScopes is not of the Application ID URI that Resource names; register that URL under Expose an API and write the scope "+prefix+"<name>")
			break
		}
	}
	return problems
}

// metadataURLOf puts the well-known part between host and path (RFC 9728 section 3.1).
func metadataURLOf(u url.URL) string {
	path := u.EscapedPath()
	if path == "/" {
		path = ""
	}
	full := u.Scheme + "://" + u.Host + "/.well-known/oauth-protected-resource" + path
	if u.RawQuery != "" {
		full += "?" + u.RawQuery
	}
	return full
}

// authorizationServer returns the document to publish under the issuer of this API's own, or nil if there is none.
func (r *resource) authorizationServer(p *policy.Policy, client *fetch.Client, logger *slog.Logger) *authserver.Document {
	if r == nil || r.issuer == "" {
		return nil
	}
	return authserver.New(client, logger, p.MetadataURL(), r.issuer)
}

// describes reports whether path is one at which clients look for the metadata of this API's own issuer: RFC 8414 section
// 3.1, and for clients of OpenID Connect Discovery the issuer's path behind or before the well-known part.
func (r *resource) describes(path string) bool {
	u, err := url.Parse(r.issuer)
	if err != nil {
		return false
	}
	issuer := strings.TrimSuffix(u.Path, "/")
	return path == "/.well-known/oauth-authorization-server"+issuer || path == "/.well-known/openid-configuration"+issuer ||
		path == issuer+"/.well-known/openid-configuration"
}

// protectedResource is the document of RFC 9728 section 2.
type protectedResource struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
}

// ResourceMetadata returns a handler for the metadata document of RFC 9728 that [Options.Resource] describes: mount it
// outside of Authenticate, at the path of [Verifier.ResourceMetadataURL]. It answers GET, HEAD and OPTIONS, from any
// origin, 404 without Options.Resource, and with Options.Authority 503 until that authority's issuer is known, unless
// [Options.AuthorizationServers] name others.
//
// Entra refuses (AADSTS9010010) a client that asks for a token for the resource named here unless the API's app
// registration has that very URL among its Application ID URIs and the scopes begin with it. Clients of the Model
// Context Protocol do ask so: register the https URL of the API, on a verified domain, and use it in Audiences,
// Resource and ResourceScopes.
func (v *Verifier) ResourceMetadata() http.Handler {
	return published(v.described() != nil, v.writeMetadata)
}

// ResourceMetadataURL returns the URL of the document of [Verifier.ResourceMetadata], which challenges name (RFC 9728
// section 3.1), or "" without [Options.Resource].
func (v *Verifier) ResourceMetadataURL() string {
	if a := v.described(); a != nil {
		return a.resource.metadataURL
	}
	return ""
}

// AuthorizationServerMetadata returns a handler for a metadata document of RFC 8414 that leads clients to Entra under an
// issuer of this API's own: the one of [Options.AuthorizationServers] that is [Options.Resource], or else the first on its
// host. It is Entra's own OpenID document (of the tenant; for several tenants that of organizations, consumers or common;
// with [Options.Authority] the authority's) with that issuer, with the code challenge method S256, and with every other
// member unchanged. Clients of the Model Context Protocol need it: Entra's documents name no code challenge method, and
// those for several tenants no issuer that a client could compare.
//
// Mount it outside of Authenticate. For the issuer https://api.contoso.com/mcp clients look at
// /.well-known/oauth-authorization-server/mcp (RFC 8414 section 3.1), /.well-known/openid-configuration/mcp and
// /mcp/.well-known/openid-configuration. Where [Combine] has put together several such issuers, the path decides whose
// document it is, and the first one's is the answer at any other path.
//
// It answers GET, HEAD and OPTIONS, from any origin, and 404 without such an issuer. Entra's document is fetched when it is
// first asked for, then once an hour, one fetch for all who ask; while Entra is away the last good one is served, and 503
// with Retry-After if there never was one.
func (v *Verifier) AuthorizationServerMetadata() http.Handler {
	return published(v.serverAt("") != nil, v.writeServerMetadata)
}

// published answers for a document that is for everybody.
func published(exists bool, write http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		// For everybody: the document is public, and clients in browsers need it before they have a token.
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("X-Content-Type-Options", "nosniff")
		switch {
		case !exists:
			http.NotFound(w, r)
		case r.Method == http.MethodOptions:
			header.Set("Allow", "GET, HEAD, OPTIONS")
			header.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			header.Set("Access-Control-Allow-Headers", "*")
			header.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD, OPTIONS")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		default:
			write(w, r)
		}
	})
}

func (v *Verifier) writeMetadata(w http.ResponseWriter, r *http.Request) {
	servers, complete, err := v.authorizationServers(r.Context())
	if err != nil {
		v.Refuse(w, r, err)
		return
	}
	resource := v.described().resource
	// Marshalling a struct of strings cannot fail.
	body, _ := json.Marshal(protectedResource{resource.id, servers, resource.scopes, []string{"header"}})
	writeJSON(w, r, body, complete)
}

func (v *Verifier) writeServerMetadata(w http.ResponseWriter, r *http.Request) {
	body, err := v.serverAt(r.URL.Path).Get(r.Context())
	if err == nil {
		writeJSON(w, r, body, true)
		return
	}
	var wait time.Duration
	var none *authserver.UnavailableError
	if errors.As(err, &none) {
		wait = none.RetryAfter
	}
	// No token was refused, so this is not counted; the fetch that failed has been logged.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", inSeconds(wait))
	http.Error(w, "The metadata cannot be had at the moment.", http.StatusServiceUnavailable)
}

// writeJSON answers with a document that clients may keep for an hour if it is complete.
func writeJSON(w http.ResponseWriter, r *http.Request, body []byte, complete bool) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	// A client that kept half a list for an hour would not find the other authorities.
	if !complete {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// serverAt returns the document that belongs at path: that of the issuer there, or else the first; nil for none.
func (v *Verifier) serverAt(path string) *authserver.Document {
	var first *authserver.Document
	for _, a := range v.authorities {
		switch {
		case a.server == nil:
		// The path only chooses among documents that exist; no text of it is written.
		case a.resource.describes(path):
			return a.server
		case first == nil:
			first = a.server
		}
	}
	return first
}

// described returns the authority whose options describe this API, nil for none: the first with Options.Resource.
func (v *Verifier) described() *authority {
	for _, a := range v.authorities {
		if a.resource != nil {
			return a
		}
	}
	return nil
}

// authorizationServers are the issuers whose metadata tells a client where to ask for a token: those of all authorities.
// One that is away costs the others nothing: as long as its issuer is not known, the list is not complete.
func (v *Verifier) authorizationServers(ctx context.Context) (servers []string, complete bool, err error) {
	servers, complete = v.knownServers()
	if len(servers) > 0 {
		return servers, complete, nil
	}
	// The issuer of an external authority is known once its metadata was read, which is when its keys are.
	if err := v.Ready(ctx); err != nil {
		return nil, false, err
	}
	servers, complete = v.knownServers()
	return servers, complete, nil
}

func (v *Verifier) knownServers() (servers []string, complete bool) {
	complete = true
	for _, a := range v.authorities {
		own := a.resource.namedServers()
		if own == nil {
			own = a.policy.AuthorizationServers(a.keys.Issuer())
		}
		complete = complete && own != nil
		for _, server := range own {
			if !slices.Contains(servers, server) {
				servers = append(servers, server)
			}
		}
	}
	return servers, complete
}

// namedServers returns Options.AuthorizationServers, nil for none.
func (r *resource) namedServers() []string {
	if r == nil || len(r.servers) == 0 {
		return nil
	}
	return r.servers
}
