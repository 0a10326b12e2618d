package login

import (
	"net/http"
	"path"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// loginRoutes serves the paths of the login hosts; with a B2C authority, the
// policy's are below /{tenant}/{policy}.
func (s *Service) loginRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(instancePath, s.public(s.serveInstance))
	for _, prefix := range s.prefixes() {
		mux.HandleFunc(prefix+"/v2.0/.well-known/openid-configuration", s.public(s.serveMetadata))
		mux.HandleFunc(prefix+"/discovery/v2.0/keys", s.public(s.serveKeys))
		mux.HandleFunc(prefix+"/oauth2/v2.0/token", s.serveToken)
		mux.HandleFunc(prefix+"/oauth2/v2.0/authorize", s.serveAuthorize)
		mux.HandleFunc(prefix+"/oauth2/v2.0/logout", s.serveLogout)
	}
	if s.tenant.Authority.Kind != directory.B2C {
		mux.HandleFunc("/{tenant}/oauth2/v2.0/devicecode", s.serveDeviceCode)
		mux.HandleFunc("/{tenant}/oauth2/deviceauth", s.serveDevicePage)
	}
	if s.tenant.Authority.Kind == directory.EntraID {
		mux.HandleFunc("/{tenant}/.well-known/openid-configuration", s.public(s.serveMetadata))
		mux.HandleFunc("/{tenant}/discovery/keys", s.public(s.serveKeys))
		mux.HandleFunc("/{tenant}/oauth2/token", s.serveToken)
		mux.HandleFunc("/{tenant}/oauth2/authorize", s.serveAuthorize)
		mux.HandleFunc("/{tenant}/oauth2/logout", s.serveLogout)
		mux.HandleFunc("/{tenant}/oauth2/devicecode", s.serveDeviceCode)
		mux.HandleFunc("/{tenant}/openid/userinfo", s.graphUser("openid", s.serveUserInfo))
	}
	mux.HandleFunc("/", s.serveUnknown)
	return exact(mux, s.serveUnknown)
}

// exact keeps from mux the paths that it would redirect, with a page, to cleaner
// ones: a base URL that ends in a slash is a mistake that a client should see.
func exact(mux http.Handler, unknown http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clean := path.Clean("/" + r.URL.Path); clean != r.URL.Path && clean+"/" != r.URL.Path {
			unknown(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serveUnknown answers every other path with an OAuth error: a client that was given
// a wrong URL expects JSON.
func (s *Service) serveUnknown(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	text := "The fake tenant has no endpoint at " + r.URL.Path + "."
	if strings.Contains(r.URL.Path, "//") {
		text += " Two slashes follow each other in it."
	}
	s.Refuse(w, r, http.StatusNotFound, text)
}

func (s *Service) prefixes() []string {
	if s.tenant.Authority.Kind == directory.B2C {
		return []string{"/{tenant}/{policy}", "/tfp/{tenant}/{policy}"}
	}
	return []string{"/{tenant}"}
}

// public lets pages of any origin read a GET endpoint, as browsers need for
// metadata (the fetch specification's CORS protocol).
func (s *Service) public(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			next(w, r)
		case http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Headers", "*")
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", "GET, OPTIONS")
			s.refuse(w, r, errMethod(r.Method, "GET"))
		}
	}
}

// segment returns the request's tenant segment in lower case, and the directory
// ID that it stands for: "" for common and organizations. It is not ok for a
// tenant that does not exist.
func (s *Service) segment(r *http.Request) (segment, tenant string, ok bool) {
	segment = strings.ToLower(r.PathValue("tenant"))
	policy := r.PathValue("policy")
	if s.tenant.Authority.Kind == directory.EntraID && (segment == "common" || segment == "organizations") {
		return segment, "", true
	}
	tenant, ok = s.tenant.Resolve(segment)
	return segment, tenant, ok && (policy == "" || directory.IsPolicy(policy))
}

// IsMetadata reports whether a path leads to an OpenID metadata document.
func IsMetadata(path string) bool {
	return strings.HasSuffix(path, "/.well-known/openid-configuration")
}

// IsKeys reports whether a path leads to a key document.
func IsKeys(path string) bool {
	return strings.HasSuffix(path, "/discovery/keys") || strings.HasSuffix(path, "/discovery/v2.0/keys")
}

// IsInstance reports whether a path leads to instance discovery.
func IsInstance(path string) bool { return path == instancePath }

func isVersion2(path string) bool { return strings.Contains(path, "/v2.0/") }
