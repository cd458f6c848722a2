package pebble

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"harelab/engine/store"
)

// A smallDisk is a file system in memory of a certain size.
type smallDisk struct {
	vfs.FS
	size int64

	mu      sync.Mutex
	used    int64
	lengths map[string]int64 // of the files
}

func newSmallDisk(size int64) *smallDisk {
	return &smallDisk{FS: vfs.NewMem(), size: size, lengths: make(map[string]int64)}
}

func (d *smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return vfs.DiskUsage{TotalBytes: uint64(d.size), UsedBytes: uint64(d.used), AvailBytes: uint64(d.size - d.used)}, nil
}

func (d *smallDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, c)
	if err != nil {
		return nil, err
	}
	d.resize(name, 0)
	return &smallFile{File: f, disk: d, name: name}, nil
}

func (d *smallDisk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(old, name, c)
	if err != nil {
		return nil, err
	}
	d.move(old, name)
	return &smallFile{File: f, disk: d, name: name}, nil
}

func (d *smallDisk) Remove(name string) error {
	err := d.FS.Remove(name)
	if err == nil {
		d.resize(name, 0)
	}
	return err
}

func (d *smallDisk) Rename(old, name string) error {
	err := d.FS.Rename(old, name)
	if err == nil {
		d.move(old, name)
	}
	return err
}

// resize notes the length of a file, and reports false if the disk is too small for it.
func (d *smallDisk) resize(name string, length int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	growth := length - d.lengths[name]
	if growth > 0 && d.used+growth > d.size {
		return false
	}
	d.used += growth
	d.lengths[name] = length
	return true
}

func (d *smallDisk) length(name string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lengths[name]
}

func (d *smallDisk) move(old, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= d.lengths[name]
	d.lengths[name] = d.lengths[old]
	delete(d.lengths, old)
}

// A smallFile is a file of a smallDisk that is written from its beginning.
type smallFile struct {
	vfs.File
	disk *smallDisk
	name string
	at   int64
}

func (f *smallFile) Write(p []byte) (int, error) {
	if !f.disk.resize(f.name, max(f.disk.length(f.name), f.at+int64(len(p)))) {
		return 0, syscall.ENOSPC
	}
	f.at += int64(len(p))
	return f.File.Write(p)
}

// TestSmallDisk fills a disk of 64 MiB again and again, each time until the store presses,
// then removes what was published, as consumers do, until publishers may go on. Nothing
// fails, and in the end the disk has what was confirmed.
func TestSmallDisk(t *testing.T) {
	cycles := 20
	switch {
	case *seeds > 0:
		cycles = 100
	case testing.Short():
		cycles = 2
	}
	disk := newSmallDisk(64 << 20)
	o := Options{fs: disk, pause: time.Millisecond}
	s, err := Open("data", o)
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter()
	s.Start(w)
	sync := func(cycle int) {
		if err := w.wait(s.Commit()); err != nil {
			t.Fatalf("cycle %d: %v", cycle, err)
		}
	}
	random := make([]byte, 1<<20) // so that compression saves nothing
	rand.NewChaCha8([32]byte{}).Read(random)
	next, first := store.MessageID(1), store.MessageID(1)
	for cycle := range cycles {
		for s.Pressure() == nil {
			for range 64 {
				at := int(next) * 997 % (len(random) - 4096)
				s.Message(next, nil, random[at:at+4096])
				s.Add(1, next, store.Entry{})
				s.Done(next)
				next++
			}
			sync(cycle)
		}
		for ; first+100 < next; first++ {
			if first%64 == 0 {
				sync(cycle)
			}
			s.Remove(1, first)
		}
		sync(cycle)
		if p := s.Pressure(); p != nil {
			select {
			case <-p:
			case <-time.After(20 * time.Second):
				t.Fatalf("cycle %d: the store presses with %d messages and %d octets in use:\n%s", cycle, next-first, disk.used, s.db.Metrics())
			}
		}
	}
	t.Logf("%d cycles, %d messages", cycles, next-1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open("data", o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Entries(1, func(m store.MessageID, _ store.Entry) error {
		if m != first {
			t.Fatalf("message %d comes after %d", m, first-1)
		}
		first++
		return nil
	})
	if err != nil || first != next {
		t.Errorf("%v; the last message is %d, want %d", err, first-1, next-1)
	}
}
