package fetch_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/tests/testbed"
)

const address = "https://login.microsoftonline.com/common/discovery/v2.0/keys"

// answering returns a client that answers each request so.
func answering(answer func(w http.ResponseWriter, r *http.Request)) *http.Client {
	return testbed.Client(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		answer(w, r)
		response := w.Result()
		response.Request = r
		return response, nil
	})
}

func TestGet(t *testing.T) {
	const limit = 1 << 20
	body := func(status int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte(text)) //nolint:errcheck // A recorder takes all.
		}
	}
	tests := map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   int    // bytes; -1 for an error
		says   string // the error
	}{
		"a document":              {body(200, "{}"), 2, ""},
		"an empty document":       {body(200, ""), 0, ""},
		"as large as it may be":   {body(200, strings.Repeat(" ", limit)), limit, ""},
		"a byte larger":           {body(200, strings.Repeat(" ", limit+1)), -1, "larger than 1048576 bytes"},
		"status 203":              {body(203, "{}"), -1, "status 203"},
		"status 206":              {body(206, "{}"), -1, "status 206"},
		"status 304":              {body(304, ""), -1, "status 304"},
		"status 404":              {body(404, "{}"), -1, "status 404"},
		"status 500":              {body(500, "{}"), -1, "status 500"},
		"status 302 to nowhere":   {body(302, ""), -1, "302"},
		"the request is for JSON": {func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Header.Get("Accept"))) }, len("application/json"), ""}, //nolint:errcheck // A recorder takes all.
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := fetch.New(answering(test.answer)).Get(t.Context(), address)
			if test.want >= 0 && (err != nil || len(got) != test.want) {
				t.Errorf("got %d bytes and %v, want %d", len(got), err, test.want)
			}
			if test.want < 0 && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("got %d bytes and %v, want an error that says %q", len(got), err, test.says)
			}
		})
	}
}

// The limit is for what is read, not for what is sent.
func TestTheSizeIsThatAfterDecompression(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		packed.Write(make([]byte, 2<<20)) //nolint:errcheck // The reader may have had enough.
		packed.Close()                    //nolint:errcheck // The reader may have had enough.
	}))
	defer server.Close()
	if got, err := fetch.New(server.Client()).Get(t.Context(), server.URL); err == nil {
		t.Errorf("got %d bytes, want an error", len(got))
	}
}

// RFC 9110 section 10.2.3: a number of seconds, or a date.
func TestRetryAfter(t *testing.T) {
	date := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	tests := map[string]struct {
		status int
		value  func() string
		want   time.Duration
	}{
		"429 with 3 seconds":          {429, text("3"), 3 * time.Second},
		"503 with 3 seconds":          {503, text("3"), 3 * time.Second},
		"500 with 3 seconds":          {500, text("3"), 3 * time.Second},
		"no seconds":                  {429, text("0"), 0},
		"an hour":                     {429, text("3600"), time.Hour},
		"2^31 seconds":                {429, text("2147483648"), (1<<31 - 1) * time.Second},
		"more than a number can hold": {429, text("99999999999999999999999"), (1<<31 - 1) * time.Second},
		"a date in 20 seconds":        {429, date(20 * time.Second), 20 * time.Second},
		"a date tomorrow":             {503, date(24 * time.Hour), 24 * time.Hour},
		"a date now":                  {503, date(0), 0},
		"a date yesterday":            {503, date(-24 * time.Hour), 0},
		"no value":                    {429, text(""), 0},
		"a negative number":           {429, text("-30"), 0},
		"a number with a sign":        {429, text("+30"), 0},
		"a fraction":                  {429, text("30.5"), 0},
		"white space around":          {429, text(" 30 "), 0},
		"no number and no date":       {429, text("soon"), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := fetch.New(answering(func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Retry-After"] = []string{test.value()}
					w.WriteHeader(test.status)
				})).Get(t.Context(), address)
				if got := fetch.RetryAfter(err); err == nil || got != test.want {
					t.Errorf("got %v (%v), want %v", got, err, test.want)
				}
			})
		})
	}
	if got := fetch.RetryAfter(errors.New("connection refused")); got != 0 {
		t.Errorf("another error: got %v, want no wait", got)
	}
}

