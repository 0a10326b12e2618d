package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestLogLineOfARefusal(t *testing.T) {
	tenant := entratest.New(t)
	verifier, written := testbed.Logging(t, tenant, slog.LevelDebug)
	handler := verifier.Authenticate(entra.Require(entra.Scope("Orders.Delete"))(new(testbed.Spy)))
	uti := entratest.Claim("uti", "sample-uti")
	for _, r := range []struct {
		rule, name string
		values     []string
		want       testbed.Line
	}{
		{"R89", "a token that expired", []string{"Bearer " + tenant.Token(entratest.Expired(), uti)}, testbed.Line{
			"(level)": "INFO", "reason": "expired", "status": "401", "tid": entratest.TenantID, "client": entratest.ClientID, "kid": tenant.Key().ID(), "uti": "sample-uti"}},
		{"R89", "a token without permission", []string{"Bearer " + tenant.Token(uti)}, testbed.Line{
			"(level)": "INFO", "reason": "scope", "status": "403", "tid": entratest.TenantID, "client": entratest.ClientID, "uti": "sample-uti"}},
		{"R89", "a token whose signature is wrong says only which key it claims", []string{"Bearer " + tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", tenant.Key().ID()))}, testbed.Line{
			"(level)": "INFO", "reason": "signature", "status": "401", "kid": tenant.Key().ID()}},
		{"R89", "no token", nil, testbed.Line{"(level)": "DEBUG", "reason": "no_token", "status": "401"}},
		{"R89", "a malformed header", []string{"Bearer"}, testbed.Line{"(level)": "INFO", "reason": "invalid_request", "status": "400"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			before := len(written.Lines())
			testbed.Serve(handler, r.values...)
			lines := written.Lines()[before:]
			if len(lines) != 1 || lines[0]["(message)"] != "entra: request refused" || !strings.HasPrefix(lines[0]["error"], "entra: ") {
				t.Fatalf("got lines %v, want one with an error", lines)
			}
			delete(lines[0], "(message)")
			delete(lines[0], "error")
			if got := fmt.Sprint(lines[0]); got != fmt.Sprint(r.want) {
				t.Errorf("got  %v\nwant %v", got, r.want)
			}
		})
	}
}

// TestLogsHoldNoTokenAndNoName refuses tokens for every reason that a token can be refused for.
func TestLogsHoldNoTokenAndNoName(t *testing.T) {
	t.Attr("rule", "R89")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier, written := testbed.Logging(t, tenant, slog.LevelDebug)
		tokens := []string{tenant.Token() + "."}
		for _, options := range [][]entratest.TokenOption{
			nil, with(entratest.Expired()), with(entratest.NotYetValid()), with(entratest.V1(), entratest.Audience("api://x")), with(entratest.IDToken()),
			with(entratest.Graph()), with(entratest.Bound()), with(entratest.Guest(), entratest.Without("scp")), with(entratest.SignedBy(tenant.UnknownKey())),
			with(entratest.Header("alg", "HS256")), with(entratest.Header("crit", "x")), with(entratest.Without("exp")), with(entratest.Claim("ver", "x")),
			with(entratest.Claim("name", 1)), with(entratest.Claim("preferred_username", nil)), with(entratest.Claim("tid", "x")),
		} {
			tokens = append(tokens, tenant.Token(options...))
		}
		for _, token := range tokens {
			testbed.Serve(verifier.Authenticate(entra.Require(entra.Role("x"))(new(testbed.Spy))), "Bearer "+token)
			time.Sleep(time.Minute)
		}
		lines := written.Lines()
		if len(lines) < len(tokens) {
			t.Errorf("got %d lines for %d refused tokens, want one each", len(lines), len(tokens))
		}
		for _, l := range lines {
			for _, token := range tokens {
				if found := testbed.Leak(fmt.Sprint(l), token, testbed.Personal...); found != "" {
					t.Errorf("got line %v with %q, want none of the token and no name", l, found)
				}
			}
		}
	})
}

// TestLogsQuoteWhatComesFromTokens shows that texts of tokens can neither forge log lines nor make them long.
func TestLogsQuoteWhatComesFromTokens(t *testing.T) {
	t.Attr("rule", "R89")
	tenant := entratest.New(t)
	nasty := "x\n2000-01-01 \x1b[31m\u202e\"" + strings.Repeat("é", 500)
	verifier, written := testbed.Logging(t, tenant, slog.LevelDebug)
	for _, option := range []entratest.TokenOption{
		entratest.Claim("iss", nasty), entratest.Claim("tid", nasty), entratest.Claim("aud", nasty), entratest.Claim("ver", nasty), entratest.Claim("azp", nasty),
		entratest.Claim("uti", nasty), entratest.Claim("scp", nasty), entratest.Claim("idtyp", nasty), entratest.Claim(nasty, nil),
		entratest.Header("alg", nasty), entratest.Header("kid", nasty), entratest.Header("typ", nasty),
	} {
		testbed.Serve(verifier.Authenticate(entra.Require(entra.Scope("none"))(new(testbed.Spy))), "Bearer "+tenant.Token(option))
	}
	lines := written.Lines()
	if len(lines) < 12 {
		t.Errorf("got %d lines, want one for each of 12 tokens", len(lines))
	}
	for _, l := range lines {
		for name, value := range l {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("got %s %q, want printable ASCII", name, value)
			}
			if strings.Contains(value, strings.Repeat(`\u00e9`, 70)) || len(value) > 1500 {
				t.Errorf("got %s %q, want what comes from the token cut at 128 bytes", name, value)
			}
		}
	}
}

