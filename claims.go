package entra

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
	"github.com/go-json-experiment/json"
)

// Kind says what a token lets its bearer be. The zero Kind is that of claims which come from no token: they meet no
// requirement.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Kind uint8

// The kinds of tokens.
const (
	_ Kind = iota
	// UserToken is an access token with which an application acts for a user (delegated
	// permissions, scp).
	UserToken
	// AppToken is an access token with which an application acts for itself (application
	// permissions, roles).
	AppToken
	// IDToken says that a user signed in. It is accepted with Options.AllowIDTokens only.
	IDToken
)

// String returns the kind in words: "user token", "application token", "ID token", or "no token" for any other value.
func (k Kind) String() string {
	switch k {
	case UserToken:
		return "user token"
	case AppToken:
		return "application token"
	case IDToken:
		return "ID token"
	}
	return "no token"
}

// MarshalText returns what String does, for logs and JSON. It never fails.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText writes; any other text becomes the zero Kind. It never fails.
func (k *Kind) UnmarshalText(text []byte) error {
	*k = 0
	for _, known := range []Kind{UserToken, AppToken, IDToken} {
		if known.String() == string(text) {
			*k = known
		}
	}
	return nil
}

// Claims are what a verified token says. They belong to whoever received them: changing them changes nothing for
// anyone else. The handlers of one request share them, so that handlers which change them must not run at the same time.
// Fields of claims that a token does not have are zero. To identify a user, store TenantID with ObjectID
// ([Claims.UserKey]).
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Claims struct {
	Kind Kind // what the token lets its bearer be; the zero Kind meets no requirement

	// Guest says that the user is a guest in TenantID (acct, or else idp).
	Guest bool
	// Agent says that an agent identity acts, for itself or for a user (11 or 13 in xms_act_fct or
	// xms_sub_fct, or any xms_par_app_azp).
	Agent bool
	// AgentUser says that the user account is an agent's own, with no person behind it (13 in
	// xms_sub_fct). See [Human].
	AgentUser bool
	// GroupsOverage says that the user has too many groups for the token: Groups is empty then, and
	// does not mean that the user has no groups. Ask Microsoft Graph.
	GroupsOverage bool
	// EmailVerified says that the owner of the email's domain was verified (xms_edov).
	EmailVerified bool

	TenantID string // tid: the directory that issued the token, a GUID; for a guest, the host's
	ObjectID string // oid: the user or service principal, a GUID unique in its tenant
	Subject  string // sub: the user or application, as this API alone knows it

	// ClientID is the application that asked for the token (azp or appid), "" for an ID token, which
	// names no caller. It is this API's own ID where a page or a service signs in with the API's
	// registration. Anyone can pretend to be a public client (ClientAuth "0").
	ClientID string
	// ClientAuth is how the client proved itself (azpacr or appidacr): "0" not at all, "1" by
	// secret, "2" by certificate or federation.
	ClientAuth string
	// ClientCapabilities are what the client says it can do (xms_cc): "cp1" is to answer a claims
	// challenge.
	ClientCapabilities []string
	// AgentBlueprint is the application that the agent was made from (xms_par_app_azp). It is for
	// logs: it must not decide access.
	AgentBlueprint string

	Scopes         []string // scp: delegated permissions, bare names such as Orders.Read; of a UserToken only
	Roles          []string // roles: app roles of a user, or application permissions; see Kind
	Groups         []string // groups: object IDs of the user's groups; see GroupsOverage
	DirectoryRoles []string // wids: template IDs of the user's directory roles in TenantID
	AuthContexts   []string // acrs: Conditional Access contexts that are satisfied, such as c1

	Audience  string // aud: this API, as the client or Entra named it
	Issuer    string // iss
	Version   string // ver: "1.0" or "2.0"
	TokenID   string // uti: names the token in Entra's sign-in logs
	SessionID string // sid: the user's session
	// UserFlow is the B2C policy that the user came through (tfp, or acr of older policies).
	UserFlow string
	// IdentityProvider is who signed the user in, where that is not Issuer (idp).
	IdentityProvider string

	IssuedAt  time.Time // iat, in UTC
	NotBefore time.Time // nbf, in UTC
	ExpiresAt time.Time // exp, in UTC; a stream should end here

	// Name is for display (name). It can be changed and repeated: it must not decide access.
	Name string
	// PreferredUsername is for display (preferred_username, upn or unique_name). It can be changed
	// and reused: it must not decide access.
	PreferredUsername string
	// Email is where to write to the user (email). Foreign tenants can set any address: it must not
	// decide access, not even with EmailVerified.
	Email string
	// LoginHint is opaque, to sign the same user in or out (login_hint). It must not decide access.
	LoginHint string

	raw *payload // nil for claims made by hand. A pointer, since every copy has it and hardly any uses it
}

