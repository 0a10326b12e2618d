package entra_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// warm returns a Verifier that holds the keys of tenant.
func warm(t *testing.T, tenant *entratest.Server) *entra.Verifier {
	t.Helper()
	verifier := newVerifier(t, tenant, nil)
	if err := verifier.Ready(t.Context()); err != nil {
		t.Fatalf("Ready: got %v, want no error", err)
	}
	return verifier
}

// answering lets the tenant answer requests for its keys with this document, to be kept for a day.
func answering(tenant *entratest.Server, document func() string) {
	tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=86400")
		_, _ = io.WriteString(w, document())
	})
}

// junk returns a token of the key ID "junk" and a number, signed by nobody the tenant knows.
func junk(tenant *entratest.Server, number int) string {
	return tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", fmt.Sprint("junk", number)))
}

// TestKeySetsThatOtherLibrariesFailAt holds the scenarios in which at least one widely used library lets a forged token
// in, refuses a good one, or asks Entra too often. Those of single tokens, S2a to S2e, are rows of TestHeader and
// TestLifetime.
func TestKeySetsThatOtherLibrariesFailAt(t *testing.T) {
	rows := []struct {
		rule, name string
		run        func(*testing.T, *entratest.Server)
	}{
		{"S1 R15", "keys without alg", func(t *testing.T, tenant *entratest.Server) {
			if alg, ok := tenant.Key().JWK()["alg"]; ok {
				t.Errorf("got a key with alg %v, want one like Entra's", alg)
			}
			accepted(t, warm(t, tenant), tenant.Token())
		}},
		{"S3 R17", "fifty tokens of key IDs that do not exist cost one fetch", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for i := range 50 {
				refused(t, verifier, junk(tenant, i), entra.ReasonUnknownKey, "")
			}
			if got := tenant.KeyRequests(); got != 2 {
				t.Errorf("got %d requests for keys, want 2: the first one and one more", got)
			}
		}},
		{"S4 R18", "fifty bad signatures of a known key cost none", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for range 50 {
				token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", tenant.Key().ID()))
				refused(t, verifier, token, entra.ReasonSignature, "")
			}
			if got := tenant.KeyRequests(); got != 1 {
				t.Errorf("got %d requests for keys, want 1: the first one", got)
			}
		}},
		{"S5 R17", "a new key although the document said to keep it for a day", func(t *testing.T, tenant *entratest.Server) {
			answering(tenant, func() string { return keyDocument(tenant.Key()) })
			verifier := warm(t, tenant)
			time.Sleep(time.Minute)
			tenant.RotateKeys()
			accepted(t, verifier, tenant.Token())
		}},
		{"S6 R19", "a known key while Entra fails for a day", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			tenant.FailKeys(http.StatusServiceUnavailable)
			for range 23 {
				time.Sleep(time.Hour)
				accepted(t, verifier, tenant.Token())
				synctest.Wait()
			}
		}},
		{"R16 R19", "no key while Entra fails for longer", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			tenant.Down()
			time.Sleep(24 * time.Hour)
			if _, err := verifier.Verify(t.Context(), tenant.Token()); !errors.Is(err, entra.ErrKeysUnavailable) {
				t.Errorf("got %v, want ErrKeysUnavailable", err)
			}
		}},
		{"S7 R19 R24", "answers without keys", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for _, document := range []string{`{"keys":[]}`, `{"keys":null}`, `{}`, `[]`, `null`, ``, `<html>`, `{"keys":[{"kty":"AKP","kid":"x"}]}`} {
				answering(tenant, func() string { return document })
				time.Sleep(2 * time.Hour)
				accepted(t, verifier, tenant.Token())
				synctest.Wait()
				accepted(t, verifier, tenant.Token())
			}
			if got := verifier.Stats(); got.Keys != 3 || got.FetchFailures != 8 {
				t.Errorf("got %d keys and %d failures, want 3 and 8", got.Keys, got.FetchFailures)
			}
		}},
		{"R20", "a key that vanishes from the document and comes back", func(t *testing.T, tenant *entratest.Server) {
			flapping, token := tenant.Key(), tenant.Token(entratest.Lifetime(100*time.Hour))
			verifier := warm(t, tenant)
			for range 3 {
				tenant.Withdraw(flapping)
				for range 22 {
					time.Sleep(time.Hour)
					accepted(t, verifier, token)
					synctest.Wait()
				}
				tenant.Publish(flapping)
				time.Sleep(time.Hour)
				accepted(t, verifier, token)
				synctest.Wait()
			}
		}},
		{"R21", "a new key every week for half a year", func(t *testing.T, tenant *entratest.Server) {
			verifier, old := warm(t, tenant), tenant.Key()
			for range 26 {
				tenant.Withdraw(old)
				old = tenant.UnknownKey().With("kid", time.Now().String())
				tenant.Publish(old)
				accepted(t, verifier, tenant.Token(entratest.SignedBy(old)))
				time.Sleep(7 * 24 * time.Hour)
			}
			synctest.Wait()
			// The last one is refreshed by nobody's token, and too old.
			if got := verifier.Stats().Keys; got != 0 {
				t.Errorf("got %d keys held a week after the last token, want none", got)
			}
		}},
		{"R22 R88", "keys as soon as Entra is there", func(t *testing.T, tenant *entratest.Server) {
			tenant.Down()
			verifier := newVerifier(t, tenant, nil)
			for range 20 {
				if _, err := verifier.Verify(t.Context(), tenant.Token()); entra.StatusCode(err) != http.StatusServiceUnavailable {
					t.Fatalf("got %v, want an error of status 503", err)
				}
				time.Sleep(30 * time.Second)
			}
			tenant.Restore()
			time.Sleep(10 * time.Second)
			accepted(t, verifier, tenant.Token())
		}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r.run(t, entratest.New(t))
				synctest.Wait()
			})
		})
	}
}

