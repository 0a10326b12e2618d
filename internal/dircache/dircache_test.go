package dircache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entra-go/entra/internal/dircache"
)

// entryOf is an entry of one letter, large enough to be written in pieces.
func entryOf(letter byte) []byte { return bytes.Repeat([]byte{letter}, 1<<20) }

// writing, in the environment, makes the test binary a process that writes entries of this letter to the folder in TMPDIR's
// place: a second process beside the tests.
const writing, folder = "DIRCACHE_TEST_LETTER", "DIRCACHE_TEST_FOLDER"

func TestMain(m *testing.M) {
	letter := os.Getenv(writing)
	if letter == "" {
		os.Exit(m.Run())
	}
	for range 50 {
		if err := dircache.Dir(os.Getenv(folder)).Put(context.Background(), "name", entryOf(letter[0])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func TestEntriesAreKept(t *testing.T) {
	dir := dircache.Dir(filepath.Join(t.TempDir(), "a", "folder"))
	if _, err := dir.Get(t.Context(), "name"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a miss without the folder: got %v, want one that wraps fs.ErrNotExist", err)
	}
	for _, want := range []string{"first", "second, and longer", "", "third"} {
		if err := dir.Put(t.Context(), "name", []byte(want)); err != nil {
			t.Fatal(err)
		}
		if err := dir.Put(t.Context(), "other", []byte("other")); err != nil {
			t.Fatal(err)
		}
		got, err := dir.Get(t.Context(), "name")
		if err != nil || string(got) != want {
			t.Errorf("got %q and %v, want %q", got, err, want)
		}
	}
	if _, err := dir.Get(t.Context(), "another"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a miss: got %v, want one that wraps fs.ErrNotExist", err)
	}
	if got := names(t, dir); got != "name other" {
		t.Errorf("got the files %q, want those of the two entries", got)
	}
}

func names(t *testing.T, dir dircache.Dir) string {
	t.Helper()
	files, err := os.ReadDir(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		all = append(all, file.Name())
	}
	return strings.Join(all, " ")
}

func TestNobodyElseMayReadOrWrite(t *testing.T) {
	parent := t.TempDir()
	dir := dircache.Dir(filepath.Join(parent, "new"))
	if err := dir.Put(t.Context(), "name", []byte("x")); err != nil {
		t.Fatal(err)
	}
	// An entry that somebody made readable is so no longer once it is replaced.
	if err := os.Chmod(filepath.Join(string(dir), "name"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := dir.Put(t.Context(), "name", []byte("y")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{"new": fs.ModeDir | 0o700, "new/name": 0o600} {
		info, err := os.Stat(filepath.Join(parent, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: got mode %v and %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestNamesDoNotLeadOut(t *testing.T) {
	parent := t.TempDir()
	dir := dircache.Dir(filepath.Join(parent, "folder"))
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/passwd", `a\b`, `..\x`, "c:x", ".hidden"} {
		if err := dir.Put(t.Context(), name, []byte("x")); err == nil {
			t.Errorf("Put %q: got no error, want one", name)
		}
		if _, err := dir.Get(t.Context(), name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get %q: got %v, want an error that is no miss", name, err)
		}
	}
	if got := names(t, dircache.Dir(parent)); got != "" {
		t.Errorf("got the files %q, want none", got)
	}
}

func TestNoFolder(t *testing.T) {
	if err := dircache.Dir("").Put(t.Context(), "name", nil); err == nil {
		t.Error("Put: got no error, want one")
	}
	if _, err := dircache.Dir("").Get(t.Context(), "name"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get: got %v, want an error that is no miss", err)
	}
}

func TestFaultsLeaveNothingBehind(t *testing.T) {
	parent := t.TempDir()
	if err := os.WriteFile(filepath.Join(parent, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dircache.Dir(filepath.Join(parent, "file")).Put(t.Context(), "name", nil); err == nil {
		t.Error("a file in the folder's place: got no error, want one")
	}
	dir := dircache.Dir(filepath.Join(parent, "folder"))
	// A folder in the place of the entry cannot be replaced.
	if err := os.MkdirAll(filepath.Join(string(dir), "name", "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := dir.Put(t.Context(), "name", []byte("x")); err == nil {
		t.Error("a folder in the entry's place: got no error, want one")
	}
	if _, err := dir.Get(t.Context(), "name"); err == nil {
		t.Error("a folder in the entry's place: got no error, want one")
	}
	if got := names(t, dir); got != "name" {
		t.Errorf("got the files %q, want no temporary one", got)
	}
	if err := os.WriteFile(filepath.Join(string(dir), "huge"), make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := dir.Get(t.Context(), "huge"); err == nil {
		t.Errorf("a huge file: got %d bytes, want an error", len(got))
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := dir.Put(ended, "other", nil); err != context.Canceled { //nolint:errorlint // The bare error is promised.
		t.Errorf("a context that ended: got %v, want its error", err)
	}
}

// Two processes and several goroutines replace an entry at the same time. Whoever reads finds one of theirs, whole.
func TestManyWriteAtOnce(t *testing.T) {
	dir := dircache.Dir(t.TempDir())
	if err := dir.Put(t.Context(), "name", entryOf('a')); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for _, letter := range []string{"x", "y"} {
		process := exec.Command(os.Args[0])
		process.Env = append(os.Environ(), writing+"="+letter, folder+"="+string(dir))
		writers.Go(func() {
			if text, err := process.CombinedOutput(); err != nil {
				t.Errorf("the process that writes %s: got %v: %s", letter, err, text)
			}
		})
	}
	for _, letter := range []byte("bc") {
		writers.Go(func() {
			for range 20 {
				if err := dir.Put(t.Context(), "name", entryOf(letter)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	reads, seen := 0, make(map[byte]bool)
	for running := true; running || reads < 10; reads++ {
		select {
		case <-done:
			running = false
		default:
		}
		got, err := dir.Get(t.Context(), "name")
		if err != nil || len(got) != 1<<20 || !bytes.Equal(got, entryOf(got[0])) {
			t.Fatalf("got %d bytes and %v, want an entry of one writer, whole", len(got), err)
		}
		seen[got[0]] = true
	}
	if got := names(t, dir); got != "name" {
		t.Errorf("got the files %q, want the entry alone", got)
	}
	if len(seen) == 0 || !seen['x'] && !seen['y'] && !seen['b'] && !seen['c'] {
		t.Errorf("got entries of %v only, want those of the writers", seen)
	}
}
