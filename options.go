package entra

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
)

// Options configure a [Verifier]. [NewVerifier] reads them once and copies them: changing them later changes nothing.
// Required are an authority (Tenants, AllowAnyTenant or Authority) and an audience (ClientID or Audiences). Every other zero
// value is the safe choice. IDs that are GUIDs may be written in upper or lower case.
type Options struct {
	// Tenants are the directories whose tokens are accepted, as directory (tenant) IDs: GUIDs.
	// [PersonalAccounts] stands for personal Microsoft accounts, of the Worldwide cloud only.
	// Domain names, "common" and white space are mistakes. Default: none; required unless
	// AllowAnyTenant or Authority is set.
	Tenants []string

	// AllowAnyTenant accepts the tokens of every work or school tenant; Tenants may then hold
	// PersonalAccounts alone. Whoever sets it gives up the tenant check: the application must
	// decide, by [Claims.TenantID], what each tenant may do (see [TenantIn] and the example of
	// [Requirement]). ClientID is then required, and each of Audiences must be a GUID, an
	// https URI of a verified domain, or an api:// URI with ClientID as one of its segments:
	// other URIs are unique within one tenant only. Default: false.
	//
	// Source: https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
	AllowAnyTenant bool

	// ClientID is the application (client) ID of this API, a GUID. It is accepted as audience,
	// and so is "api://" followed by it. Default: none; at least one of ClientID and Audiences
	// is required.
	ClientID string

	// Audiences are further accepted audiences: Application ID URIs of this API, such as
	// "api://orders". They are compared exactly but for one slash at the end of either side.
	// An API of Microsoft's own, such as Microsoft Graph, is a mistake. Default: none.
	Audiences []string

	// Cloud is the Microsoft cloud that the tenants live in. Default: [Worldwide].
	Cloud Cloud

	// Authority is the https URL of an External ID (CIAM), Azure AD B2C or custom-domain
	// authority, such as "https://contoso.ciamlogin.com/<tenant ID>/v2.0": what stands before
	// /.well-known/openid-configuration. The issuer and the address of the keys then come from
	// its metadata; keys are read from Authority's own host only. It excludes Cloud and
	// AllowAnyTenant. Tenants may name one directory, which the token's must then equal: its
	// tid, or else the one in the issuer's path. Microsoft's own login hosts are a mistake.
	// What it gives up: tokens need no tid, oid or sub there, and keys are not bound to issuers
	// beyond the authority. Default: none, Microsoft's login host of Cloud.
	Authority string

	// UserFlows are further user flows and custom policies of an Azure AD B2C Authority, such as
	// "B2C_1_reset" or "B2C_1A_signin", in upper or lower case. Their tokens are accepted beside
	// those of the policy in Authority's path: the policies of a tenant share keys and issuer,
	// and the token says which one its user came through ([Claims.UserFlow]). Without a B2C
	// Authority they are a mistake. Default: none.
	UserFlows []string

	// AppKeys also accepts tokens that are signed with the application's own keys, those that
	// Entra lists at ?appid=ClientID for applications with claims mapping. It needs exactly one
	// tenant and a ClientID. Whoever sets it trusts everyone who may manage that application's
	// keys in the tenant to issue any token for this API. Default: false.
	//
	// Source: https://learn.microsoft.com/entra/identity-platform/access-tokens
	AppKeys bool

	// AllowIDTokens also accepts ID tokens that were issued to ClientID, which is then required:
	// for a page that signs its user in and calls its own back end with the ID token. It gives
	// up the difference between "signed in at the page" and "permitted to call": an ID token
	// carries no scope, and never meets [Scope] or [AppPermission]. Default: false.
	AllowIDTokens bool

	// AllowWithoutPermissions also accepts application tokens without roles, for APIs that keep
	// a list of clients of their own. Entra issues such tokens to every application of the
	// tenant: check [Claims.ClientID], for instance with [ClientIn]. Default: false.
	AllowWithoutPermissions bool

	// TrustedClients are the application (client) IDs, GUIDs, of applications whose own tokens
	// are accepted without roles, and without oid, sub and idtyp, as Microsoft's services send
	// them: Graph change notifications come from 0bf30f3b-4a52-48df-9a82-234910c4a086. The
	// client must have proved itself to Entra by a secret, a certificate or federation (azpacr
	// or appidacr 1 or 2). It is a narrow alternative to AllowWithoutPermissions: keep other
	// clients of the API out by [AppPermission] or [ClientIn] as before. It has no effect on
	// tokens of a B2C Authority, which do not tell applications from users. Default: none.
	//
	// Source: https://learn.microsoft.com/graph/change-notifications-with-resource-data
	TrustedClients []string

	// DistrustedKeys are IDs of signing keys (kid) that never verify anything, whatever a key
	// document or KeyCache says: for a key that Microsoft reports as compromised. They are
	// neither held nor fetched for, and their tokens are refused with [ReasonDistrustedKey].
	// They are compared exactly; one that is blank or has white space around it is a mistake.
	// Default: none.
	DistrustedKeys []string

	// ClockSkew is how far the clocks of Entra and of this machine may be apart. Default: 1
	// minute. A negative value means none; below a second or above an hour is a mistake.
	ClockSkew time.Duration

	// MaxTokenSize is the length in bytes beyond which a token is refused unread. Default:
	// 16 KiB. A negative value is a mistake.
	MaxTokenSize int

	// CacheSize is how many verified tokens are remembered, so that their next use costs no
	// signature check. A usual token (1.4 KB) occupies 1.8 KB while it is remembered, one with
	// 200 groups (12 KB) 21 KB. Default: 4096 tokens, which makes 7.4 MB of usual ones and 85 MB
	// of those with 200 groups. A negative value means none.
	CacheSize int

	// KeyCache keeps the last good key documents across restarts, such as [DirCache]: whoever
	// can write there can forge tokens. A process that starts while Entra is away then serves at
	// once, with keys that an earlier one fetched less than 25 hours ago by the clock on the
	// wall. While a Verifier holds no keys, a request waits for the cache for 50 milliseconds at
	// most before it asks Entra as well. What is older than an hour is refreshed beside the
	// requests, and a newer fetch always wins. Default: none.
	KeyCache KeyCache

	// Resource is this API's resource identifier of RFC 9728, an https URL (http for loopback
	// hosts) without fragment. Challenges then name the metadata URL that follows from it, at
	// which [Verifier.ResourceMetadata] must answer. NewVerifier logs a warning where Entra will
	// refuse clients that ask for a token for it (AADSTS9010010): the URL has no path or ends in
	// a slash, or ResourceScopes do not begin with it. Default: none, and no metadata.
	Resource string

	// ResourceScopes are the scopes_supported of that metadata, and the scope of every 401
	// challenge: full scope strings, such as "api://…/Orders.Read". "offline_access" is a
	// mistake: it is no scope of an API. They need Resource. Default: none.
	ResourceScopes []string

	// AuthorizationServers are the authorization_servers of that metadata: issuers (RFC 8414),
	// https URLs (http for loopback hosts) without query or fragment. They need Resource. Name a
	// URL of this API's own, such as Resource, and serve [Verifier.AuthorizationServerMetadata]
	// there, or the issuer of a proxy in front of Entra. Default: the issuers that follow from
	// Tenants, AllowAnyTenant or Authority.
	AuthorizationServers []string

	// HTTPClient fetches keys and metadata. It is copied; redirects are followed on the same host
	// over https only, and a fetch ends after 10 seconds, or after its own Timeout if that is
	// shorter. It never sees a URL that comes from a token. Its transport must end a request
	// with the request's context, as http.Transport does: the next fetch waits for it. Default:
	// a client of its own, on a clone of http.DefaultTransport.
	HTTPClient *http.Client

	// Logger receives refusals (level Info; Debug for a request without Authorization header,
	// Warn where no keys can be had, Error for faults on this side) and trouble with the keys
	// (Warn). No line holds a token or a person's name, and at most 10 lines are written in 10
	// seconds for one reason. It is used by many goroutines at once. Default: slog.Default(), as
	// it is when NewVerifier is called.
	Logger *slog.Logger

	// ErrorHandler writes the answer to a refused request. WWW-Authenticate, Retry-After,
	// Cache-Control and X-Content-Type-Options are set before it is called; [StatusCode] and
	// [ReasonOf] read its error. If it writes nothing, the status of the error is sent all the
	// same. It must not send the error's text. It is called by many goroutines at once.
	// Default: [WriteProblem].
	ErrorHandler func(http.ResponseWriter, *http.Request, error)
}

