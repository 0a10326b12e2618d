package rig

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Config says how a soak runs.
type Config struct {
	For     time.Duration // how long
	Seed    uint64        // of the schedule and of the clients
	Clients int           // goroutines that send requests
	Rate    int           // requests a second, of all of them together
}

// The limits of a Config. A soak ends well before the first key reaches the end of its life.
const (
	minFor, maxFor         = time.Second, 20 * time.Hour
	minClients, maxClients = 1, 2000
	minRate, maxRate       = 1, 20000
)

// ParseFlags returns the Config that the arguments of a command ask for, or an error that names every mistake. It writes
// help to out, and then returns flag.ErrHelp.
func ParseFlags(args []string, out io.Writer) (Config, error) {
	var c Config
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.DurationVar(&c.For, "for", 5*time.Minute, "how long, from 1s to 20h")
	flags.Uint64Var(&c.Seed, "seed", 0, "seed of the schedule and of the clients; 0 draws one")
	flags.IntVar(&c.Clients, "clients", 250, "goroutines that send requests, from 1 to 2000")
	flags.IntVar(&c.Rate, "rate", 300, "requests a second in all, from 1 to 20000")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		flags.Usage()
		return c, err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q; there are flags only: -for, -seed, -clients, -rate", flags.Arg(0))
	}
	if err != nil {
		return c, err
	}
	if c.Seed == 0 {
		c.Seed = 1 + rand.Uint64N(1<<32)
	}
	return c, c.check()
}

func (c Config) check() error {
	return errors.Join(
		between("-for", c.For, minFor, maxFor),
		between("-clients", c.Clients, minClients, maxClients),
		between("-rate", c.Rate, minRate, maxRate),
	)
}

func between[T int | time.Duration](name string, got, from, to T) error {
	if got < from || got > to {
		return fmt.Errorf("%s is %v; expected a value from %v to %v", name, got, from, to)
	}
	return nil
}
