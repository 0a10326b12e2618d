// Quickstart runs a protected API without Entra: a fake tenant issues the tokens. Both listen on this machine only. The
// page at the API's address shows why a token is refused, and what happens when Entra cannot be reached.
//
//	go -C examples run ./quickstart        # from the root of the repository
//	go -C examples run ./quickstart -once  # ends after the output in the terminal
//
// For production copy api.go, and set Tenants and ClientID to those of your app registration. The fake tenant, the page
// and the output in the terminal are in ../internal/tour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/entra-go/entra/examples/internal/tour"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := tour.Run(ctx, os.Args[1:], os.Stdout, options, newAPI)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, tour.ErrUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}
