package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/entra-go/entra/internal/refuse"
	"github.com/go-json-experiment/json"
)

// The errors that callers tell apart, with errors.Is. The text of an error is for the operator: it says what was found,
// what was expected and what to change. It never holds a token or a person's name, and what it quotes of a token is
// escaped and cut at 128 bytes. Do not send it to a client: [WriteProblem] and [Verifier.Refuse] send fixed texts.
var (
	// ErrNoToken says that a request carries no bearer token: 401, with a challenge that has no
	// error code (RFC 6750 section 3.1).
	ErrNoToken = errors.New("entra: no bearer token")
	// ErrInvalidRequest says that a request's Authorization header is malformed or repeated: 400.
	ErrInvalidRequest = errors.New("entra: malformed bearer request")
	// ErrInvalidToken says that a token must not be accepted: 401.
	ErrInvalidToken = errors.New("entra: invalid token")
	// ErrForbidden says that a valid token does not permit this: 403, or 401 if the client can
	// step up. The errors of a [Requirement] of one's own wrap it.
	ErrForbidden = errors.New("entra: forbidden")
	// ErrKeysUnavailable says that no signing key is held, so that no token can be judged: 503
	// with Retry-After.
	ErrKeysUnavailable = errors.New("entra: signing keys unavailable")
)

// Reason says in one word why a request was refused, for logs, metrics and tests. The words are lower-case ASCII letters and
// underscores. Values are added over time and never renamed.
type Reason string

// The reasons. [docs/reasons.md] has the usual cause and the cure of each.
//
// [docs/reasons.md]: https://github.com/entra-go/entra/blob/main/docs/reasons.md
const (
	ReasonNoToken           Reason = "no_token"            // no Authorization header, or one of another scheme
	ReasonInvalidRequest    Reason = "invalid_request"     // a malformed or repeated Authorization header
	ReasonMalformed         Reason = "malformed"           // no JWS in compact form
	ReasonTooLarge          Reason = "too_large"           // longer than Options.MaxTokenSize
	ReasonEncrypted         Reason = "encrypted"           // a JWE
	ReasonAlgorithm         Reason = "algorithm"           // signed with another algorithm than RS256
	ReasonHeader            Reason = "header"              // a header that is no plain JWT header
	ReasonMicrosoftAPIToken Reason = "microsoft_api_token" // for Microsoft Graph or another API of Microsoft's own
	ReasonUnknownKey        Reason = "unknown_key"         // signed with a key that the key document does not name
	ReasonDistrustedKey     Reason = "distrusted_key"      // signed with one of Options.DistrustedKeys
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
	ReasonHuman             Reason = "human"               // no person is behind the token
	ReasonAuthContext       Reason = "auth_context"        // lacks the Conditional Access authentication context
	ReasonKeysUnavailable   Reason = "keys_unavailable"    // Entra's keys cannot be had
	ReasonInvalidToken      Reason = "invalid_token"       // ErrInvalidToken, with no reason of this package
	ReasonForbidden         Reason = "forbidden"           // ErrForbidden, with no reason of this package
	ReasonInternal          Reason = "internal"            // anything else: a mistake or a fault on this side
)

// StatusCode returns the HTTP status that answers err: 200 for nil, the status of the error of this package that err
// wraps, 503 for the error of a context that ended, 500 for any other.
func StatusCode(err error) int {
	if err == nil {
		return http.StatusOK
	}
	r, ok := asRefusal(err)
	switch {
	case ok:
		return statusOf(r)
	case isContextError(err):
		return http.StatusServiceUnavailable
	}
	return kindOf(err).status
}

