package rig

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/entra-go/entra/entratest"
)

// logSpy counts what a Verifier logs, by reason, and looks for secrets in it.
type logSpy struct {
	report *report
	mu     sync.Mutex
	lines  map[string]int // refusals by reason, and "" for trouble with keys
}

func newLogSpy(r *report) *logSpy { return &logSpy{report: r, lines: make(map[string]int)} }

func (l *logSpy) handler() slog.Handler { return slog.NewTextHandler(l, nil) }

// Write takes one line.
func (l *logSpy) Write(line []byte) (int, error) {
	text := string(line)
	if holdsSecret(text) {
		l.report.violation(brokenLog, "a token or a person's name in the log: "+text)
	}
	_, rest, _ := strings.Cut(text, " reason=")
	reason, _, _ := strings.Cut(rest, " ")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[reason]++
	return len(line), nil
}

func (l *logSpy) total() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lines := range l.lines {
		n += lines
	}
	return n
}

// audit checks that a flood of refusals wrote at most 10 lines in 10 seconds for each reason.
func (l *logSpy) audit(lived time.Duration) {
	limit := 10 * (int(lived/(10*time.Second)) + 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	for reason, lines := range l.lines {
		if reason != "" && lines > limit {
			l.report.violation(brokenLog, fmt.Sprintf("%d lines for the reason %s in %s; at most %d", lines, reason, lived, limit))
		}
	}
}

// holdsSecret reports whether a text holds a part of a token or the name of a user.
func holdsSecret(text string) bool {
	for _, part := range []string{segment(`{"typ":`)[:8], segment(`{"alg":`)[:8], segment(`{"aud":`)[:8], "@" + entratest.TenantDomain} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
