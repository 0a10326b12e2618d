package interop_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/tests/programs"
)

// node returns the path of Node.js with the packages of package.json installed beside it. The first call installs
// them if need be, as package-lock.json pins them.
func node(t testing.TB) string {
	t.Helper()
	path := programs.Look(t, "nodejs npm", "node")
	if err := installed(); err != nil {
		programs.Missing(t, "npm ci in internal/interop: "+err.Error())
	}
	return path
}

var installed = sync.OnceValue(func() error {
	lock, err := os.Stat("package-lock.json")
	if err != nil {
		return err
	}
	done, err := os.Stat("node_modules/.package-lock.json")
	if err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		return &exec.Error{Name: said.String(), Err: err}
	}
	return nil
})