// HasScope reports whether the token carries the delegated permission name, exactly. It does not look at Kind: a
// handler behind [Require] with [Scope] needs no other check.
func (c *Claims) HasScope(name string) bool { return slices.Contains(c.Scopes, name) }

// HasRole reports whether the token carries the app role name, exactly: a role of the user in a UserToken or IDToken,
// an application permission in an AppToken. Look at Kind too, or use [Role] and [AppPermission], which do.
func (c *Claims) HasRole(name string) bool { return slices.Contains(c.Roles, name) }

// AppOnly reports whether an application acts for itself, without a user.
func (c *Claims) AppOnly() bool { return c.Kind == AppToken }

// PersonalAccount reports whether the user signed in with a personal Microsoft account of its own tenant.
func (c *Claims) PersonalAccount() bool { return c.TenantID == PersonalAccounts }

// UserKey returns TenantID and ObjectID joined by a dot: a key under which to store data about the user or service
// principal. It is "" if one of the two is missing, as it can be with Options.Authority.
func (c *Claims) UserKey() string {
	// Half a key would be shared by users who must be kept apart.
	if c.TenantID == "" || c.ObjectID == "" {
		return ""
	}
	return c.TenantID + "." + c.ObjectID
}

// Decode decodes the token's whole claim set into v, a pointer to a struct or map, for claims that have no field here.
// Struct fields are matched by their exact names; what json tags mean is said at
// https://pkg.go.dev/github.com/go-json-experiment/json. A directory extension or custom claim may be a string in one
// token and an array in the next.
//
// It returns an error for claims that were made by hand and have no claim set, and where a claim does not fit. The text of
// that error names the claim and holds nothing else of the token; what errors.As finds in it, a *json.SemanticError of that
// package, may hold the claim's value and must not be logged.
func (c *Claims) Decode(v any) error {
	if c.raw == nil {
		return errors.New("entra: these claims were made by hand and hold no token's claim set to decode")
	}
	text, err := c.raw.decoded()
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return &decodeError{err}
	}
	return nil
}

// payload is what the second segment of a token says.
type payload struct {
	text    string
	encoded bool // text is the segment as it stands in the token, and perhaps more behind a dot
}

func (p *payload) decoded() ([]byte, error) {
	if p.encoded {
		segment, _, _ := strings.Cut(p.text, ".")
		return base64.RawURLEncoding.DecodeString(segment)
	}
	return []byte(p.text), nil
}

// decodeError wraps what json.Unmarshal says, whose own text quotes the claim's value: a name, an address or a secret.
type decodeError struct{ cause error }

func (e *decodeError) Error() string {
	var fault *json.SemanticError
	if errors.As(e.cause, &fault) {
		// Names further inside may be anybody's, such as the keys of a map.
		for claim := range fault.JSONPointer.Tokens() {
			return "entra: the claim " + quote.Text(claim) + " does not fit the type to decode it into; give the field the type of the claim, or a type of its own with UnmarshalJSON"
		}
	}
	return "entra: the claims do not fit the type to decode them into; expected a pointer to a struct or map"
}

// Unwrap returns the error of json.Unmarshal.
func (e *decodeError) Unwrap() error { return e.cause }

// String names the token by its kind, TokenID, ObjectID and TenantID, not by anything that says who its user is: claims in a
// log line give nobody away.
func (c Claims) String() string {
	return c.Kind.String() + " " + quote.Field(c.TokenID) + " of " + quote.Field(c.ObjectID) + " in tenant " + quote.Field(c.TenantID)
}

// LogValue implements [slog.LogValuer] with a group of kind, tid, oid, client and uti, for the same purpose as String.
func (c Claims) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", c.Kind.String()), slog.String("tid", quote.Field(c.TenantID)),
		slog.String("oid", quote.Field(c.ObjectID)), slog.String("client", quote.Field(c.ClientID)), slog.String("uti", quote.Field(c.TokenID)))
}

