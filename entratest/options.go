package entratest

import (
	"time"

	"github.com/entra-go/entra/entratest/internal/jsonobject"
	"github.com/entra-go/entra/entratest/internal/login"
)

// TokenOption changes what [Server.Token] mints. Options may come in any order; of
// two that set the same thing the later one counts.
type TokenOption func(*tokenSpec)

// tokenSpec is what a token shall say. Claims and headers follow from it, and the
// edits are applied to them last.
type tokenSpec struct {
	login.Token    // nil Scopes: the API's first
	guest, bound   bool
	agent          agent
	blueprint      string // of the agent
	notification   bool   // a change notification of Graph's
	noSubject      bool   // B2C's setting "Not supported"
	issued         func(now time.Time) time.Time
	lifetime       time.Duration
	key            *Key
	claims, header []edit
	rawHeader      []byte
	rawPayload     []byte
}

type agent int

const (
	noAgent      agent = iota
	agentActs          // an agent identity acts, by itself or on behalf of a person
	agentAccount       // and the user account is the agent's own
)

type edit func(jsonobject.Object) jsonobject.Object

func setMember(name string, value any) edit {
	return func(o jsonobject.Object) jsonobject.Object { o.Set(name, value); return o }
}

func dropMembers(names []string) edit {
	return func(o jsonobject.Object) jsonobject.Object { return o.Without(names...) }
}

// V1 mints a version 1.0 token: issuer on the sts host, appid, upn, and the
// Application ID URI as audience.
func V1() TokenOption { return func(t *tokenSpec) { t.Version = 1 } }

// V2 mints a version 2.0 token, the default.
func V2() TokenOption { return func(t *tokenSpec) { t.Version = 2 } }

// App mints an app-only token with these application permissions; with none, it
// has no roles claim, as Entra issues to any application of the tenant.
func App(roles ...string) TokenOption {
	return func(t *tokenSpec) { t.Kind, t.Roles = login.AppOnly, roles }
}

// User mints the token for a user of Config.Users, named by user name (with or
// without domain) or object ID; "" is the tenant's first one, the default.
func User(name string) TokenOption { return func(t *tokenSpec) { t.User = name } }

// Scopes sets the delegated permissions; the default is the first that the API
// publishes, ScopeRead in the sample tenant. None leaves scp out.
func Scopes(names ...string) TokenOption {
	return func(t *tokenSpec) { t.Scopes = append([]string{}, names...) }
}

// Roles sets the roles claim: a user's app roles, or application permissions.
func Roles(names ...string) TokenOption { return func(t *tokenSpec) { t.Roles = names } }

// Groups sets the groups claim.
func Groups(ids ...string) TokenOption { return func(t *tokenSpec) { t.Groups = ids } }

// Guest makes the user a guest from another tenant: idp, acct 1 and email.
func Guest() TokenOption { return func(t *tokenSpec) { t.guest = true } }

// Overage replaces groups by the pointer that Entra issues for more than 200.
func Overage() TokenOption { return func(t *tokenSpec) { t.Overage = true } }

// IDToken mints an ID token. Its audience is APIClientID unless Audience or
// CallingApp says otherwise: an API confuses that one most easily with an access
// token of its own.
func IDToken() TokenOption { return func(t *tokenSpec) { t.Kind = login.IDToken } }

// Nonce sets the nonce claim of an ID token.
func Nonce(nonce string) TokenOption { return func(t *tokenSpec) { t.Nonce = nonce } }

// Expired mints a token that was issued two hours ago and expired one hour ago.
func Expired() TokenOption {
	return func(t *tokenSpec) {
		t.issued = func(now time.Time) time.Time { return now.Add(-t.lifetime - time.Hour) }
	}
}

// NotYetValid mints a token whose iat and nbf lie one hour ahead.
func NotYetValid() TokenOption {
	return func(t *tokenSpec) { t.issued = func(now time.Time) time.Time { return now.Add(time.Hour) } }
}

// IssuedAt sets iat and nbf; exp follows with the lifetime.
func IssuedAt(at time.Time) TokenOption {
	return func(t *tokenSpec) { t.issued = func(time.Time) time.Time { return at } }
}

// Lifetime sets the time between iat and exp; the default is one hour.
func Lifetime(d time.Duration) TokenOption { return func(t *tokenSpec) { t.lifetime = d } }

// Audience sets aud. The default is the API's client ID, in version 1.0 tokens
// its Application ID URI.
func Audience(aud string) TokenOption { return func(t *tokenSpec) { t.Audience = aud } }

