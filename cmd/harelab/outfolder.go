package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// timedParent is where results go that were given no folder.
const timedParent = "runs"

// newFolder makes the results folder, by default one named after the time. One
// that holds something already is refused, so that nothing is overwritten by a
// slip, and one that cannot be written to before anything is measured.
func newFolder(dir string) (string, error) {
	if dir == "" {
		return timedFolder()
	}
	return dir, emptyFolder("--out", dir)
}

// emptyFolder makes the folder that a flag names, unless it is there and empty.
func emptyFolder(flag, dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o777)
	case err == nil && len(entries) > 0:
		return usage("%s %s: the folder is not empty (want a new one or an empty one)", flag, dir)
	case err == nil:
		err = writable(dir)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w (want a folder that can be made or written to)", flag, dir, reason(err))
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

// reason is err without the path, which has been said.
func reason(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// timedFolder makes runs/TIME, or runs/TIME-2 and so on for runs that begin in
// one second.
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

// dropFolder removes a results folder that nothing came to stand in.
func dropFolder(dir string) {
	if os.Remove(dir) == nil && filepath.Dir(dir) == timedParent { // only succeeds when empty
		os.Remove(timedParent)
	}
}
