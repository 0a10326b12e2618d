package main

import (
	"encoding/binary"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
	"github.com/elastic/go-freelru"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"
)

// key and value are what the library keeps: the SHA-256 of a token, and what was found out about it.
type (
	key   [32]byte
	value struct {
		Claims, Key *[8]byte
		Header      string
	}
)

// cache is a bounded cache under test.
type cache struct {
	get  func(key) (value, bool)
	set  func(key, value)
	stop func() // ends goroutines of the cache's own, if it has any
}

// candidate is a cache library, with the import path by which its dependencies are counted.
type candidate struct {
	name, path string
	build      func(size int) (cache, error)
}

func none() {}

func candidates() []candidate {
	return []candidate{
		{"otter", "github.com/maypok86/otter/v2", newOtter},
		{"theine-go", "github.com/Yiling-J/theine-go", newTheine},
		{"ristretto", "github.com/dgraph-io/ristretto/v2", newRistretto},
		{"go-freelru, sharded", "github.com/elastic/go-freelru", newFreeLRU},
		{"golang-lru", "github.com/hashicorp/golang-lru/v2", newLRU},
	}
}

// newOtter sets it up as the library does.
func newOtter(size int) (cache, error) {
	c, err := otter.New(&otter.Options[key, value]{MaximumSize: size, Executor: func(upkeep func()) { upkeep() }})
	if err != nil {
		return cache{}, err
	}
	return cache{c.GetIfPresent, func(k key, v value) { c.Set(k, v) }, none}, nil
}

func newTheine(size int) (cache, error) {
	c, err := theine.NewBuilder[key, value](int64(size)).Build()
	if err != nil {
		return cache{}, err
	}
	return cache{c.Get, func(k key, v value) { c.Set(k, v, 1) }, c.Close}, nil
}

// newRistretto keeps string keys: arrays are none of those that it permits. It holds a hash of 128 bits of them.
func newRistretto(size int) (cache, error) {
	c, err := ristretto.NewCache(&ristretto.Config[string, value]{
		NumCounters: int64(10 * size), MaxCost: int64(size), BufferItems: 64, IgnoreInternalCost: true,
	})
	if err != nil {
		return cache{}, err
	}
	get := func(k key) (value, bool) { return c.Get(string(k[:])) }
	return cache{get, func(k key, v value) { c.Set(string(k[:]), v, 1) }, c.Close}, nil
}

func newFreeLRU(size int) (cache, error) {
	c, err := freelru.NewSharded[key, value](uint32(size), func(k key) uint32 { return binary.LittleEndian.Uint32(k[:]) })
	if err != nil {
		return cache{}, err
	}
	return cache{c.Get, func(k key, v value) { c.Add(k, v) }, none}, nil
}

func newLRU(size int) (cache, error) {
	c, err := lru.New[key, value](size)
	if err != nil {
		return cache{}, err
	}
	return cache{c.Get, func(k key, v value) { c.Add(k, v) }, none}, nil
}
