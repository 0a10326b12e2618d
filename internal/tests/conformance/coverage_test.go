package conformance_test

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

	"github.com/entra-go/entra/internal/tests/testbed"
)

// shown are the rules that the tests of this module must show at work: the numbers of the rules, and of the scenarios in
// which other libraries fail. 4.4 is the list of faults to be immune from.
var shown = "R1-R12 R15-R29 R31 R38 R39 R41-R65 R69-R73 R84-R89 R92 R97-R99 " +
	"S1 S2a S2b S2c S2d S2e S3 S4 S5 S6 S7 S8a S8b S8c S8d 4.4"

// citation is the form in which a row or test cites: a string of numbers and nothing else, in the field rule of a row
// or in t.Attr("rule", ...).
var citation = regexp.MustCompile(`^(R[1-9][0-9]?|S[1-8][a-e]?|4\.4)( (R[1-9][0-9]?|S[1-8][a-e]?|4\.4))*$`)

// TestEveryRuleIsShown lists the rules that no row and no test cites.
func TestEveryRuleIsShown(t *testing.T) {
	cited := citations(t)
	var missing []string
	for _, rule := range expand(shown) {
		if cited[rule] == 0 {
			missing = append(missing, rule)
		}
	}
	if len(missing) > 0 {
		t.Errorf("got no row that cites %v, want one for each rule", missing)
	}
	if cited["R6"] < 20 {
		t.Errorf("got %d rows that cite R6, want the citations to be found", cited["R6"])
	}
}

// citations counts how often each rule is cited in the tests of this module.
func citations(t *testing.T) map[string]int {
	t.Helper()
	cited := make(map[string]int)
	for _, file := range testbed.TestFiles(t) {
		// Tests of recorded documents are skipped where there are none, so they show nothing by themselves.
		if name := filepath.Base(file); name == "coverage_test.go" || strings.HasPrefix(name, "recorded") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && citation.MatchString(text) {
				for rule := range strings.FieldsSeq(text) {
					cited[rule]++
				}
			}
			return true
		})
	}
	return cited
}

// expand writes out ranges such as R1-R12.
func expand(list string) (rules []string) {
	for _, word := range strings.Fields(list) {
		from, to, isRange := strings.Cut(word, "-")
		if !isRange {
			rules = append(rules, word)
			continue
		}
		first, _ := strconv.Atoi(from[1:])
		last, _ := strconv.Atoi(to[1:])
		for n := first; n <= last; n++ {
			rules = append(rules, fmt.Sprint("R", n))
		}
	}
	return rules
}

// TestCitationsAreFound keeps the test above from passing because it looks for nothing.
func TestCitationsAreFound(t *testing.T) {
	if got := expand("R1-R3 S1 4.4"); !slices.Equal(got, []string{"R1", "R2", "R3", "S1", "4.4"}) {
		t.Errorf("got %v, want the range written out", got)
	}
	if got := len(expand(shown)); got != 86 {
		t.Errorf("got %d rules, want 86", got)
	}
	for text, want := range map[string]bool{
		"R1": true, "R1 S2b": true, "S8a R9": true, "4.4": true,
		"": false, "R0": false, "R100": false, "R1, R2": false, "RS256": false, "S9": false, "R1-R3": false, "see R1": false,
	} {
		if got := citation.MatchString(text); got != want {
			t.Errorf("got %v for %q, want %v", got, text, want)
		}
	}
}
