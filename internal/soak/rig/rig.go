// Package rig is the soak itself: a server behind the middleware, a fake Entra with a schedule of trouble, clients of
// every kind, and what is reported of them.
package rig

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

// Exit statuses of Main.
const (
	ExitRight = 0
	ExitWrong = 1 // a wrong answer, or something left behind
	ExitUsage = 2
)

// Main runs the soak that args ask for until it or ctx ends, and returns the exit status. Figures go to out, mistakes in
// args to errs.
func Main(ctx context.Context, args []string, out, errs io.Writer) int {
	config, err := ParseFlags(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return ExitRight
	}
	if err != nil {
		fmt.Fprintf(errs, "soak: %v\n", err)
		return ExitUsage
	}
	if err := Run(ctx, config, out); err != nil {
		fmt.Fprintf(out, "FAILED: %v\n", err)
		return ExitWrong
	}
	return ExitRight
}

// Run runs a soak and prints to out meanwhile. It returns an error that names everything that was wrong.
func Run(ctx context.Context, c Config, out io.Writer) error {
	before := goroutines()
	r := newReport(out)
	r.printf("soak for %s with %d clients and %d requests a second: -seed %d\n", c.For, c.Clients, c.Rate, c.Seed)
	s, err := setUp(r)
	if err != nil {
		return err
	}
	r.began = time.Now()
	early, late := s.soak(ctx, c)
	tearDownErr := s.tearDown()
	left := goroutinesLeft(before)
	r.figures(before, left, early, late)
	return errors.Join(tearDownErr, r.verdict(before, left, early, late))
}

func setUp(r *report) (*schedule, error) {
	o := invariants.New()
	e, err := startEntra(o)
	if err != nil {
		return nil, err
	}
	k := newKeyring(e)
	e.beWell(300 * time.Millisecond)
	a, err := startAPI(e, o, r)
	if err != nil {
		e.close()
		return nil, err
	}
	return &schedule{entra: e, keyring: k, api: a, report: r}, nil
}

// soak runs the schedule and the clients until the time is over, and returns the size of the heap early on and at the end.
func (s *schedule) soak(ctx context.Context, c Config) (early, late uint64) {
	ctx, cancel := context.WithTimeout(ctx, c.For)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: c.Clients}
	defer transport.CloseIdleConnections()
	s.start(ctx, c.Seed)
	var clients sync.WaitGroup
	for i := range c.Clients {
		one := &client{
			api: s.api, keyring: s.keyring, ledger: s.api.ledger, report: s.report,
			http: &http.Client{Transport: transport}, flood: &s.flood,
			interval: time.Duration(c.Clients) * time.Second / time.Duration(c.Rate),
			random:   rand.New(rand.NewPCG(c.Seed, 1000+uint64(i))),
		}
		clients.Go(func() { one.run(ctx) })
	}
	early = s.watch(ctx, c)
	late = heap()
	s.running.Wait()
	// The schedule has ended, so nothing else would end the trouble that clients wait for.
	s.entra.beWell(0)
	clients.Wait()
	return early, late
}

func (s *schedule) tearDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.api.close(ctx)
	s.entra.close()
	return err
}