func TestLogsOfAFloodAreCounted(t *testing.T) {
	t.Attr("rule", "R89")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier, written := testbed.Logging(t, tenant, slog.LevelInfo)
		handler := verifier.Authenticate(new(testbed.Spy))
		send := func(count int, token string) (lines []testbed.Line) {
			before := len(written.Lines())
			for range count {
				testbed.Serve(handler, "Bearer "+token)
			}
			return written.Lines()[before:]
		}
		expired, foreign := tenant.Token(entratest.Expired()), tenant.Token(entratest.Tenant(entratest.OtherTenantID))
		if got := send(25, expired); len(got) != 10 || got[9]["left_out"] != "" {
			t.Errorf("25 at once: got %d lines %v, want 10 without left_out", len(got), got)
		}
		if got := send(1, foreign); len(got) != 1 || got[0]["reason"] != "tenant" {
			t.Errorf("another reason: got lines %v, want one", got)
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		if got := send(3, expired); len(got) != 0 {
			t.Errorf("within 10 s: got lines %v, want none", got)
		}
		time.Sleep(time.Nanosecond)
		got := send(12, expired)
		if len(got) != 10 || got[0]["left_out"] != "18" || got[1]["left_out"] != "" {
			t.Fatalf("after 10 s: got lines %v, want 10, the first with left_out 18", got)
		}
		time.Sleep(time.Hour)
		if got := send(1, expired); len(got) != 1 || got[0]["left_out"] != "2" {
			t.Errorf("after an hour: got lines %v, want one with left_out 2", got)
		}
		if got := verifier.Stats().Refused[entra.ReasonExpired]; got != 41 {
			t.Errorf("got %d refusals counted, want all 41", got)
		}
	})
}

func TestLogLevels(t *testing.T) {
	tenant := entratest.New(t)
	verifier, written := testbed.Logging(t, tenant, slog.LevelDebug)
	// Verify counts but does not log: its caller decides what to log.
	if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.Expired())); err == nil || len(written.Lines()) != 0 {
		t.Errorf("Verify: got error %v and lines %v, want an error and no line", err, written.Lines())
	}
	broken := func(context.Context, *entra.Claims) error { return errors.New("database") }
	testbed.Serve(verifier.Authenticate(entra.Require(broken)(new(testbed.Spy))), "Bearer "+tenant.Token())
	lines := written.Lines()
	if len(lines) != 1 || lines[0]["(level)"] != "ERROR" || lines[0]["reason"] != "internal" || !strings.Contains(lines[0]["error"], "database") {
		t.Errorf("a requirement that failed: got lines %v, want one at Error with its text", lines)
	}
	quiet, silent := testbed.Logging(t, tenant, slog.LevelInfo)
	testbed.Serve(quiet.Authenticate(new(testbed.Spy)))
	if lines := silent.Lines(); len(lines) != 0 {
		t.Errorf("no token at level Info: got lines %v, want none", lines)
	}
}

func TestTroubleWithKeysIsLogged(t *testing.T) {
	t.Attr("rule", "R19")
	tenant := entratest.New(t)
	tenant.FailKeys(http.StatusBadGateway)
	verifier, written := testbed.Logging(t, tenant, slog.LevelWarn)
	if err := verifier.Ready(t.Context()); err == nil {
		t.Fatal("Ready: got no error, want one")
	}
	lines := written.Lines()
	if len(lines) != 1 || lines[0]["(level)"] != "WARN" || !strings.Contains(lines[0]["error"], "502") || !strings.Contains(lines[0]["url"], "/discovery/v2.0/keys") {
		t.Errorf("got lines %v, want one at Warn with the URL and the status", lines)
	}
}

// TestLinesOfOneReasonInAnyTenSeconds lets lines come late in one window and early in the next.
func TestLinesOfOneReasonInAnyTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier, written := testbed.Logging(t, tenant, 0)
		handler := verifier.Authenticate(new(testbed.Spy))
		refuse := func(times int) {
			for range times {
				testbed.Serve(handler, "Bearer")
			}
		}
		refuse(1)
		time.Sleep(9800 * time.Millisecond)
		refuse(9)
		time.Sleep(300 * time.Millisecond)
		refuse(10)
		if got := len(written.Lines()); got != 11 {
			t.Errorf("got %d lines, want 11: ten, and the one that the first made room for", got)
		}
	})
}
