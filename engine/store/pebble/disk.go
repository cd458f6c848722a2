package pebble

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A disk is a file system whose errors of writing are decided here, before Pebble sees
// them:
//
//   - A full disk is not a failure. A write of the log waits and is tried again until there
//     is space, so that Pebble sees a slow disk. A write of a table fails after a pause:
//     Pebble gives up the file, which frees its space, and writes the table anew.
//   - Any other error of a write, and every error of an fsync, fails the store for good.
//     Nothing more is written then, so that the disk stays as it was at the failure. Pebble
//     does not learn of it, since it ends the program if it cannot write its log: it sees
//     writes that succeed and tables that it has to write anew, and goes on to read.
type disk struct {
	vfs.FS
	pause  time.Duration // between two tries of a full disk
	onFail func(error)   // called once, before Pebble goes on
	onFull func()        // called at each try that finds the disk full

	patient atomic.Bool   // the store is open: the disk waits for space
	hurry   chan struct{} // closed when waits should end
	hurried sync.Once
	failing sync.Once
	failed  atomic.Bool
	beyond  *vfs.MemFS // files that were created after the failure
}

func newDisk(fs vfs.FS, pause time.Duration, onFail func(error), onFull func()) *disk {
	return &disk{FS: fs, pause: pause, onFail: onFail, onFull: onFull, hurry: make(chan struct{}), beyond: vfs.NewMem()}
}

const fullPause = 100 * time.Millisecond

// stopWaiting ends the waits for space. On a disk that has failed everything succeeds then,
// and nothing is written, so that Pebble's goroutines end.
func (d *disk) stopWaiting() {
	d.patient.Store(false)
	d.hurried.Do(func() { close(d.hurry) })
}

// Unwrap implements [vfs.FS].
func (d *disk) Unwrap() vfs.FS { return d.FS }

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// isTable reports whether Pebble can write a file anew elsewhere, from what it has.
func isTable(path string) bool {
	switch filepath.Ext(path) {
	case ".sst", ".blob":
		return true
	}
	return false
}

// errAgain makes Pebble write a table anew.
var errAgain = errors.New("store: the table cannot be written now")

// do makes a change of the disk, which may be tried again if the disk was full. It reports
// false if the change was not made.
func (d *disk) do(what, path string, change func() error) (made bool, err error) {
	for !d.failed.Load() {
		err := change()
		if err == nil {
			return true, nil
		}
		if !isFull(err) || !d.patient.Load() {
			d.fail(what, path, err)
			break
		}
		d.onFull()
		d.rest()
		if isTable(path) {
			return false, err
		}
	}
	return false, d.letGo(path)
}

// letGo is the outcome of a change that is not made since the store has failed. Without
// patience, which is while the store is opened or closed, Pebble waits for its tables.
func (d *disk) letGo(path string) error {
	if !isTable(path) || !d.patient.Load() {
		return nil
	}
	d.rest()
	return errAgain
}

func (d *disk) rest() {
	select {
	case <-d.hurry:
	case <-time.After(d.pause):
	}
}

// sync makes an fsync, which is never tried again.
func (d *disk) sync(path string, change func() error) error {
	if !d.failed.Load() {
		err := change()
		if err == nil || isTable(path) && isFull(err) && d.patient.Load() {
			return err
		}
		d.fail("fsync", path, err)
	}
	return d.letGo(path)
}

func (d *disk) fail(what, path string, err error) {
	d.failing.Do(func() {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		d.onFail(fmt.Errorf("store: %s %s: %w", what, path, err))
		d.failed.Store(true)
	})
}

// Create implements [vfs.FS].
func (d *disk) Create(name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	made, err := d.do("create", name, func() error { f, err = d.FS.Create(name, c); return err })
	return d.file(f, name, made, err)
}

// OpenReadWrite implements [vfs.FS].
func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (f vfs.File, err error) {
	made, err := d.do("open", name, func() error { f, err = d.FS.OpenReadWrite(name, c, opts...); return err })
	return d.file(f, name, made, err)
}

