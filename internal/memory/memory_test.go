package memory_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra/internal/memory"
)

func keyOf(text string) memory.Key { return sha256.Sum256([]byte(text)) }

func TestMemory(t *testing.T) {
	m := memory.New[string](10)
	key, other := keyOf("a"), keyOf("b")
	if got, ok := m.Get(key); ok {
		t.Errorf("got %q from an empty memory, want nothing", got)
	}
	m.Put(key, "1")
	m.Put(key, "2")
	if got, ok := m.Get(key); got != "2" || !ok {
		t.Errorf("got %q and %v, want the last value", got, ok)
	}
	if got, ok := m.Get(other); ok {
		t.Errorf("got %q under another key, want nothing", got)
	}
	m.Forget(key)
	m.Forget(other)
	if got, ok := m.Get(key); ok || m.Len() != 0 {
		t.Errorf("got %q and a length of %d after Forget, want nothing", got, m.Len())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	for _, size := range []int{1, 10, 1000} {
		m := memory.New[int](size)
		for i := range 10 * size {
			m.Put(keyOf(fmt.Sprint(i)), i)
			if got := m.Len(); got > size {
				t.Fatalf("got %d values in a memory of %d", got, size)
			}
		}
		if got := m.Len(); got == 0 {
			t.Errorf("got no values in a memory of %d, want some", size)
		}
	}
}

func TestNoMemory(t *testing.T) {
	for _, size := range []int{0, -1} {
		if got := memory.New[int](size); got != nil || got.Len() != 0 {
			t.Errorf("New(%d): got %v with %d values, want nil and none", size, got, got.Len())
		}
	}
}

// Many goroutines use a memory at once, and none is left behind: the bubble would not end.
func TestMemoryIsSafeForConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New[int](100)
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				for i := range 2000 {
					key := keyOf(fmt.Sprint(i % 300))
					switch (i + worker) % 3 {
					case 0:
						m.Put(key, i%300)
					case 1:
						m.Forget(key)
					}
					if got, ok := m.Get(key); ok && got != i%300 {
						t.Errorf("got %d under the key of %d", got, i%300)
					}
				}
			})
		}
		wait.Wait()
		time.Sleep(time.Hour)
		if got := m.Len(); got > 100 {
			t.Errorf("got %d values, want 100 at most", got)
		}
	})
}
