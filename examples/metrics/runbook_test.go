package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// trouble is an API in trouble: its log, its metrics, and what answers its requests.
type trouble struct {
	tenant   *entratest.Server
	log      bytes.Buffer
	verifier *entra.Verifier
	handler  http.Handler
}

func newTrouble(t *testing.T, change func(*entra.Options, *entratest.Server)) *trouble {
	t.Helper()
	now := &trouble{tenant: entratest.New(t)}
	options := entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: now.tenant.Client(),
		Logger:     slog.New(slog.NewTextHandler(&now.log, nil)),
	}
	if change != nil {
		change(&options, now.tenant)
	}
	var err error
	if now.verifier, err = entra.NewVerifier(options); err != nil {
		t.Fatal(err)
	}
	now.handler = now.verifier.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return now
}

func (now *trouble) send(tokens ...string) (status int) {
	for _, token := range tokens {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		now.handler.ServeHTTP(w, r)
		status = w.Code
	}
	return status
}

// metrics returns what Prometheus reads.
func (now *trouble) metrics() string {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(now.verifier))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// runbook returns a section of docs/operations.md.
func runbook(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/operations.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return strings.Join(strings.Fields(section), " ")
}

// Each fault of the runbook is injected: the words that its section tells the operator to look for are those that appear.
func TestTheRunbookNamesWhatAppears(t *testing.T) {
	for _, row := range []struct {
		section string
		options func(*entra.Options, *entratest.Server)
		fault   func(*trouble) (status int)
		status  int
		logs    []string
		metrics []string // as they appear; the runbook has them without their value
	}{
		{
			section: "Entra cannot be reached",
			fault:   func(now *trouble) int { now.tenant.Down(); return now.send(now.tenant.Token()) },
			status:  http.StatusServiceUnavailable,
			logs:    []string{"entra: signing keys not refreshed", "url=", "error=", "entra: request refused", "reason=keys_unavailable", "status=503"},
			metrics: []string{
				"entra_keys 0", "entra_key_fetch_failures_total 1", "entra_keys_fetched_timestamp_seconds 0",
				`entra_refused_total{reason="keys_unavailable"} 1`,
			},
		},
		{
			section: "Entra cannot be reached",
			fault: func(now *trouble) (status int) {
				now.send(now.tenant.Token())
				now.tenant.Down()
				for range 24 * 60 {
					time.Sleep(time.Minute)
					status = max(status, now.send(now.tenant.Token(entratest.IssuedAt(time.Now()))))
				}
				return status
			},
			status:  http.StatusOK,
			logs:    []string{"entra: signing keys not refreshed"},
			metrics: []string{"entra_keys 3", "entra_keys_fetched_timestamp_seconds 9.466848e+08"},
		},
		{
			section: "Throttling",
			fault: func(now *trouble) int {
				now.tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "30")
					w.WriteHeader(http.StatusTooManyRequests)
				})
				return now.send(now.tenant.Token())
			},
			status:  http.StatusServiceUnavailable,
			logs:    []string{"entra: signing keys not refreshed", "answered with status 429"},
			metrics: []string{"entra_key_fetch_failures_total 1"},
		},
		{
			section: "A rotation",
			fault: func(now *trouble) int {
				now.send(now.tenant.Token(), now.tenant.Token(entratest.SignedBy(now.tenant.UnknownKey())))
				now.tenant.RotateKeys()
				status := now.send(now.tenant.Token())
				time.Sleep(time.Minute)
				if mended := now.send(now.tenant.Token()); mended != http.StatusOK {
					return mended
				}
				return status
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=unknown_key"},
			metrics: []string{`entra_refused_total{reason="unknown_key"} 2`},
		},
		{
			section: "A rotation",
			fault: func(now *trouble) int {
				now.send(now.tenant.Token())
				now.tenant.RotateKeys()
				now.tenant.Down()
				return now.send(now.tenant.Token())
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"reason=unknown_key", "entra: signing keys not refreshed", "the last fetch of keys failed"},
			metrics: []string{`entra_refused_total{reason="unknown_key"} 1`},
		},
		{
			section: "A compromised key",
			options: func(options *entra.Options, tenant *entratest.Server) {
				options.DistrustedKeys = []string{tenant.Key().ID()}
			},
			fault:   func(now *trouble) int { return now.send(now.tenant.Token()) },
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=distrusted_key"},
			metrics: []string{`entra_refused_total{reason="distrusted_key"} 1`},
		},
		{
			section: "A wrong clock",
			fault: func(now *trouble) int {
				return now.send(now.tenant.Token(entratest.IssuedAt(time.Now().Add(-3*time.Hour))), now.tenant.Token(entratest.IssuedAt(time.Now().Add(10*time.Minute))))
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=expired", "reason=not_yet_valid", "ahead of this machine's clock"},
			metrics: []string{"entra_tokens_verified_total 0"},
		},
		{
			section: "A flood of junk",
			fault: func(now *trouble) (status int) {
				now.send(now.tenant.Token())
				for range 2 {
					for range 30 {
						good := now.tenant.Token()
						status = now.send(now.tenant.Token(entratest.SignedBy(now.tenant.UnknownKey())), "e30.e30", good[:len(good)-8]+"AAAAAAAA")
					}
					time.Sleep(11 * time.Second)
				}
				return status
			},
			status:  http.StatusUnauthorized,
			logs:    []string{"entra: request refused", "reason=unknown_key", "malformed", "signature", "left_out"},
			metrics: []string{"entra_refused_total"},
		},
	} {
		t.Run(row.section, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := newTrouble(t, row.options)
				if got := row.fault(now); got != row.status {
					t.Errorf("got status %d, want %d", got, row.status)
				}
				synctest.Wait()
				section, metrics := runbook(t, row.section), now.metrics()
				for _, word := range row.logs {
					if !strings.Contains(now.log.String(), word) {
						t.Errorf("got no %q in the log\n%.2000s", word, now.log.String())
					}
					if !strings.Contains(section, word) {
						t.Errorf("the runbook does not name %q", word)
					}
				}
				for _, line := range row.metrics {
					name, _, _ := strings.Cut(line, " ")
					if !strings.Contains(metrics, line) {
						t.Errorf("got no %q in the metrics\n%s", line, metrics)
					}
					if !strings.Contains(section, name) {
						t.Errorf("the runbook does not name %q", name)
					}
				}
			})
		})
	}
}

