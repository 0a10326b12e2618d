package docs_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

const module = "github.com/entra-go/entra"

// constantsOf returns the values of the numeric constants of the library's packages, by the name of the package and of the
// constant, such as keyset.keyLifetime. A duration is a number of nanoseconds.
func constantsOf(t *testing.T) map[string]float64 {
	t.Helper()
	r := &reader{root: testbed.Root(t), packages: make(map[string]*types.Package)}
	values := make(map[string]float64)
	for _, path := range []string{
		"", "/cmd/entra", "/entratest", "/internal/authserver", "/internal/dircache", "/internal/fetch", "/internal/jws", "/internal/keydoc",
		"/internal/keyset", "/internal/loglimit", "/internal/policy", "/internal/quote", "/internal/strictjson",
	} {
		pkg, err := r.Import(module + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkg.Scope().Names() {
			c, ok := pkg.Scope().Lookup(name).(*types.Const)
			if !ok {
				continue
			}
			if value := constant.ToFloat(c.Val()); value.Kind() == constant.Float {
				values[pkg.Name()+"."+name], _ = constant.Float64Val(value)
			}
		}
	}
	return values
}

// reader reads packages as far as their constants need it: of the standard library time alone, and no bodies of functions.
type reader struct {
	root     string
	packages map[string]*types.Package
}

// Import implements types.Importer.
func (r *reader) Import(path string) (*types.Package, error) {
	if pkg := r.packages[path]; pkg != nil {
		return pkg, nil
	}
	inside, ours := strings.CutPrefix(path, module)
	if !ours {
		r.packages[path] = standIn(path)
		return r.packages[path], nil
	}
	files, set := []*ast.File(nil), token.NewFileSet()
	folder := filepath.Join(r.root, filepath.FromSlash(inside))
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(set, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	// What other packages declare is missing, which constants do not need.
	config := types.Config{Importer: r, IgnoreFuncBodies: true, Error: func(error) {}}
	pkg, _ := config.Check(path, set, files, nil)
	r.packages[path] = pkg
	return pkg, nil
}

// standIn is a package without declarations, but for package time, which has its units.
func standIn(path string) *types.Package {
	pkg := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	if path == "time" {
		name := types.NewTypeName(token.NoPos, pkg, "Duration", nil)
		duration := types.NewNamed(name, types.Typ[types.Int64], nil)
		pkg.Scope().Insert(name)
		for unit, nanoseconds := range map[string]int64{
			"Nanosecond": 1, "Microsecond": 1e3, "Millisecond": 1e6, "Second": 1e9, "Minute": 60e9, "Hour": 3600e9,
		} {
			pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, unit, duration, constant.MakeInt64(nanoseconds)))
		}
	}
	pkg.MarkComplete()
	return pkg
}
