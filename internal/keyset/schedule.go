package keyset

import "time"

const (
	// refreshAfter is the age of the last good document from which on the use of a key starts a refresh.
	refreshAfter = time.Hour
	// refreshSpread bounds how much later the refresh of a document starts whose keys are in constant use.
	refreshSpread = time.Minute
)

// schedule says when the use of a key starts a refresh of its document: once the last good one is refreshAfter old.
//
// Replicas of a service often fetch in the same second, because they start together or because Entra signs with a new
// key. Where requests come all the time, the keys of all of them would also be an hour old in the same second. So keys in
// constant use, that is in both halves of the refreshSpread before, wait for a random part of another refreshSpread. Keys
// that are used less often need no such wait: the first use after the hour comes at another moment at each replica.
//
// A schedule is a value without lock, clock or chance. The zero value lets the next use start a refresh.
type schedule struct {
	begin time.Time // from then on a use starts a refresh
	next  time.Time // before, a use changes nothing; never after begin
}

// scheduled returns the schedule after a fetch. After a failed one no fetch may start before rest.
func scheduled(lastGood, rest time.Time) schedule {
	begin := lastGood.Add(refreshAfter)
	if rest.After(begin) {
		// The document was due before the fetch failed, and each replica's failures have come at moments of their own.
		return schedule{begin: rest, next: rest}
	}
	return schedule{begin: begin, next: begin.Add(-refreshSpread)}
}

// use notes a use of a key, and reports whether it starts a refresh. Wait is a random part of refreshSpread.
func (s *schedule) use(now time.Time, wait time.Duration) (start bool) {
	half := s.begin.Add(-refreshSpread / 2)
	switch {
	case now.Before(s.next):
	case !now.Before(s.begin):
		return true
	case now.Before(half):
		s.next = half
	case s.next.Equal(half): // The first half had its use, and this is one in the second.
		s.begin = s.begin.Add(wait)
		s.next = s.begin
	default:
		s.next = s.begin
	}
	return false
}
