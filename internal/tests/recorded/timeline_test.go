package recorded_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// observation is the key document of organizations as it was at one time.
type observation struct {
	At      time.Time         `json:"observed_at"`
	Kids    []string          `json:"kids"`
	Issuers map[string]string `json:"issuers"`
}

// timeline is what was observed over a month, with keys of this test's own in place of Microsoft's.
type timeline struct {
	observations []observation
	keys         []*entratest.Key // in the order of their first appearance
	first, last  map[string]time.Time
}

func readTimeline(t *testing.T) *timeline {
	t.Helper()
	line := &timeline{first: make(map[string]time.Time), last: make(map[string]time.Time)}
	decoder := json.NewDecoder(bytes.NewReader(readRecorded(t, recorded(t, "keys", "organizations-timeline", "timeline.jsonl"))))
	for decoder.More() {
		var o observation
		if err := decoder.Decode(&o); err != nil {
			t.Fatal(err)
		}
		for _, kid := range o.Kids {
			if _, known := line.first[kid]; !known {
				line.first[kid] = o.At
				line.keys = append(line.keys, entratest.NewKey().With("kid", kid).With("issuer", o.Issuers[kid]))
			}
			line.last[kid] = o.At
		}
		line.observations = append(line.observations, o)
	}
	if len(line.observations) < 2 {
		t.Fatalf("got %d observations, want a timeline", len(line.observations))
	}
	return line
}

// at returns the document as it was last observed.
func (l *timeline) at(now time.Time) observation {
	i := len(l.observations) - 1
	for i > 0 && l.observations[i].At.After(now) {
		i--
	}
	return l.observations[i]
}

func (l *timeline) document(o observation) string {
	var keys []*entratest.Key
	for _, kid := range o.Kids {
		keys = append(keys, l.keys[slices.IndexFunc(l.keys, func(k *entratest.Key) bool { return k.ID() == kid })])
	}
	return testbed.KeyDocument(keys...)
}

// live returns the keys between their first and last appearance. Entra may sign with each of them, whether its document
// names it at the moment or not.
func (l *timeline) live(now time.Time) (keys []*entratest.Key) {
	for _, k := range l.keys {
		if !now.Before(l.first[k.ID()]) && !now.After(l.last[k.ID()]) {
			keys = append(keys, k)
		}
	}
	return keys
}

// keyHours counts hours in which a key was live, and those in which a cache refused its tokens.
type keyHours struct{ live, refused, replaced int }

func (h keyHours) String() string {
	return fmt.Sprintf("refused %d of %d key-hours, %.2f %%; a cache that replaces its set: %d, %.2f %%",
		h.refused, h.live, percent(h.refused, h.live), h.replaced, percent(h.replaced, h.live))
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(whole) }

// replay lets a token of each live key be verified once an hour, beginning that long after the first observation, while
// the document changes as it was observed to.
func (l *timeline) replay(t *testing.T, start time.Duration) (hours keyHours) {
	const url = "https://login.microsoftonline.com/organizations/discovery/v2.0/keys"
	documents := &testbed.Publisher{Documents: make(map[string]string)}
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: &http.Client{Transport: documents},
		Logger:     testbed.Discard(),
		CacheSize:  -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(l.observations[0].At.Add(start)))
	claims := testbed.UserClaims(testbed.PublicV2, entratest.TenantID, "2.0")
	claims["exp"] = l.observations[len(l.observations)-1].At.Add(time.Hour).Unix()
	tokens := make(map[*entratest.Key]string)
	for _, k := range l.keys {
		tokens[k] = testbed.SignClaims(k, claims)
	}
	for end := l.observations[len(l.observations)-1].At; !time.Now().After(end); time.Sleep(time.Hour) {
		seen := l.at(time.Now())
		documents.Publish(url, l.document(seen))
		for _, k := range l.live(time.Now()) {
			hours.live++
			if !slices.Contains(seen.Kids, k.ID()) {
				hours.replaced++
			}
			if _, err := verifier.Verify(t.Context(), tokens[k]); err != nil {
				if got := entra.ReasonOf(err); got != entra.ReasonUnknownKey {
					t.Fatalf("%v: got %v (%s), want unknown_key at worst", time.Now(), err, got)
				}
				hours.refused++
			}
		}
		synctest.Wait()
	}
	return hours
}

// TestRecordedTimelineOfKeys replays how Entra's key document flapped for a month. The hour's minute decides which of
// the short appearances of a key the cache sees.
func TestRecordedTimelineOfKeys(t *testing.T) {
	t.Attr("rule", "R16 R20 R21")
	line := readTimeline(t)
	for _, start := range []time.Duration{0, 30 * time.Minute} {
		t.Run(start.String()+" behind the first observation", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hours := line.replay(t, start)
				t.Log(hours)
				if got := percent(hours.refused, hours.live); got > 0.32 || hours.live < 3000 {
					t.Errorf("got %v, want at most 0.32 %%, which 24 hours instead of 25 would exceed of more than 3000", hours)
				}
				if got := percent(hours.replaced, hours.live); got < 1.5 {
					t.Errorf("got %.2f %% for a cache that replaces its set, want the recording to show the difference", got)
				}
			})
		})
	}
}
