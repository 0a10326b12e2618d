package entra

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// retryAfterValue says when keys may be back, in whole seconds: one at least.
func retryAfterValue(err error) string {
	var refused *refusal
	if !errors.As(err, &refused) {
		return "1"
	}
	return strconv.Itoa(max(1, int((refused.RetryAfter+time.Second-1)/time.Second)))
}

// answer makes sure that a refused request is answered with its status, whatever the handler does: without WriteHeader,
// or without any answer, net/http would send 200.
type answer struct {
	http.ResponseWriter
	status  int
	started bool
}

func (a *answer) start() {
	if !a.started {
		a.WriteHeader(a.status)
	}
}

func (a *answer) WriteHeader(status int) {
	// 1xx are no answers yet, but for 101.
	a.started = a.started || status >= 200 || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(body []byte) (int, error) {
	a.start()
	return a.ResponseWriter.Write(body)
}

// FlushError lets http.ResponseController flush.
func (a *answer) FlushError() error {
	a.start()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush is the older form of FlushError.
func (a *answer) Flush() { _ = a.FlushError() }

// Unwrap gives http.ResponseController the other abilities of the writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// problem is the body of RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Reason Reason `json:"reason,omitempty"`
}

// WriteProblem answers a refused request with the status of err and a problem document (RFC 9457) that holds a fixed
// text for its reason: never the text of err, nor a claim or the token. It is what [Options.ErrorHandler] defaults to,
// and sets no challenge: [Verifier.Refuse] does.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	status := StatusCode(err)
	if err == nil {
		status = http.StatusInternalServerError
	}
	reason := ReasonOf(err)
	// Marshalling a struct of strings and numbers cannot fail.
	body, _ := json.Marshal(problem{http.StatusText(status), status, clientText(reason), reason})
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r == nil || r.Method != http.MethodHead {
		_, _ = w.Write(body)
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
	ReasonAuthContext:       "A stronger sign-in is required here.",
	ReasonForbidden:         "The caller is not permitted to do this.",
	ReasonKeysUnavailable:   "Tokens cannot be verified at the moment.",
	ReasonInternal:          "The request could not be handled.",
}
