package policy_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/refuse"
)

func TestLifetimes(t *testing.T) {
	const expired, early, claims = refuse.Expired, refuse.NotYetValid, refuse.Claims
	exp := func(d time.Duration) func(*claimset.Set) {
		return func(s *claimset.Set) { s.Exp, s.Nbf, s.Iat = now.Add(d), time.Time{}, time.Time{} }
	}
	nbf := func(d time.Duration) func(*claimset.Set) { return func(s *claimset.Set) { s.Nbf = now.Add(d) } }
	iat := func(d time.Duration) func(*claimset.Set) { return func(s *claimset.Set) { s.Iat = now.Add(d) } }
	skew := func(d time.Duration) func(*policy.Config) { return func(c *policy.Config) { c.ClockSkew = d } }
	run(t, []row{
		{name: "no exp", set: func(s *claimset.Set) { s.Exp = time.Time{} }, want: claims, says: "no exp"},
		{name: "no nbf", set: func(s *claimset.Set) { s.Nbf = time.Time{} }},
		{name: "no iat", set: func(s *claimset.Set) { s.Iat = time.Time{} }},
		{name: "an hour ago", set: exp(-time.Hour), want: expired, says: "1h0m0s ago (clock skew allowed: 1m0s)"},
		{name: "a nanosecond within the skew of a minute", set: exp(-time.Minute + 1)},
		{name: "at the end of the skew of a minute", set: exp(-time.Minute), want: expired},
		{name: "a nanosecond ahead without skew", set: exp(1), config: skew(-1)},
		{name: "now without skew", set: exp(0), config: skew(-time.Hour), want: expired},
		{name: "within a skew of an hour", set: exp(-time.Hour + 1), config: skew(time.Hour)},
		{name: "at the end of a skew of an hour", set: exp(-time.Hour), config: skew(time.Hour), want: expired},
		{name: "within a skew of a second", set: exp(-time.Second + 1), config: skew(time.Second)},
		{name: "at the end of a skew of a second", set: exp(-time.Second), config: skew(time.Second), want: expired},
		{name: "in the year 9999", set: func(s *claimset.Set) { s.Exp = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{name: "in 1970", set: func(s *claimset.Set) { s.Exp, s.Nbf = time.Unix(0, 0), time.Unix(0, 0) }, want: expired},

		{name: "nbf at the end of the skew", set: nbf(time.Minute)},
		{name: "nbf a nanosecond later", set: nbf(time.Minute + 1), want: early, says: "nbf"},
		{name: "nbf an hour ahead", set: func(s *claimset.Set) { s.Nbf, s.Exp = now.Add(time.Hour), now.Add(2*time.Hour) }, want: early, says: "1h0m0s ahead of this machine's clock"},
		{name: "nbf a nanosecond ahead without skew", set: nbf(1), config: skew(-1), want: early},
		{name: "iat at the end of the skew", set: iat(time.Minute)},
		{name: "iat a nanosecond later", set: iat(time.Minute + 1), want: early, says: "iat"},
		{name: "iat a nanosecond ahead without skew", set: iat(1), config: skew(-1), want: early},
		{name: "iat long ago", set: iat(-1000 * time.Hour)},

		{name: "nbf after exp, both within the skew", set: func(s *claimset.Set) { s.Nbf, s.Exp = now.Add(30*time.Second), now.Add(29*time.Second) }, want: claims, says: "nbf is after its exp"},
		{name: "nbf at exp", set: func(s *claimset.Set) { s.Nbf, s.Exp = now.Add(30*time.Second), now.Add(30*time.Second) }},
	})
}

// A remembered token is compared with the clock alone.
func TestCheckLifetime(t *testing.T) {
	p := newPolicy(t, nil)
	end := now.Add(time.Hour)
	for _, test := range []struct {
		name     string
		nbf, iat time.Time
		at       time.Duration // after now
		want     string
	}{
		{"at once", now, now, 0, ""},
		{"within its time", now, now, 59 * time.Minute, ""},
		{"within the skew", now, now, 61*time.Minute - 1, ""},
		{"after the skew", now, now, 61 * time.Minute, refuse.Expired},
		{"years later", now, now, 100_000 * time.Hour, refuse.Expired},
		{"on a clock that was set back within the skew", now, now, -time.Minute, ""},
		{"on a clock that was set back", now, now, -time.Minute - 1, refuse.NotYetValid},
		{"without nbf on a clock that was set back", time.Time{}, now, -time.Minute - 1, refuse.NotYetValid},
		{"without nbf and iat on a clock that was set back", time.Time{}, time.Time{}, -1000 * time.Hour, ""},
	} {
		if err := p.CheckLifetime(end, test.nbf, test.iat, now.Add(test.at)); reasonOf(err) != test.want {
			t.Errorf("%s: got reason %q (%v), want %q", test.name, reasonOf(err), err, test.want)
		}
	}
}
