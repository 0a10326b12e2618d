package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

const (
	progressEvery = 5 * time.Second
	// warmUp is when the heap is measured for the first time; in a soak of less than three minutes, after a third of it.
	warmUp = time.Minute
	// heapGrowth is how much the heap may grow from then on: a full memory of verified tokens takes half of it.
	heapGrowth = 16 << 20
	// quiet is how long goroutines may take to end.
	quiet = 20 * time.Second
)

func goroutines() int { return runtime.NumGoroutine() }

// goroutinesLeft waits until no more goroutines run than before, and returns how many do.
func goroutinesLeft(before int) int {
	for deadline := time.Now().Add(quiet); goroutines() > before && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	return goroutines()
}

// heap returns the bytes of the heap that are in use, after a collection.
func heap() uint64 {
	runtime.GC()
	return liveHeap()
}

// liveHeap returns the bytes that the last collection found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func megabytes(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// watch prints progress until ctx ends, and returns the size of the heap after the warm-up.
func (s *schedule) watch(ctx context.Context, c Config) (early uint64) {
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	warm := time.NewTimer(min(warmUp, c.For/3))
	defer warm.Stop()
	for {
		select {
		case <-progress.C:
			s.progress()
		case <-warm.C:
			early = heap()
		case <-ctx.Done():
			return early
		}
	}
}

func (s *schedule) progress() {
	in := s.api.current.Load()
	stats := in.verifier.Stats()
	r := s.report
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.sum()
	flood := ""
	if s.flood.Load() {
		flood = ", flood"
	}
	r.printf("%s  %d accepted, %d refused, %d left; wrong: %d; Entra %s, lists %d; instance %d holds %d keys after %d fetches, %d failed%s; %d goroutines, %s\n",
		r.age(), all.accepted, all.refused, all.left, r.shown, s.entra.now(), s.keyring.listed(),
		in.number, stats.Keys, stats.Fetches, stats.FetchFailures, flood, goroutines(), megabytes(liveHeap()))
}

// figures prints the counts of the whole soak.
func (r *report) figures(before, left int, early, late uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.sum()
	requests := all.accepted + all.refused + all.left
	r.printf("\n%-42s %9s %9s %9s\n", "requests", "accepted", "refused", "left")
	for _, name := range slices.Sorted(maps.Keys(r.classes)) {
		c := r.classes[name]
		r.printf("%-42s %9d %9d %9d\n", name, c.accepted, c.refused, c.left)
	}
	r.printf("%-42s %9d %9d %9d\n\n", fmt.Sprintf("all %d", requests), all.accepted, all.refused, all.left)
	for _, row := range [][2]string{
		{"judged", r.judged()},
		{"good tokens rightly refused for want of a key", fmt.Sprint(r.wanting)},
		{"answers with a held key", r.held.String()},
		{"new keys fetched, since Entra listed them", fmt.Sprintf("%d: %s", r.found.total, &r.found)},
		{"first keys fetched, since Entra was well", fmt.Sprintf("%d: %s", r.returns.total, &r.returns)},
		{"Verifiers", fmt.Sprintf("%d; they verified %d tokens, %d of them from memory", r.deployed, r.verified, r.remembered)},
		{"Verifiers that began with keys of the cache", fmt.Sprintf("%d, %d of them while Entra was in trouble", r.fromCache, r.inTrouble)},
		{"fetches", fmt.Sprintf("%d, %d failed", r.fetches, r.failures)},
		{"log lines", fmt.Sprint(r.logLines)},
		{"longest stall of the machine", r.stalls.longest.Round(time.Millisecond).String()},
		{"goroutines", fmt.Sprintf("%d before, %d after", before, left)},
		{"heap after a collection", fmt.Sprintf("%s early, %s at the end", megabytes(early), megabytes(late))},
		{"wrong acceptances", fmt.Sprint(r.faults[invariants.Accepted])},
		{"wrong refusals", fmt.Sprint(r.faults[invariants.Refused])},
		{"objections of the oracle", fmt.Sprint(r.broken[wrongToken])},
		{"other wrong or late answers", fmt.Sprint(r.faults[invariants.Other] + r.faults[invariants.Late])},
		{"flawed answers, fetches, counts and logs", fmt.Sprint(r.broken[brokenAnswer] + r.broken[brokenFetch] + r.broken[brokenCount] + r.broken[brokenLog])},
	} {
		r.printf("%-46s %s\n", row[0], row[1])
	}
}

// judged says how many answers were judged on which ground.
func (r *report) judged() string {
	var parts []string
	for _, ground := range []invariants.Ground{invariants.Always, invariants.Held, invariants.Joined, invariants.Back, invariants.Never, invariants.Open} {
		parts = append(parts, fmt.Sprintf("%d %s", r.grounds[ground], ground))
	}
	return strings.Join(parts, ", ")
}

// verdict returns an error that names everything that was wrong, or nil.
func (r *report) verdict(before, left int, early, late uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	wrong := r.wrong()
	if left > before {
		wrong = append(wrong, fmt.Sprintf("%d goroutines left behind:\n%s", left-before, stacks()))
	}
	if early > 0 && late > early+heapGrowth {
		wrong = append(wrong, fmt.Sprintf("the heap grew from %s to %s, more than %s", megabytes(early), megabytes(late), megabytes(heapGrowth)))
	}
	if r.sum().accepted == 0 {
		wrong = append(wrong, "no request was accepted, so nothing was shown")
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	r.printf("PASSED\n")
	return nil
}

func stacks() string {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // Writing to a buffer does not fail.
	return b.String()
}
