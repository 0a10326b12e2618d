package faults_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// answer returns a fault that answers requests for keys with this status and body.
func answer(status int, body string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body) //nolint:errcheck // The reader may have had enough.
		})
	}
}

// redirect returns a fault that answers requests for keys with a redirect.
func redirect(status int, location string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		})
	}
}

// badAnswers returns the faults of a key document, by their names. None may change anything about the keys held.
func badAnswers() map[string]func(*entratest.Server) {
	const utf16 = "\xff\xfe{\x00\"\x00"
	return map[string]func(*entratest.Server){
		"refused connections":        (*entratest.Server).Down,
		"no answer":                  (*entratest.Server).HangKeys,
		"an answer after a minute":   func(s *entratest.Server) { s.DelayKeys(time.Minute) },
		"status 500":                 func(s *entratest.Server) { s.FailKeys(500) },
		"status 503":                 func(s *entratest.Server) { s.FailKeys(503) },
		"status 429":                 func(s *entratest.Server) { s.FailKeys(429) },
		"status 404":                 func(s *entratest.Server) { s.FailKeys(404) },
		"status 304":                 answer(304, ""),
		"status 204":                 answer(204, ""),
		"status 203 with a document": answer(203, `{"keys":[]}`),
		"status 206 with a document": answer(206, `{"keys":[]}`),
		"status 401":                 func(s *entratest.Server) { s.FailKeys(401) },

		"nothing":                    answer(200, ""),
		"white space":                answer(200, " \n"),
		"HTML":                       answer(200, "<!DOCTYPE html><title>Sign in</title>"),
		"an empty object":            answer(200, `{}`),
		"no keys":                    answer(200, `{"keys":[]}`),
		"keys null":                  answer(200, `{"keys":null}`),
		"keys an object":             answer(200, `{"keys":{}}`),
		"keys a string":              answer(200, `{"keys":"x"}`),
		"keys under another name":    answer(200, `{"Keys":[{}]}`),
		"keys twice":                 keysTwice,
		"null":                       answer(200, `null`),
		"an array":                   answer(200, `[]`),
		"a number":                   answer(200, `1`),
		"an error as JSON":           answer(200, `{"error":"invalid_tenant","error_description":"AADSTS90002"}`),
		"UTF-16":                     answer(200, utf16),
		"a byte order mark":          editDocument(func(s string) string { return "\ufeff" + s }),
		"text behind the document":   editDocument(func(s string) string { return s + "x" }),
		"two documents":              editDocument(func(s string) string { return s + s }),
		"a document cut in half":     editDocument(func(s string) string { return s[:len(s)/2] }),
		"a document without its end": editDocument(func(s string) string { return s[:len(s)-1] }),
		"only odd keys":              answer(200, `{"keys":[{"kty":"EC","kid":"x"},{},null,7]}`),
		"a million arrays":           answer(200, `{"keys":`+strings.Repeat("[", 1_000_000)),
		"a document too large":       editDocument(func(s string) string { return s + strings.Repeat(" ", 1<<20) }),
		"an endless document":        endless,
		"a gzip bomb":                gzipBomb,
		"broken gzip":                brokenGzip,
		"a connection that breaks":   breakOff,
		"a document byte by byte":    drip,

		"a redirect to http":                   redirect(302, "http://login.microsoftonline.com/keys"),
		"a redirect to another host":           redirect(301, "https://evil.example/keys"),
		"a redirect to another host of Entra":  redirect(302, "https://login.windows.net/common/discovery/v2.0/keys"),
		"a redirect to another port":           redirect(302, "https://login.microsoftonline.com:8443/keys"),
		"a redirect to loopback":               redirect(307, "https://127.0.0.1/keys"),
		"a redirect to loopback over http":     redirect(308, "http://localhost:8080/keys"),
		"a redirect to the machine's metadata": redirect(302, "http://169.254.169.254/metadata/identity"),
		"a redirect to a file":                 redirect(302, "file:///etc/passwd"),
		"a redirect to nowhere":                redirect(302, ""),
		"a redirect to itself":                 redirect(302, "/x/discovery/v2.0/keys"),
		"a redirect that is no URL":            redirect(302, "https://[::1"),
	}
}

// editDocument returns a fault that serves a good document after edit has changed its text.
func editDocument(edit func(string) string) func(*entratest.Server) {
	return func(s *entratest.Server) {
		key, _ := s.Key().With("x5c", nil).JWK()["n"].(string)
		good := fmt.Sprintf(`{"keys":[{"kty":"RSA","use":"sig","kid":%q,"n":%q,"e":"AQAB"}]}`, s.Key().ID(), key)
		answer(200, edit(good))(s)
	}
}

