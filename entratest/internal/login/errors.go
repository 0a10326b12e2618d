package login

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// oauthError is a refusal as Entra words it: an OAuth error code (RFC 6749
// section 5.2) and a number, AADSTS….
type oauthError struct {
	status int
	code   string // such as "invalid_client"
	number int    // such as 7000215
	text   string
}

// Error returns the text after Entra's number. An error of the fake's own has none.
func (e *oauthError) Error() string {
	if e.number == 0 {
		return e.text
	}
	return fmt.Sprintf("AADSTS%d: %s", e.number, e.text)
}

func refusal(status int, code string, number int, format string, args ...any) *oauthError {
	return &oauthError{status: status, code: code, number: number, text: fmt.Sprintf(format, args...)}
}

func errUnknownTenant(name, code string) *oauthError {
	return refusal(http.StatusBadRequest, code, 90002, "Tenant '%s' not found. Check to make sure you have the "+
		"correct tenant ID and are signing into the correct cloud.", name)
}

func errMissing(parameter string) *oauthError {
	return refusal(http.StatusBadRequest, "invalid_request", 900144,
		"The request body must contain the following parameter: '%s'.", parameter)
}

func errUnknownClient(id string) *oauthError {
	return refusal(http.StatusBadRequest, "unauthorized_client", 700016,
		"Application with identifier '%s' was not found in the directory.", id)
}

func errMethod(method, allowed string) *oauthError {
	return refusal(http.StatusMethodNotAllowed, "invalid_request", 900561,
		"The endpoint only accepts %s requests. Received a %s request.", allowed, method)
}

func errServer(err error) *oauthError {
	return refusal(http.StatusBadRequest, "server_error", 90033, "%v", err)
}

// Refuse writes an error of the fake's own, as an endpoint refuses.
func (s *Service) Refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.refuse(w, r, refusal(status, "invalid_request", 0, "%s", text))
}

// refuse writes the error as Entra's JSON.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, e *oauthError) {
	trace := directory.RandomGUID()
	body := jsonobject.Object{
		{"error", e.code},
		{"error_description", s.describe(r, e, trace)},
	}
	if e.number != 0 {
		body.Set("error_codes", []int{e.number})
	}
	body = append(body, jsonobject.Object{
		{"timestamp", s.timestamp()},
		{"trace_id", trace},
		{"correlation_id", correlationID(r)},
	}...)
	if e.number != 0 {
		body.Set("error_uri", s.errorURI(e))
	}
	s.writeJSON(w, e.status, body)
}

// describe is the text that Entra makes of an error.
func (s *Service) describe(r *http.Request, e *oauthError, trace string) string {
	return fmt.Sprintf("%v Trace ID: %s Correlation ID: %s Timestamp: %s", e, trace, correlationID(r), s.timestamp())
}

func (s *Service) timestamp() string { return s.config.Clock().UTC().Format("2006-01-02 15:04:05Z") }

func (s *Service) errorURI(e *oauthError) string {
	return fmt.Sprintf("https://%s/error?code=%d", s.tenant.Cloud.Login, e.number)
}

// correlationID echoes the client's request ID where it is a GUID. A made-up one
// is put into the request's header, so that it stays the same.
func correlationID(r *http.Request) string {
	id := r.Header.Get("client-request-id")
	if id == "" {
		id = r.URL.Query().Get("client-request-id")
	}
	if id = strings.ToLower(id); directory.IsGUID(id) {
		return id
	}
	id = directory.RandomGUID()
	r.Header.Set("client-request-id", id)
	return id
}

func (s *Service) writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := jsonobject.Encode(body)
	if err != nil {
		http.Error(w, "entratest: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "max-age=86400, private")
	}
	if status >= http.StatusBadRequest {
		w.Header().Set("Cache-Control", "no-store, no-cache")
	}
	w.WriteHeader(status)
	_, _ = w.Write(text) // A client that left needs no answer.
}