// Tenant issues the token in another tenant, which need not be configured.
func Tenant(id string) TokenOption { return func(t *tokenSpec) { t.Tenant = id } }

// Personal issues the token to a personal Microsoft account: the consumers'
// tenant, signed by PersonalKey. Entra issues no version 1.0 tokens to them.
func Personal() TokenOption { return Tenant(PersonalTenantID) }

// CallingApp sets the client that asked for the token (azp or appid), or the
// audience of an ID token. The default is ClientID.
func CallingApp(id string) TokenOption { return func(t *tokenSpec) { t.Client = id } }

// SignedBy signs with k, and names it in the header.
func SignedBy(k *Key) TokenOption { return func(t *tokenSpec) { t.key = k } }

// Claim sets a claim to any value that marshals to JSON; nil is null. It applies
// after all options that describe the token.
func Claim(name string, value any) TokenOption {
	return func(t *tokenSpec) { t.claims = append(t.claims, setMember(name, value)) }
}

// Without leaves claims out.
func Without(names ...string) TokenOption {
	return func(t *tokenSpec) { t.claims = append(t.claims, dropMembers(names)) }
}

// Header sets a header parameter; see [Key.Sign] for what "alg" does.
func Header(name string, value any) TokenOption {
	return func(t *tokenSpec) { t.header = append(t.header, setMember(name, value)) }
}

// WithoutHeader leaves header parameters out.
func WithoutHeader(names ...string) TokenOption {
	return func(t *tokenSpec) { t.header = append(t.header, dropMembers(names)) }
}

// AuthContext adds authentication contexts, such as "c1", as acrs.
func AuthContext(ids ...string) TokenOption { return func(t *tokenSpec) { t.AuthContexts = ids } }

// Capabilities adds client capabilities, such as "cp1", as xms_cc.
func Capabilities(names ...string) TokenOption { return func(t *tokenSpec) { t.Capabilities = names } }

// Graph mints a token for Microsoft Graph: its audience, and a nonce in the
// header. Entra computes the signature over the nonce's SHA-256 digest instead, so
// that only Graph can verify it.
func Graph() TokenOption { return func(t *tokenSpec) { t.Graph = true } }

// Agent makes the calling application an agent identity of Microsoft Entra Agent ID.
// With App it acts by itself, otherwise on behalf of the user, who is a person:
// xms_act_fct holds 11, and xms_sub_fct with App too. Source:
// https://learn.microsoft.com/entra/agent-id/agent-token-claims.
func Agent() TokenOption { return func(t *tokenSpec) { t.agent = max(t.agent, agentActs) } }

// AgentUser is Agent for an agent that acts through a user account of its own, with
// no person behind it: xms_sub_fct holds 13.
func AgentUser() TokenOption { return func(t *tokenSpec) { t.agent = agentAccount } }

// AgentBlueprint sets xms_par_app_azp, the blueprint of an agent identity by its
// client ID. Without Agent it is the only sign that an agent acts.
func AgentBlueprint(id string) TokenOption { return func(t *tokenSpec) { t.blueprint = id } }

// ChangeNotification mints a validation token of Microsoft Graph's change
// notifications: version 1.0, for the API's client ID, from ChangeTrackingClientID,
// good for eight hours, without oid, sub, scp, roles and idtyp. Source:
// https://learn.microsoft.com/graph/change-notifications-with-resource-data.
func ChangeNotification() TokenOption {
	return func(t *tokenSpec) {
		t.notification, t.Kind, t.Version = true, login.AppOnly, 1
		t.Client, t.Proof, t.lifetime = ChangeTrackingClientID, "2", 8*time.Hour
	}
}

// SubjectNotSupported mints what a B2C user flow issues whose subject is switched
// off: sub is the same text for every user, and oid says who it is. Source:
// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
func SubjectNotSupported() TokenOption { return func(t *tokenSpec) { t.noSubject = true } }

// Bound binds the token to a client certificate by a cnf claim (RFC 8705).
func Bound() TokenOption { return func(t *tokenSpec) { t.bound = true } }

// RawPayload signs exactly these bytes as payload.
func RawPayload(b []byte) TokenOption {
	return func(t *tokenSpec) { t.rawPayload = append([]byte{}, b...) }
}

// RawHeader signs exactly these bytes as header.
func RawHeader(b []byte) TokenOption {
	return func(t *tokenSpec) { t.rawHeader = append([]byte{}, b...) }
}
