package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/strictjson"
)

// Requirement decides whether a verified caller may proceed: nil, or why not. An error that wraps [ErrForbidden] is
// answered with 403, any other with 500, since the decision failed. The context is the request's; claims are never nil.
// It is called for each request, by many goroutines at once. [Require] and [Permit] call it with a token of some kind: the
// Kind of claims is never zero.
type Requirement func(context.Context, *Claims) error

// Require returns a middleware that passes requests on if they meet all requirements, in order, and else answers them
// as the [Verifier] does whose Authenticate stands around it: 403, or 401 where the client can step up. A 403 for want of
// a scope names all scopes that Scope and AnyOf ask for among the requirements. Outside of Authenticate every request gets
// 500, without a token behind AuthenticateOptional 401. Without requirements it refuses everybody. It panics if a
// requirement or the handler is nil.
func Require(requirements ...Requirement) func(http.Handler) http.Handler {
	all := allOf(requirements)
	return func(next http.Handler) http.Handler {
		if next == nil {
			// At construction, where a test finds it, not at the first request.
			panic("entra: Require needs a handler, got nil")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := identityFrom(r.Context())
			if err := permit(r.Context(), id, all); err != nil {
				id.responder().refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Permit returns what [Require] would answer a request with this context, or nil if it would pass it on: for gRPC, and
// for decisions inside handlers. The error is counted and logged already; [Verifier.Refuse], [Verifier.Challenge] and
// [StatusCode] say what to answer. A nil requirement is a mistake and answered with 500.
func Permit(ctx context.Context, requirements ...Requirement) error {
	id := identityFrom(ctx)
	var err error
	// Not a panic: this runs for a request, and gRPC does not recover.
	if slices.ContainsFunc(requirements, isNil) {
		err = internalFault("Permit got a nil Requirement", nil)
	} else {
		err = permit(ctx, id, allOf(requirements))
	}
	if err != nil {
		id.responder().recordOnce(ctx, err)
	}
	return err
}

// permit asks the requirement about whoever sent the request.
func permit(ctx context.Context, id *identity, requirement Requirement) error {
	// It fails closed: a route outside of Authenticate lets nobody in.
	if id == nil {
		return internalFault("Require stands outside of Authenticate: no token was verified for this request; wrap the routes with Verifier.Authenticate", nil)
	}
	if id.claims == nil {
		return &refusal{Sentinel: ErrNoToken, Reason: string(ReasonNoToken), Text: "no bearer token, and this route requires one"}
	}
	// The zero Kind would meet a requirement that forgets to look at it.
	if id.claims.Kind != UserToken && id.claims.Kind != AppToken && id.claims.Kind != IDToken {
		return forbidden(ReasonForbidden, "the claims in the context have no Kind; set it when making claims by hand")
	}
	err := requirement(ctx, id.claims)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrForbidden):
		return aboutCaller(err, id)
	case ctx.Err() != nil && isContextError(err):
		return err
	}
	// Whoever could not decide must not let in, nor blame the caller.
	return internalFault("a requirement failed", err)
}

// aboutCaller says in a refusal whose token it is about, and who answers for that.
func aboutCaller(err error, id *identity) error {
	c := id.claims
	// A copy: err may be one value that many requests share.
	told := &refusal{Sentinel: ErrForbidden, Reason: string(ReasonForbidden), Text: strings.TrimPrefix(err.Error(), "entra: "), Cause: err}
	var r *refusal
	if errors.As(err, &r) && r.Sentinel == ErrForbidden {
		told.Reason, told.Scope, told.Claims = r.Reason, r.Scope, r.Claims
	}
	told.About = refuse.About{Tenant: c.TenantID, Client: c.ClientID, Token: c.TokenID}
	if id.authority != nil {
		told.By = id.authority
	}
	return told
}

func allOf(requirements []Requirement) Requirement {
	requirements = checked("Require", requirements)
	return func(ctx context.Context, c *Claims) error {
		for _, requirement := range requirements {
			if err := requirement(ctx, c); err != nil {
				return withAllScopes(requirements, err)
			}
		}
		// An empty list is more likely a mistake than a wish to let everybody in.
		if len(requirements) == 0 {
			return forbidden(ReasonForbidden, "Require was called without requirements and refuses everybody")
		}
		return nil
	}
}

// withAllScopes makes a refusal for want of a scope name the scopes of all requirements, so that the client needs no
// second round for the next of them.
//
// Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization#runtime-insufficient-scope-errors
func withAllScopes(requirements []Requirement, err error) error {
	var r *refusal
	if !errors.As(err, &r) || r.Sentinel != ErrForbidden || r.Scope == "" {
		return err
	}
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, requirement := range requirements {
		for _, name := range scopesOf(requirement) {
			add(name)
		}
	}
	for _, name := range strings.Fields(r.Scope) {
		add(name)
	}
	told := *r
	told.Text, told.Cause, told.Scope = strings.TrimPrefix(err.Error(), "entra: "), err, strings.Join(names, " ")
	return &told
}

// scopesOf returns the scopes that a requirement asks of a user's token, as far as it can tell without a token: what Scope
// and AnyOf made can. A requirement of the application's own is not called: it may look things up, count, or rely on those
// before it.
func scopesOf(requirement Requirement) []string {
	// All functions that one function literal makes share their code, which tells them from others. Scope and AnyOf are
	// not inlined, so that there is one such literal of each.
	code := reflect.ValueOf(requirement).Pointer()
	if code != reflect.ValueOf(Scope("any")).Pointer() && code != reflect.ValueOf(AnyOf()).Pointer() {
		return nil
	}
	var r *refusal
	if !errors.As(requirement(context.Background(), probe), &r) {
		return nil
	}
	return strings.Fields(r.Scope)
}

// probe is a user's token without scopes: its refusal names the scopes that a requirement asks for.
var probe = &Claims{Kind: UserToken}

func checked(caller string, requirements []Requirement) []Requirement {
	if slices.ContainsFunc(requirements, isNil) {
		panic("entra: " + caller + " got a nil Requirement")
	}
	// The caller may go on using its slice.
	return slices.Clone(requirements)
}

func isNil(r Requirement) bool { return r == nil }

// AnyOf is met if one of the requirements is. Otherwise it reports the failure of a requirement that could not decide, or
// else the first refusal by a requirement that tokens of this kind can meet. Without requirements nobody meets it. It panics
// if one is nil.
//
//go:noinline
func AnyOf(requirements ...Requirement) Requirement {
	requirements = checked("AnyOf", requirements)
	return func(ctx context.Context, c *Claims) error {
		if c == probe {
			return firstScopes(requirements)
		}
		var failure, fitting, first error
		for _, requirement := range requirements {
			err := requirement(ctx, c)
			var r *refusal
			switch {
			case err == nil:
				return nil
			// A requirement that failed might have let the caller in, so that the refusals of others say too little.
			case failure == nil && !errors.Is(err, ErrForbidden):
				failure = err
			case fitting == nil && !(errors.As(err, &r) && r.OffKind):
				fitting = err
			case first == nil:
				first = err
			}
		}
		for _, err := range []error{failure, fitting, first} {
			if err != nil {
				return err
			}
		}
		return forbidden(ReasonForbidden, "AnyOf was called without requirements and refuses everybody")
	}
}

// firstScopes answers scopesOf for AnyOf: with the alternative that a user without scopes is told of.
func firstScopes(requirements []Requirement) error {
	for _, requirement := range requirements {
		if names := scopesOf(requirement); len(names) > 0 {
			return &refusal{Sentinel: ErrForbidden, Scope: strings.Join(names, " ")}
		}
	}
	return nil
}

// Scope is met by user tokens with the delegated permission name, a bare name as in the scp claim, compared exactly.
// Application tokens and ID tokens never meet it. It panics if name is empty or holds "://" or a space: tokens never carry
// such names.
//
// Source: https://learn.microsoft.com/entra/identity-platform/scenario-protected-web-api-verification-scope-app-roles
//
//go:noinline
func Scope(name string) Requirement {
	mustBeBare("Scope", name)
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != UserToken {
			err := offKind(ReasonScope, "the scope "+name+" belongs to user tokens", kind, "if applications may call this route, let it accept AnyOf(Scope("+strconv.Quote(name)+"), AppPermission(…)) and assign them that app role")
			if kind == IDToken {
				err.Scope = name
			}
			return err
		}
		if !c.HasScope(name) {
			err := forbidden(ReasonScope, "the user token lacks the scope %s (it has %s); the client must request it", name, listed("scopes", c.Scopes))
			err.Scope = name
			return err
		}
		return nil
	}
}

// Role is met by users with the app role name, compared exactly: user tokens, and ID tokens where those are accepted.
// Application tokens never meet it, though their permissions stand in the same claim; see [AppPermission]. It panics if
// name is empty.
//
// Source: https://learn.microsoft.com/entra/identity-platform/scenario-protected-web-api-verification-scope-app-roles
func Role(name string) Requirement {
	if name == "" {
		panic("entra: Role needs a name")
	}
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != UserToken && kind != IDToken {
			return offKind(ReasonRole, "the role "+name+" belongs to users", kind, "if applications may call this route, let it accept AnyOf(Role("+strconv.Quote(name)+"), AppPermission(…)) and assign them that app role")
		}
		if !c.HasRole(name) {
			return forbidden(ReasonRole, "the user lacks the app role %s (the token has %s); assign it under Enterprise applications, Users and groups", name, listed("roles", c.Roles))
		}
		return nil
	}
}

