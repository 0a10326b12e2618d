// Command skipped runs go test and shows what go test shows, and then how many tests were skipped and why, which go test
// leaves out of a package that passes:
//
//	go run ./internal/tests/skipped -C internal/interop ./...
//
// The arguments are those of go test. Its status is the exit status.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	status, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "skipped:", err)
		status = 1
	}
	os.Exit(status)
}

func run(args []string, out io.Writer) (status int, err error) {
	var before []string // -C must come first
	if len(args) > 1 && args[0] == "-C" {
		before, args = args[:2], args[2:]
	}
	command := exec.Command("go", slices.Concat([]string{"test"}, before, []string{"-json"}, args)...)
	command.Stderr = os.Stderr
	events, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return 0, err
	}
	s := summary{out: out, output: make(map[string]*strings.Builder)}
	readErr := s.read(events)
	var exit *exec.ExitError
	if err := command.Wait(); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		return 0, err
	}
	module := "."
	if len(before) > 0 {
		module = before[1]
	}
	s.print(module)
	return status, readErr
}

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

type summary struct {
	out     io.Writer
	output  map[string]*strings.Builder // of each test and package that has not ended, by package and test
	passed  int
	skipped []string // each with its reason
}

func (s *summary) read(events io.Reader) error {
	for lines := bufio.NewReader(events); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		var e event
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			return fmt.Errorf("go test -json: %w in %q", err, line)
		}
		s.add(e)
	}
}

func (s *summary) add(e event) {
	name := e.Package + " " + e.Test
	text := s.output[name]
	if text == nil {
		text = new(strings.Builder)
		s.output[name] = text
	}
	switch e.Action {
	case "build-output":
		io.WriteString(s.out, e.Output)
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") { // go test has these lines with -v alone
			text.WriteString(e.Output)
		}
	case "fail":
		io.WriteString(s.out, text.String())
	case "pass", "skip":
		switch {
		case e.Test == "":
			io.WriteString(s.out, verdict(text.String()))
		case e.Action == "pass":
			s.passed++
		default:
			s.skipped = append(s.skipped, e.Package+" "+e.Test+reason(text.String()))
		}
	}
	if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		delete(s.output, name)
	}
}

// verdict returns the line that go test shows of a package that passes, the last one.
func verdict(output string) string {
	lines := strings.SplitAfter(output, "\n")
	for _, line := range slices.Backward(lines) {
		if line != "" {
			return line
		}
	}
	return ""
}

// reason returns what a skipped test said: what stands in its output beside the lines of package testing.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if _, text, found := strings.Cut(line, ".go:"); found && !strings.HasPrefix(line, "--- ") {
			_, text, _ = strings.Cut(text, ": ")
			return ": " + text
		}
	}
	return ""
}

func (s *summary) print(module string) {
	if len(s.skipped) == 0 {
		fmt.Fprintf(s.out, "%s: %d tests passed, none was skipped\n", module, s.passed)
		return
	}
	fmt.Fprintf(s.out, "!!! %s: %d tests passed, %d WERE SKIPPED:\n", module, s.passed, len(s.skipped))
	for _, test := range s.skipped {
		fmt.Fprintln(s.out, "!!!  ", test)
	}
}
