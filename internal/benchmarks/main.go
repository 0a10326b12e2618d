// Command benchmarks measures what it costs to verify a token, as multiples of the bare signature check: beside other
// libraries, on one core and on all, in whole requests, while keys are fetched, and in memory. It prints tables in
// Markdown.
//
//	go -C internal/benchmarks run . [-quick] [-check] [-costs FILE]
//
// Absolute times depend on the machine; the ratios hardly do. See docs/performance.md.
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
}

func main() {
	quick := flag.Bool("quick", false, "measure for about half a minute, roughly, instead of several")
	check := flag.Bool("check", false, "end with status 1 if the library costs more than it may")
	figures := flag.String("costs", "", "write the comparison as JSON to this `file`, for docs/pictures to draw")
	flag.Parse()
	if err := run(*quick, *check, *figures); err != nil {
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
	costs, err := lab.compare(ctx)
	if err != nil {
		return err
	}
	if figures != "" {
		if err := costs.writeFigures(figures); err != nil {
			return err
		}
	}
	for _, measure := range []func(context.Context) error{lab.request, lab.refuse, lab.scale, lab.refresh, lab.remember} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	if check {
		return costs.check()
	}
	return nil
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

// plan returns a plan of this many rounds, or fewer and shorter ones.
func (lab *laboratory) plan(rounds int, slice time.Duration) paired.Plan {
	if lab.quick {
		return paired.Plan{Rounds: max(5, rounds/4), Slice: slice / 2}
	}
	return paired.Plan{Rounds: rounds, Slice: slice}
}

// work verifies the tokens in turn on so many cores.
func (lab *laboratory) work(c contender, cores int) paired.Work {
	return paired.Work{Name: c.name, Cores: cores, Do: func(i int) error {
		return c.verify(lab.tokens[i%len(lab.tokens)])
	}}
}