// fill makes c say what a verified token says and what follows from it, but for the payload.
func (c *Claims) fill(set *claimset.Set, verdict policy.Verdict) {
	*c = Claims{
		Kind:          Kind(verdict.Kind),
		Guest:         verdict.Guest,
		Agent:         verdict.Agent,
		AgentUser:     verdict.AgentUser,
		GroupsOverage: set.GroupsOverage,
		EmailVerified: set.XmsEDOV,

		TenantID: verdict.TenantID,
		ObjectID: set.Oid,
		Subject:  verdict.Subject,
		ClientID: verdict.ClientID,

		ClientAuth:         verdict.ClientAuth,
		ClientCapabilities: set.XmsCC,
		AgentBlueprint:     set.XmsParAppAzp,

		Scopes:         set.Scopes,
		Roles:          set.Roles,
		Groups:         set.Groups,
		DirectoryRoles: set.Wids,
		AuthContexts:   set.ACRs,

		Audience:         set.Aud,
		Issuer:           set.Iss,
		Version:          set.Ver,
		TokenID:          set.UTI,
		SessionID:        set.SID,
		UserFlow:         verdict.UserFlow,
		IdentityProvider: set.IDP,

		IssuedAt:  set.Iat,
		NotBefore: set.Nbf,
		ExpiresAt: set.Exp,

		Name:              set.Name,
		PreferredUsername: verdict.PreferredUsername,
		Email:             set.Email,
		LoginHint:         set.LoginHint,
	}
}

// claimTexts and claimLists are the fields of Claims that are packed, in the order in which [remembered.claims] reads them.
type (
	claimTexts [13]string
	claimLists [6][]string
)

// texts are the fields that are strings, but for those that many tokens have in common.
func (c *Claims) texts() claimTexts {
	return claimTexts{
		c.ObjectID, c.Subject, c.ClientAuth, c.AgentBlueprint, c.Version, c.TokenID, c.SessionID, c.UserFlow, c.IdentityProvider,
		c.Name, c.PreferredUsername, c.Email, c.LoginHint,
	}
}

// lists are the fields that are lists.
func (c *Claims) lists() claimLists {
	return claimLists{c.ClientCapabilities, c.Scopes, c.Roles, c.Groups, c.DirectoryRoles, c.AuthContexts}
}

// roomyClaims are claims with room for the few entries that the lists of most tokens have together. A fifth string would
// put them into the next larger size of objects.
type roomyClaims struct {
	Claims
	room [4]string
}

// remembered is a token that was verified: with which key, and what it says. It is remembered under the hash of its end
// ([jws.Token.CutEnd]), and holds all before that. It never changes.
//
// Its claims are packed, because thousands of them are kept: claims as a caller gets them have three times the size.
type remembered struct {
	key    *keyset.Key
	header string        // encoded; the tokens of a key share it
	raw    payload       // encoded, up to the token's end
	packed memory.Packed // Claims.texts and Claims.lists

	tenant, client, audience, issuer unique.Handle[string] // kept once for all tokens

	issuedAt, notBefore, expiresAt time.Time

	kind                                                  Kind
	guest, agent, agentUser, groupsOverage, emailVerified bool
}

// newRemembered shares nothing with claims and keeps no piece of the token alive but header, which is the key set's. body is
// what stands between the dot behind the header and the token's end. It returns nil for claims that are too long to be kept.
func newRemembered(k *keyset.Key, header, body string, c *Claims) *remembered {
	texts, lists := c.texts(), c.lists()
	both, ok := memory.Pack(body, texts[:], lists[:])
	if !ok {
		return nil
	}
	return &remembered{
		key:           k,
		header:        header,
		raw:           payload{both[:len(body)], true},
		packed:        memory.Packed(both[len(body):]),
		tenant:        unique.Make(c.TenantID),
		client:        unique.Make(c.ClientID),
		audience:      unique.Make(c.Audience),
		issuer:        unique.Make(c.Issuer),
		issuedAt:      c.IssuedAt,
		notBefore:     c.NotBefore,
		expiresAt:     c.ExpiresAt,
		kind:          c.Kind,
		guest:         c.Guest,
		agent:         c.Agent,
		agentUser:     c.AgentUser,
		groupsOverage: c.GroupsOverage,
		emailVerified: c.EmailVerified,
	}
}

