// Package fetch gets the documents that an authority publishes: over https, from the host that was asked and no other,
// in bounded time and size.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entra-go/entra/internal/quote"
)

const (
	// Timeout bounds a fetch of one document.
	Timeout      = 10 * time.Second
	maxSize      = 1 << 20 // after decompression
	maxRedirects = 3
)

// Client gets documents. It is safe for concurrent use.
type Client struct {
	client http.Client
}

// New returns a Client on a copy of given that follows redirects on the same host over https only, and gives up after
// [Timeout] or sooner. If given is nil, it has a clone of the default transport.
func New(given *http.Client) *Client {
	c := new(Client)
	// A copy: the caller's client must not get these limits elsewhere.
	if given != nil {
		c.client = *given
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		c.client.Transport = t.Clone()
	}
	inner := c.client.CheckRedirect
	c.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		// Keys of another host would be another authority's.
		if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, via[0].URL.Host) {
			return fmt.Errorf("redirect to another host or scheme (%s) refused", quote.Text(r.URL.Scheme+"://"+r.URL.Host))
		}
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		if inner != nil {
			return inner(r, via)
		}
		return nil
	}
	if c.client.Timeout <= 0 || c.client.Timeout > Timeout {
		c.client.Timeout = Timeout
	}
	return c
}

// statusError is an answer other than 200.
type statusError struct {
	url        string
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: answered with status %d; expected 200", e.url, e.status)
}

// RetryAfter returns how long the answer that err tells of asked to wait, uncapped; 0 if it did not.
func RetryAfter(err error) time.Duration {
	var status *statusError
	if errors.As(err, &status) {
		return status.retryAfter
	}
	return 0
}

// Get returns the body of the document at url. The error of an answer other than 200 tells [RetryAfter].
func (c *Client) Get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	way := new(Way)
	if c.isTraceable() {
		ctx, way = Follow(ctx, r.URL)
		r = r.WithContext(ctx)
	}
	response, err := c.client.Do(r)
	if err != nil {
		return nil, clientError(err, url, way)
	}
	defer response.Body.Close()
	// A 204 or 206 is no document, and a 304 was not asked for.
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{url, response.StatusCode, parseRetryAfter(response.Header.Get("Retry-After"))}
	}
	// The limit counts bytes after decompression, so that a small bomb is found.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSize+1))
	if err != nil {
		return nil, plain(fmt.Errorf("%s: reading the answer: %w", url, err), url)
	}
	if len(body) > maxSize {
		return nil, fmt.Errorf("%s: the answer is larger than %d bytes", url, maxSize)
	}
	return body, nil
}

// isTraceable reports whether no code of the caller's stands before net/http's transport. Such code may add one
// httptrace.ClientTrace of its own to every request, and httptrace.WithClientTrace changes that in place where the request
// has a trace already: it would hold the Way of every fetch, and two fetches at a time would race.
func (c *Client) isTraceable() bool {
	transport := c.client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	_, ok := transport.(*http.Transport)
	return ok
}

// clientError says of a time that is over what took it, and is [plain] besides.
func clientError(err error, url string, way *Way) error {
	// That of a redirect begins with where it leads, which can be as long as the server likes.
	if failed, ok := err.(*neturl.Error); ok && failed.URL != url {
		err = fmt.Errorf("%s: %w", url, failed.Err)
	}
	// A dialer that finds the end of the time before the client does has said it already.
	if step := way.Step(); errors.Is(err, context.DeadlineExceeded) && step != "" && !strings.Contains(err.Error(), step) {
		err = fmt.Errorf("%w (%s)", err, step)
	}
	return plain(err, url)
}

// plain keeps short and printable what the client says of an answer, which may be anybody's: a proxy's words, or bytes that
// are no HTTP.
func plain(err error, url string) error {
	// The text begins with the URL that was asked for, which must not take the room of what went wrong.
	limit := len(url) + 190
	switch text := err.Error(); {
	case len(text) > limit:
		return fmt.Errorf("%s... (%w)", strconv.QuoteToASCII(text[:limit]), errLongText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isUnprintable):
		return errors.New(strconv.QuoteToASCII(text))
	}
	return err
}

func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

var errLongText = errors.New("the rest of the HTTP client's error is left out")

// parseRetryAfter reads the header of RFC 9110 section 10.2.3: seconds or a date. Its callers cap it.
func parseRetryAfter(value string) time.Duration {
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
