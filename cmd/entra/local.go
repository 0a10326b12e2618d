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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
)

const runHelp = `Usage: entra run [flags] [folder [arguments]]
       entra run [flags] -- command [arguments]

Runs a program that is configured for the real Entra against a fake tenant, without a change to the program. Its environment
leads connections to Microsoft's host names to the fake tenant, on this machine, and lets it trust the certificate of those.
It cannot reach other hosts over https meanwhile.

A folder holds the main package of a Go program, in whichever module: it is built with that module's go.mod and run in the
folder. A command is run as it is, in any language. With neither, it prints the environment, for programs in other shells.

For Go programs this needs Linux or a BSD, where Go reads SSL_CERT_FILE. The certificate is good for Microsoft's host names,
so no other program should ever trust it; its key never leaves this process. A browser does not follow: docs/local.md says
which clients need which way, with a program for each.

Examples:
  entra run ../orders -addr localhost:9000       # your own program, in a module of its own
  entra run -tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 -client 6e74172b-be56-4843-9ff4-e66a39bb12e3 -scope Orders.Read ../orders
  entra run -- node server.js
  entra run                                      # prints the environment and tokens, and serves
`

func runProgram(ctx context.Context, args []string, s surroundings) (int, error) {
	var f fakeFlags
	var url string
	set := newFlags("run", runHelp, s.stdout)
	f.register(set.FlagSet)
	set.StringVar(&url, "url", defaultURL, urlUsage)
	err := set.parse(args, "")
	if err == nil {
		err = readEnvironment(set.FlagSet, s.env)
	}
	if err != nil {
		return misuse, err
	}
	program := set.Args()
	// Package flag drops the --, which tells a command from a folder.
	last := len(args) - len(program) - 1
	separated := last >= 0 && args[last] == "--"
	isFolder := len(program) > 0 && !separated
	switch {
	case separated && len(program) == 0:
		return misuse, errors.New("a command must follow --")
	case isFolder && !isDirectory(program[0]):
		return misuse, fmt.Errorf("%s is no folder; put -- before a command", program[0])
	case isFolder && (runtime.GOOS == "darwin" || runtime.GOOS == "windows"):
		return misuse, errors.New("on " + runtime.GOOS + " Go does not read SSL_CERT_FILE; paste the lines that entra emulator prints, or run this in a Linux container")
	}
	config, err := f.config()
	if err == nil {
		err = checkURL(url)
	}
	if err != nil {
		return misuse, err
	}
	tenant, err := newFake(config)
	if err != nil {
		return misuse, err
	}
	defer tenant.Close()
	if err := runAgainst(ctx, tenant, program, isFolder, url, s); err != nil {
		fmt.Fprintln(s.stderr, "entra run:", err)
		return bad, nil
	}
	return good, nil
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// runAgainst runs the program, or waits until ctx ends if there is none.
func runAgainst(ctx context.Context, tenant *fake, program []string, isFolder bool, url string, s surroundings) error {
	dir, err := os.MkdirTemp("", "entra-run")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	hosts, err := tenant.StartHosts()
	if err != nil {
		return err
	}
	environment, err := environmentFor(tenant, hosts, dir)
	if err != nil {
		return err
	}
	printTokens(s.stdout, tenant, url)
	if len(program) == 0 {
		fmt.Fprintln(s.stdout, "The environment of your program, while this one runs:")
		for _, variable := range environment {
			fmt.Fprintf(s.stdout, "  %s\n", export(variable))
		}
		fmt.Fprintln(s.stdout)
		<-ctx.Done()
		return nil
	}
	command := exec.CommandContext(ctx, program[0], program[1:]...)
	if isFolder {
		binary := filepath.Join(dir, "program")
		fmt.Fprintf(s.stderr, "Building %s …\n", program[0])
		if err := build(ctx, program[0], binary, s); err != nil {
			return err
		}
		command = exec.CommandContext(ctx, binary, program[1:]...)
		command.Dir = program[0]
	}
	fmt.Fprintf(s.stderr, "Running %s …\n", program[0])
	command.Env = append(os.Environ(), environment...)
	command.Stdin, command.Stdout, command.Stderr = s.stdin, s.stdout, s.stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	err = command.Run()
	if ctx.Err() != nil {
		return nil // An interrupt is how servers end.
	}
	return err
}

// build builds the program in the ordinary environment, because the go command may have to load modules.
func build(ctx context.Context, folder, binary string, s surroundings) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	command.Dir = folder
	command.Stdout, command.Stderr = s.stderr, s.stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("go build in %s: %w", folder, err)
	}
	return nil
}

