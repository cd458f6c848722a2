package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// timedParent holds the results folders of calls without --out.
const timedParent = "runs"

// newFolder makes the results folder, by default one named after the time. It refuses a
// folder that is not empty, so that a slip overwrites nothing, and, before anything is
// measured, one that cannot be written to.
func newFolder(dir string) (string, error) {
	if dir == "" {
		return timedFolder()
	}
	return dir, emptyFolder("--out", dir)
}

// emptyFolder makes the folder that a flag names. It accepts an existing empty one.
func emptyFolder(flag, dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o777)
	case err == nil && len(entries) > 0:
		return usage("%s %s: the folder is not empty (choose a new one or an empty one)", flag, dir)
	case err == nil:
		err = writable(dir)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w (choose a folder that can be made or written to)", flag, dir, reason(err))
	}
	return nil
}

// writable makes a file in dir and removes it.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "probe")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reason returns err without the path, which the caller has named.
func reason(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// timedFolder makes runs/TIME. Further runs that begin in the same second get
// runs/TIME-2 and so on.
func timedFolder() (string, error) {
	first := filepath.Join(timedParent, time.Now().UTC().Format("20060102T150405Z"))
	err := os.MkdirAll(timedParent, 0o777)
	for dir, n := first, 2; err == nil; dir, n = fmt.Sprintf("%s-%d", first, n), n+1 {
		if err = os.Mkdir(dir, 0o777); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
		err = nil
	}
	return "", fmt.Errorf("%w (choose another folder with --out)", err)
}

// dropFolder removes a results folder that has stayed empty.
func dropFolder(dir string) {
	if os.Remove(dir) == nil && filepath.Dir(dir) == timedParent { // only succeeds when empty
		os.Remove(timedParent)
	}
}
