package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// serveMetadata answers with the OpenID Connect discovery document in the shape
// that Entra gives it for the version in the path.
func (s *Service) serveMetadata(w http.ResponseWriter, r *http.Request) {
	segment, tenant, ok := s.segment(r)
	if !ok {
		s.refuse(w, r, errUnknownTenant(segment, "invalid_tenant"))
		return
	}
	appID := r.URL.Query().Get("appid")
	s.writeJSON(w, http.StatusOK, s.metadata(endpointVersion(r), s.baseURL(r), segment, tenant, appID))
}

// Metadata returns the version 2.0 document of the main tenant, with endpoints
// that begin with base.
func (s *Service) Metadata(base string) ([]byte, error) {
	return jsonobject.Encode(s.metadata(2, base, s.tenant.ID, s.tenant.ID, ""))
}

// metadata lists the members in the order of Entra's own documents.
func (s *Service) metadata(version int, base, segment, tenant, appID string) jsonobject.Object {
	if s.tenant.Authority.Kind != directory.B2C && tenant != "" && segment != "consumers" {
		segment = tenant // A domain name becomes the directory's ID.
	}
	root := base + s.tenant.Path(segment)
	oauth, keys, scopes := root+"/oauth2/", root+"/discovery/keys", "openid"
	if version == 2 {
		oauth, keys, scopes = oauth+"v2.0/", root+"/discovery/v2.0/keys", "openid profile email offline_access"
	}
	if s.tenant.Authority.Kind == directory.B2C {
		return s.metadataOfB2C(oauth, keys)
	}
	if appID != "" {
		keys += "?appid=" + url.QueryEscape(appID)
	}
	own := jsonobject.Object{{"request_uri_parameter_supported", false}, {"userinfo_endpoint", s.graphURL(base) + "/oidc/userinfo"}}
	var last jsonobject.Object
	if version == 1 {
		own = jsonobject.Object{{"microsoft_multi_refresh_token", true}}
		last = jsonobject.Object{{"check_session_iframe", oauth + "checksession"}, {"userinfo_endpoint", root + "/openid/userinfo"}}
	}
	return slices.Concat(jsonobject.Object{
		{"token_endpoint", oauth + "token"},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
		{"jwks_uri", keys},
		{"response_modes_supported", []string{"query", "fragment", "form_post"}},
		{"subject_types_supported", []string{"pairwise"}},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"response_types_supported", responseTypes(version)},
		{"scopes_supported", strings.Fields(scopes)},
		{"issuer", s.issuer.Name(version, templateUnless(tenant))},
	}, own, jsonobject.Object{
		{"authorization_endpoint", oauth + "authorize"},
		{"device_authorization_endpoint", oauth + "devicecode"},
		{"http_logout_supported", true},
		{"frontchannel_logout_supported", true},
		{"end_session_endpoint", oauth + "logout"},
		{"claims_supported", claimsSupported(version)},
	}, last, s.cloudMembers(root, tenant))
}

func (s *Service) cloudMembers(root, tenant string) jsonobject.Object {
	return jsonobject.Object{
		{"kerberos_endpoint", root + "/kerberos"},
		{"tenant_region_scope", s.region(tenant)},
		{"cloud_instance_name", s.tenant.Cloud.InstanceName},
		{"cloud_graph_host_name", s.tenant.Cloud.LegacyGraph},
		{"msgraph_host", s.tenant.Cloud.Graph},
		{"rbac_url", s.tenant.Cloud.RBAC},
	}
}

// metadataOfB2C is the shorter document of a B2C policy.
func (s *Service) metadataOfB2C(oauth, keys string) jsonobject.Object {
	return jsonobject.Object{
		{"issuer", s.issuer.Name(2, s.tenant.ID)},
		{"authorization_endpoint", oauth + "authorize"},
		{"token_endpoint", oauth + "token"},
		{"end_session_endpoint", oauth + "logout"},
		{"jwks_uri", keys},
		{"response_modes_supported", []string{"query", "fragment", "form_post"}},
		{"response_types_supported", []string{"code", "code id_token", "id_token"}},
		{"scopes_supported", []string{"openid"}},
		{"subject_types_supported", []string{"pairwise"}},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_post", "client_secret_basic"}},
		{"claims_supported", []string{"name", "sub", "idp", "tfp", "iss", "iat", "exp", "aud", "acr", "nonce", "auth_time"}},
	}
}