// AppPermission is met by application tokens with the application permission name, a bare name as in the roles claim,
// compared exactly. User tokens never meet it, though app roles of users stand in the same claim; see [Role]. It panics if
// name is empty or holds "://" or a space: tokens never carry such names.
//
// Source: https://learn.microsoft.com/entra/identity-platform/scenario-protected-web-api-verification-scope-app-roles
func AppPermission(name string) Requirement {
	mustBeBare("AppPermission", name)
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != AppToken {
			return offKind(ReasonAppPermission, "the application permission "+name+" belongs to application tokens", kind, "if users may call this route, let it accept AnyOf(Scope(…), AppPermission("+strconv.Quote(name)+"))")
		}
		if !c.HasRole(name) {
			return forbidden(ReasonAppPermission, "the application lacks the permission %s (the token has %s); grant it under API permissions, with admin consent (to a managed identity by an app role assignment)", name, listed("roles", c.Roles))
		}
		return nil
	}
}

func mustBeBare(caller, name string) {
	if name == "" || strings.Contains(name, "://") || strings.ContainsFunc(name, quote.IsBlank) {
		panic("entra: " + caller + "(" + strconv.Quote(name) + "): expected one bare name such as Orders.Read; tokens never carry the api://… prefix")
	}
}

// ClientIn is met if the application that asked for the token is one of ids, application (client) IDs of either case. For
// applications with a secret or certificate that is as good as a password; anybody can pretend to be a public client
// ([Claims.ClientAuth] "0"), so combine it with a scope there. Without ids nobody meets it.
func ClientIn(ids ...string) Requirement {
	accepted := lowered(ids)
	return func(_ context.Context, c *Claims) error {
		if kindOfClaims(c) == 0 || c.ClientID == "" || !slices.Contains(accepted, strings.ToLower(c.ClientID)) {
			return forbidden(ReasonClient, "client application %s is not accepted here; add it to ClientIn if it may call", quote.Text(clientOf(c)))
		}
		return nil
	}
}