const (
	defaultMaxTokenSize = 16 << 10
	defaultCacheSize    = 4096
)

// policy is the part of o that says whose tokens are accepted.
func (o *Options) policy() policy.Config {
	return policy.Config{
		Tenants:                 o.Tenants,
		AllowAnyTenant:          o.AllowAnyTenant,
		ClientID:                o.ClientID,
		Audiences:               o.Audiences,
		Cloud:                   policy.Cloud(o.Cloud),
		Authority:               o.Authority,
		UserFlows:               o.UserFlows,
		TrustedClients:          o.TrustedClients,
		AppKeys:                 o.AppKeys,
		AllowIDTokens:           o.AllowIDTokens,
		AllowWithoutPermissions: o.AllowWithoutPermissions,
		ClockSkew:               o.ClockSkew,
	}
}

// mistake says what is wrong with a field of Options.
func mistake(field, format string, args ...any) error {
	return fmt.Errorf("entra: Options.%s: %s", field, fmt.Sprintf(format, args...))
}

// checkKeyCache returns what is wrong with KeyCache, as far as that can be known without using it.
func (o *Options) checkKeyCache() error {
	if o.KeyCache == DirCache("") {
		return mistake("KeyCache", "is a DirCache without a folder; expected one that this program alone can write to")
	}
	return nil
}

