// Command caches compares bounded cache libraries for the memory of verified tokens: how often a core or two find a key,
// all keys in turn or one alone (a daemon's token), what an entry occupies, whether a flood of new keys drives the busy
// ones out, and what else comes along.
//
//	go -C internal/benchmarks run ./caches
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// size is how many tokens are remembered by default.
const size = 4096

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	all := candidates()
	var works []paired.Work
	for _, c := range all {
		built, err := c.build(size)
		if err != nil {
			return err
		}
		defer built.stop()
		// Half full: some libraries divide their bound among shards that fill unevenly.
		hit := hits(built, size/2)
		works = append(works,
			paired.Work{Name: c.name, Cores: 1, Do: hit},
			paired.Work{Name: c.name, Cores: 2, Do: hit},
			paired.Work{Name: c.name, Cores: 2, Do: func(int) error { return hit(0) }})
	}
	result, err := paired.Run(paired.Plan{Rounds: 40, Slice: 30 * time.Millisecond}, works)
	if err != nil {
		return err
	}
	fmt.Println("| library | a hit, one core | two cores | two cores, same key | bytes an entry | busy keys kept in a flood | goroutines | modules |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	for i, c := range all {
		kept, goroutines, err := flood(c)
		if err != nil {
			return err
		}
		bytes, err := entrySize(c)
		if err != nil {
			return err
		}
		modules, err := modules(c.path)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f ns | %.0f ns | %.0f ns | %.0f | %.0f %% | %d | %d |\n",
			c.name, result.Median(3*i), result.Median(3*i+1), result.Median(3*i+2), bytes, 100*kept, goroutines, modules)
	}
	return nil
}

func keyOf(i uint64) key {
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], i)
	return sha256.Sum256(text[:])
}

var errMiss = errors.New("a key that was put in is not there")

// hits fills c and returns work that looks the keys up in turn.
func hits(c cache, count int) func(int) error {
	keys := make([]key, count)
	for i := range keys {
		keys[i] = keyOf(uint64(i))
		c.set(keys[i], value{})
		// Some libraries take keys in later, and drop those that come too fast.
		if i%64 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return func(i int) error {
		if _, ok := c.get(keys[i%len(keys)]); !ok {
			return errMiss
		}
		return nil
	}
}

// flood asks for busy keys as often as for keys that never come again, and returns which share of the busy ones was found
// once the cache had seen enough, and how many goroutines the cache keeps.
func flood(c candidate) (kept float64, goroutines int, err error) {
	const busy, steps = 3000, 400_000
	before := runtime.NumGoroutine()
	built, err := c.build(size)
	if err != nil {
		return 0, 0, err
	}
	defer built.stop()
	goroutines = runtime.NumGoroutine() - before
	found := 0
	for step := range steps {
		// Keys of a flood have numbers above those of the busy ones.
		built.set(keyOf(uint64(busy+step)), value{})
		k := keyOf(rand.Uint64N(busy))
		_, ok := built.get(k)
		if !ok {
			built.set(k, value{})
		}
		if ok && step >= steps/2 {
			found++
		}
	}
	return float64(found) / (steps / 2), goroutines, nil
}

// entrySize returns how many bytes the heap grows for each entry that is put in and kept.
func entrySize(c candidate) (float64, error) {
	const count = 100_000
	before := heap()
	built, err := c.build(count)
	if err != nil {
		return 0, err
	}
	defer built.stop()
	for i := range uint64(count) {
		built.set(keyOf(i), value{})
	}
	time.Sleep(100 * time.Millisecond)
	grown, kept := heap()-before, 0.0
	for i := range uint64(count) {
		if _, ok := built.get(keyOf(i)); ok {
			kept++
		}
	}
	return grown / kept, nil
}

func heap() float64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// modules returns how many modules, its own included, a program must trust that imports path.
func modules(path string) (int, error) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", path).Output()
	if err != nil {
		return 0, fmt.Errorf("go list %s: %w", path, err)
	}
	distinct := make(map[string]bool)
	for _, module := range strings.Fields(string(out)) {
		distinct[module] = true
	}
	return len(distinct), nil
}
