// Package tour runs an API beside a fake Entra tenant on this machine and shows what the API accepts and refuses: in the
// terminal, and on a page in the browser. It is what the quickstart shows of its API.
package tour

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// ErrUsage says that the arguments are wrong. Package flag has printed what is wrong with them.
var ErrUsage = errors.New("wrong usage")

type flags struct {
	addr, entra string
	once        bool
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.StringVar(&f.addr, "addr", "", "loopback `address` of the API (default "+defaultAPI+", or a free port if that is taken)")
	set.StringVar(&f.entra, "entra", "", "loopback `address` of the fake tenant (default "+defaultEntra+", or a free port if that is taken)")
	set.BoolVar(&f.once, "once", false, "exit after the output in the terminal")
	err := set.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = ErrUsage
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q; see -help", set.Arg(0))
	}
	return f, err
}

// Run serves the API that newAPI returns, prints to out what it answers, and serves it and the page until ctx ends, or
// with the argument -once no longer than it prints. It sets HTTPClient, Logger and ErrorHandler of options, and the API
// must accept the tokens of entratest's sample tenant at GET and POST /orders. Run returns nil when ctx ends,
// flag.ErrHelp or ErrUsage after printing the usage, and any other error for its caller to print.
func Run(ctx context.Context, args []string, out io.Writer, options entra.Options, newAPI func(*entra.Verifier) http.Handler) error {
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

	// The show prints each refusal's error itself, so the log stays quiet until the show has ended.
	var level slog.LevelVar
	level.Set(slog.LevelError)
	log := slog.NewTextHandler(out, &slog.HandlerOptions{Level: &level})
	options.HTTPClient, options.Logger = tenant.Client(), slog.New(withoutTrickle{log})
	api, err := newService(options, newAPI)
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
