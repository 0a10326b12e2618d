package docs_test

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entra-go/entra/internal/tests/testbed"
)

// reference is the documentation of a package as pkg.go.dev shows it, and its sources.
type reference struct {
	*doc.Package
	set   *token.FileSet
	files []*ast.File
}

// referenceOf reads a folder of the repository.
func referenceOf(t *testing.T, folder string) *reference {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testbed.Root(t), folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{set: token.NewFileSet()}
	for _, name := range names {
		file, err := parser.ParseFile(r.set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		r.files = append(r.files, file)
	}
	if r.Package, err = doc.NewFromFiles(r.set, r.files, module+"/"+folder); err != nil {
		t.Fatal(err)
	}
	return r
}

// examples returns the code of the examples whose output is checked, by their names, such as Verifier_Ready.
func (r *reference) examples() map[string]string {
	all := make(map[string]string)
	for _, file := range r.files {
		for _, example := range doc.Examples(file) {
			if example.Output != "" || example.EmptyOutput {
				var b strings.Builder
				ast.Inspect(example.Code, func(n ast.Node) bool {
					if name, ok := n.(*ast.Ident); ok {
						b.WriteString(name.Name + " ")
					}
					return true
				})
				all[example.Name] = " " + b.String()
			}
		}
	}
	return all
}

// functions calls visit for each exported function and method, with the name of the type, "" for none.
func (r *reference) functions(visit func(receiver string, f *doc.Func)) {
	for _, f := range r.Funcs {
		visit("", f)
	}
	for _, typ := range r.Types {
		for _, f := range typ.Funcs {
			visit("", f)
		}
		for _, f := range typ.Methods {
			visit(typ.Name, f)
		}
	}
}

// Each function and method of package entra has an example, or its type has one that calls it; so has each option.
func TestEveryFunctionAndOptionHasAnExample(t *testing.T) {
	r := referenceOf(t, ".")
	examples := r.examples()
	r.functions(func(receiver string, f *doc.Func) {
		name := f.Name
		if receiver != "" {
			name = receiver + "_" + f.Name
		}
		if examples[name] == "" && !(receiver != "" && receiver != "Verifier" && receiver != "Claims" && examples[receiver] != "") {
			t.Errorf("no example with a checked output is named Example%s", name)
		}
	})
	all := strings.Join(slices.Collect(maps.Values(examples)), "")
	for _, option := range optionsOf(t, r) {
		name := option.Names[0].Name
		if !strings.Contains(all, " "+name+" ") {
			t.Errorf("no example with a checked output sets Options.%s", name)
		}
	}
}

// Each function, method and option of package entratest is used in an example of its own package; New is for tests alone.
func TestEveryFunctionOfEntratestIsShown(t *testing.T) {
	r := referenceOf(t, "entratest")
	all := strings.Join(slices.Collect(maps.Values(r.examples())), "")
	r.functions(func(receiver string, f *doc.Func) {
		// String is what fmt calls.
		if f.Name != "New" && f.Name != "String" && !strings.Contains(all, " "+f.Name+" ") {
			t.Errorf("no example with a checked output uses %s %s", receiver, f.Name)
		}
	})
}

func optionsOf(t *testing.T, r *reference) []*ast.Field {
	t.Helper()
	for _, typ := range r.Types {
		if typ.Name == "Options" {
			return typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List
		}
	}
	t.Fatal("package entra has no Options")
	return nil
}

// Each option says what its zero value means.
func TestEveryOptionNamesItsDefault(t *testing.T) {
	for _, option := range optionsOf(t, referenceOf(t, ".")) {
		if !strings.Contains(option.Doc.Text(), "Default: ") && !strings.Contains(option.Doc.Text(), "Default:\n") {
			t.Errorf("Options.%s: got no Default in its comment", option.Names[0].Name)
		}
	}
}

const blob = "https://github.com/entra-go/entra/blob/main/"

// unresolved is what is left in the text of a comment where a link in brackets leads nowhere.
var unresolved = regexp.MustCompile(`\[[\w./-]*[A-Za-z][\w./-]*\]`)

// Each exported name has a comment; links in comments lead somewhere; and lines that pkg.go.dev shows as they are do not run
// out of the page.
func TestDocumentation(t *testing.T) {
	command := referenceOf(t, "cmd/entra")
	checkLinks(t, command, "cmd/entra", command.Doc)
	for _, folder := range []string{".", "entratest"} {
		r := referenceOf(t, folder)
		check := func(name, text string) {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s %s: got no comment", folder, name)
			}
			checkLinks(t, r, name, text)
		}
		check("package", r.Doc)
		r.functions(func(receiver string, f *doc.Func) { check(receiver+" "+f.Name, f.Doc) })
		for _, value := range append(r.Consts, r.Vars...) {
			check(strings.Join(value.Names, ", "), value.Doc)
		}
		for _, typ := range r.Types {
			check(typ.Name, typ.Doc)
			for _, value := range append(typ.Consts, typ.Vars...) {
				check(strings.Join(value.Names, ", "), value.Doc)
			}
			checkFields(t, r, typ)
		}
	}
}

func checkLinks(t *testing.T, r *reference, name, text string) {
	t.Helper()
	parsed := r.Parser().Parse(text)
	for _, link := range parsed.Links {
		if !link.Used {
			t.Errorf("%s: the link %s is defined and not used", name, link.Text)
		}
		path, ours := strings.CutPrefix(link.URL, blob)
		if !ours {
			continue
		}
		if _, err := os.Stat(filepath.Join(testbed.Root(t), path)); err != nil {
			t.Errorf("%s: %s leads to no file of the repository", name, link.URL)
		}
	}
	if found := unresolved.FindString(plainText(parsed)); found != "" {
		t.Errorf("%s: %s leads nowhere; define it, or name an exported identifier", name, found)
	}
}

// plainText returns the parts of a comment that are neither links nor code.
func plainText(parsed *comment.Doc) string {
	var b strings.Builder
	var add func(blocks []comment.Block)
	add = func(blocks []comment.Block) {
		for _, block := range blocks {
			switch block := block.(type) {
			case *comment.Paragraph:
				for _, text := range block.Text {
					if plain, ok := text.(comment.Plain); ok {
						b.WriteString(string(plain) + " ")
					}
				}
			case *comment.List:
				for _, item := range block.Items {
					add(item.Content)
				}
			}
		}
	}
	add(parsed.Content)
	return b.String()
}

// checkFields wants a comment at each exported field of package entra, and lines that fit the page.
func checkFields(t *testing.T, r *reference, typ *doc.Type) {
	t.Helper()
	if structure, ok := typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType); ok && r.Name == "entra" {
		for _, field := range structure.Fields.List {
			if field.Doc == nil && field.Comment == nil {
				t.Errorf("%s.%s: got no comment", typ.Name, field.Names[0].Name)
			}
		}
	}
	begin, end := r.set.Position(typ.Decl.Pos()), r.set.Position(typ.Decl.End())
	source, err := os.ReadFile(begin.Filename)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(source), "\n")[begin.Line-1 : end.Line] {
		// A tab has four columns there.
		if columns := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); columns > 115 {
			t.Errorf("%s:%d: got %d columns, want 115 at most: pkg.go.dev does not wrap this line",
				filepath.Base(begin.Filename), begin.Line+i, columns)
		}
	}
}
