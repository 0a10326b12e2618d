// Package refuse says why a token or a request is refused. Its errors are made where a rule is broken, with the rule's
// own text, and become the errors of package entra unchanged.
package refuse

import (
	"fmt"
	"time"
)

// The reasons that packages behind entra give. Package entra exports the same texts as constants of type Reason, which
// docs/reasons.md explains one by one.
const (
	Malformed         = "malformed"
	TooLarge          = "too_large"
	Encrypted         = "encrypted"
	Algorithm         = "algorithm"
	Header            = "header"
	MicrosoftAPIToken = "microsoft_api_token"
	UnknownKey        = "unknown_key"
	DistrustedKey     = "distrusted_key"
	KeyIssuer         = "key_issuer"
	Signature         = "signature"
	Claims            = "claims"
	Expired           = "expired"
	NotYetValid       = "not_yet_valid"
	Issuer            = "issuer"
	Tenant            = "tenant"
	Audience          = "audience"
	Version           = "version"
	IDToken           = "id_token"
	NoPermissions     = "no_permissions"
	BoundToken        = "bound_token"
)

// Error is why something is refused. Whoever makes it sets Reason, Text and what belongs to the reason (Cause, Scope,
// Claims, OffKind, RetryAfter). Package entra alone sets the rest, before it returns the error to its caller or answers a
// request with it: Sentinel and About where a token was judged, Counted, Logged and By where it was recorded. An Error without a
// Sentinel is answered as a fault of the server, so that one which was forgotten fails closed.
type Error struct {
	Sentinel error  // one of the exported errors of package entra
	Reason   string // one of the constants above, or of entra's own
	Text     string // for the operator: what was found, what was expected, what to change
	Cause    error  // that errors.Is and errors.As find, or nil

	// More makes what stands behind Text, or is nil. It is for what costs more to say than a refusal may, since hardly any
	// of a flood of refusals is read.
	More func() string

	Scope      string        // the scopes that would have sufficed, bare names separated by spaces
	Claims     string        // a claims challenge that the client can answer, JSON
	Expected   bool          // nothing is wrong: a client that asks without a token, to be told what it needs
	OffKind    bool          // a requirement for tokens of another kind
	RetryAfter time.Duration // until keys may be back

	About   About
	Counted bool // whoever answers with it must not count it again
	Logged  bool // nor log it
	By      any  // the authority that refused and answers for it, of a type of package entra; nil: no matter which
}

// About names a token in a log line. Its texts come from the token.
type About struct{ Tenant, Client, Key, Token string }

// New returns an Error for one of the reasons above, with the operator's text made as fmt.Sprintf does.
func New(reason, format string, args ...any) *Error {
	if len(args) == 0 {
		return &Error{Reason: reason, Text: format}
	}
	return &Error{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// Because sets the cause of e and returns e.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

func (e *Error) Error() string {
	if e.More == nil {
		return "entra: " + e.Text
	}
	return "entra: " + e.Text + e.More()
}

// Unwrap returns the sentinel and the cause, if they are set.
func (e *Error) Unwrap() []error {
	wrapped := make([]error, 0, 2)
	for _, err := range []error{e.Sentinel, e.Cause} {
		if err != nil {
			wrapped = append(wrapped, err)
		}
	}
	return wrapped
}
