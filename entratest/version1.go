package entratest

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

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
func (s *Server) version1Response(r *http.Request, response object) object {
	if endpointVersion(r) == 2 {
		return response
	}
	now := s.config.Clock()
	for _, name := range []string{"expires_in", "ext_expires_in"} {
		if i := response.index(name); i >= 0 {
			seconds, _ := response[i].value.(int64)
			response[i].value = strconv.FormatInt(seconds, 10)
			response.set("expires_on", strconv.FormatInt(now.Add(time.Duration(seconds)*time.Second).Unix(), 10))
		}
	}
	response.set("not_before", strconv.FormatInt(now.Unix(), 10))
	if resource := r.PostForm.Get("resource"); resource != "" {
		response.set("resource", resource)
	}
	return response
}
