package entra_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// faultAnswer answers every request for keys with this status and body.
func faultAnswer(status int, body string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body) //nolint:errcheck // The reader may have had enough.
		})
	}
}

// faultRedirect answers requests for keys with a redirect, and hands the document out at every other path.
func faultRedirect(status int, location string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		})
	}
}

// faults are the answers that must change nothing.
func faults() map[string]func(*entratest.Server) {
	const utf16 = "\xff\xfe{\x00\"\x00"
	return map[string]func(*entratest.Server){
		"refused connections":        (*entratest.Server).Down,
		"no answer":                  (*entratest.Server).HangKeys,
		"an answer after a minute":   func(s *entratest.Server) { s.DelayKeys(time.Minute) },
		"status 500":                 func(s *entratest.Server) { s.FailKeys(500) },
		"status 503":                 func(s *entratest.Server) { s.FailKeys(503) },
		"status 429":                 func(s *entratest.Server) { s.FailKeys(429) },
		"status 404":                 func(s *entratest.Server) { s.FailKeys(404) },
		"status 304":                 faultAnswer(304, ""),
		"status 204":                 faultAnswer(204, ""),
		"status 203 with a document": faultAnswer(203, `{"keys":[]}`),
		"status 206 with a document": faultAnswer(206, `{"keys":[]}`),
		"status 401":                 func(s *entratest.Server) { s.FailKeys(401) },

		"nothing":                    faultAnswer(200, ""),
		"white space":                faultAnswer(200, " \n"),
		"HTML":                       faultAnswer(200, "<!DOCTYPE html><title>Sign in</title>"),
		"an empty object":            faultAnswer(200, `{}`),
		"no keys":                    faultAnswer(200, `{"keys":[]}`),
		"keys null":                  faultAnswer(200, `{"keys":null}`),
		"keys an object":             faultAnswer(200, `{"keys":{}}`),
		"keys a string":              faultAnswer(200, `{"keys":"x"}`),
		"keys under another name":    faultAnswer(200, `{"Keys":[{}]}`),
		"keys twice":                 faultTwice,
		"null":                       faultAnswer(200, `null`),
		"an array":                   faultAnswer(200, `[]`),
		"a number":                   faultAnswer(200, `1`),
		"an error as JSON":           faultAnswer(200, `{"error":"invalid_tenant","error_description":"AADSTS90002"}`),
		"UTF-16":                     faultAnswer(200, utf16),
		"a byte order mark":          faultEdit(func(s string) string { return "\ufeff" + s }),
		"text behind the document":   faultEdit(func(s string) string { return s + "x" }),
		"two documents":              faultEdit(func(s string) string { return s + s }),
		"a document cut in half":     faultEdit(func(s string) string { return s[:len(s)/2] }),
		"a document without its end": faultEdit(func(s string) string { return s[:len(s)-1] }),
		"only odd keys":              faultAnswer(200, `{"keys":[{"kty":"EC","kid":"x"},{},null,7]}`),
		"a million arrays":           faultAnswer(200, `{"keys":`+strings.Repeat("[", 1_000_000)),
		"a document too large":       faultEdit(func(s string) string { return s + strings.Repeat(" ", 1<<20) }),
		"an endless document":        faultEndless,
		"a gzip bomb":                faultBomb,
		"broken gzip":                faultBrokenGzip,
		"a connection that breaks":   faultBreak,
		"a document byte by byte":    faultDrip,

		"a redirect to http":                   faultRedirect(302, "http://login.microsoftonline.com/keys"),
		"a redirect to another host":           faultRedirect(301, "https://evil.example/keys"),
		"a redirect to another host of Entra":  faultRedirect(302, "https://login.windows.net/common/discovery/v2.0/keys"),
		"a redirect to another port":           faultRedirect(302, "https://login.microsoftonline.com:8443/keys"),
		"a redirect to loopback":               faultRedirect(307, "https://127.0.0.1/keys"),
		"a redirect to loopback over http":     faultRedirect(308, "http://localhost:8080/keys"),
		"a redirect to the machine's metadata": faultRedirect(302, "http://169.254.169.254/metadata/identity"),
		"a redirect to a file":                 faultRedirect(302, "file:///etc/passwd"),
		"a redirect to nowhere":                faultRedirect(302, ""),
		"a redirect to itself":                 faultRedirect(302, "/x/discovery/v2.0/keys"),
		"a redirect that is no URL":            faultRedirect(302, "https://[::1"),
	}
}

// faultEdit changes the text of the document.
func faultEdit(edit func(string) string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		key, _ := s.Key().With("x5c", nil).JWK()["n"].(string)
		good := fmt.Sprintf(`{"keys":[{"kty":"RSA","use":"sig","kid":%q,"n":%q,"e":"AQAB"}]}`, s.Key().ID(), key)
		faultAnswer(200, edit(good))(s)
	}
}

func faultTwice(s *entratest.Server) {
	faultEdit(func(good string) string { return `{"keys":[],` + good[1:] })(s)
}

func faultEndless(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(`{"keys":[`, 1000)); err != nil {
				return
			}
		}
	})
}

func faultBomb(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		blanks := strings.Repeat(" ", 1<<20)
		for range 100 { // 100 MiB of white space in 100 KB.
			if _, err := io.WriteString(packed, blanks); err != nil {
				return
			}
		}
		packed.Close() //nolint:errcheck // The reader has had enough long before.
	})
}

