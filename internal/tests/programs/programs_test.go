package programs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/programs"
)

// recorder is a test that notes how it ends.
type recorder struct {
	testing.TB
	end, text string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) { r.note("failed", format, args...) }
func (r *recorder) Skipf(format string, args ...any)  { r.note("skipped", format, args...) }

func (r *recorder) note(end, format string, args ...any) {
	if r.end == "" { // The real ones do not return.
		r.end, r.text = end, fmt.Sprintf(format, args...)
	}
}

func TestAMissingProgramIsNoPassedTest(t *testing.T) {
	for _, row := range []struct{ name, skip, require, end, text string }{
		{"nothing said", "", "", "failed", "ENTRA_SKIP_MISSING=1"},
		{"leave it out", "1", "", "skipped", "NOT RUN: none-of-these"},
		{"nothing may be missing", "", "1", "failed", "ENTRA_CI_REQUIRE is 1"},
		{"nothing may be missing, whoever would leave it out", "1", "1", "failed", "ENTRA_CI_REQUIRE is 1"},
		{"no 1", "true", "yes", "failed", "ENTRA_SKIP_MISSING=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("ENTRA_SKIP_MISSING", row.skip)
			t.Setenv("ENTRA_CI_REQUIRE", row.require)
			looks := map[string]func(testing.TB){
				"Look":   func(tb testing.TB) { programs.Look(tb, "a-package", "none-of-these", "nor-this") },
				"Python": func(tb testing.TB) { programs.Python(tb, "a-package", "none_of_these") },
			}
			for name, look := range looks {
				r := &recorder{TB: t}
				look(r)
				text := strings.ReplaceAll(row.text, "none-of-these", map[string]string{"Look": "none-of-these", "Python": "there is no Python with none_of_these"}[name])
				if r.end != row.end || !strings.Contains(r.text, text) || !strings.Contains(r.text, "apt-get install a-package") {
					t.Errorf("%s: got %s, %q; want %s, %q and the package", name, r.end, r.text, row.end, text)
				}
			}
		})
	}
}

func TestLookTakesTheFirstThatThereIs(t *testing.T) {
	r := &recorder{TB: t}
	if got := programs.Look(r, "go", "none-of-these", "go"); filepath.Base(got) != "go" || r.end != "" {
		t.Errorf("got %q, %s; want the go command", got, r.end)
	}
}

// What the go command shows of a package that ran nothing is no documented format, so this asks the command.
func TestTheGoCommandShowsThatNothingWasRun(t *testing.T) {
	if os.Getenv("PROGRAMS_NOTHING") != "" {
		programs.WriteNoTests(os.Stdout, "there is no data")
		return
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "^"+t.Name()+"$", ".")
	command.Env = append(os.Environ(), "PROGRAMS_NOTHING=1")
	out, err := command.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ok") || !strings.HasSuffix(string(out), "[no tests to run]\n") {
		t.Errorf("got %v and %s, want ok … [no tests to run]", err, out)
	}
}
