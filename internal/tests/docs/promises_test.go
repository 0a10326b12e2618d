package docs_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

// TestPromisesAreHeldByTests looks for every test that SECURITY.md names.
func TestPromisesAreHeldByTests(t *testing.T) {
	declared := make(map[string]bool)
	for _, file := range testbed.TestFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			declared[match[1]] = true
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(read(t, "SECURITY.md"), -1)
	if len(named) == 0 {
		t.Fatal("SECURITY.md names no test")
	}
	for _, match := range named {
		if !declared[match[1]] {
			t.Errorf("SECURITY.md names %s, which no test file has", match[1])
		}
	}
}