func TestOneOddKeyDoesNotSpoilTheSet(t *testing.T) {
	odd := func(member string, value any) func(*entratest.Server) {
		return func(s *entratest.Server) { s.SetKeys(s.UnknownKey().With(member, value), s.Key()) }
	}
	own := func(member string, value any) func(*entratest.Server) {
		return func(s *entratest.Server) { s.SetKeys(s.UnknownKey(), s.Key().With(member, value)) }
	}
	const unknown = entra.ReasonUnknownKey
	judge(t, []row{
		{rule: "S8a R9", name: "a post-quantum key beside", keys: odd("kty", "AKP")},
		{rule: "S8b R9", name: "an RSA key without n beside", keys: odd("n", nil)},
		{rule: "S8c R9", name: "a key without kty beside", keys: odd("kty", nil)},
		{rule: "S8d R9", name: "a key with an odd use beside", keys: odd("use", "x")},
		{rule: "R9", name: "a key with a use that is no text beside", keys: odd("use", 1)},
		{rule: "R9", name: "an exponent of 3 beside", keys: odd("e", "Aw")},
		{rule: "R9", name: "a modulus that is no base64url beside", keys: odd("n", "?")},
		{rule: "R9", name: "a modulus of 64 bits beside", keys: odd("n", "__________8")},
		{rule: "R9", name: "a key without kid beside", keys: odd("kid", nil)},
		{rule: "R9", name: "a secret beside", keys: func(s *entratest.Server) { s.SetKeys(s.UnknownKey().With("kty", "oct").With("k", "c2VjcmV0"), s.Key()) }},
		{rule: "R9", name: "a key that is no object beside", keys: func(s *entratest.Server) {
			answering(s, func() string { return `{"keys":[1,null,"x",[],` + keyDocument(s.Key())[len(`{"keys":[`):] })
		}},
		{rule: "R10", name: "a thumbprint of another key, as Auth0 once published", keys: own("x5t", "another")},
		{rule: "R9", name: "no use", keys: own("use", nil)},
		{rule: "R15", name: "alg RS256", keys: own("alg", "RS256")},
		{rule: "R7 R9", name: "alg PS256 is passed over", keys: own("alg", "PS256"), want: unknown},
		{rule: "R9", name: "use enc is passed over", keys: own("use", "enc"), want: unknown},
		{rule: "R9", name: "kty in lower case is passed over", keys: own("kty", "rsa"), want: unknown},
		{rule: "R9", name: "the private half is never read", keys: own("d", "AQAB")},
	})
}

