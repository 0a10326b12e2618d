package entratest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const sessionCookie = "entratest_session"

// session returns the browser's session if its user may sign in here.
func (s *Server) session(r *http.Request, candidates []Account) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	current, ok := s.grants.sessions.get(cookie.Value)
	_, allowed := find(candidates, current.user.ObjectID)
	return current, ok && allowed
}

// startSession signs the browser in, or keeps its session if the user is the same.
func (s *Server) startSession(w http.ResponseWriter, r *http.Request, user Account) session {
	if current, ok := s.session(r, []Account{user}); ok {
		return current
	}
	started := session{id: randomGUID(), user: user}
	http.SetCookie(w, s.cookie(r, s.grants.sessions.put(started)))
	return started
}

// cookie is sent from frames of other sites only over https, as browsers demand;
// over http a page on localhost is of the same site anyway.
func (s *Server) cookie(r *http.Request, value string) *http.Cookie {
	cookie := &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(s.baseURL(r), "https://") {
		cookie.Secure, cookie.SameSite = true, http.SameSiteNoneMode
	}
	return cookie
}

// serveLogout ends the session (OpenID Connect RP-Initiated Logout) and returns
// the browser to a redirect URI that some application registered.
func (s *Server) serveLogout(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.errorPage(w, r, refusal(http.StatusBadRequest, "invalid_request", 9000410, "Malformed request: %v", err))
		return
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.grants.sessions.drop(cookie.Value)
	}
	gone := s.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	target := r.Form.Get("post_logout_redirect_uri")
	known := slices.ContainsFunc(s.config.Apps, func(a AppRegistration) bool { return s.platform(a, target) != unregistered })
	u, err := url.Parse(target)
	if target == "" || !known || err != nil {
		s.page(w, http.StatusOK, "signed_out", page{})
		return
	}
	if r.Form.Has("state") {
		query := u.Query()
		query.Set("state", r.Form.Get("state"))
		u.RawQuery = query.Encode()
	}
	s.redirect(w, r, u.String())
}
