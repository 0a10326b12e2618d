// Emulator is a Microsoft Entra tenant on this machine, for any client in any language: metadata, keys, sign-in pages,
// tokens and a small Microsoft Graph. It prints what each client needs to be told, and serves until interrupted.
//
//	go -C examples run ./emulator
//
// Its secrets and users are samples that everybody knows: it listens on loopback addresses only, and no API that
// matters may ever accept its tokens. In production, configure the real tenant and leave the emulator out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/entra-go/entra/entratest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.SetOutput(out)
	httpAddr := flags.String("http", "localhost:8080", "loopback `address` for plain http; port 0 takes a free one")
	tlsAddr := flags.String("https", "localhost:8443", "loopback `address` for https; port 0 takes a free one")
	ca := flags.String("ca", "", "`file` to write the certificate to that clients must trust for https")
	strict := flags.Bool("strict", false, "refuse unregistered redirect URIs and codes without PKCE, as Entra does")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; the flags are -http, -https, -ca and -strict", flags.Arg(0))
	}
	tenant, err := entratest.NewServer(entratest.Config{Strict: *strict})
	if err != nil {
		return err
	}
	defer tenant.Close()
	plain, err := tenant.StartOn(*httpAddr)
	if err != nil {
		return explain("-http", *httpAddr, err)
	}
	secure, err := tenant.StartTLSOn(*tlsAddr)
	if err != nil {
		return explain("-https", *tlsAddr, err)
	}
	if *ca != "" {
		if err := os.WriteFile(*ca, tenant.CertPEM(), 0o644); err != nil {
			return fmt.Errorf("-ca: %w", err)
		}
	}
	if err := printRecipes(out, recipe{HTTP: plain, HTTPS: secure, CA: *ca}); err != nil {
		return err
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\nstopped")
	return nil
}

func explain(name, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s %s: another program has this port; choose another, such as %s localhost:0 for a free one", name, addr, name)
	}
	return fmt.Errorf("%s %s: %w", name, addr, err)
}
