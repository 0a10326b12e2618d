package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

// shown are the guides whose code is taken from programs that have tests.
var shown = []string{"docs/callers.md", "docs/clouds-and-authorities.md", "docs/elsewhere.md", "docs/flows/on-behalf-of.md", "docs/mcp.md", "docs/openapi.md"}

var fenced = regexp.MustCompile("(?ms)^ *```(go|js|json)\n(.*?)^ *```$")

// TestGuidesShowCodeThatRuns finds each block of code of these guides in a program of the examples, line by line; only the
// indentation may differ.
func TestGuidesShowCodeThatRuns(t *testing.T) {
	programs := sources(t)
	for _, name := range shown {
		blocks := fenced.FindAllStringSubmatch(read(t, name), -1)
		if len(blocks) == 0 {
			t.Errorf("%s: no code found", name)
		}
		for _, block := range blocks {
			if want := lines(block[2]); !slices.ContainsFunc(programs, func(have []string) bool { return contains(have, want) }) {
				t.Errorf("%s: this code stands in no program of the examples:\n%s", name, block[2])
			}
		}
	}
}

// sources returns the lines of every file of the examples and of the checked examples.
func sources(t *testing.T) (programs [][]string) {
	t.Helper()
	for _, folder := range []string{filepath.Join(testbed.Root(t), "examples"), filepath.Join(testbed.Root(t), "example_test.go"), filepath.Join(testbed.Root(t), "example_options_test.go"), "."} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "node_modules":
				return fs.SkipDir
			case !slices.Contains([]string{".go", ".js", ".json"}, filepath.Ext(path)):
				return nil
			}
			text, err := os.ReadFile(path)
			programs = append(programs, lines(string(text)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return programs
}

// lines returns the lines of text that hold something, without their indentation.
func lines(text string) (found []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	return found
}

// contains reports whether the lines of part follow each other somewhere in whole.
func contains(whole, part []string) bool {
	for at := range whole {
		if len(whole)-at >= len(part) && slices.Equal(whole[at:at+len(part)], part) {
			return true
		}
	}
	return false
}
