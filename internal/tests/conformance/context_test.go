package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// AuthenticateContext does what Authenticate does, for every kind of header.
func TestAuthenticateContextIsAuthenticate(t *testing.T) {
	tenant := entratest.New(t)
	good := tenant.Token()
	for name, values := range map[string][]string{
		"a user's token":          {"Bearer " + good},
		"a scheme in any case":    {"bEARER " + good},
		"an application's":        {"Bearer " + tenant.Token(entratest.App(entratest.RoleDaemon))},
		"no value":                nil,
		"two values":              {"Bearer " + good, "Bearer " + good},
		"an empty value":          {""},
		"another scheme":          {"Basic eDp5"},
		"a token alone":           {good},
		"outside the grammar":     {"Bearer a b"},
		"an opaque token":         {"Bearer opaque"},
		"an expired token":        {"Bearer " + tenant.Token(entratest.Expired())},
		"another API's token":     {"Bearer " + tenant.Token(entratest.Audience("api://other"))},
		"a token of no key":       {"Bearer " + tenant.Token(entratest.SignedBy(tenant.UnknownKey()))},
		"a signature that is cut": {"Bearer " + good[:len(good)-8]},
	} {
		verifier, log := testbed.Logging(t, tenant, slog.LevelDebug)
		spy := new(testbed.Spy)
		w := testbed.Serve(verifier.Authenticate(spy), values...)
		lines, counted := log.Lines(), verifier.Stats().Refused

		ctx, err := verifier.AuthenticateContext(t.Context(), values...)
		if got := entra.StatusCode(err); got != w.Code {
			t.Errorf("%s: got status %d (%v), want %d as over HTTP", name, got, err, w.Code)
		}
		if got, want := verifier.Challenge(err), w.Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: got the challenge %q, want %q", name, got, want)
		}
		claims, ok := entra.ClaimsFromContext(ctx)
		token, tokenOK := entra.TokenFromContext(ctx)
		if ok != (err == nil) || tokenOK != ok || ok && (claims.TokenID != spy.Claims.TokenID || !strings.HasSuffix(values[0], " "+token) || token == "") {
			t.Errorf("%s: got claims %v and the token %q, want those of the header, or none with an error", name, claims, token)
		}
		// A second line and a second count for the second refusal, and no more when it is answered.
		_ = testbed.Refuse(verifier, err)
		again := verifier.Stats().Refused
		for reason, n := range counted {
			if again[reason] != 2*n {
				t.Errorf("%s: got %d refusals for %s, want %d", name, again[reason], reason, 2*n)
			}
		}
		if all := log.Lines(); err != nil && len(all) != 2*len(lines) {
			t.Errorf("%s: got %d log lines, want %d", name, len(all), 2*len(lines))
		}
	}
}

func TestAuthenticateContextWithoutVerifier(t *testing.T) {
	ctx, err := new(entra.Verifier).AuthenticateContext(t.Context(), "Bearer x")
	if _, ok := entra.ClaimsFromContext(ctx); ok || entra.StatusCode(err) != http.StatusInternalServerError {
		t.Errorf("got claims: %v and %v, want none and an error that is answered with 500", ok, err)
	}
}

