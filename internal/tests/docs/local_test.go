package docs_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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

// TestLocalGuideNamesTheWaysThatRun compares the ways that the table gives a client with those by which the tests run the
// programs of its section.
func TestLocalGuideNamesTheWaysThatRun(t *testing.T) {
	run := make(map[string]string) // ways by programs
	for _, name := range filesOf(t, "internal/interop") {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		text := read(t, name)
		for _, row := range regexp.MustCompile(`\{"(local/[^"]+)", \[\]localWay\{([^}]*)\}\}`).FindAllStringSubmatch(text, -1) {
			run["internal/interop/"+row[1]] = row[2]
		}
	}
	if len(run) == 0 {
		t.Fatal("got no program with its ways in the tests")
	}
	for _, row := range clientRows(t) {
		_, section, _ := strings.Cut(read(t, localGuide), "\n### "+row.client+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		for _, block := range taken.FindAllStringSubmatch(section, -1) {
			ways, ok := run[strings.TrimSuffix(block[2], "/main.go")]
			if !ok {
				continue // A test of its own runs it.
			}
			for i, way := range []string{"names", "anIssuer", "endpoints"} {
				if got, want := row.ways[i] == "yes", slices.Contains(strings.Split(ways, ", "), way); got != want {
					t.Errorf("%s: the table says %t of the way %s, want %t, as %s is run", row.client, got, way, want, block[2])
				}
			}
		}
	}
}

// clientRow is a row of the guide's table of clients.
type clientRow struct {
	client, anchor, name, version string
	ways                          [3]string
}

func clientRows(t *testing.T) (rows []clientRow) {
	t.Helper()
	pattern := regexp.MustCompile("(?m)^\\| \\[([^]]+)\\]\\(#([^)]+)\\) \\| `([^`]+)` (\\S+) \\| [^|]+ \\| ([^|]*)\\| ([^|]*)\\| ([^|]*)\\|$")
	for _, row := range pattern.FindAllStringSubmatch(read(t, localGuide), -1) {
		ways := [3]string{strings.TrimSpace(row[5]), strings.TrimSpace(row[6]), strings.TrimSpace(row[7])}
		rows = append(rows, clientRow{row[1], row[2], row[3], row[4], ways})
	}
	if len(rows) != strings.Count(read(t, localGuide), "\n| [") {
		t.Fatalf("got %d rows that were read, want all %d", len(rows), strings.Count(read(t, localGuide), "\n| ["))
	}
	return rows
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
	for _, row := range clientRows(t) {
		if want, ok := versions[row.name]; !ok || row.version != want {
			t.Errorf("%s: got version %s of %s, want %q, which the tests run", row.client, row.version, row.name, want)
		}
		if !hasAnchor(filepath.Join(testbed.Root(t), localGuide), row.anchor) || !strings.Contains(read(t, localGuide), "\n### "+row.client+"\n") {
			t.Errorf("%s: got no section of this name with the anchor %s", row.client, row.anchor)
		}
		if row.ways == [3]string{} {
			t.Errorf("%s: got no way to the tenant", row.client)
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
			text := read(t, name)
			for _, line := range require.FindAllStringSubmatch(text, -1) {
				versions[line[1]] = line[2]
			}
			// The module of a program that is run alone counts as indirect.
			for _, tool := range regexp.MustCompile(`(?m)^tool (\S+)$`).FindAllStringSubmatch(text, -1) {
				if line := regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(tool[1]) + ` v(\S+) // indirect$`).FindStringSubmatch(text); line != nil {
					versions[tool[1]] = line[1]
				}
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
