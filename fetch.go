package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/keydoc"
	"github.com/entra-go/entra/internal/quote"
)

const (
	maxDocumentSize = 1 << 20 // after decompression
	maxRedirects    = 3
)

// source says where a key document is: at a fixed URL, or where the authority's metadata says.
type source struct {
	keysURL     string
	metadataURL string
	check       func(keydoc.Metadata) error
}

func (s source) url() string {
	if s.metadataURL != "" {
		return s.metadataURL
	}
	return s.keysURL
}

// fetched is what a good fetch brought.
type fetched struct {
	keys    []*key
	issuer  string
	skipped []error
}

// get fetches the document. Metadata and keys succeed or fail together.
func (s source) get(ctx context.Context, f *fetcher) (got *fetched, err error) {
	// A panicking transport would take down the process here, where no server recovers it.
	defer func() {
		if p := recover(); p != nil {
			got, err = nil, fmt.Errorf("the HTTP client panicked: %v", p)
		}
	}()
	got = new(fetched)
	url := s.keysURL
	if s.metadataURL != "" {
		body, err := f.get(ctx, s.metadataURL)
		if err != nil {
			return nil, err
		}
		metadata, err := keydoc.ParseMetadata(body)
		if err == nil {
			err = s.check(metadata)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.metadataURL, err)
		}
		url, got.issuer = metadata.KeysURL, metadata.Issuer
	}
	body, err := f.get(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := got.read(body); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return got, nil
}

func (got *fetched) read(body []byte) error {
	keys, skipped, err := keydoc.Parse(body)
	got.skipped = skipped
	if err != nil {
		return err
	}
	for _, doc := range keys {
		k, err := newKey(doc)
		if err != nil {
			got.skipped = append(got.skipped, fmt.Errorf("key %s: %w", quote.Text(doc.ID), err))
			continue
		}
		got.keys = append(got.keys, k)
	}
	if len(got.keys) == 0 {
		return fmt.Errorf("the key document names %d keys and none is usable; the first: %w", len(keys), got.skipped[0])
	}
	return nil
}

// fetcher gets documents over https, from the host that was asked and no other.
type fetcher struct {
	client http.Client
}

func newFetcher(given *http.Client) *fetcher {
	f := new(fetcher)
	if given != nil {
		f.client = *given
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		f.client.Transport = t.Clone()
	}
	inner := f.client.CheckRedirect
	f.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
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
	if f.client.Timeout <= 0 || f.client.Timeout > fetchTimeout {
		f.client.Timeout = fetchTimeout
	}
	return f
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

// retryAfter is how long the answer that err tells of asked to wait.
func retryAfter(err error) time.Duration {
	var status *statusError
	if errors.As(err, &status) {
		return status.retryAfter
	}
	return 0
}

func (f *fetcher) get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	response, err := f.client.Do(r)
	if err != nil {
		return nil, clientError(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{url, response.StatusCode, parseRetryAfter(response.Header.Get("Retry-After"))}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxDocumentSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", url, err)
	}
	if len(body) > maxDocumentSize {
		return nil, fmt.Errorf("%s: the answer is larger than %d bytes", url, maxDocumentSize)
	}
	return body, nil
}

// clientError keeps short what the client says of an answer: the answer may be anybody's.
func clientError(err error) error {
	const limit = 256
	if text := err.Error(); len(text) > limit {
		return fmt.Errorf("%s... (%w)", strconv.QuoteToASCII(text[:limit]), errLongText)
	}
	return err
}

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