// ReuseForWrite implements [vfs.FS].
func (d *disk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	made, err := d.do("reuse", name, func() error { f, err = d.FS.ReuseForWrite(old, name, c); return err })
	return d.file(f, name, made, err)
}

// file returns a file that was opened for writing. One that was not opened keeps what is
// written to it in memory.
func (d *disk) file(f vfs.File, path string, made bool, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if !made {
		return d.beyond.Create(d.PathBase(path), vfs.WriteCategoryUnspecified)
	}
	return &diskFile{f, d, path}, nil
}

// Stat implements [vfs.FS].
func (d *disk) Stat(name string) (vfs.FileInfo, error) {
	info, err := d.FS.Stat(name)
	if err != nil && d.failed.Load() {
		return d.beyond.Stat(d.PathBase(name))
	}
	return info, err
}

// Open implements [vfs.FS].
func (d *disk) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := d.FS.Open(name, opts...)
	if err != nil && d.failed.Load() {
		return d.beyond.Open(d.PathBase(name), opts...)
	}
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, name}, nil
}

// OpenDir implements [vfs.FS].
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, name}, nil
}

// Link implements [vfs.FS].
func (d *disk) Link(old, name string) error {
	_, err := d.do("link", name, func() error { return d.FS.Link(old, name) })
	return err
}

// Rename implements [vfs.FS].
func (d *disk) Rename(old, name string) error {
	_, err := d.do("rename", name, func() error { return d.FS.Rename(old, name) })
	return err
}

// Remove implements [vfs.FS]. A file that cannot be removed takes space and does no other
// harm.
func (d *disk) Remove(name string) error {
	if d.failed.Load() {
		return nil
	}
	return d.FS.Remove(name)
}

// MkdirAll implements [vfs.FS].
func (d *disk) MkdirAll(dir string, perm os.FileMode) error {
	_, err := d.do("make folder", dir, func() error { return d.FS.MkdirAll(dir, perm) })
	return err
}

// A diskFile is a file of a disk.
type diskFile struct {
	vfs.File
	disk *disk
	path string
}

// Read implements [vfs.File]. Tables are read by ReadAt. What else is read is the log, of
// which Pebble takes an error for the end, and lets go what comes after; so the store fails.
func (f *diskFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err != nil && err != io.EOF {
		f.disk.fail("read", f.path, err)
	}
	return n, err
}

// Write implements [vfs.File].
func (f *diskFile) Write(p []byte) (n int, err error) {
	_, err = f.disk.do("write", f.path, func() error {
		m, err := f.File.Write(p[n:])
		n += m
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

// WriteAt implements [vfs.File].
func (f *diskFile) WriteAt(p []byte, off int64) (n int, err error) {
	_, err = f.disk.do("write", f.path, func() error {
		m, err := f.File.WriteAt(p[n:], off+int64(n))
		n += m
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

// Stat implements [vfs.File]. Pebble ends the program if it does not learn the size of a log
// that it is about to reuse; on a disk that has failed, any size will do.
func (f *diskFile) Stat() (vfs.FileInfo, error) {
	info, err := f.File.Stat()
	if err == nil || isTable(f.path) {
		return info, err
	}
	f.disk.fail("stat", f.path, err)
	empty, err := f.disk.beyond.Create(f.disk.PathBase(f.path), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	defer empty.Close()
	return empty.Stat()
}

// Sync implements [vfs.File].
func (f *diskFile) Sync() error { return f.disk.sync(f.path, f.File.Sync) }

// SyncData implements [vfs.File].
func (f *diskFile) SyncData() error { return f.disk.sync(f.path, f.File.SyncData) }

// SyncTo implements [vfs.File].
func (f *diskFile) SyncTo(length int64) (full bool, err error) {
	err = f.disk.sync(f.path, func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}
