package testbed

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/entra-go/entra"
)

// Root returns the folder of the root module, counted from the folder of the package whose tests run.
func Root(t *testing.T) string {
	t.Helper()
	for folder := "."; len(folder) < 40; folder = filepath.Join("..", folder) {
		if _, err := os.Stat(filepath.Join(folder, "SECURITY.md")); err == nil {
			return folder
		}
	}
	t.Fatal("got no folder with a SECURITY.md above this package, want the root of the module")
	return ""
}

// TestFiles returns the files with tests in all packages of the root module.
func TestFiles(t *testing.T) (found []string) {
	t.Helper()
	root := Root(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if anotherModule := err == nil; anotherModule || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
		}
		if strings.HasSuffix(path, "_test.go") {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Reasons reads the Reason constants from the source, in their order, so that no list of them forgets one.
func Reasons(t *testing.T) (found []entra.Reason) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(Root(t), "errors.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
			for _, value := range spec.Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, entra.Reason(text))
			}
		}
		return true
	})
	if len(found) < 30 {
		t.Fatalf("got %d reasons in errors.go, want 30 at least", len(found))
	}
	return found
}
