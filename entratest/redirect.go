package entratest

import (
	"net"
	"net/http"
	"net/url"
	"slices"
)

// platform is the kind of registration that a redirect URI belongs to.
type platform int

const (
	unregistered platform = iota
	webPlatform
	spaPlatform
	loosePlatform // on a loopback host, not registered, and Config.Strict is off
)

func (s *Server) platform(client AppRegistration, redirectURI string) platform {
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
	if errA != nil || errB != nil || !isLoopbackHost(a.Hostname()) {
		return false
	}
	a.Host, b.Host = a.Hostname(), b.Hostname()
	return a.String() == b.String()
}

func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isLoopbackHost(u.Hostname())
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// deliver sends values to the redirect URI by the response mode (OAuth 2.0
// Multiple Response Types, and Form Post Response Mode).
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, redirectURI, mode string, values url.Values) {
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
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, target string) {
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Location", target)
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusFound)
}
