package conformance_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// TestOrderOfChecks gives each token two faults: the one that is found first decides. Cheap refusals come before the
// signature, and no claim decides anything before it.
func TestOrderOfChecks(t *testing.T) {
	set := entratest.Claim
	expired, foreign := entratest.Expired(), entratest.Tenant(entratest.OtherTenantID)
	badSignature := func(token string) string { return token[:len(token)-8] + "AAAAAAAA" }
	smaller := func(o *entra.Options) { o.MaxTokenSize = 100 }
	testbed.Judge(t, []testbed.Row{
		{Rule: "R98", Name: "size before segments", Text: func(s string) string { return s + ".x" }, Options: smaller, Want: entra.ReasonTooLarge},
		{Rule: "R98", Name: "segments before header", Token: with(entratest.Header("crit", "x")), Text: func(s string) string { return s + ".x" }, Want: entra.ReasonMalformed},
		{Rule: "R98", Name: "header before key", Token: with(entratest.Header("alg", "none"), entratest.Header("kid", "x")), Text: signed, Want: entra.ReasonAlgorithm},
		{Rule: "R98", Name: "nonce before all else in the header", Token: with(entratest.Header("nonce", "x"), entratest.Header("alg", "x"), entratest.Header("typ", "x")), Want: entra.ReasonMicrosoftAPIToken},
		{Rule: "R98", Name: "key before signature", Token: with(entratest.Header("kid", "x")), Text: badSignature, Want: entra.ReasonUnknownKey},
		{Rule: "R98", Name: "signature before claims", Token: with(set("exp", "x")), Text: badSignature, Want: entra.ReasonSignature},
		{Rule: "R98", Name: "signature before time", Token: with(expired), Text: badSignature, Want: entra.ReasonSignature},
		{Rule: "R98", Name: "claims before time", Token: with(expired, set("roles", "x")), Want: entra.ReasonClaims},
		{Rule: "R98", Name: "time before issuer", Token: with(expired, set("iss", "x")), Want: entra.ReasonExpired},
		{Rule: "R98", Name: "issuer before version", Token: with(set("iss", "x"), set("ver", "x")), Want: entra.ReasonIssuer},
		{Rule: "R98", Name: "version before tenant", Token: with(foreign, set("ver", "1.0")), Want: entra.ReasonVersion},
		{Rule: "R98", Name: "tenant before key issuer", Token: with(foreign), Keys: publishing("issuer", testbed.PublicV2), Want: entra.ReasonTenant},
		{Rule: "R98", Name: "key issuer before audience", Token: with(set("aud", "x")), Keys: publishing("issuer", testbed.PublicOtherV2), Want: entra.ReasonKeyIssuer},
		{Rule: "R98", Name: "audience before kind", Token: with(set("aud", "x"), entratest.IDToken()), Want: entra.ReasonAudience},
		{Rule: "R98", Name: "audience before binding", Token: with(set("aud", "x"), entratest.Bound()), Want: entra.ReasonAudience},
		{Rule: "R98", Name: "binding before kind", Token: with(entratest.Bound(), entratest.IDToken()), Want: entra.ReasonBoundToken},
		{Rule: "R98", Name: "kind before permissions", Token: with(entratest.App(), entratest.Without("oid")), Want: entra.ReasonClaims},
	})
}

// TestARememberedTokenIsJudgedAnew changes what a remembered token was accepted for.
func TestARememberedTokenIsJudgedAnew(t *testing.T) {
	for _, r := range []struct {
		rule, name string
		change     func(*entratest.Server)
		after      time.Duration
		want       entra.Reason
	}{
		{"R49", "until the end of its skew", func(*entratest.Server) {}, time.Hour + 59*time.Second, ""},
		{"R49", "its own end", func(*entratest.Server) {}, time.Hour + time.Minute, entra.ReasonExpired},
		{"R38", "its key's owner", publishing("issuer", testbed.PublicOtherV2), 0, entra.ReasonKeyIssuer},
		{"R39", "its key's cloud", publishing("cloud_instance_name", "microsoftonline.us"), 0, entra.ReasonKeyIssuer},
		{"R18", "its key's material", func(s *entratest.Server) {
			s.Publish(s.UnknownKey().With("kid", s.Key().ID()))
		}, 0, entra.ReasonSignature},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := entratest.New(t)
				verifier := testbed.NewVerifier(t, tenant, nil)
				token := tenant.Token()
				testbed.Accepted(t, verifier, token)
				if got := verifier.Stats().Remembered; got != 1 {
					t.Fatalf("got %d tokens remembered, want 1", got)
				}
				r.change(tenant)
				time.Sleep(r.after)
				if r.after == 0 {
					// An unknown key makes the Verifier fetch the newer document.
					testbed.Refused(t, verifier, tenant.Token(entratest.SignedBy(tenant.UnknownKey()), entratest.Header("kid", "another")), entra.ReasonUnknownKey, "")
				}
				if r.want == "" {
					testbed.Accepted(t, verifier, token)
				} else {
					testbed.Refused(t, verifier, token, r.want, "")
				}
				synctest.Wait()
			})
		})
	}
}
