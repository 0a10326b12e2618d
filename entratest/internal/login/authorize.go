package login

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// authorizeRequest is a request of the authorization endpoint that has a client
// and a redirect URI to answer to.
type authorizeRequest struct {
	form        url.Values
	segment     string
	client      directory.App
	redirectURI string
	platform    platform
	mode        string         // of the response
	types       []string       // of the response: code, id_token, token
	maxAge      *time.Duration // of the sign-in, where the request limits it
	scopes      scopeSet
	claims      claimsRequest
}

const accountField = "entratest_account" // of the account picker's form

// serveAuthorize is the authorization endpoint (RFC 6749 section 3.1, OpenID
// Connect Core section 3.1.2), for GET and POST. Unknown parameters are ignored.
func (s *Service) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if !s.parseForm(w, r) {
		return
	}
	translateResource(r, r.Form)
	a, refused := s.newAuthorizeRequest(r)
	if refused != nil { // There is nobody whom a redirect could be trusted to reach.
		s.errorPage(w, r, refused)
		return
	}
	if refused := s.readAuthorizeRequest(r, a); refused != nil {
		s.answerError(w, r, a, refused)
		return
	}
	s.signIn(w, r, a)
}

func (s *Service) newAuthorizeRequest(r *http.Request) (*authorizeRequest, *oauthError) {
	segment, _, ok := s.segment(r)
	if !ok {
		return nil, errUnknownTenant(segment, "invalid_request")
	}
	a := &authorizeRequest{form: r.Form, segment: segment}
	id := r.Form.Get("client_id")
	if id == "" {
		return nil, errMissing("client_id")
	}
	if a.client, ok = s.tenant.App(id); !ok {
		return nil, errUnknownClient(id)
	}
	// Entra picks a registered one where the request names none; see
	// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-the-sign-in-request.
	a.redirectURI = cmp.Or(r.Form.Get("redirect_uri"), cmp.Or(slices.Concat(a.client.RedirectURIs, a.client.SPARedirectURIs)...))
	if a.redirectURI == "" {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 900971, "No reply address provided.")
	}
	if a.platform = s.platform(a.client, a.redirectURI); a.platform == unregistered {
		return nil, refusal(http.StatusBadRequest, "invalid_request", 50011,
			"The redirect URI '%s' specified in the request does not match the redirect URIs configured for the "+
				"application '%s'.", a.redirectURI, id)
	}
	return a, nil
}

func (s *Service) readAuthorizeRequest(r *http.Request, a *authorizeRequest) *oauthError {
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
	case slices.Contains(a.types, "id_token") && !slices.Contains(strings.Fields(a.form.Get("scope")), "openid"):
		return refusal(http.StatusBadRequest, "unsupported_response_type", 70005, "response_type 'id_token' requires the 'openid' scope.")
	case slices.Contains(a.types, "id_token") && a.form.Get("nonce") == "":
		return errMissing("nonce")
	case !slices.Contains(prompts, a.form.Get("prompt")):
		return refusal(http.StatusBadRequest, "invalid_request", 90023, "Unsupported 'prompt' value.")
	case s.config.Strict && a.platform == spaPlatform && a.form.Get("code_challenge") == "":
		return refusal(http.StatusBadRequest, "invalid_request", 9002325,
			"Proof Key for Code Exchange is required for cross-origin authorization code redemption.")
	}
	if refused := checkChallenge(a.form); refused != nil {
		return refused
	}
	if refused := a.readMaxAge(); refused != nil {
		return refused
	}
	a.scopes = s.parseScopes(a.form.Get("scope"))
	if refused := s.checkScopes(a.scopes, a.segment, a.client.ClientID); refused != nil {
		return refused
	}
	if refused := s.checkResource(r, a.form, a.scopes); refused != nil {
		return refused
	}
	var refused *oauthError
	a.claims, refused = parseClaims(a.form.Get("claims"))
	return refused
}

// prompts are the values of the parameter, of which Entra takes one and no list. The last two are of version 1.0.
var prompts = []string{"", "login", "none", "consent", "select_account", "create", "admin_consent", "refresh_session"}

// readMaxAge reads max_age (OpenID Connect Core section 3.1.2.1).
func (a *authorizeRequest) readMaxAge() *oauthError {
	text := a.form.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return refusal(http.StatusBadRequest, "invalid_request", 90100, "max_age parameter is empty or not valid.")
	}
	maxAge := time.Duration(seconds) * time.Second
	a.maxAge = &maxAge
	return nil
}

// tooOld reports whether the user must sign in again, as max_age=0 always demands.
func (a *authorizeRequest) tooOld(signedIn, now time.Time) bool {
	return a.maxAge != nil && (*a.maxAge == 0 || now.Sub(signedIn) > *a.maxAge)
}

// checkChallenge looks at the parameters of PKCE (RFC 7636 section 4.2), if there are
// any. The numbers are those of https://login.microsoftonline.com/error.
func checkChallenge(form url.Values) *oauthError {
	longest := 128
	switch method := form.Get("code_challenge_method"); method {
	case "S256":
		longest = 43 // SHA-256 in base64url without padding
	case "", "plain":
	default:
		return refusal(http.StatusBadRequest, "invalid_request", 50149, "Invalid Code_Challenge_method parameter: '%s'.", method)
	}
	if size := len(form.Get("code_challenge")); size != 0 && (size < 43 || size > longest) {
		return refusal(http.StatusBadRequest, "invalid_request", 501491, "Invalid size of Code_Challenge parameter.")
	}
	return nil
}

