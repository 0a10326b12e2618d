// Package memory remembers what was found out about a text, by the text's hash, in bounded space.
package memory

import (
	"crypto/sha256"

	"github.com/maypok86/otter/v2"
)

// Key stands for a text: its SHA-256, so that the memory never holds the text and nobody can find a second text for it.
type Key [sha256.Size]byte

// Memory holds at most a fixed number of values; those used least are forgotten first. It is safe for concurrent use,
// and of a nil Memory only Len may be called.
type Memory[V any] struct {
	cache *otter.Cache[Key, V]
}

// New returns a memory of at most size values, or nil if size is not positive.
func New[V any](size int) *Memory[V] {
	if size <= 0 {
		return nil
	}
	return &Memory[V]{cache: otter.Must(&otter.Options[Key, V]{
		MaximumSize: size,
		// Upkeep on the caller's goroutine: no goroutine of the cache's own is ever left behind.
		Executor: func(upkeep func()) { upkeep() },
	})}
}

// Get returns the value remembered under key.
func (m *Memory[V]) Get(key Key) (V, bool) { return m.cache.GetIfPresent(key) }

// Put remembers value under key in place of any other.
func (m *Memory[V]) Put(key Key, value V) { m.cache.Set(key, value) }

// Forget forgets what is remembered under key.
func (m *Memory[V]) Forget(key Key) { m.cache.Invalidate(key) }

// Len returns how many values are remembered, once pending upkeep is done.
func (m *Memory[V]) Len() int {
	if m == nil {
		return 0
	}
	m.cache.CleanUp()
	return m.cache.EstimatedSize()
}
