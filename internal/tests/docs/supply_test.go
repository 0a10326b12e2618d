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

var (
	requirement  = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+/\S+) v\S+( // indirect)?$`)
	majorVersion = regexp.MustCompile(`/v\d+$`)
	goVersion    = regexp.MustCompile(`(?m)^go (\d+\.\d+)`)
	counts       = []string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"}
)

// What the documents say of the module's requirements is what go.mod requires.
func TestDocumentsNameTheRequirements(t *testing.T) {
	mod, readme, security := read(t, "go.mod"), read(t, "README.md"), read(t, "SECURITY.md")
	direct, indirect := 0, 0
	for _, match := range requirement.FindAllStringSubmatch(mod, -1) {
		if match[2] != "" {
			indirect++
		} else {
			direct++
		}
		name := majorVersion.ReplaceAllString(match[1], "")
		if table := section(readme, "Dependencies"); !strings.Contains(table, "(https://"+name+")") && !strings.Contains(table, "`"+name+"`") {
			t.Errorf("README.md does not name %s, which go.mod requires, under Dependencies", name)
		}
	}
	if want := "\n" + counts[direct] + " direct ones"; direct == 0 || !strings.Contains(security, want) {
		t.Errorf("SECURITY.md does not say %q, the number of go.mod's direct requirements", want[1:])
	}
	if want := strings.ToLower(counts[indirect]) + " that comes with them"; !strings.Contains(security, want) {
		t.Errorf("SECURITY.md does not say %q, the number of go.mod's indirect requirements", want)
	}
	version := goVersion.FindStringSubmatch(mod)[1]
	for name, want := range map[string]string{
		"README.md":   "\nGo " + version + " or newer.",
		"SECURITY.md": "\nGo " + version + " and newer",
	} {
		if !strings.Contains(read(t, name), want) {
			t.Errorf("%s does not say %q, the version of go.mod", name, want[1:])
		}
	}
	if !strings.Contains(readme, "badge/go-"+version+"%2B") {
		t.Errorf("README.md has another badge than that of Go %s, the version of go.mod", version)
	}
}

// The example's configuration of Caddy has been run in the versions that its document names.
func TestTheGatewayNamesTheVersionsOfCaddy(t *testing.T) {
	versions := regexp.MustCompile(`caddy: v(\S+)`).FindAllStringSubmatch(read(t, ".github/workflows/weekly.yml"), -1)
	versions = append(versions, regexp.MustCompile(`caddyserver/caddy/v2 v(\S+)`).FindStringSubmatch(read(t, "internal/interop/go.mod")))
	document := read(t, "examples/gateway/README.md")
	for _, version := range versions {
		if !strings.Contains(document, version[1]) {
			t.Errorf("examples/gateway/README.md does not name Caddy %s, in which it is tested", version[1])
		}
	}
	for _, named := range regexp.MustCompile(`\b2\.\d+\.\d+\b`).FindAllString(section(document, "Caddy"), -1) {
		if !slices.ContainsFunc(versions, func(v []string) bool { return v[1] == named }) {
			t.Errorf("examples/gateway/README.md names Caddy %s, in which nothing is tested", named)
		}
	}
}

// section returns what stands under a heading of the second level.
func section(document, heading string) string {
	_, rest, _ := strings.Cut(document, "\n## "+heading+"\n")
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}
