package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

// codeOf parses the files of a folder of the repository that are no tests.
func codeOf(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testbed.Root(t), folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatalf("got no source in %q, want some", folder)
	}
	return files
}

// texts returns the constants of a folder that are texts, by their names.
func texts(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, file := range codeOf(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				return true
			}
			for i, name := range spec.Names {
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					all[name.Name], _ = strconv.Unquote(literal.Value) // The compiler has read it.
				}
			}
			return true
		})
	}
	return all
}

// Packages behind entra give reasons by texts of their own, which must be those that it exports.
func TestReasonsOfPackagesAreExported(t *testing.T) {
	exported, inner := texts(t, "."), texts(t, "internal/refuse")
	if len(inner) < 19 {
		t.Fatalf("got %d reasons in package refuse, want 19 at least", len(inner))
	}
	for name, reason := range inner {
		if got := exported["Reason"+name]; got != reason {
			t.Errorf("refuse.%s is %q and entra.Reason%s %q, want one text", name, reason, name, got)
		}
	}
}

// inward says what the packages on a request's way through the library may import of it. Each knows one thing, and none knows
// of the packages before it.
var inward = map[string][]string{
	"bearer":     {"quote"},
	"claimset":   {"refuse", "strictjson"},
	"counter":    nil,
	"digest":     nil,
	"fetch":      {"quote"},
	"jws":        {"quote", "refuse", "strictjson"},
	"keydoc":     {"quote", "strictjson"},
	"keyset":     {"digest", "fetch", "keydoc", "quote"},
	"loglimit":   nil,
	"memory":     nil,
	"policy":     {"claimset", "quote", "refuse"},
	"quote":      nil,
	"refuse":     nil,
	"strictjson": {"quote"},
}

func TestImportsGoOneWay(t *testing.T) {
	const module = "github.com/entra-go/entra"
	for name, allowed := range inward {
		for _, file := range codeOf(t, "internal/"+name) {
			for _, spec := range file.Imports {
				path, _ := strconv.Unquote(spec.Path.Value) // The compiler has read it.
				if path != module && !strings.HasPrefix(path, module+"/") {
					continue
				}
				if imported := strings.TrimPrefix(path, module+"/internal/"); !slices.Contains(allowed, imported) {
					t.Errorf("internal/%s imports %s, want none but %q of this module", name, path, allowed)
				}
			}
		}
	}
}

var documentedLine = regexp.MustCompile("(?m)^- \\*\\*`(entra: [^`]+)`\\*\\*")

// docs/operations.md lists the lines that the library logs, and no others; … stands for what differs.
func TestOperationsListsEveryLogLine(t *testing.T) {
	logging := []string{"LogAttrs", "Debug", "Info", "Warn", "Error"}
	var logged []string
	for _, folder := range []string{".", "internal/authserver", "internal/keyset"} {
		for _, file := range codeOf(t, folder) {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if name, ok := call.Fun.(*ast.SelectorExpr); !ok || !slices.Contains(logging, name.Sel.Name) {
					return true
				}
				for _, argument := range call.Args {
					if sum, ok := argument.(*ast.BinaryExpr); ok {
						argument = sum.X // The rest differs.
					}
					if literal, ok := argument.(*ast.BasicLit); ok && literal.Kind == token.STRING {
						// The compiler has read it.
						if text, _ := strconv.Unquote(literal.Value); strings.HasPrefix(text, "entra: ") {
							logged = append(logged, text)
						}
					}
				}
				return true
			})
		}
	}
	var documented []string
	for _, match := range documentedLine.FindAllStringSubmatch(read(t, "docs/operations.md"), -1) {
		documented = append(documented, strings.TrimRight(match[1], " …"))
	}
	if len(documented) == 0 || len(logged) == 0 {
		t.Fatalf("got the lines %q in the document and %q in the code, want some", documented, logged)
	}
	for _, text := range logged {
		if !slices.ContainsFunc(documented, func(d string) bool { return strings.HasPrefix(text, d) }) {
			t.Errorf("docs/operations.md does not list the line %q", text)
		}
	}
	for _, text := range documented {
		if !slices.ContainsFunc(logged, func(l string) bool { return strings.HasPrefix(l, text) }) {
			t.Errorf("docs/operations.md lists the line %q, which nothing logs", text)
		}
	}
}