func clientOf(c *Claims) string {
	if c == nil {
		return ""
	}
	return c.ClientID
}

// TenantIn is met by tokens of the tenants ids, directory (tenant) IDs of either case: for routes that fewer tenants may
// use than [Options.Tenants] or AllowAnyTenant let in. Without ids nobody meets it.
func TenantIn(ids ...string) Requirement {
	accepted := lowered(ids)
	return func(_ context.Context, c *Claims) error {
		if kindOfClaims(c) == 0 || c.TenantID == "" || !slices.Contains(accepted, c.TenantID) {
			// The token is good and its tenant known: unlike a foreign token, this is no 401.
			return forbidden(ReasonTenant, "tenant %s is not accepted here; add it to TenantIn if it may call", quote.Text(tenantOfClaims(c)))
		}
		return nil
	}
}

func tenantOfClaims(c *Claims) string {
	if c == nil {
		return ""
	}
	return c.TenantID
}

func lowered(ids []string) []string {
	lower := make([]string, len(ids))
	for i, id := range ids {
		lower[i] = strings.ToLower(id)
	}
	return lower
}

// Human is met by tokens with a person behind them: those of users, and ID tokens where those are accepted, unless the user
// account is an agent's own ([Claims.AgentUser]). An agent that acts on behalf of a person meets it, an application does
// not. With an Azure AD B2C authority the tokens of applications look like those of users: see
// [docs/clouds-and-authorities.md].
//
// Source: https://learn.microsoft.com/entra/agent-id/agent-token-claims
//
// [docs/clouds-and-authorities.md]: https://github.com/entra-go/entra/blob/main/docs/clouds-and-authorities.md
func Human() Requirement {
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != UserToken && kind != IDToken {
			return offKind(ReasonHuman, "a person is required here", kind, "let a person sign in, or let the route accept applications by another requirement than Human")
		}
		if c.AgentUser {
			return forbidden(ReasonHuman, "a person is required here, and the account %s is an agent's own (xms_sub_fct 13); let a person sign in, or let the route accept the agent by another requirement", quote.Text(c.ObjectID))
		}
		return nil
	}
}

