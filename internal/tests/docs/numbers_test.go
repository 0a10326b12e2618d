package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/tests/testbed"
)

// TestNumbersAreThoseOfTheConstants compares the times, sizes and counts that documents and exported doc comments state with
// the constants of the library. What states a number of another kind is among foreignNumbers.
func TestNumbersAreThoseOfTheConstants(t *testing.T) {
	values := constantsOf(t)
	addDerived(values)
	documents := numberedDocuments(t)
	used, unknown := make(map[string]bool), false
	for _, d := range documents {
		claimed := d.checkStatements(t, values, used)
		if !d.complete {
			continue
		}
		claimed = append(claimed, d.foreign(used)...)
		for _, at := range quantity.FindAllStringIndex(d.text, -1) {
			said := d.text[at[0]:at[1]]
			if claimed.covers(at) || notCounted.MatchString(said) {
				continue
			}
			if name := uniquelyNamed(said, values); name != "" {
				used[name] = true
				continue
			}
			t.Errorf("%s: %q is the value of no constant: …%s…", d.place(at[0]), said, d.around(at))
			unknown = true
		}
	}
	if unknown {
		t.Error("if such a number is about the library, let a row of statements name its constant, else a row of foreignNumbers its phrase")
	}
	for _, s := range statements {
		if !used[s.text] {
			t.Errorf("no document says %q; take the row out of statements", s.text)
		}
	}
	for _, text := range foreignNumbers {
		if !used[text] {
			t.Errorf("no document says %q; take the row out of foreignNumbers", text)
		}
	}
	for _, name := range uniqueNumbers {
		if !used[name.constant] {
			t.Errorf("no document states %s, which is %v", name.constant, values[name.constant])
		}
	}
}

// The growing pauses between fetches, which documents list.
func TestSeriesAreThoseOfTheConstants(t *testing.T) {
	values := constantsOf(t)
	for file, wants := range map[string][]string{
		"docs/replicas.md": {
			series(values, "keyset.failureMin", "keyset.failureMax", " and ") + " seconds, then each minute",
			series(values, "keyset.failureMin", "keyset.failureMaxEmpty", " and ") + " seconds, then every 5 seconds",
		},
		"docs/operations.md": {
			series(values, "keyset.failureMin", "keyset.failureMax", ", ") + " seconds and each minute",
		},
	} {
		for _, want := range wants {
			if text := strings.Join(strings.Fields(read(t, file)), " "); !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", file, want)
			}
		}
	}
}

// The command waits for a document as long as the library does, so that both come to the same end.
func TestTheCommandWaitsAsLongAsTheLibrary(t *testing.T) {
	if values := constantsOf(t); values["main.fetchTimeout"] != values["fetch.Timeout"] {
		t.Errorf("got %v in cmd/entra, want %v as in internal/fetch", values["main.fetchTimeout"], values["fetch.Timeout"])
	}
}

// series lists when fetches start after one that failed, in seconds, with pauses that double, up to the first that follows a
// pause of the greatest length.
func series(values map[string]float64, least, most, last string) string {
	var all []string
	at := 0.0
	for pause := values[least]; ; pause = min(2*pause, values[most]) {
		if pause >= values[most] {
			break
		}
		at += pause
		all = append(all, fmt.Sprint(at/second))
	}
	return strings.Join(all[:len(all)-1], ", ") + last + all[len(all)-1]
}

// addDerived adds what follows from several constants.
func addDerived(values map[string]float64) {
	values["5 minutes"], values["an hour"] = 5*minute, hour
	values["fetches in 5 minutes"] = junkFetches(values, 0, 5*minute)
	values["fetches in the first hour"] = junkFetches(values, 0, hour)
	values["fetches in the second hour"] = junkFetches(values, hour, 2*hour)
	values["fetches of 300 replicas in the first hour"] = 300 * values["fetches in the first hour"]
	values["fetches of 300 replicas in the second hour"] = 300 * values["fetches in the second hour"]
	values["hourly fetches of 300 replicas"] = 300 * hour / values["keyset.refreshAfter"]
	values["time between fetches of 300 replicas"] = values["keyset.refreshAfter"] / 300
	values["seconds of the first pause"] = values["keyset.unknownMin"] / second
	values["minutes of skew"] = values["policy.defaultClockSkew"] / minute
	values["outage that costs nothing"] = values["keyset.keyLifetime"] - values["keyset.refreshAfter"]
	values["last growing pause"] = lastOf(values, "keyset.failureMax")
	values["last growing pause without keys"] = lastOf(values, "keyset.failureMaxEmpty")
}

