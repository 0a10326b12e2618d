package login

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// graphRoutes are the few paths of Microsoft Graph that an API's own code calls:
// the OpenID userinfo endpoint, the signed-in user, and their groups.
func (s *Service) graphRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oidc/userinfo", s.graphUser("openid", s.serveUserInfo))
	mux.HandleFunc("POST /oidc/userinfo", s.graphUser("openid", s.serveUserInfo))
	for _, me := range []string{"/v1.0/me", "/v1.0/users/{user}"} {
		mux.HandleFunc("GET "+me, s.graphUser("User.Read", s.serveMe))
		mux.HandleFunc("GET "+me+"/transitiveMemberOf", s.graphUser("User.Read", s.serveTransitiveMemberOf))
		mux.HandleFunc("POST "+me+"/getMemberObjects", s.graphUser("User.Read", s.serveMemberObjects))
		mux.HandleFunc("POST "+me+"/getMemberGroups", s.graphUser("User.Read", s.serveMemberObjects))
	}
	// The pointer to groups in a token has the tenant in its path.
	mux.HandleFunc("POST /v1.0/{tenant}/users/{user}/getMemberObjects", s.graphUser("User.Read", s.serveMemberObjects))
	unknown := func(w http.ResponseWriter, r *http.Request) {
		s.refuseGraph(w, r, http.StatusNotFound, "BadRequest", "The fake Graph has no resource at "+r.Method+" "+r.URL.Path+".")
	}
	mux.HandleFunc("/", unknown)
	routes := exact(mux, unknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, request-id, client-request-id")
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
			w.Header().Set("Access-Control-Allow-Headers", "authorization, content-type, client-request-id, sdkversion")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if path, found := strings.CutSuffix(r.URL.Path, "/"); found && path != "" { // Graph takes one at the end.
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = path, ""
		}
		routes.ServeHTTP(w, r)
	})
}

// graphUser lets requests through whose token this Server issued to Graph for a
// user with the scope.
func (s *Service) graphUser(scope string, next func(http.ResponseWriter, *http.Request, directory.User, ownClaims)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 section 11.1: in any case
			s.refuseGraph(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty.")
			return
		}
		claims, err := s.verifyOwn(token)
		now := float64(s.config.Clock().Unix())
		switch {
		case err != nil:
			s.refuseGraph(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Invalid token: "+err.Error()+".")
			return
		case now >= claims.Exp || now < claims.Nbf:
			s.refuseGraph(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
			return
		case !isGraph(claims.Aud, s.tenant.Cloud.Graph):
			s.refuseGraph(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
			return
		case claims.Scp == "":
			s.refuseGraph(w, r, http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
			return
		case !slices.Contains(strings.Fields(claims.Scp), scope):
			s.refuseGraph(w, r, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			return
		}
		user, ok := s.tenant.UserByObjectID(claims.OID, claims.TID)
		if !ok {
			s.refuseGraph(w, r, http.StatusNotFound, "Request_ResourceNotFound", "The user does not exist.")
			return
		}
		if !isSelf(r, user, claims) {
			s.refuseGraph(w, r, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			return
		}
		w.Header().Set("Cache-Control", "private")
		next(w, r, user, claims)
	}
}

// isSelf reports whether the path names the token's own user, as far as it names one: User.Read allows no other.
func isSelf(r *http.Request, user directory.User, claims ownClaims) bool {
	name, tenant := r.PathValue("user"), strings.ToLower(r.PathValue("tenant"))
	self := strings.EqualFold(name, claims.OID) || strings.EqualFold(name, user.Username)
	return name == "" || self && (tenant == "" || tenant == claims.TID)
}

// refuseGraph writes an error as Graph does; see
// https://learn.microsoft.com/graph/errors.
func (s *Service) refuseGraph(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://`+s.tenant.Cloud.Login+
			`/common/oauth2/authorize", client_id="`+directory.GraphClientID+`"`)
	}
	s.writeJSON(w, status, jsonobject.Object{{"error", jsonobject.Object{
		{"code", code},
		{"message", message},
		{"innerError", jsonobject.Object{
			{"date", s.config.Clock().UTC().Format("2006-01-02T15:04:05")},
			{"request-id", directory.RandomGUID()},
			{"client-request-id", correlationID(r)},
		}},
	}}})
}

// serveUserInfo is the OpenID Connect UserInfo endpoint. Its sub is that of the ID
// tokens of the application that asked (OpenID Connect Core section 5.3.2), not that
// of the token for Graph; see https://learn.microsoft.com/entra/identity-platform/userinfo.
func (s *Service) serveUserInfo(w http.ResponseWriter, r *http.Request, user directory.User, claims ownClaims) {
	answer := jsonobject.Object{{"sub", directory.Pairwise(claims.OID, claims.AppID)}}
	scopes := strings.Fields(claims.Scp)
	if slices.Contains(scopes, "profile") {
		answer = append(answer, jsonobject.Object{
			{"name", user.FullName()},
			{"family_name", user.FamilyName},
			{"given_name", user.GivenName},
			{"picture", "https://" + s.tenant.Cloud.Graph + "/v1.0/me/photo/$value"},
		}...)
	}
	if slices.Contains(scopes, "email") {
		answer.Set("email", user.Username)
	}
	s.writeJSON(w, http.StatusOK, answer)
}

func (s *Service) serveMe(w http.ResponseWriter, r *http.Request, user directory.User, claims ownClaims) {
	s.writeJSON(w, http.StatusOK, selected(r, jsonobject.Object{
		{"@odata.context", "https://" + s.tenant.Cloud.Graph + "/v1.0/$metadata#users/$entity"},
		{"businessPhones", []string{}},
		{"displayName", user.FullName()},
		{"givenName", user.GivenName},
		{"jobTitle", nil},
		{"mail", user.Username},
		{"mobilePhone", nil},
		{"officeLocation", nil},
		{"preferredLanguage", nil},
		{"surname", user.FamilyName},
		{"userPrincipalName", user.Username},
		{"id", claims.OID},
	}))
}

// selected keeps of an object the properties that $select names; see
// https://learn.microsoft.com/graph/query-parameters#select-parameter.
func selected(r *http.Request, all jsonobject.Object) jsonobject.Object {
	text := r.URL.Query().Get("$select")
	if text == "" {
		return all
	}
	wanted := strings.Split(text, ",")
	return slices.DeleteFunc(all, func(m jsonobject.Member) bool {
		return m.Name != "@odata.context" && !slices.ContainsFunc(wanted, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), m.Name) })
	})
}

