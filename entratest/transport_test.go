package entratest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra/entratest"
)

func TestClientReachesMicrosoftHostsOnly(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name, url, refusal string
	}{
		{"the login host", "https://login.microsoftonline.com/common/discovery/keys", ""},
		{"the login host with its port", "https://login.microsoftonline.com:443/common/discovery/keys", ""},
		{"the login host in capitals", "https://LOGIN.microsoftonline.com/common/discovery/keys", ""},
		{"an alias", "https://login.windows.net/common/discovery/keys", ""},
		{"a stranger", "https://example.com/common/discovery/keys", "nothing was sent"},
		{"a look-alike", "https://login.microsoftonline.com.example.com/x", "nothing was sent"},
		{"another port", "https://login.microsoftonline.com:8443/x", "nothing was sent"},
		{"plain http", "http://login.microsoftonline.com/common/discovery/keys", "https only"},
		{"another cloud", "https://login.microsoftonline.us/common/discovery/keys", "USGovernment"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := len(tenant.Requests())
			response, err := tenant.Client().Get(row.url)
			if err == nil {
				response.Body.Close()
			}
			if got := err != nil; got != (row.refusal != "") {
				t.Fatalf("got error %v, want %q", err, row.refusal)
			}
			if err != nil && !strings.Contains(err.Error(), row.refusal) {
				t.Errorf("got %q, want it to say %q", err, row.refusal)
			}
			if got := len(tenant.Requests()) - before; got != 1 {
				t.Errorf("got %d recorded requests, want 1", got)
			}
		})
	}
}

func TestRequestsSayWhatWasHit(t *testing.T) {
	tenant := entratest.New(t)
	get(t, tenant.Client(), loginHost+entratest.TenantID+keysPath+"?appid="+entratest.APIClientID)
	get(t, tenant.Client(), loginHost+entratest.TenantID+configPath)
	got := tenant.Requests()
	if len(got) != 2 || tenant.KeyRequests() != 1 {
		t.Fatalf("got %d requests, %d for keys; want 2 and 1", len(got), tenant.KeyRequests())
	}
	first := got[0]
	first.Time = time.Time{}
	want := entratest.Request{Method: "GET", Host: "login.microsoftonline.com",
		Path: "/" + entratest.TenantID + keysPath, Query: "appid=" + entratest.APIClientID}
	if first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
}

func TestTransportEndsWithTheContext(t *testing.T) {
	faults := map[string]func(*entratest.Server){
		"HangKeys":  (*entratest.Server).HangKeys,
		"DelayKeys": func(s *entratest.Server) { s.DelayKeys(time.Hour) },
		"a handler that ignores the context": func(s *entratest.Server) {
			s.AnswerKeys(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Hour) })
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := entratest.New(t)
				fault(tenant)
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				request, _ := http.NewRequestWithContext(ctx, "GET", loginHost+"common"+keysPath, nil)
				response, err := tenant.Client().Do(request)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, %v; want DeadlineExceeded", response, err)
				}
				client := tenant.Client()
				client.Timeout = 2 * time.Second
				if _, err := client.Get(loginHost + "common" + keysPath); err == nil {
					t.Error("client with a timeout: got no error")
				}
				if got, want := time.Since(start), 5*time.Second; got != want {
					t.Errorf("both calls took %v of the bubble's time, want %v", got, want)
				}
				time.Sleep(time.Hour) // Let the deaf handler end; the bubble waits for it.
			})
		})
	}
}

func TestHangingRequestsGoOnAfterRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.HangKeys()
		time.AfterFunc(time.Minute, tenant.Restore)
		start := time.Now()
		if got := kids(t, tenant.Client(), loginHost+"organizations"+keysPath); len(got) == 0 {
			t.Error("got no keys after Restore")
		}
		if got := time.Since(start); got != time.Minute {
			t.Errorf("waited %v, want %v", got, time.Minute)
		}
		tenant.DelayKeys(5 * time.Second)
		if got := kids(t, tenant.Client(), loginHost+"organizations"+keysPath); len(got) == 0 {
			t.Error("got no keys after the delay")
		}
		if got, want := time.Since(start), time.Minute+5*time.Second; got != want {
			t.Errorf("waited %v, want %v", got, want)
		}
	})
}

func TestFaultsInProcess(t *testing.T) {
	tenant := entratest.New(t)
	url := loginHost + "common" + keysPath
	tenant.FailKeys(http.StatusServiceUnavailable)
	if response, _ := get(t, tenant.Client(), url); response.StatusCode != 503 {
		t.Errorf("FailKeys: got %d, want 503", response.StatusCode)
	}
	if response, _ := get(t, tenant.Client(), loginHost+"common"+configPath); response.StatusCode != 200 {
		t.Errorf("FailKeys: metadata got %d, want 200", response.StatusCode)
	}
	tenant.AnswerKeys(nil)
	tenant.AnswerMetadata(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if response, _ := get(t, tenant.Client(), loginHost+"common"+configPath); response.StatusCode != http.StatusTeapot {
		t.Errorf("AnswerMetadata: got %d, want 418", response.StatusCode)
	}
	if response, _ := get(t, tenant.Client(), url); response.StatusCode != 200 {
		t.Errorf("keys: got %d, want 200", response.StatusCode)
	}
	tenant.Down()
	if _, err := tenant.Client().Get(url); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Down: got %v, want connection refused", err)
	}
	tenant.Restore()
	if response, _ := get(t, tenant.Client(), loginHost+"common"+configPath); response.StatusCode != 200 {
		t.Errorf("Restore: got %d, want 200", response.StatusCode)
	}
	tenant.AnswerKeys(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := tenant.Client().Get(url); err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("an aborting handler: got %v, want a connection broken off", err)
	}
}

func TestBodiesAreStreamedAndUnpacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		client := tenant.Client()
		client.Timeout = 10 * time.Second
		tenant.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"keys":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		response, err := client.Get(loginHost + "common" + keysPath)
		if err != nil {
			t.Fatalf("a body that hangs: got %v before its first byte", err)
		}
		if _, err := io.ReadAll(response.Body); err == nil {
			t.Error("a body that hangs was read to its end")
		}
		response.Body.Close()

		tenant.AnswerKeys(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Accept-Encoding"); got != "gzip" {
				t.Errorf("got Accept-Encoding %q, want gzip", got)
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(bytes.Repeat([]byte{' '}, 1<<22))
			z.Close()
		})
		response, body := get(t, client, loginHost+"common"+keysPath)
		if len(body) != 1<<22 || !response.Uncompressed {
			t.Errorf("got %d bytes, uncompressed %v; want %d, true", len(body), response.Uncompressed, 1<<22)
		}
	})
}