func faultBrokenGzip(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, `{"keys":[]}`) //nolint:errcheck // The reader may have had enough.
	})
}

func faultBreak(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"keys":[`) //nolint:errcheck // It breaks off anyway.
		panic(http.ErrAbortHandler)
	})
}

// faultDrip sends a good document, so slowly that it never ends in time.
func faultDrip(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range []byte(`{"keys":[{"kty":"RSA"}]}`) {
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
			if _, err := w.Write([]byte{c}); err != nil {
				return
			}
			http.NewResponseController(w).Flush() //nolint:errcheck // Not every writer has one.
		}
	})
}

// faultSwallow takes requests and answers none of them, not even later: a network that loses what it is given.
func faultSwallow(s *entratest.Server) {
	s.AnswerKeys(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// faultLog is a logger's handler that keeps what it is told.
type faultLog struct {
	mu    sync.Mutex
	lines []string
}

func (*faultLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *faultLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *faultLog) WithGroup(string) slog.Handler { return l }

func (l *faultLog) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	l.lines = append(l.lines, line)
	return nil
}

// take returns the lines since the last call.
func (l *faultLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

func TestAFaultOfTheKeyDocumentDropsNothing(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			log := new(faultLog)
			jwksBubble(t, func(o *entra.Options) { o.Logger = slog.New(log) }, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
				jwksWant(t, v, lasting, keyAccepted)
				before := v.Stats()
				log.take()
				time.Sleep(2 * time.Hour)
				fault(tenant)
				jwksWant(t, v, lasting, keyAccepted)
				time.Sleep(15 * time.Second) // The refresh has ended by now.
				after := v.Stats()
				if after.Keys != before.Keys || after.LastFetch != before.LastFetch {
					t.Errorf("got %d keys of %v, want %d of %v", after.Keys, after.LastFetch, before.Keys, before.LastFetch)
				}
				if after.Fetches != before.Fetches+1 || after.FetchFailures != before.FetchFailures+1 {
					t.Errorf("got %d fetches, %d failed, want one more failure than %d, %d", after.Fetches, after.FetchFailures, before.Fetches, before.FetchFailures)
				}
				lines := log.take()
				if len(lines) != 1 || !strings.HasPrefix(lines[0], "WARN ") || len(lines[0]) > 1000 {
					t.Errorf("got log lines %q, want one short one of level WARN", lines)
				}
				jwksWant(t, v, lasting, keyAccepted)
				jwksWant(t, v, tenant.Token(), keyAccepted)
				testbed.WantOneHost(t, tenant)
			})
		})
	}
}

// With keys held, nobody notices that the fetch for an unknown key fails; without keys everybody gets 503 until 10
// seconds after Entra's return at the latest.
func TestAFaultOfTheKeyDocumentIsA503WithoutKeysAndA401WithThem(t *testing.T) {
	all := faults()
	all["requests that get lost"] = faultSwallow
	for name, fault := range all {
		t.Run(name, func(t *testing.T) {
			jwksBubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				held := testbed.NewVerifier(t, tenant, nil)
				jwksWant(t, held, tenant.Token(), keyAccepted)
				fault(tenant)
				for range 20 {
					faultAsk(t, held, floodToken(), "unknown_key")
					faultAsk(t, v, tenant.Token(), "keys_unavailable")
					if err := v.Ready(t.Context()); !errors.Is(err, entra.ErrKeysUnavailable) {
						t.Errorf("Ready: got %v, want ErrKeysUnavailable", err)
					}
					time.Sleep(1300 * time.Millisecond)
				}
				go v.Verify(t.Context(), tenant.Token()) //nolint:errcheck // It starts a fetch just before the return.
				time.Sleep(time.Millisecond)
				tenant.Restore()
				time.Sleep(10 * time.Second)
				faultAsk(t, v, tenant.Token(), keyAccepted)
				if err := v.Ready(t.Context()); err != nil {
					t.Errorf("Ready: got %v, want no error", err)
				}
			})
		})
	}
}

// faultAsk sends token through Authenticate; whatever Entra does, the answer is there within 10 seconds.
func faultAsk(t *testing.T, v *entra.Verifier, token, want string) {
	t.Helper()
	var reached testbed.Spy
	start := time.Now()
	w := testbed.Serve(v.Authenticate(&reached), "Bearer "+token)
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("the request took %v, want 10s at most", waited)
	}
	status, calls := map[string]int{keyAccepted: 200, "unknown_key": 401, "keys_unavailable": 503}[want], 0
	if want == keyAccepted {
		calls = 1
	}
	if w.Code != status || reached.Calls != calls || status != 200 && !strings.Contains(w.Body.String(), `"`+want+`"`) {
		t.Errorf("got status %d and %d calls, want %d and %d for %s: %s", w.Code, reached.Calls, status, calls, want, w.Body)
	}
	retry, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if ok := err == nil && retry >= 1 && retry <= 5; ok != (status == 503) {
		t.Errorf("got Retry-After %q with status %d, want 1 to 5 with 503 alone", w.Header().Get("Retry-After"), status)
	}
	if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (status == 401) {
		t.Errorf("got challenge %q with status %d, want one with 401 alone", challenge, status)
	}
	synctest.Wait()
}
