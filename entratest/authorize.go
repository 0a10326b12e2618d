package entratest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorizeRequest is a request of the authorization endpoint that has a client
// and a redirect URI to answer to.
type authorizeRequest struct {
	form        url.Values
	segment     string
	client      AppRegistration
	redirectURI string
	platform    platform
	mode        string   // of the response
	types       []string // of the response: code, id_token, token
	scopes      scopeSet
	claims      claimsRequest
}

const accountField = "entratest_account" // of the account picker's form

// serveAuthorize is the authorization endpoint (RFC 6749 section 3.1, OpenID
// Connect Core section 3.1.2), for GET and POST. Unknown parameters are ignored.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.errorPage(w, r, refusal(http.StatusBadRequest, "invalid_request", 9000410, "Malformed request: %v", err))
		return
	}
	translateResource(r, r.Form)
	a, refused := s.newAuthorizeRequest(r)
	if refused != nil { // There is nobody whom a redirect could be trusted to reach.
		s.errorPage(w, r, refused)
		return
	}
	if refused := s.readAuthorizeRequest(a); refused != nil {
		s.answerError(w, r, a, refused)
		return
	}
	s.signIn(w, r, a)
}

func (s *Server) newAuthorizeRequest(r *http.Request) (*authorizeRequest, *oauthError) {
	segment, _, ok := s.segment(r)
	if !ok {
		return nil, errUnknownTenant(segment, "invalid_request")
	}
	a := &authorizeRequest{form: r.Form, segment: segment, redirectURI: r.Form.Get("redirect_uri")}
	id := r.Form.Get("client_id")
	if id == "" {
		return nil, errMissing("client_id")
	}
	if a.client, ok = s.config.app(id); !ok {
		return nil, errUnknownClient(id)
	}
	if a.redirectURI == "" {
		return nil, errMissing("redirect_uri")
	}
	if a.platform = s.platform(a.client, a.redirectURI); a.platform == unregistered {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 50011,
			"The redirect URI '%s' specified in the request does not match the redirect URIs configured for the "+
				"application '%s'.", a.redirectURI, id)
	}
	return a, nil
}

func (s *Server) readAuthorizeRequest(a *authorizeRequest) *oauthError {
	a.types = strings.Fields(a.form.Get("response_type"))
	direct := slices.ContainsFunc(a.types, func(t string) bool { return t != "code" })
	a.mode = cmp.Or(a.form.Get("response_mode"), map[bool]string{true: "fragment", false: "query"}[direct])
	switch {
	case len(a.types) == 0:
		return errMissing("response_type")
	case !slices.Contains([]string{"query", "fragment", "form_post"}, a.mode) || a.mode == "query" && direct:
		mode := a.mode
		a.mode = "fragment"
		return refusal(http.StatusBadRequest, "unsupported_response_mode", 70007,
			"'%s' is not a supported value of 'response_mode' here.", mode)
	case slices.ContainsFunc(a.types, func(t string) bool { return t != "code" && t != "id_token" && t != "token" }):
		return refusal(http.StatusBadRequest, "unsupported_response_type", 70005,
			"response_type '%s' isn't supported.", a.form.Get("response_type"))
	case a.form.Get("scope") == "":
		return errMissing("scope")
	case slices.Contains(a.types, "id_token") && a.form.Get("nonce") == "":
		return errMissing("nonce")
	case s.config.Strict && a.platform == spaPlatform && a.form.Get("code_challenge") == "":
		return refusal(http.StatusBadRequest, "invalid_request", 9002325,
			"Proof Key for Code Exchange is required for cross-origin authorization code redemption.")
	}
	if method := a.form.Get("code_challenge_method"); method != "" && method != "S256" && method != "plain" {
		return refusal(http.StatusBadRequest, "invalid_request", 501491, "Invalid Code_Challenge_method parameter: '%s'.", method)
	}
	a.scopes = s.parseScopes(a.form.Get("scope"))
	if refused := s.checkScopes(a.scopes, a.segment); refused != nil {
		return refused
	}
	var refused *oauthError
	a.claims, refused = parseClaims(a.form.Get("claims"))
	return refused
}

// signIn finds out who the user is: by the account picked, the login hint, or the
// session, and otherwise by asking.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, a *authorizeRequest) {
	candidates := s.candidates(a.segment)
	session, signedIn := s.session(r, candidates)
	hinted, hintKnown := find(candidates, a.form.Get("login_hint"))
	prompt := a.form.Get("prompt")
	picked := r.PostForm.Get(accountField)
	switch {
	case picked == "cancel":
		s.answerError(w, r, a, refusal(http.StatusBadRequest, "access_denied", 65004, "User declined to consent to access the app."))
	case picked != "":
		user, ok := find(candidates, picked)
		if !ok {
			s.errorPage(w, r, refusal(http.StatusBadRequest, "invalid_request", 50020,
				"User account '%s' does not exist in tenant '%s'.", picked, a.segment))
			return
		}
		s.grantTo(w, r, a, user)
	case prompt == "none" && (!signedIn || hintKnown && hinted.ObjectID != session.user.ObjectID):
		s.answerError(w, r, a, refusal(http.StatusBadRequest, "login_required", 50058,
			"A silent sign-in request was sent but no user is signed in."))
	case (prompt == "" || prompt == "none") && hintKnown:
		s.grantTo(w, r, a, hinted)
	case (prompt == "" || prompt == "none") && signedIn:
		s.grantTo(w, r, a, session.user)
	default:
		s.pickerPage(w, r, a, candidates)
	}
}

// candidates are the users who may sign in at a tenant segment.
func (s *Server) candidates(segment string) []Account {
	tenant, _ := s.config.tenant(segment)
	return slices.DeleteFunc(slices.Clone(s.config.Users), func(u Account) bool {
		switch segment {
		case "common":
			return false
		case "organizations":
			return u.TenantID == PersonalTenantID
		}
		return u.TenantID != tenant
	})
}

func find(users []Account, name string) (Account, bool) {
	i := slices.IndexFunc(users, func(u Account) bool { return name != "" && u.matches(name) })
	if i < 0 {
		return Account{}, false
	}
	return users[i], true
}
