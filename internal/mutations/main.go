// Mutations switches off the library's checks and bounds, one at a time, and reports those whose absence no test notices:
//
//	go -C internal/mutations run .                # all
//	go -C internal/mutations run . -only policy   # those whose file or reason matches the regular expression
//
// It exits with 1 if one survives, if one does not build, or if the text that one replaces is not found exactly once. The
// code is not touched: the go command reads the changed file through an overlay.
//
// Mutation tools (gremlins, go-mutesting, ooze) turn operators and drop statements everywhere. What they report must be sorted
// by hand, since many such changes mean nothing. Here each change takes away one promise, with the reason why it matters and
// the packages whose tests have to fail, which a list says better.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const root = "../.."

// A mutation replaces a text that stands exactly once in a file.
type mutation struct {
	why      string // what is wrong with the changed code
	file     string // from the root of the module
	old, new string
	tests    string // the package whose tests must fail, perhaps with a space and a pattern for their names
}

func main() {
	only := flag.String("only", "", "run only those whose file or reason matches this `regexp`")
	parallel := flag.Int("parallel", 2, "how `many` are tested side by side")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *parallel); err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, parallel int) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	var chosen []mutation
	for _, m := range mutations {
		if pattern.MatchString(m.file) || pattern.MatchString(m.why) {
			chosen = append(chosen, m)
		}
	}
	for _, m := range chosen {
		if _, err := m.apply(); err != nil {
			return err
		}
	}
	// A test that fails anyway proves nothing.
	for _, tests := range distinct(chosen) {
		if out, err := goTest(ctx, "", tests); err != nil {
			return fmt.Errorf("the tests of %s fail without any mutation: %w\n%s", tests, err, out)
		}
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var wrong []string
	slots := make(chan struct{}, max(1, parallel))
	for i, m := range chosen {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			err := m.test(ctx)
			mu.Lock()
			defer mu.Unlock()
			verdict := "killed"
			if err != nil {
				verdict = err.Error()
				wrong = append(wrong, m.file+": "+m.why+": "+verdict)
			}
			fmt.Printf("%d/%d %s: %s: %s (%.0fs)\n", i+1, len(chosen), m.file, m.why, verdict, time.Since(start).Seconds())
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Printf("%d mutations, %d killed\n", len(chosen), len(chosen)-len(wrong))
	if len(wrong) > 0 {
		return errors.New("not killed:\n" + strings.Join(wrong, "\n"))
	}
	return nil
}

// distinct returns the tests that any of the mutations names.
func distinct(chosen []mutation) (all []string) {
	for _, m := range chosen {
		all = append(all, m.tests)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// apply returns the text of the mutated file.
func (m mutation) apply() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%s: %s: the text to replace stands there %d times, want once: %q", m.file, m.why, n, m.old)
	}
	if m.old == m.new || m.why == "" || m.tests == "" {
		return nil, fmt.Errorf("%s: %q: the mutation changes nothing, or lacks reason or tests", m.file, m.old)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1), nil
}

// test returns nil if the tests fail.
func (m mutation) test(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		return err
	}
	out, err := goTest(ctx, overlay, m.tests)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return fmt.Errorf("SURVIVES the tests of %s", m.tests)
	case !errors.As(err, &exit):
		return err
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return fmt.Errorf("does not build:\n%s", out)
	}
	return nil
}

// overlay writes the mutated file into dir, and what makes the go command read it in place of the original.
func (m mutation) overlay(dir string) (path string, err error) {
	text, err := m.apply()
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, text, 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, replace, 0o600)
}

// goTest runs the tests of a package, or of those names that match a pattern, through an overlay unless that is "".
func goTest(ctx context.Context, overlay, tests string) ([]byte, error) {
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=5m"}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	name, pattern, _ := strings.Cut(tests, " ")
	if pattern != "" {
		args = append(args, "-run="+pattern)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, name)...)
	cmd.Dir = root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	// Nothing would fail if the pattern fitted no test.
	if err == nil && bytes.Contains(out, []byte("[no tests to run]")) {
		return out, errors.New("no test has such a name")
	}
	return out, err
}
