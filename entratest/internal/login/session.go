package login

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
)

const sessionCookie = "entratest_session"

// session returns the browser's session if its user may sign in here.
func (s *Service) session(r *http.Request, candidates []directory.User) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	current, ok := s.grants.sessions.get(cookie.Value)
	_, allowed := find(candidates, current.user.ObjectID)
	return current, ok && allowed
}

// startSession signs the browser in, or keeps its session if the user is the same,
// who signs in again there if anew says so.
func (s *Service) startSession(w http.ResponseWriter, r *http.Request, user directory.User, anew bool) session {
	if current, ok := s.session(r, []directory.User{user}); ok {
		if cookie, err := r.Cookie(sessionCookie); err == nil && anew {
			current.authenticated = s.config.Clock()
			s.grants.sessions.swap(cookie.Value, func(session) session { return current })
		}
		return current
	}
	started := session{id: directory.RandomGUID(), user: user, authenticated: s.config.Clock()}
	http.SetCookie(w, s.cookie(r, s.grants.sessions.put(started)))
	return started
}

// cookie returns the session's cookie. Over https, frames on other sites send it
// too. Browsers refuse such a cookie over plain http, where a page on localhost is
// of the same site anyway.
func (s *Service) cookie(r *http.Request, value string) *http.Cookie {
	cookie := &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(s.baseURL(r), "https://") {
		cookie.Secure, cookie.SameSite = true, http.SameSiteNoneMode
	}
	return cookie
}

// serveLogout ends the session (OpenID Connect RP-Initiated Logout) and returns
// the browser to a redirect URI that some application registered.
func (s *Service) serveLogout(w http.ResponseWriter, r *http.Request) {
	if !s.parseForm(w, r) {
		return
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.grants.sessions.drop(cookie.Value)
	}
	gone := s.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	target := r.Form.Get("post_logout_redirect_uri")
	known := slices.ContainsFunc(s.tenant.Apps, func(a directory.App) bool { return s.platform(a, target) != unregistered })
	u, err := url.Parse(target)
	if target == "" || !known || err != nil {
		s.message(w, "You signed out of your account", "It’s a good idea to close all browser windows.")
		return
	}
	if r.Form.Has("state") {
		query := u.Query()
		query.Set("state", r.Form.Get("state"))
		u.RawQuery = query.Encode()
	}
	s.redirect(w, r, u.String())
}

// platform is the kind of registration that a redirect URI belongs to.
type platform int

const (
	unregistered platform = iota
	webPlatform
	spaPlatform
	loosePlatform // on a loopback host, not registered, and Config.Strict is off
)

func (s *Service) platform(client directory.App, redirectURI string) platform {
	same := func(registered string) bool { return sameRedirect(registered, redirectURI) }
	switch {
	case slices.ContainsFunc(client.SPARedirectURIs, same):
		return spaPlatform
	case slices.ContainsFunc(client.RedirectURIs, same):
		return webPlatform
	case !s.config.Strict && isLoopbackURL(redirectURI):
		return loosePlatform
	}
	return unregistered
}

// sameRedirect compares exactly, except that the port of localhost does not count
// (RFC 8252 section 7.3; https://learn.microsoft.com/entra/identity-platform/reply-url).
func sameRedirect(registered, asked string) bool {
	if registered == asked {
		return true
	}
	a, errA := url.Parse(registered)
	b, errB := url.Parse(asked)
	if errA != nil || errB != nil || !IsLoopbackHost(a.Hostname()) {
		return false
	}
	a.Host, b.Host = a.Hostname(), b.Hostname()
	return a.String() == b.String()
}

func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && IsLoopbackHost(u.Hostname())
}

// IsLoopbackHost reports whether a host name or address without port is this
// machine.
func IsLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// deliver sends values to the redirect URI by the response mode (OAuth 2.0
// Multiple Response Types, and Form Post Response Mode).
func (s *Service) deliver(w http.ResponseWriter, r *http.Request, redirectURI, mode string, values url.Values) {
	u, err := url.Parse(redirectURI)
	if err != nil {
		s.errorPage(w, r, refusal(http.StatusBadRequest, "invalid_request", 50011, "The redirect URI cannot be parsed."))
		return
	}
	switch mode {
	case "form_post":
		s.page(w, http.StatusOK, "form_post", page{Action: redirectURI, Fields: fields(values)})
		return
	case "fragment":
		u.Fragment, u.RawFragment = "", ""
		s.redirect(w, r, u.String()+"#"+values.Encode())
		return
	}
	query := u.Query()
	for name := range values {
		query.Set(name, values.Get(name))
	}
	u.RawQuery = query.Encode()
	s.redirect(w, r, u.String())
}

// redirect makes a browser fetch the target with GET.
func (s *Service) redirect(w http.ResponseWriter, r *http.Request, target string) {
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Location", target)
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusFound)
}
