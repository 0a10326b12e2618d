package entra

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
)

const (
	logWindow = 10 * time.Second
	logLines  = 10 // for one reason in one window
)

// refusalLog writes refusals, and of many alike only the first: a flood of bad tokens must not be a flood of lines.
type refusalLog struct {
	logger *slog.Logger
	mu     sync.Mutex
	recent map[Reason]*window // of this package's reasons, which are few
}

// window remembers when the last lines were written, in a ring.
type window struct {
	written [logLines]time.Time
	next    int
	leftOut int
}

func newRefusalLog(logger *slog.Logger) *refusalLog {
	return &refusalLog{logger: logger, recent: make(map[Reason]*window)}
}

// write logs err, an answer with status, unless too much was logged for its reason already.
func (l *refusalLog) write(ctx context.Context, reason Reason, status int, err error, who refuse.About) {
	level := slog.LevelInfo
	switch {
	case reason == ReasonNoToken:
		level = slog.LevelDebug
	case reason == ReasonInternal:
		level = slog.LevelError
	}
	if !l.logger.Enabled(ctx, level) {
		return
	}
	leftOut, ok := l.admit(reason, time.Now())
	if !ok {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("reason", string(reason)), slog.Int("status", status))
	for _, field := range []struct{ name, value string }{
		{"tid", who.Tenant}, {"client", who.Client}, {"kid", who.Key}, {"uti", who.Token},
	} {
		if field.value != "" {
			attrs = append(attrs, slog.String(field.name, quote.Field(field.value)))
		}
	}
	attrs = append(attrs, slog.String("error", err.Error()))
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	l.logger.LogAttrs(ctx, level, "entra: request refused", attrs...)
}

// admit reports whether a line may be written, and how many were not since the last one that was.
func (l *refusalLog) admit(reason Reason, now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.recent[reason]
	if w == nil {
		w = new(window)
		l.recent[reason] = w
	}
	if oldest := w.written[w.next]; !oldest.IsZero() && now.Sub(oldest) < logWindow {
		w.leftOut++
		return 0, false
	}
	w.written[w.next] = now
	w.next = (w.next + 1) % logLines
	leftOut, w.leftOut = w.leftOut, 0
	return leftOut, true
}
