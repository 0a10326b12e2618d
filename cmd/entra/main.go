// Entra helps whoever runs an API that package entra protects: it says why a token is refused, what stands between this
// machine and Entra, and stands in for Entra on this machine.
//
//	go run github.com/entra-go/entra/cmd/entra <command> [flags]
//	go run ./cmd/entra <command> [flags]    # in a clone
//
//	explain   says why a token is accepted or refused
//	doctor    finds the tenant, fetches its keys, and says what is in the way
//	emulator  serves a fake tenant on this machine, for an API and clients in any language
//	run       runs a program, unchanged, against a fake tenant
//
// The last two are described in [docs/local.md], with programs for many clients. What explain says of a refusal is in
// [docs/reasons.md], and when to ask doctor in [docs/operations.md].
//
// Each command describes its flags, with defaults, environment variables and examples, at -h. The exit status is 0 for a good
// answer, 1 for a bad one, such as a token that is refused, and 2 for wrong usage.
//
// [docs/local.md]: https://github.com/entra-go/entra/blob/main/docs/local.md
// [docs/operations.md]: https://github.com/entra-go/entra/blob/main/docs/operations.md
// [docs/reasons.md]: https://github.com/entra-go/entra/blob/main/docs/reasons.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], surroundings{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv})
	stop()
	os.Exit(status)
}

// The exit statuses.
const (
	good   = 0
	bad    = 1
	misuse = 2
)

// surroundings are all that a command sees of the machine, so that tests can put others in their place.
type surroundings struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	network        http.RoundTripper                     // nil: as package entra fetches keys by default
	proxy          func(*http.Request) (*url.URL, error) // nil: that of the environment
}

// command is one of the tool's commands. It returns the exit status, and an error that says what is wrong with its usage.
type command struct {
	name, about string
	run         func(ctx context.Context, args []string, s surroundings) (int, error)
}

var commands = []command{
	{"explain", "says why a token is accepted or refused", explain},
	{"doctor", "finds the tenant, fetches its keys, and says what is in the way", doctor},
	{"emulator", "serves a fake tenant on this machine, for an API and clients in any language", emulator},
	{"run", "runs a program, unchanged, against a fake tenant", runProgram},
}

func run(ctx context.Context, args []string, s surroundings) int {
	if len(args) == 0 {
		printUsage(s.stderr)
		return misuse
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		status, err := c.run(ctx, args[1:], s)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return good
		case err != nil:
			fmt.Fprintf(s.stderr, "entra %s: %v\nSee entra %s -h.\n", c.name, err, c.name)
			return misuse
		}
		return status
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		printUsage(s.stdout)
		return good
	}
	// The argument is not repeated: it may be a token.
	fmt.Fprintln(s.stderr, "entra: no such command")
	printUsage(s.stderr)
	return misuse
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "Usage: entra <command> [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nSee entra <command> -h for its flags and examples.\n")
}

// flags is a set of flags that reports mistakes to its caller and prints help to stdout.
type flags struct {
	*flag.FlagSet
	help   string // what stands above the flags
	stdout io.Writer
}

func newFlags(name, help string, stdout io.Writer) *flags {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // package flag would print each mistake a second time
	return &flags{set, help, stdout}
}

// parse parses args. It returns flag.ErrHelp once the help is printed, and an error with the text noArguments if args hold
// more than flags, unless that is empty.
func (f *flags) parse(args []string, noArguments string) error {
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(f.stdout, "%s\nFlags:\n", f.help)
		f.SetOutput(f.stdout)
		f.PrintDefaults()
		return flag.ErrHelp
	}
	if err == nil && f.NArg() > 0 && noArguments != "" {
		err = errors.New(noArguments)
	}
	return err
}

// list is a flag that may be repeated and may hold several values, separated by commas or blanks.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	values := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(values) == 0 {
		return errors.New("is empty")
	}
	*l = append(*l, values...)
	return nil
}
