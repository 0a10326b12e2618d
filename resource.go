package entra

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/entra-go/entra/internal/quote"
	"github.com/go-json-experiment/json"
)

// resource is this API as RFC 9728 describes it to clients that know nothing else.
type resource struct {
	id          string
	metadataURL string
	scopes      []string
}

// resource checks Options.Resource and ResourceScopes. It returns nil if there is none.
func (o *Options) resource() (*resource, error) {
	var wrong []error
	for i, scope := range o.ResourceScopes {
		if scope == "" || strings.ContainsFunc(scope, quote.IsBlank) || strings.ContainsAny(scope, `"\`) {
			wrong = append(wrong, mistake("ResourceScopes["+strconv.Itoa(i)+"]", "%s is no scope; expected a full scope string such as api://orders/Orders.Read", quote.Text(scope)))
		}
	}
	if o.Resource == "" {
		if len(o.ResourceScopes) > 0 {
			wrong = append(wrong, mistake("ResourceScopes", "is given without Resource, whose metadata would name them"))
		}
		return nil, errors.Join(wrong...)
	}
	u, err := url.Parse(o.Resource)
	if err != nil {
		wrong = append(wrong, mistake("Resource", "%s is no URL", quote.Text(o.Resource)))
		return nil, errors.Join(wrong...)
	}
	if problem := resourceProblem(u, o.Resource); problem != "" {
		wrong = append(wrong, mistake("Resource", "%s %s", quote.Text(o.Resource), problem))
	}
	return &resource{id: o.Resource, metadataURL: metadataURLOf(*u), scopes: append([]string{}, o.ResourceScopes...)}, errors.Join(wrong...)
}

func resourceProblem(u *url.URL, text string) string {
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
		return "holds a fragment, which RFC 9728 section 1.2 forbids; remove what follows the #"
	}
	return ""
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

// protectedResource is the document of RFC 9728 section 2.
type protectedResource struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
}

// ResourceMetadata returns a handler for the metadata document of RFC 9728 that [Options.Resource] describes: mount it
// outside of Authenticate, at the path of the URL that the challenges name. It answers GET, HEAD and OPTIONS, from any
// origin, 404 without Options.Resource, and with Options.Authority 503 until that authority's issuer is known.
//
// Entra refuses (AADSTS9010010) a client that asks for a token for the resource named here unless the API's app
// registration has that very URL among its Application ID URIs and the scopes begin with it. Clients of the Model
// Context Protocol do ask so: register the https URL of the API, on a verified domain, and use it in Audiences,
// Resource and ResourceScopes.
func (v *Verifier) ResourceMetadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("X-Content-Type-Options", "nosniff")
		switch {
		case v.described() == nil:
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
			v.writeMetadata(w, r)
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
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if !complete {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
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
		own := a.policy.AuthorizationServers(a.keys.Issuer())
		complete = complete && own != nil
		servers = append(servers, own...)
	}
	return servers, complete
}
