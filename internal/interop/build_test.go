package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// binaries are the repository's programs that this run has built, by module and folder.
var binaries struct {
	sync.Mutex
	dir   string
	paths map[string]string
}

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(binaries.dir) // Nothing was built if it is "".
	os.Exit(status)
}

// built returns a program of a module, built once for all tests.
func built(t *testing.T, module, folder string) (binary string) {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	if binaries.paths == nil {
		dir, err := os.MkdirTemp("", "entra-interop")
		if err != nil {
			t.Fatal(err)
		}
		binaries.dir, binaries.paths = dir, make(map[string]string)
	}
	key := filepath.Join(module, folder)
	if path, ok := binaries.paths[key]; ok {
		return path
	}
	binary = filepath.Join(binaries.dir, strconv.Itoa(len(binaries.paths)))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, folder)
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", key, err, out)
	}
	binaries.paths[key] = binary
	return binary
}
