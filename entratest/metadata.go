package entratest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// serveMetadata answers with the OpenID Connect discovery document in the shape
// that Entra gives it for the version in the path.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	segment, tenant, ok := s.segment(r)
	if !ok {
		s.refuse(w, r, errUnknownTenant(segment, "invalid_tenant"))
		return
	}
	appID := r.URL.Query().Get("appid")
	s.writeJSON(w, http.StatusOK, s.metadata(endpointVersion(r), s.baseURL(r), segment, tenant, appID))
}

// metadata lists the members in the order of Entra's own documents.
func (s *Server) metadata(version int, base, segment, tenant, appID string) object {
	if s.authority.kind == externalID {
		segment = tenant // Its endpoints name the directory, whatever was asked.
	}
	root := base + s.path(segment)
	oauth, keys, scopes := root+"/oauth2/", root+"/discovery/keys", "openid"
	if version == 2 {
		oauth, keys, scopes = oauth+"v2.0/", root+"/discovery/v2.0/keys", "openid profile email offline_access"
	}
	if s.authority.kind == b2c {
		return s.metadataOfB2C(oauth, keys)
	}
	if appID != "" {
		keys += "?appid=" + url.QueryEscape(appID)
	}
	own := object{{"request_uri_parameter_supported", false}, {"userinfo_endpoint", s.graphURL(base) + "/oidc/userinfo"}}
	var last object
	if version == 1 {
		own = object{{"microsoft_multi_refresh_token", true}}
		last = object{{"check_session_iframe", oauth + "checksession"}, {"userinfo_endpoint", root + "/openid/userinfo"}}
	}
	return slices.Concat(object{
		{"token_endpoint", oauth + "token"},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
		{"jwks_uri", keys},
		{"response_modes_supported", []string{"query", "fragment", "form_post"}},
		{"subject_types_supported", []string{"pairwise"}},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"response_types_supported", responseTypes(version)},
		{"scopes_supported", strings.Fields(scopes)},
		{"issuer", s.issuer(version, templateUnless(tenant))},
	}, own, object{
		{"authorization_endpoint", oauth + "authorize"},
		{"device_authorization_endpoint", oauth + "devicecode"},
		{"http_logout_supported", true},
		{"frontchannel_logout_supported", true},
		{"end_session_endpoint", oauth + "logout"},
		{"claims_supported", claimsSupported(version)},
	}, last, s.cloudMembers(root, tenant))
}

func (s *Server) cloudMembers(root, tenant string) object {
	return object{
		{"kerberos_endpoint", root + "/kerberos"},
		{"tenant_region_scope", s.region(tenant)},
		{"cloud_instance_name", s.cloud.instanceName},
		{"cloud_graph_host_name", s.cloud.legacyGraph},
		{"msgraph_host", s.cloud.graph},
		{"rbac_url", s.cloud.rbac},
	}
}

// metadataOfB2C is the shorter document of a B2C policy.
func (s *Server) metadataOfB2C(oauth, keys string) object {
	return object{
		{"issuer", s.issuer(2, s.config.TenantID)},
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
func (s *Server) region(tenant string) any {
	if tenant == "" {
		return nil
	}
	return s.cloud.region
}

// graphURL is where the fake Graph answers: Microsoft's host in process, below
// the Server's own URL otherwise.
func (s *Server) graphURL(base string) string {
	if base == "https://"+s.home() {
		return "https://" + s.cloud.graph
	}
	return base + "/graph"
}

// serveKeys answers with a key document (RFC 7517 section 5). Version 1.0
// documents lack the issuer and the cloud; ?appid= of an application with a key
// of its own lists only that.
func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	segment, _, ok := s.segment(r)
	if !ok {
		s.refuse(w, r, errUnknownTenant(segment, "invalid_tenant"))
		return
	}
	keys := s.documentKeys(segment)
	if own := s.AppKey(r.URL.Query().Get("appid")); own != nil {
		keys = []*Key{own}
	}
	list := make([]object, len(keys))
	for i, key := range keys {
		list[i] = slices.Clone(key.jwk)
		switch {
		case s.authority.kind == b2c:
			list[i] = list[i].without("x5t", "x5c")
		case endpointVersion(r) == 1:
			list[i] = list[i].without("issuer", "cloud_instance_name")
		}
	}
	s.writeJSON(w, http.StatusOK, object{{"keys", list}})
}
