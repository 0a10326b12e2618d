// Package examples_test proves that each example can be copied out of this module and still builds.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEachExampleBuildsInAFolderOfItsOwn(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod, sum := freshModule(t, root)
	for _, folder := range examples(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{"go.mod": mod, "go.sum": sum} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run(t, dir, "mod", "tidy")
			run(t, dir, "vet", "./...") // of the tests, too
		})
	}
}

// examples returns the folders with programs.
func examples(t *testing.T) (folders []string) {
	t.Helper()
	for _, pattern := range []string{"*/main.go", "*/*/main.go"} {
		programs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, program := range programs {
			folder, _, _ := strings.Cut(filepath.ToSlash(program), "/")
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	if len(folders) < 10 {
		t.Fatalf("got only the examples %q", folders)
	}
	return folders
}

// freshModule is what go mod init and go mod edit -replace write, with the versions of this module so that nothing has to
// be looked up.
func freshModule(t *testing.T, root string) (mod, sum []byte) {
	t.Helper()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = os.ReadFile("go.sum"); err != nil {
		t.Fatal(err)
	}
	mod = regexp.MustCompile(`(?m)^module .*`).ReplaceAll(mod, []byte("module example.com/copy"))
	return bytes.Replace(mod, []byte("=> ../"), []byte("=> "+root), 1), sum
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %v: %v\n%s", args, err, out)
	}
}
