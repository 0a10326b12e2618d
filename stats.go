package entra

import (
	"maps"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/counter"
)

// Stats is a snapshot of what a [Verifier] has done since it was made.
type Stats struct {
	Verified   uint64            // tokens accepted
	Remembered uint64            // of these, accepted from memory, without a signature check
	Refused    map[Reason]uint64 // requests and tokens refused, by reason

	Fetches       uint64    // fetches of the key documents that were started
	FetchFailures uint64    // of these, failed ones
	Keys          int       // signing keys held
	LastFetch     time.Time // end of the last good fetch; zero if there was none
}

// tally is what a Verifier counts.
type tally struct {
	verified, remembered counter.Counter

	mu      sync.Mutex
	refused map[Reason]uint64 // of this package's reasons, which are few
}

func (t *tally) refuse(reason Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		t.refused = make(map[Reason]uint64)
	}
	t.refused[reason]++
}

func (t *tally) refusals() map[Reason]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		return make(map[Reason]uint64)
	}
	return maps.Clone(t.refused)
}
