package login

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// scopeSet is a scope parameter: the OpenID Connect scopes, and the permissions
// of one resource.
type scopeSet struct {
	openID   []string
	resource string   // as the client wrote it; Graph's where no resource is named
	names    []string // without the resource; ".default" stands for all
	several  bool     // another resource was named too
}

func isOpenIDScope(scope string) bool {
	return slices.Contains([]string{"openid", "profile", "email", "offline_access"}, scope)
}

// parseScopes splits each scope at its last slash into resource and permission;
// one without a slash is Microsoft Graph's.
func (s *Service) parseScopes(text string) scopeSet {
	var set scopeSet
	for _, scope := range strings.Fields(text) {
		if isOpenIDScope(scope) {
			set.openID = append(set.openID, scope)
			continue
		}
		resource, name := "https://"+s.tenant.Cloud.Graph, scope
		if i := strings.LastIndexByte(scope, '/'); i >= 0 {
			resource, name = scope[:i], scope[i+1:]
		}
		if set.resource == "" {
			set.resource = resource
		}
		if strings.EqualFold(name, ".default") {
			name = ".default"
		}
		if set.several = set.several || resource != set.resource; resource == set.resource {
			set.names = append(set.names, name)
		}
	}
	if set.resource == "" { // OpenID Connect alone: the access token is for Graph.
		set.resource = "https://" + s.tenant.Cloud.Graph
	}
	known := []string{"User.Read"} // of Graph
	if api, ok := s.tenant.API(set.resource); ok {
		known = api.Scopes
	}
	set.names = spelled(set.names, known)
	return set
}

// spelled returns the names as known has them, each once: Entra ignores their case and answers with the registered spelling.
func spelled(names, known []string) []string {
	var list []string
	for _, name := range names {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if i := slices.IndexFunc(known, same); i >= 0 {
			name = known[i]
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, name)
		}
	}
	return list
}

// asks reports whether one of OpenID Connect's scopes was asked for.
func (set scopeSet) asks(scope string) bool { return slices.Contains(set.openID, scope) }

// permissions are the scopes of the token: those asked for, or with .default all
// that the API publishes. Entra puts everything that the user has consented to into
// a token for Graph; here that is OpenID Connect's scopes and User.Read, which
// every registration has at first and whose consent includes openid and profile.
func (set scopeSet) permissions(api directory.App, graph bool) []string {
	switch {
	case graph:
		all := slices.Concat(set.openID, set.names, []string{"openid", "profile", "User.Read"})
		if slices.Contains(set.names, ".default") {
			all = append(all, "email")
		}
		all = slices.DeleteFunc(all, func(n string) bool { return n == "offline_access" || n == ".default" })
		slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		return slices.Compact(all)
	case slices.Contains(set.names, ".default"):
		return api.Scopes
	}
	return set.names
}

// text is the scope of a token response: full names, as MSAL's caches expect.
func (set scopeSet) text(permissions []string) string {
	var full []string
	for _, p := range permissions {
		if !isOpenIDScope(p) {
			p = set.resource + "/" + p
		}
		full = append(full, p)
	}
	if slices.Contains(set.names, ".default") {
		full = append(full, set.resource+"/.default")
	}
	return strings.Join(full, " ")
}

// checkScopes refuses permissions that the resource does not publish, and .default
// beside others, for the client; see https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope.
func (s *Service) checkScopes(set scopeSet, tenant, client string) *oauthError {
	if other := func(name string) bool { return name != ".default" }; slices.Contains(set.names, ".default") && slices.ContainsFunc(set.names, other) {
		return refusal(http.StatusBadRequest, "invalid_scope", 70011,
			"The provided value for the input parameter 'scope' is not valid. .default scope can't be combined with resource-specific scopes.")
	}
	app, _ := s.tenant.App(client)
	unknown := func(name, resource string) *oauthError {
		return refusal(http.StatusBadRequest, "invalid_client", 650053,
			"The application '%s' asked for scope '%s' that doesn't exist on the resource '%s'. Contact the app vendor.", app.Name, name, resource)
	}
	if isGraph(set.resource, s.tenant.Cloud.Graph) {
		for _, name := range set.names {
			if name != ".default" && !isOpenIDScope(name) && !graphPermission.MatchString(name) {
				return unknown(name, directory.GraphClientID)
			}
		}
		return nil
	}
	api, ok := s.tenant.API(set.resource)
	if !ok {
		return refusal(http.StatusBadRequest, "invalid_resource", 500011,
			"The resource principal named %s was not found in the tenant named %s.", set.resource, tenant)
	}
	for _, name := range set.names {
		if name != ".default" && !slices.Contains(api.Scopes, name) {
			return unknown(name, api.ClientID)
		}
	}
	return nil
}

// graphPermission is how Graph's permissions look, such as Mail.Read; see https://learn.microsoft.com/graph/permissions-reference.
// It has none called groups or roles, for which many clients ask.
var graphPermission = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+$`)

// checkResource refuses a resource parameter (RFC 8707) of a version 2.0 endpoint
// that is no identifier of the scopes' API, character by character: Entra refuses
// one with a slash too many. Clients of the Model Context Protocol send their
// server's URL.
func (s *Service) checkResource(r *http.Request, form url.Values, set scopeSet) *oauthError {
	if endpointVersion(r) == 1 {
		return nil
	}
	identifiers := []string{"https://" + s.tenant.Cloud.Graph, directory.GraphClientID}
	if !isGraph(set.resource, s.tenant.Cloud.Graph) {
		api, _ := s.tenant.API(set.resource)
		identifiers = api.Identifiers()
	}
	for _, resource := range form["resource"] {
		if resource != "" && !slices.Contains(identifiers, resource) {
			return refusal(http.StatusBadRequest, "invalid_target", 9010010,
				"The resource parameter provided in the request doesn't match with the requested scopes.")
		}
	}
	return nil
}

// claimsRequest is what the claims parameter (OpenID Connect Core section 5.5)
// asks of the access token: authentication contexts, and what the client declares
// that it can do. Everything else in it is ignored.
type claimsRequest struct{ contexts, capabilities []string }

func parseClaims(text string) (claimsRequest, *oauthError) {
	if text == "" {
		return claimsRequest{}, nil
	}
	type demand struct {
		Value  string   `json:"value"`
		Values []string `json:"values"`
	}
	var parameter struct {
		AccessToken struct {
			ACRS  *demand `json:"acrs"`
			XMSCC *demand `json:"xms_cc"`
		} `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &parameter); err != nil {
		return claimsRequest{}, refusal(http.StatusBadRequest, "invalid_request", 9000410,
			"Malformed JSON in the parameter 'claims': %v", err)
	}
	list := func(d *demand) []string {
		if d == nil {
			return nil
		}
		return slices.DeleteFunc(append([]string{d.Value}, d.Values...), func(v string) bool { return v == "" })
	}
	return claimsRequest{list(parameter.AccessToken.ACRS), list(parameter.AccessToken.XMSCC)}, nil
}

// and merges two requests: a context that was satisfied stays satisfied.
func (c claimsRequest) and(other claimsRequest) claimsRequest {
	union := func(a, b []string) []string {
		all := slices.Concat(a, b)
		slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		return slices.Compact(all)
	}
	return claimsRequest{union(c.contexts, other.contexts), union(c.capabilities, other.capabilities)}
}