// TestWhatTheFirstValidatorsLetThrough holds what hand-written validators that this library replaces accepted, and the
// two flows for which they were made.
func TestWhatTheFirstValidatorsLetThrough(t *testing.T) {
	header := func(name string, value any) []entratest.TokenOption { return with(entratest.Header(name, value)) }
	judge(t, []row{
		{rule: "R58", name: "flow: an application with a client secret", token: with(entratest.App(entratest.RoleDaemon))},
		{rule: "R56", name: "flow: a page's ID token at its own back end", token: with(entratest.IDToken()), options: func(o *entra.Options) { o.AllowIDTokens = true }},
		{rule: "R26", name: "a token of another tenant", token: with(entratest.Tenant(otherTenant)), want: entra.ReasonTenant},
		{rule: "R26", name: "a token of an alien issuer", token: with(entratest.Claim("iss", "https://evil.example/")), want: entra.ReasonIssuer},
		{rule: "R26", name: "a token without issuer", token: with(entratest.Without("iss")), want: entra.ReasonIssuer},
		{rule: "R27", name: "a token without tenant", token: with(entratest.Without("tid")), want: entra.ReasonTenant},
		{rule: "R7", name: "PS256", token: header("alg", "PS256"), want: entra.ReasonAlgorithm},
		{rule: "R7", name: "RS512", token: header("alg", "RS512"), want: entra.ReasonAlgorithm},
		{rule: "R4", name: "an unknown crit", token: header("crit", []string{"x"}), want: entra.ReasonHeader},
		{rule: "R49", name: "no exp", token: with(entratest.Without("exp")), want: entra.ReasonClaims},
		{rule: "R54", name: "exp as text", token: with(entratest.Claim("exp", "4102444800")), want: entra.ReasonClaims},
		{rule: "R45", name: "one audience among others", token: with(entratest.Claim("aud", []string{entratest.APIClientID, "x"})), want: entra.ReasonAudience},
		{rule: "R56", name: "an ID token for an access token", token: with(entratest.IDToken()), want: entra.ReasonIDToken},
		{rule: "R64", name: "an application of the tenant without permission", token: with(entratest.App()), want: entra.ReasonNoPermissions},
		{rule: "R8", name: "a key ID that is not published", token: header("kid", "x"), want: entra.ReasonUnknownKey},
		{rule: "R2", name: "a token of more than 16 KiB", token: with(entratest.Claim("x", strings.Repeat("x", 12_300))), want: entra.ReasonTooLarge},
	})
}

// TestTheFirstCallerMayLeave shows that a fetch belongs to all who wait for it.
func TestTheFirstCallerMayLeave(t *testing.T) {
	t.Attr("rule", "R17 R23")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.DelayKeys(5 * time.Second)
		verifier := newVerifier(t, tenant, nil)
		token := tenant.Token()
		ctx, leave := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { _, err := verifier.Verify(ctx, token); first <- err }()
		synctest.Wait()
		go func() { _, err := verifier.Verify(t.Context(), token); second <- err }()
		time.Sleep(time.Second)
		leave()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the first caller: got %v, want its context's error", err)
		}
		if err := <-second; err != nil {
			t.Errorf("the second caller: got %v, want no error", err)
		}
		if got := tenant.KeyRequests(); got != 1 {
			t.Errorf("got %d requests for keys, want 1", got)
		}
	})
}

// TestNothingIsFetchedFromWhereATokenSays also shows that nobody waits outside the allowance for unknown keys: in the
// bubble time would pass.
func TestNothingIsFetchedFromWhereATokenSays(t *testing.T) {
	t.Attr("rule", "R11 R12 4.4")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier := warm(t, tenant)
		for i := range 10 {
			token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Tenant(otherTenant), entratest.Header("kid", fmt.Sprint("https://evil.example/", i)),
				entratest.Header("jku", "https://evil.example/keys"), entratest.Claim("iss", "https://evil.example/"+otherTenant+"/v2.0"))
			refused(t, verifier, token, entra.ReasonUnknownKey, "")
		}
		if waited := time.Since(bubbleStart); waited != 0 {
			t.Errorf("got %v waited, want none", waited)
		}
		for _, r := range tenant.Requests() {
			if r.Host != "login.microsoftonline.com" || r.Path != "/"+homeTenant+"/discovery/v2.0/keys" || r.Query != "" || r.Method != http.MethodGet {
				t.Errorf("got request %+v, want the key document of the configured tenant only", r)
			}
		}
		tenant.RotateKeys()
		time.Sleep(5 * time.Second)
		accepted(t, verifier, tenant.Token())
		if got := tenant.KeyRequests(); got != 3 {
			t.Errorf("got %d requests for keys, want 3", got)
		}
	})
}