func templateUnless(tenant string) string {
	if tenant == "" {
		return "{tenantid}"
	}
	return tenant
}

func responseTypes(version int) []string {
	if version == 1 {
		return []string{"code", "id_token", "code id_token", "token id_token", "token"}
	}
	return []string{"code", "id_token", "code id_token", "id_token token"}
}

func claimsSupported(version int) []string {
	common := []string{"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
		"msgraph_host", "aud", "exp", "iat", "auth_time", "acr"}
	if version == 1 {
		return append(common, "amr", "nonce", "email", "given_name", "family_name", "nickname")
	}
	return append(common, "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email")
}

// region is null in the documents of common and organizations.
func (s *Service) region(tenant string) any {
	if tenant == "" {
		return nil
	}
	return s.tenant.Cloud.Region
}

// graphURL is where the fake Graph answers: Microsoft's host in process, below
// the Server's own URL otherwise.
func (s *Service) graphURL(base string) string {
	if base == "https://"+s.tenant.Home() {
		return "https://" + s.tenant.Cloud.Graph
	}
	return base + "/graph"
}

// serveKeys answers with a key document (RFC 7517 section 5). Version 1.0
// documents lack the issuer and the cloud; ?appid= of an application with a key
// of its own lists only that.
func (s *Service) serveKeys(w http.ResponseWriter, r *http.Request) {
	segment, _, ok := s.segment(r)
	if !ok {
		s.refuse(w, r, errUnknownTenant(segment, "invalid_tenant"))
		return
	}
	keys := s.issuer.Keys(segment, r.URL.Query().Get("appid"))
	for i, key := range keys {
		switch {
		case s.tenant.Authority.Kind == directory.B2C:
			keys[i] = key.Without("x5t", "x5c")
		case endpointVersion(r) == 1:
			keys[i] = key.Without("issuer", "cloud_instance_name")
		}
	}
	s.writeJSON(w, http.StatusOK, jsonobject.Object{{"keys", keys}})
}

const instancePath = "/common/discovery/instance"

// serveInstance tells clients whether a host is an authority that they may trust,
// and by which names it goes, as the MSALs ask before anything else.
func (s *Service) serveInstance(w http.ResponseWriter, r *http.Request) {
	endpoint, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	host := ""
	if err == nil {
		host = strings.ToLower(endpoint.Host)
	}
	base := s.baseURL(r)
	own := endpoint != nil && base == endpoint.Scheme+"://"+host
	if s.tenant.Service(host) != directory.Login && !own {
		s.refuse(w, r, refusal(http.StatusBadRequest, "invalid_instance", 50049,
			"Unknown or invalid instance '%s'.", host))
		return
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(endpoint.Path, "/"), "/")
	version := ""
	if strings.Contains(endpoint.Path, "/v2.0/") {
		version = "/v2.0"
	}
	aliases := append([]string{s.tenant.Home()}, s.aliases()...)
	if own && host != s.tenant.Home() {
		aliases = []string{host}
	}
	s.writeJSON(w, http.StatusOK, jsonobject.Object{
		{"tenant_discovery_endpoint", base + "/" + segment + version + "/.well-known/openid-configuration"},
		{"api-version", "1.1"},
		{"metadata", []jsonobject.Object{{
			{"preferred_network", aliases[0]},
			{"preferred_cache", aliases[min(1, len(aliases)-1)]},
			{"aliases", aliases},
		}}},
	})
}

func (s *Service) aliases() []string {
	if s.tenant.Authority.Kind == directory.EntraID {
		return s.tenant.Cloud.Aliases
	}
	return nil
}
