package testbed

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Line is a line of the log: the attributes as text, and the level and the message under "(level)" and "(message)".
type Line map[string]string

// Journal is a slog.Handler that keeps the lines of Level and above.
type Journal struct {
	Level slog.Level
	mu    sync.Mutex
	kept  []Line
}

// Enabled reports whether level is kept.
func (j *Journal) Enabled(_ context.Context, level slog.Level) bool { return level >= j.Level }

// WithAttrs returns j: the library adds no attributes to a logger.
func (j *Journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup returns j: the library opens no groups.
func (j *Journal) WithGroup(string) slog.Handler { return j }

// Handle keeps a line.
func (j *Journal) Handle(_ context.Context, r slog.Record) error {
	l := Line{"(level)": r.Level.String(), "(message)": r.Message}
	r.Attrs(func(a slog.Attr) bool {
		l[a.Key] = a.Value.String()
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kept = append(j.kept, l)
	return nil
}

// Lines returns the lines so far.
func (j *Journal) Lines() []Line {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.kept)
}

// Logging returns a Verifier for the sample API of tenant, and the journal that its log goes to.
func Logging(t *testing.T, tenant *entratest.Server, level slog.Level) (*entra.Verifier, *Journal) {
	written := &Journal{Level: level}
	return NewVerifier(t, tenant, func(o *entra.Options) { o.Logger = slog.New(written) }), written
}
