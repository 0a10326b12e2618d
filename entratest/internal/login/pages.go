package login

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
)

//go:embed pages.html
var pagesHTML string

func parsePages() *template.Template { return template.Must(template.New("pages").Parse(pagesHTML)) }

// page is what the HTML templates show. All of it is escaped by html/template.
type page struct {
	Nonce      string // of the Content-Security-Policy
	Tenant     string
	App        string
	Action     string
	Fields     []field
	Accounts   []pageAccount
	Title      string
	Code       string // of a device, as typed
	Unknown    string // a login hint that is nobody here, or a code that no device shows
	Number     int
	Text       string
	Correlated string
	Time       string
	Cure       string
	Registered []string
}

type field struct{ Name, Value string }

type pageAccount struct {
	ID, Name, Username, Initials string
}

// fields are hidden inputs, in a fixed order.
func fields(values url.Values) []field {
	var list []field
	for name := range values {
		if name != accountField { // The buttons send it.
			list = append(list, field{name, values.Get(name)})
		}
	}
	slices.SortFunc(list, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// page writes a template under a policy that allows its own style and script. It
// limits no form-action, which browsers apply to all redirects that follow a form: an
// application may send its user on from its redirect URI to any other host.
func (s *Service) page(w http.ResponseWriter, status int, name string, p page) {
	p.Nonce, p.Tenant = base64url(directory.RandomBytes(18)), s.tenant.Domain
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store, no-cache")
	// With no-referrer, a form would come from the origin "null" (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
	header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	policy := "default-src 'none'; base-uri 'none'; style-src 'nonce-" + p.Nonce + "'; script-src 'nonce-" + p.Nonce +
		"'"
	if name != "form_post" { // Silent sign-in posts from inside a frame.
		policy += "; frame-ancestors 'none'"
	}
	header.Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	_ = s.pages.ExecuteTemplate(w, name, p) // A browser that left needs no page.
}

// accountPage asks who signs in to an application. Its form sends the account
// beside the fields of form; hint names the account that the client expects.
func (s *Service) accountPage(w http.ResponseWriter, app directory.App, candidates []directory.User, form url.Values, hint string) {
	p := page{App: app.Name, Fields: fields(form)}
	if _, known := find(candidates, hint); !known {
		p.Unknown = hint
	}
	for _, u := range candidates {
		p.Accounts = append(p.Accounts, pageAccount{u.ObjectID, u.FullName(), u.Username, initials(u)})
	}
	s.page(w, http.StatusOK, "picker", p)
}

// message shows a page that asks for nothing.
func (s *Service) message(w http.ResponseWriter, title, text string) {
	s.page(w, http.StatusOK, "message", page{Title: title, Text: text})
}

// parseForm reads the parameters of a page for browsers, or refuses the request.
func (s *Service) parseForm(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		s.refuse(w, r, errMethod(r.Method, "GET and POST"))
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.errorPage(w, r, refusal(http.StatusBadRequest, "invalid_request", 9000410, "Malformed request: %v", err))
		return false
	}
	return true
}

func initials(u directory.User) string {
	var letters []rune
	for _, word := range []string{u.GivenName, u.FamilyName} {
		for _, r := range word {
			letters = append(letters, r)
			break
		}
	}
	if len(letters) == 0 {
		return strings.ToUpper(u.Username[:1])
	}
	return string(letters)
}

// errorPage shows a refusal that no redirect may carry to the client, and what to
// change in the fake tenant, for the developer who reads it.
func (s *Service) errorPage(w http.ResponseWriter, r *http.Request, e *oauthError) {
	p := page{Number: e.number, Text: e.text, Correlated: correlationID(r), Time: s.timestamp(), Cure: cures[e.number]}
	if app, ok := s.tenant.App(r.Form.Get("client_id")); ok && e.number == 50011 {
		p.Registered = append(slices.Clone(app.RedirectURIs), app.SPARedirectURIs...)
	}
	for _, app := range s.tenant.Apps {
		if e.number == 700016 {
			p.Registered = append(p.Registered, app.ClientID+" ("+app.Name+")")
		}
	}
	s.page(w, e.status, "error", p)
}

// cures say what to change in the fake tenant, by AADSTS number.
var cures = map[int]string{
	50011:  "Register the URI in RedirectURIs or SPARedirectURIs of the application. It must match exactly, but for the port of localhost. Registered are:",
	700016: "Use the client ID of an application in Config.Apps:",
	90002:  "Use the tenant ID of Config.TenantID or Config.Tenants in the authority.",
	50020:  "Add the account to Config.Users, or sign in at its own tenant.",
}
