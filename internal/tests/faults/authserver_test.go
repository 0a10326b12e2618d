package faults_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

const serversURL = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0/.well-known/openid-configuration"

// entraServer is Entra as far as it publishes metadata: how it answers, and how often it was asked.
type entraServer struct {
	mu     sync.Mutex
	answer testbed.RoundTrip
	asked  int
}

func (e *entraServer) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	e.asked++
	answer := e.answer
	e.mu.Unlock()
	return answer(r)
}

func (e *entraServer) set(answer testbed.RoundTrip) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *entraServer) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// says answers with a document whose member v tells versions apart.
func says(version string) testbed.RoundTrip {
	return func(r *http.Request) (*http.Response, error) {
		return testbed.Response(r, http.StatusOK, `{"issuer":"https://login.microsoftonline.com/t/v2.0","v":"`+version+`"}`), nil
	}
}

func away(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func answers(status int, header, value string) testbed.RoundTrip {
	return func(r *http.Request) (*http.Response, error) {
		response := testbed.Response(r, status, "")
		response.Header.Set(header, value)
		return response, nil
	}
}

// metadataOf returns an API's handler of its authorization server's metadata.
func metadataOf(t *testing.T, e *entraServer) http.Handler {
	t.Helper()
	const own = "https://api.contoso.example/mcp"
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Logger: testbed.Discard(),
		Resource: own, AuthorizationServers: []string{own}, HTTPClient: &http.Client{Transport: e},
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier.AuthorizationServerMetadata()
}

// wantVersion checks that the document is served, and which.
func wantVersion(t *testing.T, h http.Handler, version string) {
	t.Helper()
	w := testbed.Serve(h)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"v":"`+version+`"`) {
		t.Errorf("got status %d and %s, want version %s", w.Code, w.Body, version)
	}
}

// wantAway checks for a 503, and returns after how many seconds to ask again.
func wantAway(t *testing.T, h http.Handler) int {
	t.Helper()
	w := testbed.Serve(h)
	seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if w.Code != http.StatusServiceUnavailable || err != nil || seconds < 1 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("got status %d and headers %v, want 503 with Retry-After, not to be stored, for any origin", w.Code, w.Header())
	}
	return seconds
}

func wantFetches(t *testing.T, e *entraServer, want int) {
	t.Helper()
	if got := e.count(); got != want {
		t.Errorf("got %d fetches, want %d", got, want)
	}
}

func TestServerMetadataIsFetchedOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &entraServer{answer: says("1")}
		h := metadataOf(t, e)
		for range 100 {
			wantVersion(t, h, "1")
		}
		e.set(says("2"))
		time.Sleep(time.Hour - time.Second)
		wantVersion(t, h, "1")
		wantFetches(t, e, 1)
		time.Sleep(time.Second)
		for range 100 {
			wantVersion(t, h, "2")
		}
		wantFetches(t, e, 2)
	})
}

func TestServerMetadataIsKeptWhileEntraIsAway(t *testing.T) {
	for name, trouble := range map[string]testbed.RoundTrip{
		"refuses connections":  away,
		"answers 500":          answers(500, "X", ""),
		"answers 429":          answers(429, "Retry-After", "86400"),
		"leads elsewhere":      answers(302, "Location", "https://attacker.example/"),
		"leads to plain http":  answers(302, "Location", "http://login.microsoftonline.com/"),
		"answers with no JSON": func(r *http.Request) (*http.Response, error) { return testbed.Response(r, 200, "<html>"), nil },
		"panics":               func(*http.Request) (*http.Response, error) { panic("transport") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &entraServer{answer: says("1")}
				h := metadataOf(t, e)
				wantVersion(t, h, "1")
				e.set(trouble)
				time.Sleep(time.Hour)
				// A day of requests, one every ten seconds: one fetch a minute once the first failures are behind it.
				for range 24 * 60 * 6 {
					time.Sleep(10 * time.Second)
					wantVersion(t, h, "1")
				}
				if got := e.count(); got < 1000 || got > 24*60+10 {
					t.Errorf("got %d fetches in a day, want one a minute", got)
				}
				e.set(says("2"))
				time.Sleep(time.Minute)
				wantVersion(t, h, "2")
			})
		})
	}
}

func TestServerMetadataThatNeverWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &entraServer{answer: away}
		h := metadataOf(t, e)
		for range 50 {
			if seconds := wantAway(t, h); seconds != 1 {
				t.Errorf("got Retry-After %d, want 1", seconds)
			}
		}
		wantFetches(t, e, 1)
		for range 600 {
			time.Sleep(time.Second)
			if seconds := wantAway(t, h); seconds > 5 {
				t.Errorf("got Retry-After %d, want 5 at most", seconds)
			}
		}
		if got := e.count(); got < 100 || got > 130 {
			t.Errorf("got %d fetches in ten minutes, want one in five seconds", got)
		}
		e.set(says("1"))
		time.Sleep(5 * time.Second)
		wantVersion(t, h, "1")
	})
}

func TestServerMetadataHeedsRetryAfterUpToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &entraServer{answer: answers(503, "Retry-After", "4")}
		h := metadataOf(t, e)
		if seconds := wantAway(t, h); seconds != 4 {
			t.Errorf("got Retry-After %d, want 4", seconds)
		}
		time.Sleep(4*time.Second - time.Millisecond)
		wantAway(t, h)
		wantFetches(t, e, 1)
		e.set(answers(503, "Retry-After", "3600"))
		time.Sleep(time.Millisecond)
		if seconds := wantAway(t, h); seconds != 5 {
			t.Errorf("got Retry-After %d, want 5", seconds)
		}
		wantFetches(t, e, 2)
	})
}

func TestServerMetadataOfAnEntraThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &entraServer{answer: hangs}
		h := metadataOf(t, e)
		begin := time.Now()
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() { wantAway(t, h) })
		}
		all.Wait()
		if waited := time.Since(begin); waited > 10*time.Second {
			t.Errorf("got an answer after %v, want one within 10 s", waited)
		}
		wantFetches(t, e, 1)

		e.set(says("1"))
		time.Sleep(5 * time.Second)
		wantVersion(t, h, "1")
		e.set(hangs)
		time.Sleep(time.Hour)
		begin = time.Now()
		for range 20 {
			all.Go(func() { wantVersion(t, h, "1") })
		}
		all.Wait()
		if waited := time.Since(begin); waited > time.Second {
			t.Errorf("got the old document after %v, want it within a second", waited)
		}
		wantFetches(t, e, 3)
		time.Sleep(10 * time.Second) // until the fetch has ended
	})
}

// Anybody may ask for the document: those beyond 1,024 that wait for it are told to come back.
func TestAFloodOfRequestsForServerMetadataDoesNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &entraServer{answer: hangs}
		h := metadataOf(t, e)
		var all sync.WaitGroup
		var waited atomic.Int64
		begin := time.Now()
		for range 3000 {
			all.Go(func() {
				wantAway(t, h)
				if time.Since(begin) > 0 {
					waited.Add(1)
				}
			})
		}
		all.Wait()
		if got := waited.Load(); got != 1024 {
			t.Errorf("got %d requests that waited, want 1024", got)
		}
		wantFetches(t, e, 1)
		e.set(says("1"))
		time.Sleep(5 * time.Second)
		wantVersion(t, h, "1")
	})
}

func TestACallerThatLeavesTakesNobodysServerMetadataAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(r *http.Request) (*http.Response, error) {
			time.Sleep(5 * time.Second)
			return says("1")(r)
		}
		e := &entraServer{answer: slow}
		h := metadataOf(t, e)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if waited := time.Since(begin); waited != time.Second || w.Code != http.StatusServiceUnavailable {
			t.Errorf("got status %d after %v, want 503 when the caller leaves", w.Code, waited)
		}
		wantVersion(t, h, "1")
		wantFetches(t, e, 1)
	})
}

// Requests for the metadata are for the one URL that follows from the options, whatever the request says.
func TestServerMetadataIsFetchedFromOneURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(entraServer)
		e.set(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != serversURL || len(r.Header["Authorization"])+len(r.Header["Cookie"]) > 0 {
				t.Errorf("got a request for %s with headers %v, want %s", r.URL, r.Header, serversURL)
			}
			return says("1")(r)
		})
		h := metadataOf(t, e)
		testbed.ServeRequest(h, nil, func(r *http.Request) {
			r.Host = "attacker.example"
			r.URL.Path = "/.well-known/oauth-authorization-server/../" + entratest.OtherTenantID
			r.Header.Set("Authorization", "Bearer secret")
			r.Header.Set("Cookie", "secret")
			r.Header.Set("X-Forwarded-Host", "attacker.example")
		})
		wantFetches(t, e, 1)
	})
}
