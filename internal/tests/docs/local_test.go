package docs_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

const (
	localGuide    = "docs/local.md"
	localPrograms = "internal/interop/local"
)

// A block of code of this guide names the file of the repository that it is taken from, behind its language.
var taken = regexp.MustCompile("(?ms)^```(\\S*) ?(\\S*)\n(.*?)^```$")

// TestLocalGuideShowsProgramsThatRun finds each block of code of docs/local.md in the program that it names, line by line, and
// that program in a test. Every program of the folder of recipes is shown.
func TestLocalGuideShowsProgramsThatRun(t *testing.T) {
	var tests strings.Builder
	for _, folder := range []string{"internal/interop", "examples", "cmd"} {
		for _, name := range filesOf(t, folder) {
			if strings.HasSuffix(name, "_test.go") {
				tests.WriteString(read(t, name))
			}
		}
	}
	guide := read(t, localGuide)
	blocks := taken.FindAllStringSubmatch(guide, -1)
	if len(blocks) == 0 || len(blocks) != strings.Count(guide, "\n```")/2 {
		t.Fatalf("got %d blocks that were read, want all of %d fences", len(blocks), strings.Count(guide, "\n```"))
	}
	seen := make(map[string]bool)
	for _, block := range blocks {
		name := block[2]
		seen[name] = true
		if name == "" {
			t.Errorf("this block names no file that it is taken from:\n%s", block[3])
			continue
		}
		if !contains(lines(read(t, name)), lines(block[3])) {
			t.Errorf("%s has no such lines in this order:\n%s", name, block[3])
		}
		// A Go program is run by the name of its folder.
		if run := regexp.MustCompile(`/main\.go$`).ReplaceAllString(name, ""); !strings.Contains(tests.String(), path.Base(run)+`"`) {
			t.Errorf("%s: no test names it", name)
		}
	}
	for _, name := range filesOf(t, localPrograms) {
		if !seen[name] {
			t.Errorf("%s is not shown", name)
		}
	}
}

// filesOf returns the files of a folder of the repository and of those below, by their paths in it.
func filesOf(t *testing.T, folder string) (names []string) {
	t.Helper()
	root := testbed.Root(t)
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestLocalGuideNamesEveryClient compares the table's versions with those that the tests run, and finds each client's section.
func TestLocalGuideNamesEveryClient(t *testing.T) {
	versions := runVersions(t)
	rows := regexp.MustCompile("(?m)^\\| \\[([^]]+)\\]\\(#([^)]+)\\) \\| `([^`]+)` (\\S+) \\| ([^|]+) \\| ([^|]*)\\| ([^|]*)\\| ([^|]*)\\|$").
		FindAllStringSubmatch(read(t, localGuide), -1)
	if len(rows) == 0 {
		t.Fatal("got no row of clients")
	}
	for _, row := range rows {
		client, anchor, name, version := row[1], row[2], row[3], row[4]
		if want, ok := versions[name]; !ok || version != want {
			t.Errorf("%s: got version %s of %s, want %q, which the tests run", client, version, name, want)
		}
		if !hasAnchor(filepath.Join(testbed.Root(t), localGuide), anchor) {
			t.Errorf("%s: got no section %s", client, anchor)
		}
		if strings.TrimSpace(row[6]+row[7]+row[8]) == "" {
			t.Errorf("%s: got no way to the tenant", client)
		}
	}
}

// runVersions returns the versions of all that the modules of the tests name: of modules of Go without their v, and of
// packages of npm. A package of Debian has the version Debian, because which one that is depends on the machine.
func runVersions(t *testing.T) map[string]string {
	t.Helper()
	versions := make(map[string]string)
	require := regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v(\S+)$`) // direct ones: no comment follows
	for _, name := range append(filesOf(t, "internal/interop"), filesOf(t, "examples")...) {
		switch path.Base(name) {
		case "go.mod":
			for _, line := range require.FindAllStringSubmatch(read(t, name), -1) {
				versions[line[1]] = line[2]
			}
		case "package.json":
			var manifest struct{ Dependencies map[string]string }
			if err := json.Unmarshal([]byte(read(t, name)), &manifest); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for dependency, version := range manifest.Dependencies {
				versions[dependency] = version
			}
		}
	}
	for _, line := range regexp.MustCompile(`apt-get install [^\n]*`).FindAllString(read(t, ".ci/run"), -1) {
		for _, name := range strings.Fields(line) {
			versions[name] = "Debian"
		}
	}
	return versions
}