// ReasonOf returns why err refuses: "" for nil and for the error of a context that ended, [ReasonInternal] for an error
// that is none of this package's.
func ReasonOf(err error) Reason {
	if r, ok := asRefusal(err); ok {
		return Reason(r.Reason)
	}
	if err == nil || isContextError(err) {
		return ""
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
	r, ok := err.(*refusal)
	for _, k := range kinds {
		// errors.Is would find the same in a refusal, in an object made for each question.
		if ok && (r.Sentinel == k.sentinel || r.Cause != nil && errors.Is(r.Cause, k.sentinel)) || !ok && errors.Is(err, k.sentinel) {
			return k
		}
	}
	return kindInternal
}

func isContextError(err error) bool {
	_, ok := asRefusal(err)
	return !ok && kindOf(err) == kindInternal &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// refusal is the error behind every refusal of this package.
type refusal = refuse.Error

// asRefusal is errors.As for a refusal, which err hardly ever wraps but is.
func asRefusal(err error) (*refusal, bool) {
	if r, ok := err.(*refusal); ok {
		return r, true
	}
	var r *refusal
	return r, errors.As(err, &r)
}

func statusOf(r *refusal) int {
	switch {
	case r.Sentinel == nil:
		return http.StatusInternalServerError
	case r.Claims != "":
		return http.StatusUnauthorized
	}
	return kindOf(r.Sentinel).status
}

// forbidden is what a requirement answers when the claims do not meet it.
func forbidden(reason Reason, format string, args ...any) *refusal {
	return &refusal{Sentinel: ErrForbidden, Reason: string(reason), Text: fmt.Sprintf(format, args...)}
}

func internalFault(text string, cause error) *refusal {
	if cause != nil {
		text += ": " + cause.Error()
	}
	return &refusal{Reason: string(ReasonInternal), Text: text, Cause: cause}
}

// problem is the body of RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Reason Reason `json:"reason,omitempty"`
}

// WriteProblem answers a refused request with the status of err ([StatusCode]; 500 for nil) and a problem document (RFC
// 9457, application/problem+json) of title, status, detail and reason. The detail is a fixed text for the reason: never the
// text of err, nor a claim or the token. It is what [Options.ErrorHandler] defaults to, and sets no challenge:
// [Verifier.Refuse] does.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	status := StatusCode(err)
	// A refusal without an error must not look like success.
	if err == nil {
		status = http.StatusInternalServerError
	}
	document, ok := problems()[problemKey{status, ReasonOf(err)}]
	if !ok {
		document = newProblemDocument(problemKey{status, ReasonOf(err)})
	}
	setFields(w.Header(), field{"Content-Type", "application/problem+json"}, field{"Content-Length", document.length})
	w.WriteHeader(status)
	if r == nil || r.Method != http.MethodHead {
		_, _ = w.Write(document.body)
	}
}

// problemKey is all that a problem document depends on.
type problemKey struct {
	status int
	reason Reason
}

type problemDocument struct {
	body   []byte
	length string
}

func newProblemDocument(key problemKey) problemDocument {
	// Marshalling a struct of strings and numbers cannot fail.
	body, _ := json.Marshal(problem{http.StatusText(key.status), key.status, clientText(key.reason), key.reason})
	return problemDocument{body, strconv.Itoa(len(body))}
}

// problems returns the documents of all reasons with each status that they may have. They are made when the first request is
// refused.
var problems = sync.OnceValue(func() map[problemKey]problemDocument {
	all := make(map[problemKey]problemDocument)
	for reason := range clientTexts {
		for _, k := range append([]*kind{kindInternal}, kinds...) {
			key := problemKey{k.status, reason}
			all[key] = newProblemDocument(key)
		}
	}
	return all
})

// field is a header field. Its name is in canonical form.
type field struct{ name, value string }

// setFields is Header.Set for all fields that have a value, with one piece of memory.
func setFields(header http.Header, fields ...field) {
	values := make([]string, len(fields))
	for i, f := range fields {
		if values[i] = f.value; f.value != "" {
			header[f.name] = values[i : i+1 : i+1]
		}
	}
}

// clientText is all that a client learns of a refusal: one text for each reason, fit for a header parameter (no quotes,
// commas or equals signs).
func clientText(reason Reason) string { return clientTexts[reason] }

var clientTexts = map[Reason]string{
	ReasonNoToken:           "The request carries no bearer token.",
	ReasonInvalidRequest:    "The Authorization header is malformed.",
	ReasonMalformed:         "The token is malformed.",
	ReasonTooLarge:          "The token is too large.",
	ReasonEncrypted:         "Encrypted tokens are not accepted.",
	ReasonAlgorithm:         "The signature algorithm is not accepted.",
	ReasonHeader:            "The header of the token is not accepted.",
	ReasonMicrosoftAPIToken: "The token was issued for another API.",
	ReasonUnknownKey:        "The signing key is unknown.",
	ReasonDistrustedKey:     "The signing key is not trusted.",
	ReasonKeyIssuer:         "The signing key does not belong to the issuer.",
	ReasonSignature:         "The signature is invalid.",
	ReasonClaims:            "The claims of the token are not accepted.",
	ReasonExpired:           "The token has expired.",
	ReasonNotYetValid:       "The token is not valid yet.",
	ReasonIssuer:            "The issuer is not accepted.",
	ReasonTenant:            "The tenant is not accepted.",
	ReasonAudience:          "The token was issued for another audience.",
	ReasonVersion:           "The version of the token is not accepted.",
	ReasonIDToken:           "An ID token is not accepted.",
	ReasonNoPermissions:     "The token carries no permissions.",
	ReasonBoundToken:        "The token is bound to a key and cannot be used as a bearer token.",
	ReasonInvalidToken:      "The token is not accepted.",
	ReasonScope:             "The token lacks a scope that is required here.",
	ReasonRole:              "The user lacks an app role that is required here.",
	ReasonAppPermission:     "The application lacks a permission that is required here.",
	ReasonClient:            "The client application is not accepted here.",
	ReasonHuman:             "A person is required here.",
	ReasonAuthContext:       "A stronger sign-in is required here.",
	ReasonForbidden:         "The caller is not permitted to do this.",
	ReasonKeysUnavailable:   "Tokens cannot be verified at the moment.",
	ReasonInternal:          "The request could not be handled.",
}
