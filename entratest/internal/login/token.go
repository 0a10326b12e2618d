package login

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

const maxForm = 1 << 20 // bytes of a token request; assertions make them large

// serveToken is the token endpoint (RFC 6749 section 3.2).
func (s *Service) serveToken(w http.ResponseWriter, r *http.Request) {
	s.serveForm(w, r, func(_, tenant string) (jsonobject.Object, *oauthError) {
		response, refused := s.grant(r, tenant)
		if refused != nil {
			return nil, refused
		}
		return s.version1Response(r, response), nil
	})
}

// serveForm is an endpoint that programs post forms to, from pages of any origin
// too. Parameters count only in the body; unknown ones are ignored. It gives answer
// the tenant segment and the directory ID that it stands for.
func (s *Service) serveForm(w http.ResponseWriter, r *http.Request, answer func(segment, tenant string) (jsonobject.Object, *oauthError)) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Pragma", "no-cache")
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	response, refused := s.formAnswer(w, r, answer)
	if refused != nil {
		s.refuse(w, r, refused)
		return
	}
	s.writeJSON(w, http.StatusOK, response)
}

func (s *Service) formAnswer(w http.ResponseWriter, r *http.Request, answer func(segment, tenant string) (jsonobject.Object, *oauthError)) (jsonobject.Object, *oauthError) {
	if r.Method != http.MethodPost {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 900561,
			"The endpoint only accepts POST requests. Received a %s request.", r.Method)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 9000410, "Malformed request body: %v", err)
	}
	translateResource(r, r.PostForm)
	segment, tenant, ok := s.segment(r)
	if !ok {
		return nil, errUnknownTenant(segment, "invalid_request")
	}
	return answer(segment, tenant)
}

func (s *Service) grant(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
	grantType := r.PostForm.Get("grant_type")
	switch grantType {
	case "":
		return nil, errMissing("grant_type")
	case "client_credentials":
		return s.clientCredentials(r, tenant)
	case "authorization_code":
		return s.authorizationCode(r, tenant)
	case "refresh_token":
		return s.refreshGrant(r, tenant)
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		return s.onBehalfOf(r, tenant)
	case deviceGrant, "device_code":
		if s.tenant.Authority.Kind != directory.B2C { // B2C has no such flow.
			return s.deviceGrant(r, tenant)
		}
	}
	return nil, refusal(http.StatusBadRequest, "unsupported_grant_type", 70003,
		"The app requested an unsupported grant type '%s'.", grantType)
}

// clientCredentials is the grant of RFC 6749 section 4.4. Entra issues the token
// even to a client without any application permission.
func (s *Service) clientCredentials(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
	if tenant == "" {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 50194,
			"The client credentials flow needs a tenant: use the endpoint of a tenant instead of /%s.", r.PathValue("tenant"))
	}
	client, proof, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if proof == "0" {
		return nil, refusal(http.StatusUnauthorized, "invalid_client", 7000216,
			"'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	}
	resource, refused := defaultResource(r.PostForm)
	if refused != nil {
		return nil, refused
	}
	t := Token{Kind: AppOnly, Tenant: tenant, Client: client.ClientID, Proof: proof}
	if refused := s.target(&t, resource); refused != nil {
		return nil, refused
	}
	if refused := s.checkResource(r, r.PostForm, scopeSet{resource: resource}); refused != nil {
		return nil, refused
	}
	asked, refused := parseClaims(r.PostForm.Get("claims"))
	if refused != nil {
		return nil, refused
	}
	api, _ := s.tenant.API(resource)
	t.Roles, t.Capabilities = client.Permissions[api.ClientID], asked.capabilities
	return s.tokenResponse(t)
}

// defaultResource returns the resource of the one scope that ends in /.default.
// Clients may send OpenID Connect's scopes with it, as MSAL Go does.
func defaultResource(form url.Values) (string, *oauthError) {
	if form.Get("scope") == "" {
		return "", errMissing("scope")
	}
	scopes := slices.DeleteFunc(strings.Fields(form.Get("scope")), isOpenIDScope)
	resource, found := strings.CutSuffix(cmp.Or(strings.Join(scopes, " "), "openid"), "/.default")
	if !found || len(scopes) != 1 {
		return "", refusal(http.StatusBadRequest, "invalid_scope", 1002012,
			"The provided value for scope %s is not valid. Client credential flows must have a scope value with "+
				"/.default suffixed to the resource identifier (application ID URI).", form.Get("scope"))
	}
	return resource, nil
}

// target sets the token's audience and version as the resource's registration
// demands them.
func (s *Service) target(t *Token, resource string) *oauthError {
	if isGraph(resource, s.tenant.Cloud.Graph) {
		t.Graph = true
		return nil
	}
	api, ok := s.tenant.API(resource)
	if !ok {
		return refusal(http.StatusBadRequest, "invalid_resource", 500011,
			"The resource principal named %s was not found in the tenant named %s.", resource, t.Tenant)
	}
	if api.TokenVersion == 1 && t.Tenant == directory.PersonalTenantID {
		return refusal(http.StatusBadRequest, "invalid_request", 90027,
			"We are unable to issue tokens from this API version on the MSA tenant.")
	}
	t.Version, t.Audience = api.TokenVersion, api.ClientID
	if api.TokenVersion == 1 {
		t.Audience = resource
	}
	return nil
}

func isGraph(resource, host string) bool {
	return resource == directory.GraphClientID || strings.TrimSuffix(resource, "/") == "https://"+host
}

func (s *Service) tokenResponse(t Token) (jsonobject.Object, *oauthError) {
	token, err := s.issuer.Issue(t)
	if err != nil {
		return nil, errServer(err)
	}
	lifetime := int64(TokenLifetime.Seconds()) - 1 // Entra says 3599.
	return jsonobject.Object{
		{"token_type", "Bearer"},
		{"expires_in", lifetime},
		{"ext_expires_in", lifetime},
		{"access_token", token},
	}, nil
}

// endpointVersion is 1 for the older endpoints, which name a resource instead of
// scopes; see https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code.
func endpointVersion(r *http.Request) int {
	if isVersion2(r.URL.Path) {
		return 2
	}
	return 1
}

// translateResource puts the version 1.0 parameter resource into the words of
// version 2.0: all of its permissions, and the tokens that version 1.0 always
// sends with a user's access token.
func translateResource(r *http.Request, form url.Values) {
	resource := form.Get("resource")
	if endpointVersion(r) == 2 || resource == "" {
		return
	}
	form.Set("scope", resource+"/.default openid offline_access")
}

// version1Response is the token response of a version 1.0 endpoint: its numbers
// are strings, and it repeats the resource.
func (s *Service) version1Response(r *http.Request, response jsonobject.Object) jsonobject.Object {
	if endpointVersion(r) == 2 {
		return response
	}
	now := s.config.Clock()
	for _, name := range []string{"expires_in", "ext_expires_in"} {
		if i := response.Index(name); i >= 0 {
			seconds, _ := response[i].Value.(int64)
			response[i].Value = strconv.FormatInt(seconds, 10)
			response.Set("expires_on", strconv.FormatInt(now.Add(time.Duration(seconds)*time.Second).Unix(), 10))
		}
	}
	response.Set("not_before", strconv.FormatInt(now.Unix(), 10))
	if resource := r.PostForm.Get("resource"); resource != "" {
		response.Set("resource", resource)
	}
	return response
}