func lastOf(values map[string]float64, most string) float64 {
	all := strings.Split(series(values, "keyset.failureMin", most, ", "), ", ")
	n, _ := strconv.ParseFloat(all[len(all)-1], 64)
	return n * second
}

// junkFetches counts the fetches that start between two times of a flood of junk key IDs.
func junkFetches(values map[string]float64, from, to float64) (n float64) {
	pause := values["keyset.unknownMin"]
	for at := 0.0; at < to; at, pause = at+pause, min(2*pause, values["keyset.unknownMax"]) {
		if at >= from {
			n++
		}
	}
	return n
}

const (
	second, minute, hour, day = 1e9, 60e9, 3600e9, 24 * 3600e9

	number = `(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)`
	unit   = `(?:milliseconds|ms|µs|seconds?|s|minutes?|m|hours?|days?|KiB|MiB|KB|MB|GB|bytes|lines|members|requests|tokens)`
)

var (
	// quantity is a number with a unit of time, size or what else the library bounds, or a large number.
	quantity = regexp.MustCompile(`\b` + number + `[ -]` + unit + `\b|\b\d{1,3}(?:,\d{3})+\b|\b4096\b|\b16384\b`)
	// No quantity: versions of tokens, and a second of two things.
	notCounted = regexp.MustCompile(`\b[12]\.0 tokens\b|\b(?:a|one) seconds?\b|` +
		`\b(?:an?|one|two|three) (?:tokens|requests|members|lines|bytes)\b`)
	parts = regexp.MustCompile(`(?i)^(` + number + `)(?:[ -](` + unit + `))?$`)

	words = map[string]float64{
		"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
		"ten": 10, "twelve": 12,
	}
	units = map[string]float64{
		"ms": 1e6, "milliseconds": 1e6, "µs": 1e3, "s": second, "second": second, "seconds": second,
		"m": minute, "minute": minute, "minutes": minute,
		"hour": hour, "hours": hour, "day": day, "days": day, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20,
	}
)

// valueOf returns what a text such as "25 hours" or "1,024 requests" says, and its unit. Times are in nanoseconds.
func valueOf(said string) (value float64, unit string) {
	found := parts.FindStringSubmatch(said)
	if found == nil {
		return -1, ""
	}
	value, ok := words[strings.ToLower(found[1])]
	if !ok {
		value, _ = strconv.ParseFloat(strings.ReplaceAll(found[1], ",", ""), 64)
	}
	if factor := units[found[2]]; factor != 0 {
		value *= factor
	}
	return value, found[2]
}