// environmentFor returns the variables that lead a program to the hosts, and the sample's settings. Files that they name
// are in dir.
func environmentFor(tenant *fake, hosts entratest.Hosts, dir string) ([]string, error) {
	ca, preload := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "hosts.cjs")
	script, err := preloadFor(hosts)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(ca, hosts.CertPEM, 0o600), os.WriteFile(preload, script, 0o600)); err != nil {
		return nil, err
	}
	preloaded := preload
	if strings.ContainsAny(preload, ` "\\`) {
		preloaded = strconv.Quote(preload) // https://nodejs.org/api/cli.html#node_optionsoptions
	}
	const local = "localhost,127.0.0.1,::1"
	return append([]string{
		"HTTPS_PROXY=" + hosts.Proxy, "https_proxy=" + hosts.Proxy,
		"NO_PROXY=" + local, "no_proxy=" + local,
		"NODE_OPTIONS=--require=" + preloaded, // Node.js, whose clients pass by HTTPS_PROXY
	}, slices.Concat(trust(ca), settings(tenant))...), nil
}

// export returns the line by which a shell sets a variable, given as name=value.
func export(variable string) string {
	name, value, _ := strings.Cut(variable, "=")
	return "export " + name + "=" + shellWord(value)
}

// shellWord returns text as one word of a shell.
func shellWord(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(safeInShells, r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// The tilde is safe because no value here begins with one.
const safeInShells = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,:/@%+=~"

// trust returns the variables by which programs trust the certificate in the file.
func trust(file string) (variables []string) {
	for _, name := range []string{
		"SSL_CERT_FILE",       // Go on Linux and the BSDs, OpenSSL
		"REQUESTS_CA_BUNDLE",  // Python's requests
		"CURL_CA_BUNDLE",      // curl
		"NODE_EXTRA_CA_CERTS", // Node.js
	} {
		variables = append(variables, name+"="+file)
	}
	return variables
}

// settings returns the sample's settings for programs that take them from the environment: those of the API, those of the
// application that calls it, and the page's.
func settings(tenant *fake) []string {
	return []string{
		"ENTRA_TENANT_ID=" + tenant.config.TenantID,
		"ENTRA_CLIENT_ID=" + tenant.api().ClientID,
		"ENTRA_CLIENT_SECRET=" + entratest.APISecret,
		"ENTRA_PAGE_CLIENT_ID=" + entratest.SPAClientID,
		"AZURE_TENANT_ID=" + tenant.config.TenantID,
		"AZURE_CLIENT_ID=" + entratest.ClientID,
		"AZURE_CLIENT_SECRET=" + entratest.ClientSecret,
		"API_SCOPE=" + tenant.uri() + "/.default",
		"MCP_RESOURCE=http://localhost:8080/mcp",
	}
}

// preloadFor returns a script that leads connections of a Node.js program to the hosts.
func preloadFor(hosts entratest.Hosts) ([]byte, error) {
	names, err := json.Marshal(hosts.Names)
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(hosts.Addr, ":")
	return fmt.Appendf(nil, `// Written by "entra run": leads TLS connections to Microsoft's host names to the fake tenant.
const tls = require("node:tls");
const names = new Set(%s);
const connect = tls.connect;
tls.connect = (...args) => {
  const options = args.find((arg) => arg !== null && typeof arg === "object") ?? {};
  const name = typeof args[1] === "string" ? args[1] : (options.host ?? options.hostname);
  if (!names.has(name)) return connect(...args);
  const callback = args.find((arg) => typeof arg === "function");
  return connect({ ...options, host: %q, port: %s, path: undefined, servername: options.servername || name }, callback);
};
`, names, host, port), nil
}

func printTokens(out io.Writer, tenant *fake, url string) {
	fmt.Fprintf(out, `Tokens of a user and of an application, good for an hour, to paste with a line below into another shell:
  user=%s
  app=%s
  curl -i %s -H "Authorization: Bearer $user"
  curl -i %[3]s -H "Authorization: Bearer $app"

`, tenant.userToken(), tenant.appToken(), shellWord(url))
}
