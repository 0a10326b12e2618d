package testbed

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Cache is an entra.KeyCache in memory. It is safe for concurrent use; OnGet and OnPut are set before.
type Cache struct {
	// OnGet and OnPut, unless nil, answer in place of the memory. They are given what the memory answers.
	OnGet func(ctx context.Context, data []byte, err error) ([]byte, error)
	OnPut func(ctx context.Context, data []byte) error

	mu      sync.Mutex
	entries map[string][]byte
	gets    int
}

// Get returns the entry name.
func (c *Cache) Get(ctx context.Context, name string) ([]byte, error) {
	c.mu.Lock()
	c.gets++
	data, ok := c.entries[name]
	c.mu.Unlock()
	var err error
	if !ok {
		err = &fs.PathError{Op: "get", Path: name, Err: fs.ErrNotExist}
	}
	if c.OnGet != nil {
		return c.OnGet(ctx, slices.Clone(data), err)
	}
	return slices.Clone(data), err
}

// Put makes data the entry name.
func (c *Cache) Put(ctx context.Context, name string, data []byte) error {
	if c.OnPut != nil {
		if err := c.OnPut(ctx, data); err != nil {
			return err
		}
	}
	c.Set(name, data)
	return nil
}

// Set makes data the entry name, whatever OnPut says.
func (c *Cache) Set(name string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[string][]byte)
	}
	c.entries[name] = slices.Clone(data)
}

// Entries returns a copy of all entries.
func (c *Cache) Entries() map[string][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.entries)
}

// Gets returns how often Get was called.
func (c *Cache) Gets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gets
}