func keysTwice(s *entratest.Server) {
	editDocument(func(good string) string { return `{"keys":[],` + good[1:] })(s)
}

func endless(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(`{"keys":[`, 1000)); err != nil {
				return
			}
		}
	})
}

func gzipBomb(s *entratest.Server) {
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

func brokenGzip(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, `{"keys":[]}`) //nolint:errcheck // The reader may have had enough.
	})
}

func breakOff(s *entratest.Server) {
	s.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"keys":[`) //nolint:errcheck // It breaks off anyway.
		panic(http.ErrAbortHandler)
	})
}

// drip sends a good document, so slowly that it never ends in time.
func drip(s *entratest.Server) {
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

// loseRequests answers no request, ever: a network that drops packets.
func loseRequests(s *entratest.Server) {
	s.AnswerKeys(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

func TestAFaultOfTheKeyDocumentDropsNothing(t *testing.T) {
	for name, fault := range badAnswers() {
		t.Run(name, func(t *testing.T) {
			journal := &testbed.Journal{Level: slog.LevelDebug}
			bubble(t, func(o *entra.Options) { o.Logger = slog.New(journal) }, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				lasting := tenant.Token(entratest.Lifetime(24 * time.Hour))
				expect(t, v, lasting, accepted)
				before := v.Stats()
				logged := len(journal.Lines())
				time.Sleep(2 * time.Hour)
				fault(tenant)
				expect(t, v, lasting, accepted)
				time.Sleep(15 * time.Second) // The refresh has ended by now.
				after := v.Stats()
				if after.Keys != before.Keys || after.LastFetch != before.LastFetch {
					t.Errorf("got %d keys of %v, want %d of %v", after.Keys, after.LastFetch, before.Keys, before.LastFetch)
				}
				if after.Fetches != before.Fetches+1 || after.FetchFailures != before.FetchFailures+1 {
					t.Errorf("got %d fetches, %d failed, want one more failure than %d, %d", after.Fetches, after.FetchFailures, before.Fetches, before.FetchFailures)
				}
				if lines := journal.Lines()[logged:]; len(lines) != 1 || lines[0]["(level)"] != "WARN" || len(fmt.Sprint(lines[0])) > 1000 {
					t.Errorf("got log lines %q, want one short one of level WARN", lines)
				}
				expect(t, v, lasting, accepted)
				expect(t, v, tenant.Token(), accepted)
				testbed.WantOneHost(t, tenant)
			})
		})
	}
}

// While keys are held, a token of an unknown key is refused with 401 whether the fetch for it fails or not. Without keys
// every token gets 503, until 10 seconds after Entra's return at the latest.
func TestAFaultOfTheKeyDocumentIsA503WithoutKeysAndA401WithThem(t *testing.T) {
	all := badAnswers()
	all["requests that get lost"] = loseRequests
	for name, fault := range all {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				held := testbed.NewVerifier(t, tenant, nil)
				expect(t, held, tenant.Token(), accepted)
				fault(tenant)
				for range 20 {
					ask(t, held, junkToken(), "unknown_key")
					ask(t, v, tenant.Token(), "keys_unavailable")
					if err := v.Ready(t.Context()); !errors.Is(err, entra.ErrKeysUnavailable) {
						t.Errorf("Ready: got %v, want ErrKeysUnavailable", err)
					}
					time.Sleep(1300 * time.Millisecond)
				}
				go v.Verify(t.Context(), tenant.Token()) //nolint:errcheck // It starts a fetch just before the return.
				time.Sleep(time.Millisecond)
				tenant.Restore()
				time.Sleep(10 * time.Second)
				ask(t, v, tenant.Token(), accepted)
				if err := v.Ready(t.Context()); err != nil {
					t.Errorf("Ready: got %v, want no error", err)
				}
			})
		})
	}
}

// ask sends token through Authenticate and checks the answer, which must be there within 10 seconds.
func ask(t *testing.T, v *entra.Verifier, token, want string) {
	t.Helper()
	var reached testbed.Spy
	start := time.Now()
	w := testbed.Serve(v.Authenticate(&reached), "Bearer "+token)
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("the request took %v, want 10s at most", waited)
	}
	status, calls := map[string]int{accepted: 200, "unknown_key": 401, "keys_unavailable": 503}[want], 0
	if want == accepted {
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