var authContextID = regexp.MustCompile(`^c[1-9][0-9]?$`)

// AuthContext is met by user tokens that satisfy the Conditional Access authentication context id, c1 to c99. A client
// that declares the capability cp1 is answered with a claims challenge, 401, and comes back with a token that satisfies
// it after its user has stepped up; any other client, and every application, with 403. To see who declares it, the API's
// manifest must ask for the optional claim xms_cc. It panics if id is no such ID.
//
// Source: https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context
func AuthContext(id string) Requirement {
	if !authContextID.MatchString(id) {
		panic("entra: AuthContext(" + strconv.Quote(id) + "): expected the ID of an authentication context, c1 to c99")
	}
	return func(_ context.Context, c *Claims) error {
		if kind := kindOfClaims(c); kind != UserToken {
			return offKind(ReasonAuthContext, "the authentication context "+id+" belongs to user tokens", kind, "an application cannot step up: let it use a route without AuthContext")
		}
		if slices.Contains(c.AuthContexts, id) {
			return nil
		}
		const text = "the sign-in does not satisfy the authentication context %s (the token has %s); %s"
		if !slices.ContainsFunc(c.ClientCapabilities, func(cc string) bool { return strings.EqualFold(cc, "cp1") }) {
			return forbidden(ReasonAuthContext, text, id, listed("authentication contexts", c.AuthContexts), "the token does not say that its client can step up: the client must declare the capability cp1, and the API's manifest ask for the optional claim xms_cc in access tokens")
		}
		err := forbidden(ReasonAuthContext, text, id, listed("authentication contexts", c.AuthContexts), "the client was sent a claims challenge and must request a token with those claims")
		err.Claims = `{"access_token":{"acrs":{"essential":true,"value":"` + id + `"}}}`
		return err
	}
}

// kindOfClaims is 0 for claims that meet no requirement: none, or made by hand without a kind.
func kindOfClaims(c *Claims) Kind {
	if c == nil {
		return 0
	}
	return c.Kind
}

// offKind refuses a token of a kind that could never meet the requirement.
func offKind(reason Reason, rule string, found Kind, cure string) *refusal {
	article := "an"
	if found == UserToken || found == 0 {
		article = "a"
	}
	switch found {
	case IDToken:
		cure = "the page must send its access token for a scope of this API in place of the ID token"
	case 0:
		cure = "set Claims.Kind when making claims by hand"
	}
	err := forbidden(reason, "%s, and this is %s %s; %s", rule, article, found, cure)
	err.OffKind = true
	return err
}

// listed shows what the token has instead.
func listed(what string, names []string) string {
	if len(names) == 0 {
		return "no " + what
	}
	return "the " + what + " " + quote.Text(strings.Join(names, " "))
}

// maxClaimsChallenge bounds in bytes what ClaimsChallenge passes on, so that the answer's header stays within what
// clients and proxies take.
const maxClaimsChallenge = 4 << 10

// ClaimsChallenge returns an error that passes on to the client a claims challenge that Entra gave to this API, when it
// asked for a token on behalf of the client's user: the JSON object in the claims member of Entra's error. It is for
// [Verifier.Refuse] and for requirements, wraps [ErrForbidden] and is answered with 401. A text that is not one JSON
// object of at most 4 KiB is a fault of this side and answered with 500.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-conditional-access-dev-guide
func ClaimsChallenge(claims string) error {
	// A larger header would be cut or refused on its way, and the client would see neither.
	if len(claims) > maxClaimsChallenge {
		return internalFault(fmt.Sprintf("ClaimsChallenge got %d bytes; expected at most %d", len(claims), maxClaimsChallenge), nil)
	}
	// What goes into a header is checked, though base64 would keep it harmless: a client could not act on anything else.
	if err := strictjson.Object(claims, func(_ string, value *strictjson.Reader) error { return value.Skip() }); err != nil {
		return internalFault("ClaimsChallenge did not get one JSON object; pass the claims member of Entra's error as it is", err)
	}
	err := forbidden(ReasonAuthContext, "Entra wants the user of a downstream API to meet further claims; the client was sent the claims challenge and must request a token with it")
	err.Claims = claims
	return err
}