// signIn finds out who the user is: by the account picked, the login hint, or the
// session, and otherwise by asking.
func (s *Service) signIn(w http.ResponseWriter, r *http.Request, a *authorizeRequest) {
	candidates := s.tenant.Candidates(a.segment)
	session, signedIn := s.session(r, candidates)
	tooOld := a.tooOld(session.authenticated, s.config.Clock())
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
		s.grantTo(w, r, a, user, true)
	case prompt == "none" && (!signedIn || tooOld || hintKnown && hinted.ObjectID != session.user.ObjectID):
		s.answerError(w, r, a, refusal(http.StatusBadRequest, "login_required", 50058,
			"A silent sign-in request was sent but no user is signed in."))
	case (prompt == "" || prompt == "none") && hintKnown:
		s.grantTo(w, r, a, hinted, tooOld)
	case (prompt == "" || prompt == "none") && signedIn && !tooOld:
		s.grantTo(w, r, a, session.user, false)
	default:
		s.accountPage(w, a.client, candidates, a.form, a.form.Get("login_hint"))
	}
}

func find(users []directory.User, name string) (directory.User, bool) {
	i := slices.IndexFunc(users, func(u directory.User) bool { return name != "" && u.Matches(name) })
	if i < 0 {
		return directory.User{}, false
	}
	return users[i], true
}

// grantTo signs the user in, again if anew says so, and sends the client what it asked for.
func (s *Service) grantTo(w http.ResponseWriter, r *http.Request, a *authorizeRequest, user directory.User, anew bool) {
	session := s.startSession(w, r, user, anew)
	c := consent{
		client:   a.client.ClientID,
		tenant:   user.TenantID,
		user:     user,
		scopes:   a.scopes,
		claims:   a.claims,
		platform: a.platform,
		pkce:     a.form.Get("code_challenge") != "",
		version:  endpointVersion(r),
	}
	if a.maxAge != nil {
		c.authTime = session.authenticated
	}
	values, refused := s.authorizationResponse(a, c)
	if refused != nil {
		s.answerError(w, r, a, refused)
		return
	}
	values.Set("session_state", session.id)
	s.deliver(w, r, a.redirectURI, a.mode, a.withState(values))
}

func (a *authorizeRequest) withState(values url.Values) url.Values {
	if a.form.Has("state") {
		values.Set("state", a.form.Get("state"))
	}
	return values
}

// authorizationResponse makes what the response type names: a code, an access
// token and an ID token with their hashes.
func (s *Service) authorizationResponse(a *authorizeRequest, c consent) (url.Values, *oauthError) {
	values, hashes := url.Values{}, map[string]string{}
	if slices.Contains(a.types, "code") {
		code := s.newCode(a, c)
		values.Set("code", code)
		hashes["c_hash"] = halfHash(code)
	}
	if slices.Contains(a.types, "token") {
		if c.scopes.several {
			return nil, errSeveralResources()
		}
		t, refused := s.accessToken(c, "0")
		if refused != nil {
			return nil, refused
		}
		response, refused := s.tokenResponse(t)
		if refused != nil {
			return nil, refused
		}
		response.Set("scope", c.scopes.text(t.Scopes))
		for _, m := range response {
			values.Set(m.Name, fmt.Sprint(m.Value))
		}
		hashes["at_hash"] = halfHash(response.Text("access_token"))
	}
	if slices.Contains(a.types, "id_token") {
		token, refused := s.idToken(c, a.form.Get("nonce"), hashes, a.mode == "fragment")
		if refused != nil {
			return nil, refused
		}
		values.Set("id_token", token)
	}
	if a.form.Get("client_info") == "1" {
		values.Set("client_info", clientInfo(c))
	}
	return values, nil
}

func (s *Service) newCode(a *authorizeRequest, c consent) string {
	return s.grants.codes.put(authorizationCode{
		consent:         c,
		redirectURI:     a.redirectURI,
		redirectImplied: a.form.Get("redirect_uri") == "",
		nonce:           a.form.Get("nonce"),
		challenge:       a.form.Get("code_challenge"),
		challengeMethod: a.form.Get("code_challenge_method"),
		expires:         s.config.Clock().Add(codeLifetime),
	})
}

// halfHash is the c_hash or at_hash of a value (OpenID Connect Core section 3.3.2.11).
func halfHash(value string) string {
	digest := sha256.Sum256([]byte(value))
	return base64url(digest[:len(digest)/2])
}

// answerError sends the error to the client's redirect URI.
func (s *Service) answerError(w http.ResponseWriter, r *http.Request, a *authorizeRequest, e *oauthError) {
	values := url.Values{
		"error":             {e.code},
		"error_description": {s.describe(r, e, directory.RandomGUID())},
		"error_uri":         {s.errorURI(e)},
	}
	s.deliver(w, r, a.redirectURI, a.mode, a.withState(values))
}