func TestAuthenticateContextOfACallerWhoLeft(t *testing.T) {
	tenant := entratest.New(t)
	tenant.HangKeys()
	verifier, log := testbed.Logging(t, tenant, slog.LevelDebug)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verifier.AuthenticateContext(ctx, "Bearer "+tenant.Token()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if len(log.Lines()) != 0 || len(verifier.Stats().Refused) != 0 {
		t.Errorf("got %v and %v, want a caller that went away neither logged nor counted", log.Lines(), verifier.Stats().Refused)
	}
}

// Permit says what Require would answer.
func TestPermitIsRequire(t *testing.T) {
	tenant := entratest.New(t)
	for name, requirements := range map[string][]entra.Requirement{
		"a scope that the token has":     {entra.Scope(entratest.ScopeRead)},
		"a scope that it lacks":          {entra.Scope("Orders.Approve")},
		"two, the second one not met":    {entra.Scope(entratest.ScopeRead), entra.Role("Owner")},
		"a claims challenge":             {entra.AuthContext("c1")},
		"none":                           {},
		"one of one's own":               {func(context.Context, *entra.Claims) error { return fmt.Errorf("no customer: %w", entra.ErrForbidden) }},
		"one that fails":                 {func(context.Context, *entra.Claims) error { return errors.New("the database is down") }},
		"one that passes on a challenge": {func(context.Context, *entra.Claims) error { return entra.ClaimsChallenge(`{"access_token":{}}`) }},
	} {
		verifier, log := testbed.Logging(t, tenant, slog.LevelDebug)
		token := tenant.Token(entratest.Capabilities("cp1"))
		w := testbed.Serve(verifier.Authenticate(entra.Require(requirements...)(new(testbed.Spy))), "Bearer "+token)
		lines := len(log.Lines())
		ctx, err := verifier.AuthenticateContext(t.Context(), "Bearer "+token)
		if err != nil {
			t.Fatal(err)
		}
		err = entra.Permit(ctx, requirements...)
		if entra.StatusCode(err) != w.Code || verifier.Challenge(err) != w.Header().Get("WWW-Authenticate") {
			t.Errorf("%s: got %d and %q (%v), want %d and %q", name, entra.StatusCode(err), verifier.Challenge(err), err, w.Code, w.Header().Get("WWW-Authenticate"))
		}
		_ = testbed.Refuse(verifier, err)
		if got := len(log.Lines()); err != nil && got != 2*lines {
			t.Errorf("%s: got %d log lines, want %d: one for each refusal", name, got, 2*lines)
		}
		for reason, n := range verifier.Stats().Refused {
			if err != nil && n != 2 {
				t.Errorf("%s: got %d refusals for %s, want 2", name, n, reason)
			}
		}
	}
}

func TestPermitWithoutClaims(t *testing.T) {
	verifier, _ := testbed.Logging(t, entratest.New(t), slog.LevelDebug)
	unauthenticated, _ := verifier.AuthenticateContext(t.Context())
	byHand := entra.ContextWithClaims(t.Context(), &entra.Claims{Kind: entra.UserToken, Scopes: []string{"Orders.Read"}})
	for _, row := range []struct {
		name         string
		ctx          context.Context
		requirements []entra.Requirement
		status       int
	}{
		{"a context of nobody's", t.Context(), []entra.Requirement{entra.Scope("Orders.Read")}, 500},
		{"a refused caller", unauthenticated, []entra.Requirement{entra.Scope("Orders.Read")}, 401},
		{"claims made by hand", byHand, []entra.Requirement{entra.Scope("Orders.Read")}, 200},
		{"claims made by hand that lack the scope", byHand, []entra.Requirement{entra.Scope("Orders.Write")}, 403},
		{"a nil requirement", byHand, []entra.Requirement{entra.Scope("Orders.Read"), nil}, 500},
		{"no requirement", byHand, nil, 403},
	} {
		if err := entra.Permit(row.ctx, row.requirements...); entra.StatusCode(err) != row.status {
			t.Errorf("%s: got %v, want an error that is answered with %d", row.name, err, row.status)
		}
	}
	if token, ok := entra.TokenFromContext(byHand); ok || token != "" {
		t.Errorf("got the token %q for claims made by hand, want none", token)
	}
}

// The token belongs to the claims beside it.
func TestTokenDoesNotOutliveItsClaims(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	ctx, err := verifier.AuthenticateContext(t.Context(), "Bearer "+tenant.Token())
	if err != nil {
		t.Fatal(err)
	}
	other := entra.ContextWithClaims(ctx, &entra.Claims{Kind: entra.UserToken})
	if token, ok := entra.TokenFromContext(other); ok {
		t.Errorf("got the token %q beside other claims, want none", token)
	}
	refused, _ := verifier.AuthenticateContext(ctx, "Bearer opaque")
	if token, ok := entra.TokenFromContext(refused); ok {
		t.Errorf("got the token %q behind a refusal, want none", token)
	}
}

func TestClaimsChallenge(t *testing.T) {
	verifier := testbed.NewVerifier(t, entratest.New(t), nil)
	const given = `{"access_token":{"capolids":{"essential":true,"values":["57e0d0e9-a0d1-4b1c-9d6c-0a1b2c3d4e5f"]}}}`
	w := testbed.Refuse(verifier, entra.ClaimsChallenge(given))
	challenge := w.Header().Get("WWW-Authenticate")
	if w.Code != 401 || !strings.Contains(challenge, `error="insufficient_claims"`) || !strings.Contains(challenge, `claims="eyJhY2Nlc3NfdG9rZW4iOnsiY2Fwb2xpZHMi`) {
		t.Errorf("got %d and %q, want 401 with the claims as base64", w.Code, challenge)
	}
	if err := entra.ClaimsChallenge(given); !errors.Is(err, entra.ErrForbidden) || entra.ReasonOf(err) != entra.ReasonAuthContext {
		t.Errorf("got %v, want ErrForbidden for the reason auth_context", err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "claims", "an array": `[{}]`, "a text": `"x"`, "null": "null", "two objects": `{}{}`, "a repeated name": `{"a":1,"a":2}`,
		"broken off": `{"a":`, "base64": "eyJhIjoxfQ==", "too long": `{"a":"` + strings.Repeat("x", 5000) + `"}`, "a header's end": "{}\r\nX-Evil: 1",
	} {
		w := testbed.Refuse(verifier, entra.ClaimsChallenge(text))
		if w.Code != 500 || w.Header().Get("WWW-Authenticate") != "" || w.Header().Get("X-Evil") != "" {
			t.Errorf("%s: got %d %v, want 500 without a challenge", name, w.Code, w.Header())
		}
	}
}