// checkDistrustedKeys returns what is wrong with DistrustedKeys: an ID that no key has would let the key in that was meant.
func (o *Options) checkDistrustedKeys() error {
	var wrong []error
	for i, id := range o.DistrustedKeys {
		field := fmt.Sprintf("DistrustedKeys[%d]", i)
		switch strings.TrimFunc(id, quote.IsBlank) {
		case "":
			wrong = append(wrong, mistake(field, "%s is blank; expected the ID of a signing key, the kid of its tokens", quote.Text(id)))
		case id:
		default:
			wrong = append(wrong, mistake(field, "%s has white space around it; key IDs are compared exactly", quote.Text(id)))
		}
	}
	return errors.Join(wrong...)
}

// maxTokenSize returns the bound in bytes, with its default.
func (o *Options) maxTokenSize() (int, error) {
	switch {
	case o.MaxTokenSize == 0:
		return defaultMaxTokenSize, nil
	case o.MaxTokenSize < 0:
		return 0, mistake("MaxTokenSize", "%d is negative; expected a number of bytes, 0 for %d", o.MaxTokenSize, defaultMaxTokenSize)
	}
	return o.MaxTokenSize, nil
}

// cacheSize returns how many tokens are remembered, with its default; not positive: none.
func (o *Options) cacheSize() int {
	if o.CacheSize == 0 {
		return defaultCacheSize
	}
	return o.CacheSize
}

// PersonalAccounts is the tenant of personal Microsoft accounts (outlook.com, live.com, …), for [Options.Tenants]. It is the
// same GUID for all of them, and the tid of their tokens.
//
// Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
const PersonalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Cloud is one of Microsoft's separate clouds. It decides which host signs tenants in and how their issuers are named.
//
// Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
type Cloud int

// The clouds. The zero value is the public one.
const (
	Worldwide    Cloud = iota // login.microsoftonline.com: the public cloud, GCC included
	USGovernment              // login.microsoftonline.us: GCC High and DoD
	China                     // login.partner.microsoftonline.cn: operated by 21Vianet
)

// String returns the cloud's name, such as "USGovernment", and "Cloud(9)" for a value that is none.
func (c Cloud) String() string { return policy.Cloud(c).String() }
