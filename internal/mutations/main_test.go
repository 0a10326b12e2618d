package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The list ages with the code: each text must still be found, once, and each package must still have tests. Whether the tests
// kill the mutations is what the program itself finds out.
func TestTheListFitsTheCode(t *testing.T) {
	seen := make(map[string]bool)
	for _, m := range mutations {
		if _, err := m.apply(); err != nil {
			t.Error(err)
		}
		if id := m.file + m.old + m.new; seen[id] {
			t.Errorf("%s: %s: stands there twice", m.file, m.why)
		} else {
			seen[id] = true
		}
		name, _, _ := strings.Cut(m.tests, " ")
		if tests, _ := filepath.Glob(filepath.Join(root, name, "*_test.go")); len(tests) == 0 {
			t.Errorf("%s: %s: package %s has no tests", m.file, m.why, name)
		}
	}
	if len(mutations) < 60 {
		t.Errorf("got %d mutations, want 60 at least", len(mutations))
	}
}

func TestTextsThatAreNotThereOnceAreRefused(t *testing.T) {
	for name, m := range map[string]mutation{
		"no such text":    {"why", "go.mod", "no such text", "x", "."},
		"twice":           {"why", "go.mod", "github.com", "x", "."},
		"nothing changes": {"why", "go.mod", "module github.com/entra-go/entra\n", "module github.com/entra-go/entra\n", "."},
		"no file":         {"why", "no.such.file", "x", "y", "."},
		"no tests":        {"why", "go.mod", "module ", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := m.apply(); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}

func TestTheOverlayHoldsTheChangedFile(t *testing.T) {
	m := mutation{"why", "go.mod", "module github.com/entra-go/entra\n", "module changed\n", "."}
	path, err := m.overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(filepath.Join(filepath.Dir(path), "changed.go"))
	if err != nil || !strings.HasPrefix(string(changed), "module changed\n") {
		t.Errorf("got %q and %v, want the changed text", changed, err)
	}
	original, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil || strings.HasPrefix(string(original), "module changed\n") {
		t.Errorf("got %q and %v, want the original as it was", original, err)
	}
}
