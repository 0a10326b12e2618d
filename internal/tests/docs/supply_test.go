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

var (
	action   = regexp.MustCompile(`(?m)^\s*(?:- )?uses: *(\S+)(.*)$`)
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	version  = regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)
	floating = regexp.MustCompile(`@(?:latest|main|master)\b`)
)

// A tag can be moved to other code, a commit cannot.
func TestWorkflowsRunPinnedCodeWithoutCredentials(t *testing.T) {
	workflows, err := filepath.Glob(filepath.Join(testbed.Root(t), ".github/workflows/*.yml"))
	if err != nil || len(workflows) < 2 {
		t.Fatalf("got workflows %q and %v, want two at least", workflows, err)
	}
	for _, path := range workflows {
		name := filepath.Base(path)
		text := read(t, ".github/workflows/"+name)
		for _, match := range action.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(match[1]) || !version.MatchString(match[2]) {
				t.Errorf("%s: got uses: %s%s, want a commit of 40 digits and the version as a comment", name, match[1], match[2])
			}
		}
		if match := floating.FindString(text); match != "" {
			t.Errorf("%s: got %s, want a version", name, match)
		}
		checkouts := strings.Count(text, "actions/checkout@")
		if got := strings.Count(text, "persist-credentials: false"); got != checkouts {
			t.Errorf("%s: got persist-credentials: false %d times, want it with each of %d checkouts", name, got, checkouts)
		}
		if !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s: got other permissions for all jobs, want none: each job names its own", name)
		}
		jobs := strings.Count(text, "\n    runs-on:")
		if got := strings.Count(text, "\n    timeout-minutes:"); got != jobs {
			t.Errorf("%s: got %d timeouts, want one for each of %d jobs", name, got, jobs)
		}
		if writes := strings.Count(text, ": write"); writes != 0 && name != "release.yml" {
			t.Errorf("%s: got %d permissions to write, want none", name, writes)
		}
	}
}

func TestDependabotKnowsEveryModuleAndPackage(t *testing.T) {
	config := read(t, ".github/dependabot.yml")
	for ecosystem, file := range map[string]string{"gomod": "go.mod", "npm": "package.json"} {
		_, section, _ := strings.Cut(config, "package-ecosystem: "+ecosystem+"\n")
		section, _, _ = strings.Cut(section, "package-ecosystem:")
		var got []string
		for _, match := range regexp.MustCompile(`(?m)^ +- (/\S*)$`).FindAllStringSubmatch(section, -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		if want := foldersWith(t, file); !slices.Equal(got, want) {
			t.Errorf("%s: got directories %q, want those with a %s: %q", ecosystem, got, file, want)
		}
	}
}

// foldersWith returns the folders of the repository that have the file, as dependabot names them.
func foldersWith(t *testing.T, file string) (folders []string) {
	t.Helper()
	root := os.DirFS(testbed.Root(t))
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.Name() == file:
			folders = append(folders, "/"+strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "."))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(folders)
	return folders
}
