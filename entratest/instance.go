package entratest

import (
	"net/http"
	"net/url"
	"strings"
)

const instancePath = "/common/discovery/instance"

func isInstancePath(path string) bool { return path == instancePath }

// serveInstance tells clients whether a host is an authority that they may trust,
// and by which names it goes, as the MSALs ask before anything else.
func (s *Server) serveInstance(w http.ResponseWriter, r *http.Request) {
	endpoint, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	host := ""
	if err == nil {
		host = strings.ToLower(endpoint.Host)
	}
	base := s.baseURL(r)
	own := endpoint != nil && base == endpoint.Scheme+"://"+host
	if s.service(host) != serviceLogin && !own {
		s.refuse(w, r, refusal(http.StatusBadRequest, "invalid_instance", 50049,
			"Unknown or invalid instance '%s'.", host))
		return
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(endpoint.Path, "/"), "/")
	version := ""
	if strings.Contains(endpoint.Path, "/v2.0/") {
		version = "/v2.0"
	}
	aliases := append([]string{s.home()}, s.aliases()...)
	if own && host != s.home() {
		aliases = []string{host}
	}
	s.writeJSON(w, http.StatusOK, object{
		{"tenant_discovery_endpoint", base + "/" + segment + version + "/.well-known/openid-configuration"},
		{"api-version", "1.1"},
		{"metadata", []object{{
			{"preferred_network", aliases[0]},
			{"preferred_cache", aliases[min(1, len(aliases)-1)]},
			{"aliases", aliases},
		}}},
	})
}

func (s *Server) aliases() []string {
	if s.authority.kind == entraID {
		return s.cloud.aliases
	}
	return nil
}
