// Quickstart runs a protected API without Entra: a fake tenant issues the tokens. Both listen on this machine only. The
// page at the API's address shows why a token is refused, and what happens when Entra is away.
//
//	go -C examples run ./quickstart        # from the root of the repository
//	go -C examples run ./quickstart -once  # ends after the show
//
// For production take api.go: set Tenants and ClientID to those of your app registration and leave HTTPClient out. A
// client keeps its code too (call.go), with https://login.microsoftonline.com in place of the fake tenant's URL.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/entra-go/entra/entratest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage") // already reported by package flag

type flags struct {
	addr, entra string
	once        bool
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.StringVar(&f.addr, "addr", "", "loopback `address` of the API (default "+defaultAPI+", or a free port if that is taken)")
	set.StringVar(&f.entra, "entra", "", "loopback `address` of the fake tenant (default "+defaultEntra+", or a free port if that is taken)")
	set.BoolVar(&f.once, "once", false, "exit after the show")
	err := set.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = errUsage
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q; see -help", set.Arg(0))
	}
	return f, err
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		return err
	}
	defer tenant.Close()
	entraURL, err := startTenant(tenant, f.entra)
	if err != nil {
		return err
	}
	listener, err := listenAPI(f.addr)
	if err != nil {
		return err
	}
	defer listener.Close()

	// During the show the program prints each reason itself; afterwards the log does.
	var level slog.LevelVar
	level.Set(slog.LevelError)
	log := slog.NewTextHandler(out, &slog.HandlerOptions{Level: &level})
	api, err := newService(tenant, slog.New(withoutTrickle{log}))
	if err != nil {
		return err
	}
	page := newPage(tenant, api)
	return serve(ctx, listener, page.handler(), func(ctx context.Context) error {
		if !f.once {
			fmt.Fprintf(out, "Page  %s/  shows why a token is refused; open it in a browser.\n\n", urlOf(listener))
		}
		s := &show{out: out, tenant: tenant, entraURL: entraURL, apiURL: urlOf(listener), refused: &api.refusals}
		if err := s.run(ctx); err != nil || f.once {
			return err
		}
		level.Set(slog.LevelDebug)
		fmt.Fprint(out, "\nServing until Ctrl+C. What the API refuses from now on appears here, as its operator sees it.\n\n")
		page.trickle.run(ctx)
		fmt.Fprintln(out, "\nInterrupted; goodbye.")
		return nil
	})
}

// serve serves handler while use runs, and lets open requests finish. It returns the error of use, or of serving.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, use func(context.Context) error) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
	}
	serving, failed := context.WithCancelCause(ctx)
	go func() { failed(server.Serve(listener)) }()
	err := use(serving)
	if ctx.Err() != nil {
		err = nil // An interrupt is how this program ends.
	} else if serving.Err() != nil {
		err = context.Cause(serving)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(closing))
}
