// Package loglimit keeps a flood of events from becoming a flood of log lines.
package loglimit

import (
	"sync"
	"time"
)

const (
	window = 10 * time.Second
	lines  = 10 // of one kind in any window
)

// Limiter admits at most 10 lines of a kind in any 10 seconds. Kinds must be few: it keeps every one. The zero value is
// ready to use, by several goroutines at once.
type Limiter struct {
	mu    sync.Mutex
	kinds map[string]*recent
}

// recent is when the last lines of a kind were written, in a ring.
type recent struct {
	written [lines]time.Time
	next    int
	leftOut int
}

// Admit reports whether a line of this kind may be written now, and how many were left out since the last one that was.
func (l *Limiter) Admit(kind string, now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.kinds[kind]
	if r == nil {
		if l.kinds == nil {
			l.kinds = make(map[string]*recent)
		}
		r = new(recent)
		l.kinds[kind] = r
	}
	if oldest := r.written[r.next]; !oldest.IsZero() && now.Sub(oldest) < window {
		r.leftOut++
		return 0, false
	}
	r.written[r.next] = now
	r.next = (r.next + 1) % lines
	leftOut, r.leftOut = r.leftOut, 0
	return leftOut, true
}
