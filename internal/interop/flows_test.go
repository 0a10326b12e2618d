package interop_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/programs"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// stub stands in for the commands that the pages call: it notes the arguments, each with a zero byte behind it, and
// prints an ID.
const stub = `#!/bin/sh
printf '%s\0' "$(basename "$0")" "$@" >> "$CALLS"
printf '\n\0' >> "$CALLS"
echo 00000000-0000-4000-8000-000000000001
`

// TestTheCommandsOfTheFlows runs the shell of docs/flows with stubs: it must parse, every ID must have been set before it
// is used, and what is JSON must be JSON.
func TestTheCommandsOfTheFlows(t *testing.T) {
	shell := programs.Look(t, "dash", "sh")
	for page, given := range map[string][]string{"daemon": nil, "page": nil, "on-behalf-of": {"api=00000000-0000-4000-8000-000000000002"}} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile("../../docs/flows/" + page + ".md")
			if err != nil {
				t.Fatal(err)
			}
			var script strings.Builder
			script.WriteString("set -eu\n")
			for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
				script.WriteString(block[1])
			}
			folder := t.TempDir()
			for _, name := range []string{"az", "uuidgen", "curl", "jq"} {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(stub), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			calls := filepath.Join(folder, "calls")
			command := exec.CommandContext(t.Context(), shell, "-c", script.String())
			command.Env = append(append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "CALLS="+calls), given...)
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("the page's commands: %v\n%s", err, out)
			}
			checkCalls(t, calls)
		})
	}
}

func checkCalls(t *testing.T, calls string) {
	t.Helper()
	noted, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	az := 0
	for call := range strings.SplitSeq(strings.TrimSuffix(string(noted), "\n\x00"), "\n\x00") {
		arguments := strings.Split(strings.TrimSuffix(call, "\x00"), "\x00")
		if arguments[0] == "az" {
			az++
		}
		for i, a := range arguments {
			_, value, assigned := strings.Cut(a, "={")
			if assigned {
				a = "{" + value
			}
			if a == "" || (strings.HasPrefix(a, "{") || strings.HasPrefix(a, "[")) && !json.Valid([]byte(a)) {
				t.Errorf("%s: argument %d is %q, want no empty text and valid JSON", strings.Join(arguments[:min(4, len(arguments))], " "), i, a)
			}
		}
	}
	if az == 0 {
		t.Error("got no az command, want those of the page")
	}
}