// startsAs reports whether start is all of the token but its end.
func (r *remembered) startsAs(start string) bool {
	h := len(r.header)
	return len(start) == h+1+len(r.raw.text) && start[:h] == r.header && start[h] == '.' && start[h+1:] == r.raw.text
}

// claims returns the claims, which share nothing changeable with those of anybody else.
func (r *remembered) claims() *Claims {
	own := &roomyClaims{Claims: Claims{
		Kind:          r.kind,
		Guest:         r.guest,
		Agent:         r.agent,
		AgentUser:     r.agentUser,
		GroupsOverage: r.groupsOverage,
		EmailVerified: r.emailVerified,
		IssuedAt:      r.issuedAt,
		NotBefore:     r.notBefore,
		ExpiresAt:     r.expiresAt,
		raw:           &r.raw,
	}}
	// Field by field, which takes a third less than to go through pointers to them.
	c, p := &own.Claims, r.packed
	c.TenantID = r.tenant.Value()
	c.ClientID = r.client.Value()
	c.Audience = r.audience.Value()
	c.Issuer = r.issuer.Value()
	c.ObjectID = p.Text(0)
	c.Subject = p.Text(1)
	c.ClientAuth = p.Text(2)
	c.AgentBlueprint = p.Text(3)
	c.Version = p.Text(4)
	c.TokenID = p.Text(5)
	c.SessionID = p.Text(6)
	c.UserFlow = p.Text(7)
	c.IdentityProvider = p.Text(8)
	c.Name = p.Text(9)
	c.PreferredUsername = p.Text(10)
	c.Email = p.Text(11)
	c.LoginHint = p.Text(12)

	lists := p.Lists(len(claimTexts{}), len(claimLists{}), own.room[:0])
	c.ClientCapabilities = lists.Next()
	c.Scopes = lists.Next()
	c.Roles = lists.Next()
	c.Groups = lists.Next()
	c.DirectoryRoles = lists.Next()
	c.AuthContexts = lists.Next()
	return c
}

type contextKey struct{}

// identity is what Authenticate leaves in a request's context.
type identity struct {
	claims    *Claims    // nil behind AuthenticateOptional, for a request without a token
	token     string     // that says the claims; "" for claims made by hand
	verifier  *Verifier  // nil for claims made by hand
	authority *authority // that judged the token; nil for none
}

// responder returns who answers for what happens to the request.
func (id *identity) responder() *responder {
	switch {
	case id == nil || id.verifier == nil:
		return unconfigured
	case id.authority != nil:
		return id.authority.respond
	}
	return id.verifier.answerer(nil)
}

func withIdentity(ctx context.Context, id *identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

func identityFrom(ctx context.Context) *identity {
	id, _ := ctx.Value(contextKey{}).(*identity)
	return id
}

// ClaimsFromContext returns the claims of the request's token, and whether there are any: always behind
// [Verifier.Authenticate], only for requests with a token behind [Verifier.AuthenticateOptional].
func ClaimsFromContext(ctx context.Context) (*Claims, bool) {
	id := identityFrom(ctx)
	// Also behind AuthenticateOptional, for a request without a token.
	if id == nil || id.claims == nil {
		return nil, false
	}
	return id.claims, true
}

// ContextWithClaims returns a context that carries claims, as if [Verifier.Authenticate] had put them there: to test
// handlers without tokens. Set [Claims.Kind], or no requirement is met. Where ctx is that of a request behind Authenticate,
// its Verifier goes on answering, logging and counting; otherwise [WriteProblem] answers.
func ContextWithClaims(ctx context.Context, claims *Claims) context.Context {
	id := &identity{claims: claims}
	if outer := identityFrom(ctx); outer != nil {
		id.verifier, id.authority = outer.verifier, outer.authority
	}
	return withIdentity(ctx, id)
}

// TokenFromContext returns the token behind [ClaimsFromContext], and whether there is one: the text as it was verified,
// to exchange it for another on behalf of its user. Whoever has it can act as the user: never log or store it. Claims
// of [ContextWithClaims] have no token.
func TokenFromContext(ctx context.Context) (string, bool) {
	id := identityFrom(ctx)
	if id == nil || id.token == "" {
		return "", false
	}
	return id.token, true
}