// With several authorities the metrics are sums, so that keys of one hide that another has none.
func TestTheRunbookSaysWhatCombineHides(t *testing.T) {
	const theirs = "https://contoso.ciamlogin.com/b3c5d6e7-1111-4222-8333-444455556666/v2.0"
	here := newTrouble(t, nil)
	there := newTrouble(t, nil)
	there.tenant = entratest.New(t, entratest.Config{Authority: theirs})
	var err error
	if there.verifier, err = entra.NewVerifier(entra.Options{
		Authority: theirs, ClientID: entratest.APIClientID, HTTPClient: there.tenant.Client(), Logger: slog.New(slog.NewTextHandler(&there.log, nil)),
	}); err != nil {
		t.Fatal(err)
	}
	if here.verifier, err = entra.Combine(here.verifier, there.verifier); err != nil {
		t.Fatal(err)
	}
	here.handler = here.verifier.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	there.tenant.Down()
	if got := here.send(here.tenant.Token()); got != http.StatusOK {
		t.Errorf("got status %d for a token of the authority that answers, want 200", got)
	}
	if got := here.send(there.tenant.Token()); got != http.StatusServiceUnavailable {
		t.Errorf("got status %d for a token of the authority that is away, want 503", got)
	}
	metrics, section := here.metrics(), runbook(t, "Entra cannot be reached")
	for _, want := range []string{"entra_keys 3", `entra_refused_total{reason="keys_unavailable"} 1`} {
		if name, _, _ := strings.Cut(want, " "); !strings.Contains(metrics, want) || !strings.Contains(section, name) {
			t.Errorf("got no %q in the metrics or the runbook\n%s", want, metrics)
		}
	}
	if !strings.Contains(there.log.String(), "entra: signing keys not refreshed") || there.verifier.Stats().Keys != 0 || there.verifier.Ready(t.Context()) == nil {
		t.Errorf("got %+v and the log %s, want its own Verifier to show that the authority is away", there.verifier.Stats(), there.log.String())
	}
}
