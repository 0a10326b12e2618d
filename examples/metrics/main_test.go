package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestPrometheusSeesWhatTheVerifierDid(t *testing.T) {
	tenant := entratest.New(t)
	api, admin := serveBoth(t, tenant)
	good := tenant.Token()
	for _, token := range []string{good, good, tenant.Token(entratest.Expired()), "", tenant.Token(entratest.Scopes("Other"))} {
		send(t, "GET", api+"/orders", token)
	}
	status, _, body := send(t, "GET", admin+"/metrics", "")
	if status != http.StatusOK {
		t.Fatalf("got status %d, want 200", status)
	}
	for _, want := range []string{
		"entra_tokens_verified_total 3\n",
		"entra_tokens_remembered_total 1\n",
		`entra_refused_total{reason="expired"} 1` + "\n",
		`entra_refused_total{reason="no_token"} 1` + "\n",
		`entra_refused_total{reason="scope"} 1` + "\n",
		"entra_key_fetches_total 1\n",
		"entra_key_fetch_failures_total 0\n",
		"entra_keys 3\n",
		"entra_keys_fetched_timestamp_seconds 1.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got no %q in\n%s", want, body)
		}
	}
}

func TestOpenTelemetrySeesWhatTheVerifierDid(t *testing.T) {
	tenant := entratest.New(t)
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	reader := metric.NewManualReader()
	if err := observe(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test"), verifier); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), tenant.Token()); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.Expired())); err == nil {
		t.Fatal("got nil for an expired token, want an error")
	}
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	for _, m := range collected.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, point := range data.DataPoints {
				reason, _ := point.Attributes.Value("reason")
				got[strings.TrimSpace(m.Name+" "+reason.AsString())] = point.Value
			}
		case metricdata.Gauge[int64]:
			got[m.Name] = data.DataPoints[0].Value
		}
	}
	for name, want := range map[string]int64{
		"entra.tokens.verified":    1,
		"entra.tokens.remembered":  0,
		"entra.refused expired":    1,
		"entra.key.fetches":        1,
		"entra.key.fetch.failures": 0,
		"entra.keys":               3,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("got %s %d (found: %v), want %d", name, value, ok, want)
		}
	}
}

func TestReadiness(t *testing.T) {
	tenant := entratest.New(t)
	_, admin := serveBoth(t, tenant)
	tenant.FailKeys(http.StatusServiceUnavailable)
	if status, _, body := send(t, "GET", admin+"/readyz", ""); status != 503 || !strings.Contains(body, `"reason":"keys_unavailable"`) {
		t.Errorf("without keys: got %d and %q, want 503", status, body)
	}
	tenant = entratest.New(t)
	_, admin = serveBoth(t, tenant)
	if status, _, _ := send(t, "GET", admin+"/readyz", ""); status != 200 {
		t.Errorf("with keys: got %d, want 200", status)
	}
	tenant.Down()
	if status, _, _ := send(t, "GET", admin+"/readyz", ""); status != 200 {
		t.Errorf("with keys, in an outage: got %d, want 200", status)
	}
}

func serveBoth(t *testing.T, tenant *entratest.Server) (apiURL, adminURL string) {
	t.Helper()
	api, admin, err := newHandlers(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	apiServer, adminServer := httptest.NewServer(api), httptest.NewServer(admin)
	t.Cleanup(apiServer.Close)
	t.Cleanup(adminServer.Close)
	return apiServer.URL, adminServer.URL
}

func send(t *testing.T, method, url, token string) (status int, challenge, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), text.String()
}
