package entra_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// TestJunkSegmentsCauseNoFetch sends tokens of an unknown key whose payload or signature is no base64url.
func TestJunkSegmentsCauseNoFetch(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"junk"}`))
	for _, rest := range []string{"+++.~~", "AAAA.~~", "+++.AAAA", "AAAAA.AAAA", "AAAA.AAAAA"} {
		if _, err := verifier.Verify(t.Context(), header+"."+rest); entra.ReasonOf(err) != entra.ReasonMalformed {
			t.Errorf("%s: got %v, want reason malformed", rest, err)
		}
	}
	if got := tenant.KeyRequests(); got != 0 {
		t.Errorf("got %d fetches, want none", got)
	}
}

// TestMemberNamesAreQuoted sends a header and a payload whose member names are anybody's text.
func TestMemberNamesAreQuoted(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	name := strings.Repeat("A", 5000) + "\\nJane\\u001b[31m"
	odd := `"` + name + `":{"a":1,"a":2}`
	for place, token := range map[string]string{
		"header":  tenant.Key().Sign([]byte(`{"alg":"RS256",`+odd+`}`), []byte(`{}`)),
		"payload": tenant.Key().Sign([]byte(`{"alg":"RS256","kid":"`+tenant.Key().ID()+`"}`), []byte(`{`+odd+`}`)),
	} {
		_, err := verifier.Verify(t.Context(), token)
		if err == nil || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: got %q, want a short text on one line", place, err)
		}
	}
}

// TestARequirementThatWrapsForbiddenIs403 whatever else its error wraps.
func TestARequirementThatWrapsForbiddenIs403(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, nil)
	for name, inner := range map[string]error{"an invalid token": entra.ErrInvalidToken, "no keys": entra.ErrKeysUnavailable, "Verify's error": verifyError(verifier)} {
		before := verifier.Stats().Refused[entra.ReasonForbidden]
		requirement := func(context.Context, *entra.Claims) error {
			return fmt.Errorf("%w: actor: %w", entra.ErrForbidden, inner)
		}
		w := serve(verifier.Authenticate(entra.Require(requirement)(new(spy))), "Bearer "+tenant.Token())
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: got status %d, want 403", name, w.Code)
		}
		if got := verifier.Stats().Refused[entra.ReasonForbidden] - before; got != 1 {
			t.Errorf("%s: got %d refusals counted, want 1", name, got)
		}
	}
	var told error
	verifier = newVerifier(t, tenant, func(o *entra.Options) {
		o.ErrorHandler = func(_ http.ResponseWriter, _ *http.Request, err error) { told = err }
	})
	wrapped := func(ctx context.Context, c *entra.Claims) error {
		return fmt.Errorf("order 7: %w", entra.Scope("Orders.Delete")(ctx, c))
	}
	serve(verifier.Authenticate(entra.Require(wrapped)(new(spy))), "Bearer "+tenant.Token())
	if told == nil || !strings.Contains(told.Error(), "order 7") || entra.ReasonOf(told) != entra.ReasonScope {
		t.Errorf("got %v (%s), want the requirement's own words and reason scope", told, entra.ReasonOf(told))
	}
}

func verifyError(v *entra.Verifier) error {
	_, err := v.Verify(context.Background(), "no token")
	return err
}

// TestIDTokensOfAnotherPartyAreRefused though their audience is this application.
func TestIDTokensOfAnotherPartyAreRefused(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant, func(o *entra.Options) { o.AllowIDTokens = true })
	_, err := verifier.Verify(t.Context(), tenant.Token(entratest.IDToken(), entratest.Claim("azp", entratest.ClientID), entratest.Nonce("n")))
	if got := entra.ReasonOf(err); got != entra.ReasonIDToken {
		t.Errorf("issued to another application: got reason %q (%v), want id_token", got, err)
	}
	claims, err := verifier.Verify(t.Context(), tenant.Token(entratest.IDToken(), entratest.Claim("azp", entratest.APIClientID), entratest.Nonce("n")))
	if err != nil || claims.ClientID != "" {
		t.Errorf("issued to this one: got %v and %v, want no error and no client ID: it is never this API", claims, err)
	}
}

// TestLinesOfOneReasonInAnyTenSeconds lets lines come late in one window and early in the next.
func TestLinesOfOneReasonInAnyTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier, written := logging(t, tenant, 0)
		handler := verifier.Authenticate(new(spy))
		refuse := func(times int) {
			for range times {
				serve(handler, "Bearer")
			}
		}
		refuse(1)
		time.Sleep(9800 * time.Millisecond)
		refuse(9)
		time.Sleep(300 * time.Millisecond)
		refuse(10)
		if got := len(written.lines()); got != 11 {
			t.Errorf("got %d lines, want 11: ten, and the one that the first made room for", got)
		}
	})
}

// TestNoKeysIsNoDeadlineOfTheCaller while Entra hangs and the caller has all the time in the world.
func TestNoKeysIsNoDeadlineOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.HangKeys()
		_, err := newVerifier(t, tenant, nil).Verify(t.Context(), tenant.Token())
		if !errors.Is(err, entra.ErrKeysUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrKeysUnavailable and no deadline", err)
		}
	})
}

// TestAudiencesThatNameNothing finds what an unset variable leaves of a URI.
func TestAudiencesThatNameNothing(t *testing.T) {
	for _, audience := range []string{"/", "//", "api://", "https://", "api:"} {
		_, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Audiences: []string{audience}})
		if err == nil || !strings.Contains(err.Error(), "Options.Audiences[0]") {
			t.Errorf("%q: got %v, want an error that names Options.Audiences[0]", audience, err)
		}
	}
}
