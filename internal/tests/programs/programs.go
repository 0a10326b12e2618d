// Package programs finds the programs that tests run beside Go, and ports for them.
//
// Of a package whose tests pass, go test shows one line without -v, and so a skipped test looks like one that ran. A
// test that lacks its program therefore fails, and says what to install. With ENTRA_SKIP_MISSING=1 in the environment it
// is skipped, but never with ENTRA_CI_REQUIRE=1. The tests of the root module need Go alone.
package programs

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Missing ends a test that cannot run here. What names what is missing, and how it is installed.
func Missing(t testing.TB, what string) {
	t.Helper()
	switch {
	case os.Getenv("ENTRA_CI_REQUIRE") == "1":
		t.Fatalf("NOT RUN: %s; ENTRA_CI_REQUIRE is 1", what)
	case os.Getenv("ENTRA_SKIP_MISSING") == "1":
		t.Skipf("NOT RUN: %s", what)
	default:
		t.Fatalf("NOT RUN: %s. ENTRA_SKIP_MISSING=1 in the environment skips tests that lack their program", what)
	}
}

// Look returns the path of the first of the programs that is installed. The Debian package is named where none is.
func Look(t testing.TB, debian string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0]+" is not installed; on Debian: apt-get install "+debian)
	return ""
}

// Python returns the path of a Python that has the modules, which the Debian packages hold.
func Python(t testing.TB, debian string, modules ...string) string {
	t.Helper()
	// Debian's own comes first: its packages are invisible to another one in PATH.
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import "+strings.Join(modules, ", ")).Run() == nil {
			return path
		}
	}
	Missing(t, "there is no Python with "+strings.Join(modules, ", ")+"; on Debian: apt-get install "+debian)
	return ""
}

// WriteNoTests says that all tests of a package were skipped, and why. It is for TestMain, after the tests, with standard
// output: go test then adds "[no tests to run]" to the package's line, because of the second line here.
func WriteNoTests(out io.Writer, why string) {
	fmt.Fprintf(out, "NOTHING WAS RUN: %s\ntesting: warning: no tests to run\n", why)
}
