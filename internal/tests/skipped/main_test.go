package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newModule makes a module with one test, and returns its folder.
func newModule(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/tests\n\ngo 1.26\n",
		"a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n\tt.Log(\"a secret of TestA\")\n\tt.Run(\"b\", func(t *testing.T) {\n" + body + "\n\t})\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSkippedTestsAreShown(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		want       []string // in this order
		not        string
	}{
		{"all pass", "", 0, []string{"ok  \texample.com/tests", ": 2 tests passed, none was skipped\n"}, "secret"},
		{"one is skipped", `t.Skip("NOT RUN: no cheese")`, 0, []string{
			"ok  \texample.com/tests", ": 1 tests passed, 1 WERE SKIPPED:\n", "example.com/tests TestA/b: NOT RUN: no cheese\n"}, "secret"},
		{"one fails", `t.Error("too bad")`, 1, []string{"too bad", "secret", "FAIL\texample.com/tests", ": 0 tests passed, none was skipped\n"}, "WERE"},
		{"it does not build", "x", 1, []string{"undefined: x", "FAIL\texample.com/tests", ": 0 tests passed"}, "WERE"},
		{"it panics", `panic("oh")`, 1, []string{"panic: oh", "FAIL\texample.com/tests"}, "WERE"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			dir := newModule(t, row.body)
			status, err := run([]string{"-C", dir, "./..."}, &out)
			if err != nil || status != row.status || strings.Contains(out.String(), row.not) {
				t.Errorf("got status %d, %v and\n%s\nwant status %d without %q", status, err, &out, row.status, row.not)
			}
			rest := out.String()
			for _, want := range row.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("got\n%s\nwant %q behind what stands before it", &out, want)
				}
				rest = after
			}
			if !strings.Contains(out.String(), fmt.Sprintf("%s: ", dir)) {
				t.Errorf("got\n%s\nwant it to name the module", &out)
			}
		})
	}
}
