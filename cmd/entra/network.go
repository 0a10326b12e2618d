package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// longestDocument bounds what is kept of an answer. Package entra reads no longer key document either.
const longestDocument = 1 << 20

// newNetwork returns how the commands reach Entra: as package entra does by default.
func (s surroundings) newNetwork() http.RoundTripper {
	if s.network != nil {
		return s.network
	}
	return http.DefaultTransport
}

// recorder keeps the documents that pass through it, and says on progress which ones.
type recorder struct {
	base     http.RoundTripper
	progress io.Writer

	mu        sync.Mutex
	documents map[string][]byte // those with status 200, by URL
}

func newRecorder(base http.RoundTripper, progress io.Writer) *recorder {
	return &recorder{base: base, progress: progress, documents: make(map[string][]byte)}
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	done := announce(r.progress, request)
	response, err := r.base.RoundTrip(request)
	if err != nil {
		done("no answer")
		return nil, err
	}
	defer done(response.Status)
	if response.StatusCode != http.StatusOK {
		return response, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, longestDocument+1))
	// A body that is broken off or too long must reach package entra as it is.
	response.Body = &prefixed{Reader: io.MultiReader(bytes.NewReader(body), failing{err}, response.Body), Closer: response.Body}
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.documents[request.URL.String()] = body
	}
	return response, nil
}

// announce says which request is under way, and returns a function that says how it ended.
func announce(progress io.Writer, request *http.Request) (done func(outcome string)) {
	begin := time.Now()
	fmt.Fprintf(progress, "%s %s …\n", request.Method, request.URL)
	return func(outcome string) {
		fmt.Fprintf(progress, "  %s, after %v\n", outcome, time.Since(begin).Round(time.Millisecond))
	}
}

// prefixed is a body of which a part was read already.
type prefixed struct {
	io.Reader
	io.Closer
}

// failing fails with err, or ends if that is nil.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// longestToken bounds what is read from standard input.
const longestToken = 1 << 20

var (
	errNoToken = errors.New("no token on standard input; send one there, for instance with: entra explain < token.txt")
	errTooLong = errors.New("more than 1 MiB on standard input; expected one token")
)

// readAuthorization reads a token, or Authorization headers with one, and returns the values of the headers.
func readAuthorization(in io.Reader) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(in, longestToken+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("standard input: %w", err)
	case len(text) > longestToken:
		return nil, errTooLong
	}
	input := strings.TrimSpace(string(text))
	if input == "" {
		return nil, errNoToken
	}
	if values, ok := headerValues(input); ok {
		return values, nil
	}
	// No header can hold a line break, so one in a token comes from copying it.
	token := strings.NewReplacer("\r", "", "\n", "").Replace(input)
	if scheme, _, found := strings.Cut(token, " "); found && strings.EqualFold(scheme, "Bearer") {
		return []string{token}, nil
	}
	return []string{"Bearer " + token}, nil
}

// headerValues returns the values of Authorization headers, if the text is nothing else.
func headerValues(text string) (values []string, ok bool) {
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found || !strings.EqualFold(name, "Authorization") {
			return nil, false
		}
		values = append(values, strings.TrimSpace(value))
	}
	return values, true
}
