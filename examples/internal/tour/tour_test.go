package tour

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func sampleOptions(tenant *entratest.Server, logger *slog.Logger) entra.Options {
	options := entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Logger: logger}
	if tenant != nil {
		options.HTTPClient = tenant.Client()
	}
	return options
}

// sampleAPI is an API as small as the tour allows.
func sampleAPI(verifier *entra.Verifier) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /orders", entra.Require(entra.AnyOf(entra.Scope(entratest.ScopeRead), entra.AppPermission(entratest.RoleDaemon)))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, _ := entra.ClaimsFromContext(r.Context())
			json.NewEncoder(w).Encode(map[string]any{"orders": []string{"1001"}, "caller": claims})
		})))
	mux.Handle("POST /orders", entra.Require(entra.Scope(entratest.ScopeWrite))(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })))
	return verifier.Authenticate(mux)
}

func TestTheShowPrintsEachRefusalInNarrowLines(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), []string{"-once", "-addr", anyPort, "-entra", anyPort}, &out, sampleOptions(nil, nil), sampleAPI)
	if err != nil {
		t.Fatalf("got %v after\n%s", err, &out)
	}
	for _, s := range samples(entratest.New(t)) {
		if s.reason != "" && (!strings.Contains(out.String(), s.name) || !strings.Contains(out.String(), string(s.reason))) {
			t.Errorf("got no line about %q, reason %s", s.name, s.reason)
		}
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		isToken := strings.Contains(line, "Bearer eyJ")
		if n := utf8.RuneCountInString(line); n > columns && !isToken || strings.TrimRight(line, " ") != line {
			t.Errorf("got a line of %d columns, want %d at most and no spaces at the end: %q", n, columns, line)
		}
	}
}

func TestAPortThatWasAskedForAndIsTakenIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct{ flag, addr, want string }{
		{"-addr", taken.Addr().String(), "another program has this port"},
		{"-entra", taken.Addr().String(), "another program has this port"},
		{"-addr", "0.0.0.0:0", "not a loopback address"},
		{"-entra", "0.0.0.0:0", "not loopback"},
		{"-addr", "8080", "missing port"},
		{"-entra", "8080", "missing port"},
	} {
		err := Run(t.Context(), []string{"-once", test.flag, test.addr}, io.Discard, entra.Options{}, sampleAPI)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.flag) {
			t.Errorf("%s %s: got %v, want %s and %q", test.flag, test.addr, err, test.flag, test.want)
		}
	}
}

func TestAnInterruptDuringTheShowEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, nil, io.Discard, sampleOptions(nil, nil), sampleAPI); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestAnArgumentThatIsNoFlagIsAnError(t *testing.T) {
	if err := Run(t.Context(), []string{"once"}, io.Discard, entra.Options{}, sampleAPI); err == nil {
		t.Error("got nil, want an error")
	}
}
