package hostile_test

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
	"github.com/entra-go/entra/internal/tests/testbed"
)

// warm returns a Verifier that holds the keys of tenant.
func warm(t *testing.T, tenant *entratest.Server) *entra.Verifier {
	t.Helper()
	verifier := testbed.NewVerifier(t, tenant, nil)
	if err := verifier.Ready(t.Context()); err != nil {
		t.Fatalf("Ready: got %v, want no error", err)
	}
	return verifier
}

// answering lets the tenant serve this key document, with a header that lets caches keep it for a day.
func answering(tenant *entratest.Server, document func() string) {
	tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=86400")
		_, _ = io.WriteString(w, document())
	})
}

// junk returns a token that names the key ID "junk" and a number, and that no key of the tenant signed.
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
			testbed.Accepted(t, warm(t, tenant), tenant.Token())
		}},
		{"S3 R17", "fifty tokens of key IDs that do not exist cost one fetch", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for i := range 50 {
				testbed.Refused(t, verifier, junk(tenant, i), entra.ReasonUnknownKey, "")
			}
			if got := tenant.KeyRequests(); got != 2 {
				t.Errorf("got %d requests for keys, want 2: the first one and one more", got)
			}
		}},
		{"S4 R18", "fifty bad signatures of a known key cost none", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for range 50 {
				token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", tenant.Key().ID()))
				testbed.Refused(t, verifier, token, entra.ReasonSignature, "")
			}
			if got := tenant.KeyRequests(); got != 1 {
				t.Errorf("got %d requests for keys, want 1: the first one", got)
			}
		}},
		{"S5 R17", "a new key although the document said to keep it for a day", func(t *testing.T, tenant *entratest.Server) {
			answering(tenant, func() string { return testbed.KeyDocument(tenant.Key()) })
			verifier := warm(t, tenant)
			time.Sleep(time.Minute)
			tenant.RotateKeys()
			testbed.Accepted(t, verifier, tenant.Token())
		}},
		{"S6 R19", "a known key while Entra fails for a day", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			tenant.FailKeys(http.StatusServiceUnavailable)
			for range 23 {
				time.Sleep(time.Hour)
				testbed.Accepted(t, verifier, tenant.Token())
				synctest.Wait()
			}
		}},
		{"R16 R19", "no key while Entra fails for longer", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			tenant.Down()
			time.Sleep(25 * time.Hour)
			if _, err := verifier.Verify(t.Context(), tenant.Token()); !errors.Is(err, entra.ErrKeysUnavailable) {
				t.Errorf("got %v, want ErrKeysUnavailable", err)
			}
		}},
		{"S7 R19 R24", "answers without keys", func(t *testing.T, tenant *entratest.Server) {
			verifier := warm(t, tenant)
			for _, document := range []string{`{"keys":[]}`, `{"keys":null}`, `{}`, `[]`, `null`, ``, `<html>`, `{"keys":[{"kty":"AKP","kid":"x"}]}`} {
				answering(tenant, func() string { return document })
				time.Sleep(2 * time.Hour)
				testbed.Accepted(t, verifier, tenant.Token())
				synctest.Wait()
				testbed.Accepted(t, verifier, tenant.Token())
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
					testbed.Accepted(t, verifier, token)
					synctest.Wait()
				}
				tenant.Publish(flapping)
				time.Sleep(time.Hour)
				testbed.Accepted(t, verifier, token)
				synctest.Wait()
			}
		}},
		{"R21", "a new key every week for half a year", func(t *testing.T, tenant *entratest.Server) {
			verifier, old := warm(t, tenant), tenant.Key()
			for range 26 {
				tenant.Withdraw(old)
				old = tenant.UnknownKey().With("kid", time.Now().String())
				tenant.Publish(old)
				testbed.Accepted(t, verifier, tenant.Token(entratest.SignedBy(old)))
				time.Sleep(7 * 24 * time.Hour)
			}
			synctest.Wait()
			// No token used the last key, so it was not refreshed and is too old.
			if got := verifier.Stats().Keys; got != 0 {
				t.Errorf("got %d keys held a week after the last token, want none", got)
			}
		}},
		{"R22 R88", "keys as soon as Entra is there", func(t *testing.T, tenant *entratest.Server) {
			tenant.Down()
			verifier := testbed.NewVerifier(t, tenant, nil)
			for range 20 {
				if _, err := verifier.Verify(t.Context(), tenant.Token()); entra.StatusCode(err) != http.StatusServiceUnavailable {
					t.Fatalf("got %v, want an error of status 503", err)
				}
				time.Sleep(30 * time.Second)
			}
			tenant.Restore()
			time.Sleep(10 * time.Second)
			testbed.Accepted(t, verifier, tenant.Token())
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
	testbed.Judge(t, []testbed.Row{
		{Rule: "S8a R9", Name: "a post-quantum key beside", Keys: odd("kty", "AKP")},
		{Rule: "S8b R9", Name: "an RSA key without n beside", Keys: odd("n", nil)},
		{Rule: "S8c R9", Name: "a key without kty beside", Keys: odd("kty", nil)},
		{Rule: "S8d R9", Name: "a key with an odd use beside", Keys: odd("use", "x")},
		{Rule: "R9", Name: "a key with a use that is no text beside", Keys: odd("use", 1)},
		{Rule: "R9", Name: "an exponent of 3 beside", Keys: odd("e", "Aw")},
		{Rule: "R9", Name: "a modulus that is no base64url beside", Keys: odd("n", "?")},
		{Rule: "R9", Name: "a modulus of 64 bits beside", Keys: odd("n", "__________8")},
		{Rule: "R9", Name: "a key without kid beside", Keys: odd("kid", nil)},
		{Rule: "R9", Name: "a secret beside", Keys: func(s *entratest.Server) { s.SetKeys(s.UnknownKey().With("kty", "oct").With("k", "c2VjcmV0"), s.Key()) }},
		{Rule: "R9", Name: "a key that is no object beside", Keys: func(s *entratest.Server) {
			answering(s, func() string { return `{"keys":[1,null,"x",[],` + testbed.KeyDocument(s.Key())[len(`{"keys":[`):] })
		}},
		{Rule: "R10", Name: "a thumbprint of another key, as Auth0 once published", Keys: own("x5t", "another")},
		{Rule: "R9", Name: "no use", Keys: own("use", nil)},
		{Rule: "R15", Name: "alg RS256", Keys: own("alg", "RS256")},
		{Rule: "R7 R9", Name: "alg PS256 is passed over", Keys: own("alg", "PS256"), Want: unknown},
		{Rule: "R9", Name: "use enc is passed over", Keys: own("use", "enc"), Want: unknown},
		{Rule: "R9", Name: "kty in lower case is passed over", Keys: own("kty", "rsa"), Want: unknown},
		{Rule: "R9", Name: "the private half is never read", Keys: own("d", "AQAB")},
	})
}

// TestWhatTheFirstValidatorsLetThrough has the tokens that the hand-written validators which this library replaces let
// through, and the two flows for which those were made.
func TestWhatTheFirstValidatorsLetThrough(t *testing.T) {
	header := func(name string, value any) []entratest.TokenOption {
		return testbed.With(entratest.Header(name, value))
	}
	testbed.Judge(t, []testbed.Row{
		{Rule: "R58", Name: "flow: an application with a client secret", Token: testbed.With(entratest.App(entratest.RoleDaemon))},
		{Rule: "R56", Name: "flow: a page's ID token at its own back end", Token: testbed.With(entratest.IDToken()), Options: func(o *entra.Options) { o.AllowIDTokens = true }},
		{Rule: "R26", Name: "a token of another tenant", Token: testbed.With(entratest.Tenant(entratest.OtherTenantID)), Want: entra.ReasonTenant},
		{Rule: "R26", Name: "a token of an alien issuer", Token: testbed.With(entratest.Claim("iss", "https://evil.example/")), Want: entra.ReasonIssuer},
		{Rule: "R26", Name: "a token without issuer", Token: testbed.With(entratest.Without("iss")), Want: entra.ReasonIssuer},
		{Rule: "R27", Name: "a token without tenant", Token: testbed.With(entratest.Without("tid")), Want: entra.ReasonTenant},
		{Rule: "R7", Name: "PS256", Token: header("alg", "PS256"), Want: entra.ReasonAlgorithm},
		{Rule: "R7", Name: "RS512", Token: header("alg", "RS512"), Want: entra.ReasonAlgorithm},
		{Rule: "R4", Name: "an unknown crit", Token: header("crit", []string{"x"}), Want: entra.ReasonHeader},
		{Rule: "R49", Name: "no exp", Token: testbed.With(entratest.Without("exp")), Want: entra.ReasonClaims},
		{Rule: "R54", Name: "exp as text", Token: testbed.With(entratest.Claim("exp", "4102444800")), Want: entra.ReasonClaims},
		{Rule: "R45", Name: "one audience among others", Token: testbed.With(entratest.Claim("aud", []string{entratest.APIClientID, "x"})), Want: entra.ReasonAudience},
		{Rule: "R56", Name: "an ID token for an access token", Token: testbed.With(entratest.IDToken()), Want: entra.ReasonIDToken},
		{Rule: "R64", Name: "an application of the tenant without permission", Token: testbed.With(entratest.App()), Want: entra.ReasonNoPermissions},
		{Rule: "R8", Name: "a key ID that is not published", Token: header("kid", "x"), Want: entra.ReasonUnknownKey},
		{Rule: "R2", Name: "a token of more than 16 KiB", Token: testbed.With(entratest.Claim("x", strings.Repeat("x", 12_300))), Want: entra.ReasonTooLarge},
	})
}

// TestTheFirstCallerMayLeave shows that a fetch goes on for the others when the request that started it ends.
func TestTheFirstCallerMayLeave(t *testing.T) {
	t.Attr("rule", "R17 R23")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.DelayKeys(5 * time.Second)
		verifier := testbed.NewVerifier(t, tenant, nil)
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

// TestNothingIsFetchedFromWhereATokenSays also shows that no request waits for the allowance: virtual time does not pass.
func TestNothingIsFetchedFromWhereATokenSays(t *testing.T) {
	t.Attr("rule", "R11 R12 4.4")
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier := warm(t, tenant)
		for i := range 10 {
			token := tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Tenant(entratest.OtherTenantID), entratest.Header("kid", fmt.Sprint("https://evil.example/", i)),
				entratest.Header("jku", "https://evil.example/keys"), entratest.Claim("iss", "https://evil.example/"+entratest.OtherTenantID+"/v2.0"))
			testbed.Refused(t, verifier, token, entra.ReasonUnknownKey, "")
		}
		if waited := time.Since(testbed.BubbleStart); waited != 0 {
			t.Errorf("got %v waited, want none", waited)
		}
		for _, r := range tenant.Requests() {
			if r.Host != "login.microsoftonline.com" || r.Path != "/"+entratest.TenantID+"/discovery/v2.0/keys" || r.Query != "" || r.Method != http.MethodGet {
				t.Errorf("got request %+v, want the key document of the configured tenant only", r)
			}
		}
		tenant.RotateKeys()
		time.Sleep(5 * time.Second)
		testbed.Accepted(t, verifier, tenant.Token())
		if got := tenant.KeyRequests(); got != 3 {
			t.Errorf("got %d requests for keys, want 3", got)
		}
	})
}
