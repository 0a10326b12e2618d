package conformance_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestLifetime(t *testing.T) {
	const (
		claims  = entra.ReasonClaims
		expired = entra.ReasonExpired
		early   = entra.ReasonNotYetValid
	)
	// in puts a date that many seconds from now into a claim.
	in := func(name string, seconds float64) entratest.TokenOption {
		return entratest.Claim(name, float64(testbed.BubbleStart.Unix())+seconds)
	}
	number := func(name, text string) []entratest.TokenOption {
		return with(entratest.Claim(name, json.RawMessage(text)))
	}
	skew := func(d time.Duration) func(*entra.Options) { return func(o *entra.Options) { o.ClockSkew = d } }
	rows := []testbed.Row{
		{Rule: "R49 S2a", Name: "no exp", Token: with(entratest.Without("exp")), Want: claims, Says: "no exp"},
		{Rule: "R49", Name: "exp one hour ago", Token: with(entratest.Expired()), Want: expired, Says: "1h0m0s ago (clock skew allowed: 1m0s)"},
		{Rule: "R49 R52", Name: "exp just within the skew of a minute", Token: with(in("exp", -59.5), entratest.Without("nbf"))},
		{Rule: "R49 R52", Name: "exp exactly at the skew", Token: with(in("exp", -60)), Want: expired},
		{Rule: "R49", Name: "exp just beyond the skew", Token: with(in("exp", -60.5)), Want: expired},
		{Rule: "R52", Name: "exp now, without skew", Token: with(in("exp", 0)), Options: skew(-1), Want: expired},
		{Rule: "R52", Name: "exp half a second ahead, without skew", Token: with(in("exp", 0.5)), Options: skew(-time.Hour)},
		{Rule: "R52", Name: "exp within a skew of five minutes", Token: with(in("exp", -299), entratest.Without("nbf")), Options: skew(5 * time.Minute)},
		{Rule: "R52", Name: "exp beyond a skew of a second", Token: with(in("exp", -1)), Options: skew(time.Second), Want: expired},

		{Rule: "R50", Name: "nbf one hour ahead", Token: with(entratest.NotYetValid()), Want: early, Says: "1h0m0s ahead of this machine's clock"},
		{Rule: "R50", Name: "nbf exactly at the skew", Token: with(in("nbf", 60))},
		{Rule: "R50", Name: "nbf just beyond the skew", Token: with(in("nbf", 60.5)), Want: early, Says: "nbf"},
		{Rule: "R50", Name: "nbf ahead, without skew", Token: with(in("nbf", 0.5)), Options: skew(-1), Want: early},
		{Rule: "R50", Name: "no nbf", Token: with(entratest.Without("nbf"))},
		{Rule: "R50", Name: "nbf 1970", Token: number("nbf", "0")},

		{Rule: "R51", Name: "iat exactly at the skew", Token: with(in("iat", 60))},
		{Rule: "R51", Name: "iat just beyond the skew", Token: with(in("iat", 60.5)), Want: early, Says: "iat"},
		{Rule: "R51 S2d", Name: "iat two hours ahead", Token: with(in("iat", 7200)), Want: early},
		{Rule: "R51", Name: "no iat", Token: with(entratest.Without("iat"))},
		{Rule: "R51", Name: "no iat and no nbf", Token: with(entratest.Without("iat", "nbf"))},

		{Rule: "R53", Name: "nbf behind exp", Token: with(in("nbf", 30), in("exp", 29)), Want: claims, Says: "nbf is after its exp"},
		{Rule: "R53", Name: "nbf and exp at one time", Token: with(in("nbf", 30), in("exp", 30))},

		// Package claimset has a table of dates, package policy one of lifetimes.
		{Rule: "R54", Name: "exp as text", Token: with(entratest.Claim("exp", "4102444800")), Want: claims, Says: "exp is a string"},
		{Rule: "R54", Name: "nbf as text", Token: with(entratest.Claim("nbf", "1")), Want: claims},
		{Rule: "R54", Name: "iat as text", Token: with(entratest.Claim("iat", "1")), Want: claims},
		{Rule: "R54", Name: "exp with a fraction", Token: number("exp", "4102444800.25")},
		{Rule: "R54", Name: "exp at the end of the year 9999", Token: number("exp", "253402300799")},
		{Rule: "R54", Name: "exp in the year 10000", Token: number("exp", "253402300800"), Want: claims, Says: "9999"},
		{Rule: "R54", Name: "exp 2^63, which overflows", Token: number("exp", "9223372036854775808"), Want: claims},
		{Rule: "R54", Name: "exp -1", Token: number("exp", "-1"), Want: claims},
		{Rule: "R54", Name: "nbf 2^63, which overflows", Token: number("nbf", "9223372036854775808"), Want: claims},
		{Rule: "R54", Name: "iat 2^63, which overflows", Token: number("iat", "9223372036854775808"), Want: claims},

		{Rule: "R55", Name: "a lifetime of 28 hours", Token: with(entratest.Lifetime(28 * time.Hour))},
		{Rule: "R55", Name: "27 hours into a lifetime of 28", Token: with(in("iat", -27*3600), in("nbf", -27*3600), in("exp", 3600))},
	}
	for _, r := range rows {
		t.Run(r.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { r.Run(t, entratest.New(t)) })
		})
	}
}
