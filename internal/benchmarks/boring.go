package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// build is one way to build and run this program.
type build struct {
	name        string
	environment []string // for building and for running
	boring      bool     // BoringCrypto must do the work
}

var builds = []build{
	{"Go's own", nil, false},
	{"Go's own, GODEBUG=fips140=on", []string{"GODEBUG=fips140=on"}, false},
	{"GOEXPERIMENT=boringcrypto", []string{"GOEXPERIMENT=boringcrypto", "CGO_ENABLED=1"}, true},
}

// times is what a build of this program measures of itself, on one core.
type times struct {
	Boring      bool
	Rows        []string
	Nanoseconds []float64
}

// measureSignature measures the bare signature check, a new token and one seen before, and writes the times as JSON.
func (lab *laboratory) measureSignature(ctx context.Context) error {
	contenders, err := lab.library(ctx)
	if err != nil {
		return err
	}
	t := times{Boring: boringEnabled()}
	var works []paired.Work
	for _, row := range []int{bareRow, newRow, seenRow} {
		t.Rows = append(t.Rows, contenders[row].name)
		works = append(works, lab.work(contenders[row], 1))
	}
	result, err := lab.run(200, 2*time.Millisecond, works)
	if err != nil {
		return err
	}
	for i := range works {
		t.Nanoseconds = append(t.Nanoseconds, result.Median(i))
	}
	return json.NewEncoder(lab.out).Encode(t)
}

// compareBuilds builds this program in each way, lets the programs take turns, and prints what they measured.
func compareBuilds(ctx context.Context, out io.Writer, quick bool) error {
	folder, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // Nothing depends on it.
	programs := make([]string, len(builds))
	for i, b := range builds {
		programs[i] = filepath.Join(folder, fmt.Sprint(i))
		if err := b.command(ctx, "go", "build", "-o", programs[i], ".").Run(); err != nil {
			return fmt.Errorf("building with %s: %w", b.name, err)
		}
	}
	turns := 7
	if quick {
		turns = 2
	}
	measured := make([][]times, len(builds))
	for range turns {
		for i, b := range builds {
			t, err := b.measure(ctx, programs[i])
			if err != nil {
				return fmt.Errorf("with %s: %w", b.name, err)
			}
			measured[i] = append(measured[i], t)
		}
	}
	printBuilds(out, measured)
	return nil
}

var errNotBoring = errors.New("BoringCrypto is not used; it needs Linux on amd64 or arm64, and cgo with a C compiler")

// measure runs a program that was built this way.
func (b build) measure(ctx context.Context, program string) (t times, err error) {
	command := b.command(ctx, program, "-signature")
	text, err := command.Output()
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return t, err
	}
	if t.Boring != b.boring {
		return t, errNotBoring
	}
	return t, nil
}

func (b build) command(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = append(os.Environ(), b.environment...)
	command.Stderr = os.Stderr
	return command
}

// printBuilds prints the median of all turns for each build, and as a share of what the first build takes.
func printBuilds(out io.Writer, measured [][]times) {
	fmt.Fprint(out, "\n| one core |")
	for _, b := range builds {
		fmt.Fprintf(out, " %s |", b.name)
	}
	fmt.Fprint(out, "\n|---|--:|--:|--:|\n")
	for row, name := range measured[0][0].Rows {
		fmt.Fprintf(out, "| %s |", name)
		first := median(measured[0], row)
		for i := range builds {
			took := median(measured[i], row)
			fmt.Fprintf(out, " %.1f µs (%.2f) |", took/1000, took/first)
		}
		fmt.Fprintln(out)
	}
}

// median returns the median over all turns of one row, in nanoseconds.
func median(turns []times, row int) float64 {
	var all []float64
	for _, t := range turns {
		all = append(all, t.Nanoseconds[row])
	}
	return paired.Median(all)
}
