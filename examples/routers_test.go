package examples_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The APIs on other routers pass the test of the one on chi. It is laid over their folders (go help build, -overlay)
// because a test that they import could not be copied out of this module with them.
func TestTheRoutersAnswerAlike(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := make(map[string]string)
	args := []string{"test", "-overlay", filepath.Join(t.TempDir(), "overlay.json")}
	for _, router := range []string{"gorilla", "echo", "gin"} {
		replace[filepath.Join(here, router, "main_test.go")] = filepath.Join(here, "chi", "main_test.go")
		args = append(args, "./"+router)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(args[2], overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("no test")) {
		t.Fatalf("go %q: got %v and\n%s", args, err, out)
	}
}
