package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Files of a store's folder that are not Pebble's.
const (
	formatName = "FORMAT" // which format the folder has
	ownerName  = "OWNER"  // who has locked the folder
)

// format is the version of keys and values that this package reads and writes. A change
// that older versions would misread raises it.
const format = 1

const formatPrefix = "harelab store, format "

// A folder is a locked folder of a known format.
type folder struct {
	fs   vfs.FS
	dir  string
	lock *pebble.Lock
}

func openFolder(fs vfs.FS, dir string) (*folder, error) {
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f := &folder{fs: fs, dir: dir}
	var err error
	if f.lock, err = pebble.LockDirectory(dir, fs); err != nil {
		if owner, _ := f.read(ownerName); len(owner) > 0 {
			return nil, fmt.Errorf("store: folder %s is in use by %s", dir, owner)
		}
		return nil, fmt.Errorf("store: folder %s cannot be locked: %w", dir, err)
	}
	if err := f.checkFormat(); err != nil {
		f.lock.Close()
		return nil, err
	}
	if err := f.write(ownerName, owner()); err != nil {
		f.lock.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	return f, nil
}

// owner names this process.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d (%s) on %s", os.Getpid(), filepath.Base(os.Args[0]), host)
}

// checkFormat reads the folder's format, and writes it if the folder is new.
func (f *folder) checkFormat() error {
	text, err := f.read(formatName)
	if errors.Is(err, os.ErrNotExist) {
		return f.write(formatName, formatPrefix+strconv.Itoa(format))
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	found, err := strconv.Atoi(strings.TrimPrefix(text, formatPrefix))
	switch {
	case !strings.HasPrefix(text, formatPrefix) || err != nil:
		return fmt.Errorf("store: %s of folder %s says %q, want %q and a number", formatName, f.dir, text, formatPrefix)
	case found > format:
		return fmt.Errorf("store: folder %s has format %d, and this harelab knows formats up to %d: start the newer harelab that wrote it", f.dir, found, format)
	case found < format:
		return fmt.Errorf("store: folder %s has format %d, and this harelab reads format %d only", f.dir, found, format)
	}
	return nil
}

// read returns the text of a file, without its line end.
func (f *folder) read(name string) (string, error) {
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, name))
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 4096))
	return string(bytes.TrimSpace(text)), err
}

// write writes a file of one line, as a whole or not at all.
func (f *folder) write(name, line string) (err error) {
	path := f.fs.PathJoin(f.dir, name)
	file, err := f.fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(line + "\n"))
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = f.fs.Rename(path+".new", path)
	}
	if err != nil {
		return err
	}
	dir, err := f.fs.OpenDir(f.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (f *folder) close() {
	f.fs.Remove(f.fs.PathJoin(f.dir, ownerName))
	f.lock.Close()
}
