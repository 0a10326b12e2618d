package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// The clocks of Entra and of this machine differ. Tokens are good for an hour by that of Entra.
func TestEntrasClockIsAheadOrBehind(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		ahead, skew time.Duration
		want        string
		goodIn      time.Duration // when the same token is accepted, if not at once; 0: never
	}{
		{ahead: 0, want: accepted},
		{ahead: 30 * time.Second, want: accepted},
		{ahead: time.Minute, want: accepted},
		{ahead: 2 * time.Minute, want: "not_yet_valid", goodIn: time.Minute},
		{ahead: 5 * time.Minute, want: "not_yet_valid", goodIn: 4 * time.Minute},
		{ahead: 5 * time.Minute, skew: 5 * time.Minute, want: accepted},
		{ahead: time.Second, skew: -1, want: "not_yet_valid", goodIn: time.Second},
		{ahead: day, want: "not_yet_valid", goodIn: day - time.Minute},
		{ahead: -30 * time.Second, want: accepted},
		{ahead: -5 * time.Minute, want: accepted},
		{ahead: -time.Hour, want: accepted},
		{ahead: -time.Hour - time.Minute + time.Second, want: accepted},
		{ahead: -time.Hour - time.Minute, want: "expired"},
		{ahead: -time.Hour, skew: -1, want: "expired"},
		{ahead: -day, want: "expired"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%v ahead, skew %v", test.ahead, test.skew), func(t *testing.T) {
			change := func(o *entra.Options) { o.ClockSkew = test.skew }
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				token := tenant.Token(entratest.IssuedAt(time.Now().Add(test.ahead)))
				for range 3 { // Verified first, then remembered.
					expect(t, v, token, test.want)
				}
				if test.goodIn > 0 {
					time.Sleep(test.goodIn - time.Second)
					expect(t, v, token, test.want)
					time.Sleep(time.Second)
					expect(t, v, token, accepted)
				}
			})
		})
	}
}

// The clock is read once more after a wait for keys: what ended meanwhile is not accepted.
func TestATokenThatEndsWhileItsKeyIsFetched(t *testing.T) {
	for want, left := range map[string]time.Duration{accepted: 6 * time.Second, "expired": 4 * time.Second} {
		t.Run(want, func(t *testing.T) {
			change := func(o *entra.Options) { o.ClockSkew = -1 }
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				tenant.DelayKeys(5 * time.Second)
				expectAfter(t, v, tenant.Token(entratest.Lifetime(left)), want, 5*time.Second)
			})
		})
	}
}

func TestARememberedTokenExpiresWhenItMust(t *testing.T) {
	bubble(t, nil, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
		token := tenant.Token(entratest.Lifetime(10 * time.Minute))
		expect(t, v, token, accepted)
		time.Sleep(11*time.Minute - time.Nanosecond)
		expect(t, v, token, accepted)
		if got := v.Stats().Remembered; got != 1 {
			t.Fatalf("got %d tokens from memory, want 1", got)
		}
		time.Sleep(time.Nanosecond)
		expect(t, v, token, "expired")
		expect(t, v, token, "expired")
	})
}

// No header of an answer decides when keys are fetched again.
func TestHeadersOfTheKeyDocumentDecideNothing(t *testing.T) {
	for name, header := range map[string]http.Header{
		"a clock a day ahead":       {"Date": {time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat)}},
		"a clock a day behind":      {"Date": {time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat)}},
		"to be kept for a year":     {"Cache-Control": {"max-age=31536000, immutable"}, "Expires": {"Fri, 31 Dec 2100 23:59:59 GMT"}},
		"not to be kept":            {"Cache-Control": {"no-store, max-age=0"}, "Pragma": {"no-cache"}, "Expires": {"0"}},
		"another type":              {"Content-Type": {"text/html"}},
		"a Retry-After":             {"Retry-After": {"86400"}},
		"a cookie":                  {"Set-Cookie": {"a=b"}},
		"a length that is not true": {"Content-Length": {"7"}},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(o *entra.Options) {
				inner := o.HTTPClient.Transport
				o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
					response, err := inner.RoundTrip(r)
					for name, values := range header {
						response.Header[name] = values
					}
					return response, err
				})
			}
			bubble(t, change, func(t *testing.T, tenant *entratest.Server, v *entra.Verifier) {
				start, lasting := time.Now(), tenant.Token(entratest.Lifetime(10*time.Hour))
				for range 150 {
					expect(t, v, lasting, accepted)
					time.Sleep(time.Minute)
				}
				if got, want := fetches(tenant, 0, start), seconds(0, 3600, 7200); !slices.Equal(got, want) {
					t.Errorf("got fetches at %v, want %v", got, want)
				}
			})
		})
	}
}
