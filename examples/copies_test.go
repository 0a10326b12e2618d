// Package examples_test checks that each example builds when it is copied out of this module, as README.md says, and
// that the examples run against a fake tenant without a change.
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
			vetCopy(t, dir, map[string][]byte{"go.mod": mod, "go.sum": sum})
		})
	}
}

// Of the quickstart docs/quickstart.md has readers copy api.go, and write the main function that stands there.
func TestTheQuickstartsAPIBuildsInAFolderOfItsOwn(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "quickstart.md"))
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindSubmatch(guide)
	if program == nil {
		t.Fatal("got no program in docs/quickstart.md")
	}
	api, err := os.ReadFile(filepath.Join("quickstart", "api.go"))
	if err != nil {
		t.Fatal(err)
	}
	mod, sum := freshModule(t, root)
	vetCopy(t, t.TempDir(), map[string][]byte{"go.mod": mod, "go.sum": sum, "api.go": api, "main.go": program[1]})
}

// vetCopy adds the files to the folder and vets its programs and their tests.
func vetCopy(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "mod", "tidy")
	run(t, dir, "vet", "./...")
}

// examples returns the folders with programs that readers copy whole.
func examples(t *testing.T) (folders []string) {
	t.Helper()
	for _, pattern := range []string{"*/main.go", "*/*/main.go"} {
		programs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, program := range programs {
			if folder, _, _ := strings.Cut(filepath.ToSlash(program), "/"); folder != "quickstart" {
				folders = append(folders, folder)
			}
		}
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	if len(folders) < 10 {
		t.Fatalf("got only the examples %q", folders)
	}
	return folders
}

// freshModule returns what go mod init and go mod edit -replace write, with the requirements of this module so that the
// go command looks nothing up.
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
