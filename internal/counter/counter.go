// Package counter counts events that every request causes without making the cores wait for each other.
package counter

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

const (
	cacheLine = 64
	stripes   = 32
)

type stripe struct {
	n atomic.Uint64
	_ [cacheLine - 8]byte
}

// Counter is a count that many goroutines raise at once. The zero value is ready to use.
type Counter struct {
	stripes [stripes]stripe
	// near hands a goroutine the stripe that its core used last: sync.Pool keeps its objects by core.
	near sync.Pool
}

// Add raises the count by one.
func (c *Counter) Add() {
	s, _ := c.near.Get().(*stripe)
	if s == nil {
		s = &c.stripes[rand.IntN(stripes)]
	}
	s.n.Add(1)
	c.near.Put(s)
}

// Load returns the count. Events that happen meanwhile may or may not be in it.
func (c *Counter) Load() (n uint64) {
	for i := range c.stripes {
		n += c.stripes[i].n.Load()
	}
	return n
}
