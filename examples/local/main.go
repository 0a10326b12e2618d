// Local runs a program that is configured for the real Entra against a fake one, without a change to the program: the
// environment makes Go's HTTP client reach Microsoft's hosts through a proxy, and behind the proxy the fake tenant answers.
//
//	go -C examples run ./local ./nethttp -addr localhost:9000  # builds and runs the example
//	go -C examples run ./local                                 # prints the environment, for programs in other shells
//
// This works where Go reads SSL_CERT_FILE: on Linux and the BSDs, not on macOS and Windows. The certificate is good for
// Microsoft's host names, so no other program should ever trust it; its key never leaves this process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/entra-go/entra/entratest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return errors.New("on " + runtime.GOOS + " Go does not read SSL_CERT_FILE; run this in a Linux container")
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		return errors.New("usage: local [folder [arguments of its program]]")
	}
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		return err
	}
	defer tenant.Close()
	dir, err := os.MkdirTemp("", "entra-local")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	proxy, err := startProxy(tenant.Handler())
	if err != nil {
		return err
	}
	defer proxy.close()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, proxy.ca, 0o600); err != nil {
		return err
	}
	printTokens(out, tenant)
	environment := environment(proxy.url, ca)
	if len(args) > 0 {
		return runProgram(ctx, environment, dir, args, out)
	}
	fmt.Fprintln(out, "The environment of your program, while this one runs:")
	for _, variable := range environment {
		fmt.Fprintf(out, "  export %s\n", variable)
	}
	fmt.Fprintln(out)
	<-ctx.Done()
	return nil
}

func environment(proxy, ca string) []string {
	return []string{
		"HTTPS_PROXY=" + proxy, // not used for localhost
		"NO_PROXY=",
		"SSL_CERT_FILE=" + ca,
		"ENTRA_TENANT_ID=" + entratest.TenantID,
		"ENTRA_CLIENT_ID=" + entratest.APIClientID,
		"ENTRA_CLIENT_SECRET=" + entratest.APISecret,
		"AZURE_TENANT_ID=" + entratest.TenantID,
		"AZURE_CLIENT_ID=" + entratest.ClientID,
		"AZURE_CLIENT_SECRET=" + entratest.ClientSecret,
		"API_SCOPE=" + entratest.APIURI + "/.default",
		"MCP_RESOURCE=http://localhost:8080/mcp",
	}
}

func printTokens(out io.Writer, tenant *entratest.Server) {
	user := tenant.Token(entratest.Scopes("Orders.Read", "Orders.Write", "Profile.Read", "Tools.Call", "Health.Read", "Tenant.Onboard"))
	fmt.Fprintf(out, "Tokens for an hour, of a user and of an application:\n  user=%s\n  app=%s\n", user, tenant.Token(entratest.App("Orders.Read.All")))
	fmt.Fprint(out, "  curl -i http://localhost:8080/orders -H \"Authorization: Bearer $user\"\n\n")
}

// runProgram builds first, in the ordinary environment: the go command may have to load modules.
func runProgram(ctx context.Context, environment []string, dir string, args []string, out io.Writer) error {
	binary := filepath.Join(dir, "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, args[0])
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", args[0], err)
	}
	program := exec.CommandContext(ctx, binary, args[1:]...)
	program.Env = append(os.Environ(), environment...)
	program.Stdin, program.Stdout, program.Stderr = os.Stdin, out, os.Stderr
	program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
	program.WaitDelay = 10 * time.Second
	err := program.Run()
	if ctx.Err() != nil {
		return nil // An interrupt is how servers end.
	}
	return err
}