// shownAs returns a value in the kind of unit that a text has.
func shownAs(value float64, said string) string {
	if _, unit := valueOf(said); units[unit] >= 1e6 && !strings.HasSuffix(unit, "B") {
		return time.Duration(value).String()
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

// uniquelyNamed returns the constant among uniqueNumbers whose value is said, or "".
func uniquelyNamed(said string, values map[string]float64) string {
	value, unit := valueOf(said)
	for _, name := range uniqueNumbers {
		if value == values[name.constant] && strings.Contains(" "+name.units+" ", " "+unit+" ") {
			return name.constant
		}
	}
	return ""
}

// document is a text without line breaks, and where its lines begin.
type document struct {
	name, text string
	complete   bool  // all of its numbers are checked, not only those in statements
	starts     []int // offset in text of each line
	lines      []int // number of each in the file
}

func (d *document) add(line int, text string) {
	d.starts, d.lines = append(d.starts, len(d.text)), append(d.lines, line)
	d.text += strings.TrimSpace(text) + " "
}

// place names file and line.
func (d *document) place(offset int) string {
	i, found := slices.BinarySearch(d.starts, offset)
	if !found {
		i--
	}
	return fmt.Sprintf("%s:%d", d.name, d.lines[i])
}

func (d *document) around(at []int) string {
	return strings.ToValidUTF8(d.text[max(0, at[0]-60):min(len(d.text), at[1]+40)], "")
}

// spans are parts of a document's text.
type spans [][]int

func (s spans) covers(at []int) bool {
	return slices.ContainsFunc(s, func(span []int) bool { return span[0] <= at[0] && at[1] <= span[1] })
}

// patterns are the texts of statements and foreignNumbers as regular expressions: # is a number, perhaps with a unit, and a
// blank any white space.
var patterns = make(map[string]*regexp.Regexp)

func pattern(text string) *regexp.Regexp {
	if patterns[text] == nil {
		expression := strings.ReplaceAll(strings.ReplaceAll(text, " ", `\s+`), "#", `((?i:`+number+`)(?:[ -]`+unit+`\b)?)`)
		patterns[text] = regexp.MustCompile(expression)
	}
	return patterns[text]
}

// numbers returns where the numbers are in each place of the document that a pattern fits.
func (d *document) numbers(text string) (all []spans) {
	for _, match := range pattern(text).FindAllStringSubmatchIndex(d.text, -1) {
		var found spans
		for i := 2; i < len(match); i += 2 {
			found = append(found, match[i:i+2])
		}
		all = append(all, found)
	}
	return all
}

// checkStatements compares what the document states with the constants, and returns where those numbers are.
func (d *document) checkStatements(t *testing.T, values map[string]float64, used map[string]bool) (claimed spans) {
	t.Helper()
	for _, s := range statements {
		for _, found := range d.numbers(s.text) {
			used[s.text] = true
			for i, name := range s.constants {
				at := found[i]
				said := d.text[at[0]:at[1]]
				want, known := values[name]
				if !known {
					t.Errorf("%q: no constant is named %s", s.text, name)
				} else if got, _ := valueOf(said); got != want {
					t.Errorf("%s: says %q, and %s is %s: …%s…", d.place(at[0]), said, name, shownAs(want, said), d.around(at))
				}
			}
			claimed = append(claimed, found...)
		}
	}
	return claimed
}

// foreign returns where numbers are that the library does not decide.
func (d *document) foreign(used map[string]bool) (all spans) {
	for _, text := range foreignNumbers {
		for _, found := range d.numbers(text) {
			used[text] = true
			all = append(all, found...)
		}
	}
	return all
}

// numberedDocuments are the Markdown files, the rules for alerts, the comments of the public packages, and the texts of the
// pictures and of the command's flags.
func numberedDocuments(t *testing.T) (all []*document) {
	t.Helper()
	root := testbed.Root(t)
	named := func(path string) string {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(name)
	}
	for _, path := range append(documents(t), filepath.Join(root, "examples/metrics/alerts.yml")) {
		d := &document{name: named(path), complete: slices.Contains(aboutTheLibrary, named(path))}
		for i, line := range strings.Split(read(t, d.name), "\n") {
			d.add(i+1, line)
		}
		all = append(all, d)
	}
	for _, folder := range []string{".", "entratest"} {
		sources, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range sources {
			if !strings.HasSuffix(path, "_test.go") {
				all = append(all, textOf(t, &document{name: named(path), complete: folder == "."}, false))
			}
		}
	}
	for _, name := range []string{"docs/pictures/key.go", "docs/pictures/request.go", "cmd/entra/api.go"} {
		all = append(all, textOf(t, &document{name: name, complete: true}, true))
	}
	return all
}

// textOf adds to d the comments of its source file, or the string literals, and returns it.
func textOf(t *testing.T, d *document, literals bool) *document {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, d.name, read(t, d.name), parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if literals {
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				d.add(set.Position(literal.Pos()).Line, literal.Value)
			}
			return true
		})
		return d
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			d.add(set.Position(comment.Pos()).Line, strings.TrimPrefix(comment.Text, "//"))
		}
	}
	return d
}
