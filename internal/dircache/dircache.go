// Package dircache keeps entries in the files of a folder.
package dircache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxSize bounds what is read: whoever can write to the folder could otherwise fill the memory as well.
const maxSize = 8 << 20

// Dir is the folder. Its methods are safe for concurrent use, and for use by several processes at once.
type Dir string

// Get returns the entry name. The error of one that is not there wraps fs.ErrNotExist.
func (d Dir) Get(ctx context.Context, name string) ([]byte, error) {
	path, err := d.path(ctx, name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxSize)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Put makes data the entry name: a reader finds the entry before or this one, whole, even if the process ends meanwhile.
func (d Dir) Put(ctx context.Context, name string, data []byte) error {
	path, err := d.path(ctx, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	// CreateTemp makes files of mode 0600.
	file, err := os.CreateTemp(string(d), name+".*.tmp")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		// The name must not reach the disk before the content does.
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// path returns the file of an entry. A name that is a path would lead out of the folder.
func (d Dir) path(ctx context.Context, name string) (string, error) {
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case d == "":
		return "", errors.New("entra: DirCache has no folder; its dir is empty")
	case !filepath.IsLocal(name) || strings.ContainsAny(name, `/\:`) || strings.HasPrefix(name, "."):
		return "", fmt.Errorf("entra: DirCache: %q is no name of an entry", name)
	}
	return filepath.Join(string(d), name), nil
}
