package interop_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// required is true where a missing program is a failure: in continuous integration.
func required() bool { return os.Getenv("ENTRA_CI_REQUIRE") == "1" }

// missing skips the test, or fails it where nothing may be missing.
func missing(t testing.TB, what string) {
	t.Helper()
	if required() {
		t.Fatalf("%s, and ENTRA_CI_REQUIRE is 1", what)
	}
	t.Skipf("%s", what)
}

// node returns the path of Node.js with the packages of package.json installed beside it. The first call installs
// them if need be, as package-lock.json pins them.
func node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node.js is not installed")
	}
	if err := installed(); err != nil {
		missing(t, "npm ci in internal/interop: "+err.Error())
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

// python returns the path of a Python that has PyJWT, cryptography and httpx.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import jwt, cryptography, httpx").Run() == nil {
			return path
		}
	}
	missing(t, "no Python with PyJWT, cryptography and httpx; on Debian: python3-jwt, python3-cryptography, python3-httpx")
	return ""
}
