package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheDocumentNamesTheVersionsMeasured compares docs/performance.md with go.mod.
func TestTheDocumentNamesTheVersionsMeasured(t *testing.T) {
	document, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(document)), " ")
	modules, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"golang-jwt":        "github.com/golang-jwt/jwt/v5",
		"keyfunc":           "github.com/MicahParks/keyfunc/v3",
		"go-oidc":           "github.com/coreos/go-oidc/v3",
		"go-jwt-middleware": "github.com/auth0/go-jwt-middleware/v3",
		"jwx":               "github.com/lestrrat-go/jwx/v3",
	} {
		match := regexp.MustCompile(regexp.QuoteMeta(path) + ` (v\S+)`).FindSubmatch(modules)
		if match == nil {
			t.Errorf("go.mod requires no %s", path)
		} else if want := name + " " + string(match[1]); !strings.Contains(text, want) {
			t.Errorf("docs/performance.md does not say %q", want)
		}
	}
}
