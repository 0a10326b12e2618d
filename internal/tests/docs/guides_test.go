package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// read returns the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testbed.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each option that widens what is accepted has an example that runs, and says what it gives up.
func TestGuideToAuthoritiesNamesEveryOption(t *testing.T) {
	table, _, _ := strings.Cut(read(t, "docs/clouds-and-authorities.md"), "\n## ")
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| [^|]+ \\(`(\\w+)`\\) \\| ([^|]+) \\|$").FindAllStringSubmatch(table, -1) {
		documented = append(documented, row[1])
		if strings.TrimSpace(row[2]) == "" {
			t.Errorf("%s: got no word on what it gives up", row[1])
		}
	}
	var runnable []string
	for _, function := range regexp.MustCompile(`(?m)^func ExampleOptions_(\w+)\(\)`).FindAllStringSubmatch(read(t, "example_options_test.go"), -1) {
		runnable = append(runnable, function[1])
	}
	slices.Sort(documented)
	slices.Sort(runnable)
	if !slices.Equal(documented, runnable) || len(documented) == 0 {
		t.Errorf("got the examples %q in the table, want those that run, %q", documented, runnable)
	}
	for _, option := range []string{"Tenants", "AllowAnyTenant", "PersonalAccounts", "Cloud", "Authority", "AppKeys", "AllowIDTokens", "AllowWithoutPermissions"} {
		if !strings.Contains(table, option+"`") {
			t.Errorf("got no row for %s", option)
		}
	}
}

func TestGuideToRequirementsShowsTheTrueChallenge(t *testing.T) {
	text := read(t, "docs/requirements.md")
	verifier, err := entra.NewVerifier(entra.Options{AllowAnyTenant: true, ClientID: entratest.APIClientID})
	if err != nil {
		t.Fatal(err)
	}
	capable := &entra.Claims{Kind: entra.UserToken, ClientCapabilities: []string{"cp1"}}
	challenge := verifier.Challenge(entra.AuthContext("c2")(t.Context(), capable))
	shown := strings.ReplaceAll(text, ",\n      ", ", ")
	if !strings.Contains(challenge, `claims="`) || !strings.Contains(shown, "    WWW-Authenticate: "+challenge+"\n") {
		t.Errorf("docs/requirements.md does not show the challenge\n%s", challenge)
	}
	for _, needed := range []string{"xms_cc", "cp1", "AADSTS9010010", "ExampleRequirement", "GroupsOverage"} {
		if !strings.Contains(text, needed) {
			t.Errorf("docs/requirements.md does not mention %s", needed)
		}
	}
}