// Wherever a redirect leads, a document there would be as good as one from Entra: nobody may ask for it.
func TestRedirectsElsewhereAreNotFollowed(t *testing.T) {
	const host = "login.microsoftonline.com"
	for _, location := range []string{
		"http://" + host + "/keys", "//evil.example/keys", "https://evil.example/keys", "https://" + host + ".evil.example/keys", "https://" + host + "@evil.example/keys",
		"https://login.windows.net/keys", "https://" + host + ":8443/keys", "https://" + host + "./keys", "https://127.0.0.1/keys", "http://localhost/keys",
		"https://[::1]/keys", "http://169.254.169.254/keys", "ftp://" + host + "/keys", "HTTP://" + host + "/keys",
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			var asked []string
			client := answering(func(w http.ResponseWriter, r *http.Request) {
				if asked = append(asked, r.URL.String()); len(asked) == 1 {
					w.Header().Set("Location", location)
					w.WriteHeader(status)
				}
			})
			if got, err := fetch.New(client).Get(t.Context(), address); err == nil || len(asked) != 1 {
				t.Errorf("%d to %s: got %q and %v after requests for %v, want an error after one", status, location, got, err, asked)
			}
		}
	}
}

// A context without an end bounds nothing, so the client itself must.
func TestAFetchEndsAfterTenSeconds(t *testing.T) {
	hang := testbed.RoundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for given, want := range map[time.Duration]time.Duration{0: fetch.Timeout, time.Second: time.Second, time.Hour: fetch.Timeout, -1: fetch.Timeout} {
		t.Run(given.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, start := fetch.New(&http.Client{Transport: hang, Timeout: given}), time.Now()
				if _, err := client.Get(context.Background(), address); err == nil {
					t.Error("got no error, want one")
				}
				if took := time.Since(start); took != want {
					t.Errorf("got an end after %v, want it after %v", took, want)
				}
			})
		})
	}
}

func TestAClientIsCopied(t *testing.T) {
	given := answering(func(http.ResponseWriter, *http.Request) {})
	given.Timeout = time.Hour
	if _, err := fetch.New(given).Get(t.Context(), address); err != nil || given.Timeout != time.Hour || given.CheckRedirect != nil {
		t.Errorf("got %v and the client %+v, want no error and the client as it was", err, given)
	}
}

// The text of an error may hold what an answer says, and an answer may be anybody's.
func TestErrorsOfTheClientAreCut(t *testing.T) {
	client := testbed.Client(func(*http.Request) (*http.Response, error) { return nil, errors.New(strings.Repeat("\x00é", 1<<20)) })
	_, err := fetch.New(client).Get(t.Context(), address)
	if err == nil || len(err.Error()) > 1100 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("got %.200q, want a short text of printable ASCII", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fetch.New(nil).Get(ended, address); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: got %v, want its error", err)
	}
}

// Short texts are anybody's too, and so is what comes after the header.
func TestErrorsOfTheClientArePrintable(t *testing.T) {
	printable := func(text string) bool {
		return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	}
	for name, words := range map[string]string{
		"an escape sequence":     "Forbidden\x1b[2J",
		"a line break":           "Forbidden\nentra: all is well",
		"reversed text":          "Forbidden \u202egnp",
		"a control of Latin-1":   "Forbidden\u009b2J",
		"a byte that is no rune": "Forbidden\x9b2J",
		"a long text":            "Forbidden\x1b" + strings.Repeat("x", 1<<20),
	} {
		refuses := testbed.Client(func(*http.Request) (*http.Response, error) { return nil, errors.New(words) })
		breaksOff := testbed.Client(func(r *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader("{"), iotest.ErrReader(errors.New(words)))
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: r}, nil
		})
		for where, client := range map[string]*http.Client{"before the answer": refuses, "in the answer": breaksOff} {
			_, err := fetch.New(client).Get(t.Context(), address)
			if err == nil || len(err.Error()) > 1100 || !printable(err.Error()) || !strings.Contains(err.Error(), "Forbidden") {
				t.Errorf("%s %s: got %.200q, want a short printable text that begins as this one", name, where, err)
			}
		}
	}
	const words = "der Name läßt sich nicht auflösen" // as of a system that speaks German
	client := testbed.Client(func(*http.Request) (*http.Response, error) { return nil, errors.New(words) })
	if _, err := fetch.New(client).Get(t.Context(), address); err == nil || !strings.HasSuffix(err.Error(), ": "+words) {
		t.Errorf("got %v, want the words as they are", err)
	}
}
