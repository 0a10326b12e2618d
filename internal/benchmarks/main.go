// Command benchmarks measures what it costs to verify a token, as multiples of the bare signature check: beside other
// libraries, on one core and on all, in whole requests, while keys are fetched, and in memory. It prints tables in
// Markdown.
//
//	go -C internal/benchmarks run . [-quick] [-check | -costs FILE]
//	go -C internal/benchmarks run . [-quick] -boring
//
// With -boring it builds itself with Go's own cryptography and with GOEXPERIMENT=boringcrypto, and compares the two.
// Times depend on the machine, and ratios far less. See docs/performance.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// laboratory is what the measurements share.
type laboratory struct {
	out    io.Writer
	quick  bool
	tenant *entratest.Server
	tokens []string // all valid, each of another user
	bare   contender

	rounds, leftOut int // of all measurements so far
}

func main() {
	quick := flag.Bool("quick", false, "measure for about half a minute, roughly, instead of several")
	check := flag.Bool("check", false, "measure what has a limit only, and end with status 1 if it is exceeded")
	figures := flag.String("costs", "", "write the comparison as JSON to this `file`, for docs/pictures to draw")
	boring := flag.Bool("boring", false, "compare builds with and without GOEXPERIMENT=boringcrypto instead")
	signature := flag.Bool("signature", false, "print as JSON what -boring compares, for this build")
	flag.Parse()
	var err error
	switch {
	case *boring:
		err = compareBuilds(context.Background(), os.Stdout, *quick)
	case *signature:
		err = runSignature()
	default:
		err = run(*quick, *check, *figures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(quick, check bool, figures string) error {
	lab, err := newLaboratory(os.Stdout, quick)
	if err != nil {
		return err
	}
	fmt.Fprintf(lab.out, "%s, %s/%s, %d cores; tokens of %d bytes\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(lab.tokens[0]))
	ctx := context.Background()
	var found findings
	if found.costs, err = lab.compare(ctx, check); err != nil {
		return err
	}
	if figures != "" {
		if err := found.costs.writeFigures(figures); err != nil {
			return err
		}
	}
	if found.refusals, err = lab.refuse(ctx); err != nil {
		return err
	}
	if !check {
		for _, measure := range []func(context.Context) error{lab.paths, lab.request, lab.scale, lab.refresh, lab.remember} {
			if err := measure(ctx); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(lab.out, "\n%d rounds, %d of them left out because they met fresh pages\n", lab.rounds, lab.leftOut)
	if check {
		return found.check()
	}
	return nil
}

func runSignature() error {
	lab, err := newLaboratory(os.Stdout, false)
	if err != nil {
		return err
	}
	return lab.measureSignature(context.Background())
}

func newLaboratory(out io.Writer, quick bool) (*laboratory, error) {
	tenant, err := sample.Tenant()
	if err != nil {
		return nil, err
	}
	lab := &laboratory{out: out, quick: quick, tenant: tenant, tokens: sample.Tokens(tenant, 64)}
	lab.bare, err = bare(tenant, lab.tokens)
	return lab, err
}

// plan returns a plan of this many rounds, or with -quick of fewer and shorter ones.
func (lab *laboratory) plan(rounds int, slice time.Duration) paired.Plan {
	if lab.quick {
		return paired.Plan{Rounds: max(5, rounds/4), Slice: slice / 2}
	}
	return paired.Plan{Rounds: rounds, Slice: slice}
}

// run measures as plan says, and counts the rounds.
func (lab *laboratory) run(rounds int, slice time.Duration, works []paired.Work) (paired.Result, error) {
	result, err := paired.Run(lab.plan(rounds, slice), works)
	lab.rounds += len(result.Rounds) + result.LeftOut
	lab.leftOut += result.LeftOut
	return result, err
}

// work verifies one token after the other on this many cores.
func (lab *laboratory) work(c contender, cores int) paired.Work {
	return paired.Work{Name: c.name, Cores: cores, Do: func(i int) error {
		return c.verify(lab.tokens[i%len(lab.tokens)])
	}}
}