// serveTransitiveMemberOf lists the user's groups a page at a time. For the permission User.Read it gives their IDs alone;
// see https://learn.microsoft.com/graph/api/user-list-transitivememberof.
func (s *Service) serveTransitiveMemberOf(w http.ResponseWriter, r *http.Request, user directory.User, _ ownClaims) {
	query := r.URL.Query()
	size := 100
	if text := query.Get("$top"); text != "" {
		top, err := strconv.Atoi(text)
		if err != nil || top < 1 || top > 999 {
			s.refuseGraph(w, r, http.StatusBadRequest, "Request_UnsupportedQuery",
				"Invalid page size specified: '"+text+"'. Must be between 1 and 999 inclusive.")
			return
		}
		size = top
	}
	first := 0 // of this page
	if text := query.Get("$skiptoken"); text != "" {
		var err error
		if first, err = strconv.Atoi(text); err != nil || first < 0 || first > len(user.Groups) {
			s.refuseGraph(w, r, http.StatusBadRequest, "Directory_ExpiredPageToken",
				"The specified page token value has expired and can no longer be included in your request.")
			return
		}
	}
	last := min(first+size, len(user.Groups))
	groups := []jsonobject.Object{}
	for _, id := range user.Groups[first:last] {
		groups = append(groups, jsonobject.Object{{"@odata.type", "#microsoft.graph.group"}, {"id", id}, {"displayName", nil}})
	}
	answer := jsonobject.Object{{"@odata.context", "https://" + s.tenant.Cloud.Graph + "/v1.0/$metadata#directoryObjects"}}
	if last < len(user.Groups) {
		query.Set("$skiptoken", strconv.Itoa(last))
		answer.Set("@odata.nextLink", s.graphURL(s.baseURL(r))+"/v1.0/me/transitiveMemberOf?"+query.Encode())
	}
	answer.Set("value", groups)
	s.writeJSON(w, http.StatusOK, answer)
}

func (s *Service) serveMemberObjects(w http.ResponseWriter, r *http.Request, user directory.User, claims ownClaims) {
	s.writeJSON(w, http.StatusOK, jsonobject.Object{
		{"@odata.context", "https://" + s.tenant.Cloud.Graph + "/v1.0/$metadata#Collection(Edm.String)"},
		{"value", append([]string{}, user.Groups...)},
	})
}
