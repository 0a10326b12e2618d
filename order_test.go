package entra_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// TestOrderOfChecks gives each token two faults: the one that is found first decides. Cheap refusals come before the
// signature, and no claim decides anything before it.
func TestOrderOfChecks(t *testing.T) {
	set := entratest.Claim
	expired, foreign := entratest.Expired(), entratest.Tenant(entratest.OtherTenantID)
	badSignature := func(token string) string { return token[:len(token)-8] + "AAAAAAAA" }
	smaller := func(o *entra.Options) { o.MaxTokenSize = 100 }
	judge(t, []row{
		{rule: "R98", name: "size before segments", text: func(s string) string { return s + ".x" }, options: smaller, want: entra.ReasonTooLarge},
		{rule: "R98", name: "segments before header", token: with(entratest.Header("crit", "x")), text: func(s string) string { return s + ".x" }, want: entra.ReasonMalformed},
		{rule: "R98", name: "header before key", token: with(entratest.Header("alg", "none"), entratest.Header("kid", "x")), text: signed, want: entra.ReasonAlgorithm},
		{rule: "R98", name: "nonce before all else in the header", token: with(entratest.Header("nonce", "x"), entratest.Header("alg", "x"), entratest.Header("typ", "x")), want: entra.ReasonMicrosoftAPIToken},
		{rule: "R98", name: "key before signature", token: with(entratest.Header("kid", "x")), text: badSignature, want: entra.ReasonUnknownKey},
		{rule: "R98", name: "signature before claims", token: with(set("exp", "x")), text: badSignature, want: entra.ReasonSignature},
		{rule: "R98", name: "signature before time", token: with(expired), text: badSignature, want: entra.ReasonSignature},
		{rule: "R98", name: "claims before time", token: with(expired, set("roles", "x")), want: entra.ReasonClaims},
		{rule: "R98", name: "time before issuer", token: with(expired, set("iss", "x")), want: entra.ReasonExpired},
		{rule: "R98", name: "issuer before version", token: with(set("iss", "x"), set("ver", "x")), want: entra.ReasonIssuer},
		{rule: "R98", name: "version before tenant", token: with(foreign, set("ver", "1.0")), want: entra.ReasonVersion},
		{rule: "R98", name: "tenant before key issuer", token: with(foreign), keys: publishing("issuer", publicV2), want: entra.ReasonTenant},
		{rule: "R98", name: "key issuer before audience", token: with(set("aud", "x")), keys: publishing("issuer", publicOtherV2), want: entra.ReasonKeyIssuer},
		{rule: "R98", name: "audience before kind", token: with(set("aud", "x"), entratest.IDToken()), want: entra.ReasonAudience},
		{rule: "R98", name: "audience before binding", token: with(set("aud", "x"), entratest.Bound()), want: entra.ReasonAudience},
		{rule: "R98", name: "binding before kind", token: with(entratest.Bound(), entratest.IDToken()), want: entra.ReasonBoundToken},
		{rule: "R98", name: "kind before permissions", token: with(entratest.App(), entratest.Without("oid")), want: entra.ReasonClaims},
	})
}

// TestARememberedTokenIsJudgedAnew shows what a memory of verified tokens must not outlive.
func TestARememberedTokenIsJudgedAnew(t *testing.T) {
	for _, r := range []struct {
		rule, name string
		change     func(*entratest.Server)
		after      time.Duration
		want       entra.Reason
	}{
		{"R49", "until the end of its skew", func(*entratest.Server) {}, time.Hour + 59*time.Second, ""},
		{"R49", "its own end", func(*entratest.Server) {}, time.Hour + time.Minute, entra.ReasonExpired},
		{"R38", "its key's owner", publishing("issuer", publicOtherV2), 0, entra.ReasonKeyIssuer},
		{"R39", "its key's cloud", publishing("cloud_instance_name", "microsoftonline.us"), 0, entra.ReasonKeyIssuer},
		{"R18", "its key's material", func(s *entratest.Server) {
			s.Publish(s.UnknownKey().With("kid", s.Key().ID()))
		}, 0, entra.ReasonSignature},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := entratest.New(t)
				verifier := newVerifier(t, tenant, nil)
				token := tenant.Token()
				accepted(t, verifier, token)
				if got := verifier.Stats().Remembered; got != 1 {
					t.Fatalf("got %d tokens remembered, want 1", got)
				}
				r.change(tenant)
				time.Sleep(r.after)
				if r.after == 0 {
					// Any unknown key brings the newer document.
					refused(t, verifier, junk(tenant, 1), entra.ReasonUnknownKey, "")
				}
				if r.want == "" {
					accepted(t, verifier, token)
				} else {
					refused(t, verifier, token, r.want, "")
				}
				synctest.Wait()
			})
		})
	}
}
