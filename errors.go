package entra

import (
	"context"
	"errors"
	"net/http"

	"github.com/entra-go/entra/internal/refuse"
)

// The errors that callers tell apart, with errors.Is. The text of an error is for the operator: it says what was found,
// what was expected and what to change. It never holds a token or a person's name, and what it quotes of a token is
// escaped and cut at 64 bytes. Do not send it to a client: [WriteProblem] and [Verifier.Refuse] send fixed texts.
var (
	// ErrNoToken says that a request carries no bearer token: 401, with a challenge that has no error code.
	ErrNoToken = errors.New("entra: no bearer token")
	// ErrInvalidRequest says that a request's Authorization header is malformed or repeated: 400.
	ErrInvalidRequest = errors.New("entra: malformed bearer request")
	// ErrInvalidToken says that a token must not be accepted: 401.
	ErrInvalidToken = errors.New("entra: invalid token")
	// ErrForbidden says that a valid token does not permit this: 403, or 401 if the client can step up. A
	// [Requirement] of one's own wraps it.
	ErrForbidden = errors.New("entra: forbidden")
	// ErrKeysUnavailable says that no signing key is held, so that no token can be judged: 503 with Retry-After.
	ErrKeysUnavailable = errors.New("entra: signing keys unavailable")
)

// Reason says in one word why a request was refused, for logs, metrics and tests. Values are added over time and never
// renamed.
type Reason string

// The reasons. Each is explained, with its usual cause and its cure, in the table of docs/reasons.md.
const (
	ReasonNoToken           Reason = "no_token"            // no Authorization header, or one of another scheme
	ReasonInvalidRequest    Reason = "invalid_request"     // a malformed or repeated Authorization header
	ReasonMalformed         Reason = "malformed"           // no JWS in compact form
	ReasonTooLarge          Reason = "too_large"           // longer than Options.MaxTokenSize
	ReasonEncrypted         Reason = "encrypted"           // a JWE
	ReasonAlgorithm         Reason = "algorithm"           // signed with another algorithm than RS256
	ReasonHeader            Reason = "header"              // a header that is no plain JWT header
	ReasonMicrosoftAPIToken Reason = "microsoft_api_token" // by the nonce in its header, for Microsoft Graph or another API of Microsoft's own
	ReasonUnknownKey        Reason = "unknown_key"         // signed with a key that the key document does not name
	ReasonKeyIssuer         Reason = "key_issuer"          // signed with a key that does not sign for this issuer or cloud
	ReasonSignature         Reason = "signature"           // the signature is wrong
	ReasonClaims            Reason = "claims"              // claims that are missing, contradictory or of the wrong type
	ReasonExpired           Reason = "expired"             // past its exp
	ReasonNotYetValid       Reason = "not_yet_valid"       // before its nbf or iat
	ReasonIssuer            Reason = "issuer"              // from another issuer
	ReasonTenant            Reason = "tenant"              // from a tenant that is not accepted
	ReasonAudience          Reason = "audience"            // for another API
	ReasonVersion           Reason = "version"             // a version that does not fit its issuer
	ReasonIDToken           Reason = "id_token"            // an ID token where an access token is expected
	ReasonNoPermissions     Reason = "no_permissions"      // neither a scope nor a role
	ReasonBoundToken        Reason = "bound_token"         // bound to a key, so not to be used as a plain bearer token
	ReasonScope             Reason = "scope"               // lacks the delegated permission
	ReasonRole              Reason = "role"                // the user lacks the app role
	ReasonAppPermission     Reason = "app_permission"      // lacks the application permission
	ReasonClient            Reason = "client"              // from a client application that is not accepted here
	ReasonAuthContext       Reason = "auth_context"        // lacks the Conditional Access authentication context
	ReasonKeysUnavailable   Reason = "keys_unavailable"    // Entra's keys cannot be had
	ReasonInvalidToken      Reason = "invalid_token"       // ErrInvalidToken, with no reason of this package
	ReasonForbidden         Reason = "forbidden"           // ErrForbidden, with no reason of this package
	ReasonInternal          Reason = "internal"            // anything else: a mistake or a fault on this side
)

// StatusCode returns the HTTP status that answers err: 200 for nil, the status of the error of this package that err
// wraps, 503 for the error of a context that ended, 500 for any other.
func StatusCode(err error) int {
	var r *refusal
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &r):
		return statusOf(r)
	case isContextError(err):
		return http.StatusServiceUnavailable
	}
	return kindOf(err).status
}

// ReasonOf returns why err refuses: "" for nil and for the error of a context that ended, [ReasonInternal] for an error
// that is none of this package's.
func ReasonOf(err error) Reason {
	var r *refusal
	switch {
	case err == nil, isContextError(err):
		return ""
	case errors.As(err, &r):
		return Reason(r.Reason)
	}
	return kindOf(err).reason
}

// kind is what is common to the errors that wrap one sentinel.
type kind struct {
	sentinel error
	status   int
	reason   Reason // of the bare sentinel
	code     string // error code of RFC 6750 section 3.1; "" for none
	silent   bool   // no challenge: another token would change nothing
}

var (
	kindInternal = &kind{nil, http.StatusInternalServerError, ReasonInternal, "", true}

	kinds = []*kind{
		{ErrNoToken, http.StatusUnauthorized, ReasonNoToken, "", false},
		{ErrInvalidRequest, http.StatusBadRequest, ReasonInvalidRequest, "invalid_request", false},
		{ErrInvalidToken, http.StatusUnauthorized, ReasonInvalidToken, "invalid_token", false},
		{ErrForbidden, http.StatusForbidden, ReasonForbidden, "insufficient_scope", false},
		{ErrKeysUnavailable, http.StatusServiceUnavailable, ReasonKeysUnavailable, "", true},
	}
)

func kindOf(err error) *kind {
	for _, k := range kinds {
		if errors.Is(err, k.sentinel) {
			return k
		}
	}
	return kindInternal
}

func isContextError(err error) bool {
	var r *refusal
	return !errors.As(err, &r) && kindOf(err) == kindInternal &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// refusal is the error behind every refusal of this package.
type refusal = refuse.Error

func statusOf(r *refusal) int {
	switch {
	case r.Sentinel == nil:
		return http.StatusInternalServerError
	case r.Claims != "":
		return http.StatusUnauthorized
	}
	return kindOf(r.Sentinel).status
}
