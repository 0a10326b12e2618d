package keyset

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/fetch"
)

func TestWhenAUseStartsARefresh(t *testing.T) {
	const (
		hour   = time.Hour
		second = time.Second
		wait   = 20 * second // the random part of the minute
	)
	at := func(uses ...time.Duration) []time.Duration { return uses }
	every := func(step, from, to time.Duration) (uses []time.Duration) {
		for use := from; use <= to; use += step {
			uses = append(uses, use)
		}
		return uses
	}
	const none = time.Duration(-1)
	tests := map[string]struct {
		rest time.Duration   // after a failed fetch
		uses []time.Duration // after the last good document
		want time.Duration   // the use that starts a refresh
	}{
		"a second before the hour":                         {0, at(hour - second), none},
		"at the hour":                                      {0, at(hour), hour},
		"days later":                                       {0, at(50 * hour), 50 * hour},
		"now and then before the hour":                     {0, at(0, 20*time.Minute, 50*time.Minute, hour), hour},
		"an hour and a minute before the hour":             {0, at(hour-time.Minute-second, hour), hour},
		"in the first half of the minute before the hour":  {0, at(hour-time.Minute, hour-31*second, hour), hour},
		"in the second half of the minute before the hour": {0, at(hour-30*second, hour-second, hour), hour},
		"in both halves of that minute":                    {0, at(hour-31*second, hour-30*second, hour, hour+wait-1, hour+wait), hour + wait},
		"in both halves of that minute, then hours later":  {0, at(hour-31*second, hour-30*second, 2*hour), 2 * hour},
		"each second":                                      {0, every(second, 0, 2*hour), hour + wait},
		"each ten seconds":                                 {0, every(10*second, 0, 2*hour), hour + wait},
		"each minute":                                      {0, every(time.Minute, 0, 2*hour), hour},
		"each minute at another second":                    {0, every(time.Minute, 40*second, 2*hour), hour + 40*second},
		"after a failure within the hour":                  {time.Minute, at(2*time.Minute, hour-second, hour), hour},
		"each second after a failure within the hour":      {time.Minute, every(second, 0, 2*hour), hour + wait},
		"within the rest after a failed refresh":           {hour + 8*second, at(hour + 7*second), none},
		"each second after a failed refresh":               {hour + 8*second, every(second, 0, 2*hour), hour + 8*second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			good := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			var rest time.Time
			if test.rest > 0 {
				rest = good.Add(test.rest)
			}
			got, s := none, scheduled(good, rest)
			for _, use := range test.uses {
				if s.use(good.Add(use), wait) {
					got = use
					break
				}
			}
			if got != test.want {
				t.Errorf("got a refresh at %v, want it at %v", got, test.want)
			}
		})
	}
	var s schedule
	if !s.use(time.Now(), 0) {
		t.Error("before any fetch: got no refresh at the first use, want one")
	}
}

// noNetwork fails every request.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}

// Of many requests that find a refresh due at once, all but one get the lock after it has started.
func TestARefreshThatRunsIsTheOnlyOne(t *testing.T) {
	s := New(Config{
		Client: fetch.New(&http.Client{Transport: noNetwork{}}), Log: slog.New(slog.DiscardHandler), Sources: []Source{{KeysURL: "https://login.example/keys"}},
	})
	d := s.documents[0]
	d.running = &flight{done: make(chan struct{})}
	s.refreshIfDue(d, time.Now().Add(2*refreshAfter))
	if got := s.Stats().Fetches; got != 0 {
		t.Errorf("got %d fetches beside the one that runs, want 0", got)
	}
}
