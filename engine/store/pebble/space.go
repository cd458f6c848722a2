package pebble

import (
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// space watches how much of the disk is free. Below a reserve, which is left for
// deletions and for the files that Pebble writes to free others, publishers should wait.
// They may go on at twice the reserve.
type space struct {
	fs       vfs.FS
	dir      string
	reserve  uint64 // octets
	keepFree uint64 // octets below which space is freed, if it is more than twice the reserve
	total    uint64 // octets of the disk
	pause    time.Duration
	logger   *slog.Logger
	plenty   func()        // called when publishers may go on
	stopped  chan struct{} // closed when the store is closed or has failed

	mu        sync.Mutex
	short     bool
	checked   time.Time
	unchecked uint64    // octets written since
	lastFull  time.Time // when a write last found the disk full
	saidFull  bool      // the log says that the disk is full
}

const (
	reserveMax   = 128 << 20
	reserveShare = 4 // the reserve is at most one part in so many of the disk
	checkEvery   = 50 * time.Millisecond
	checkShare   = 16 // at least one check for so many parts of the reserve
)

func (s *space) init() {
	s.reserve, s.total = reserveMax, math.MaxUint64
	if u, err := s.fs.GetDiskUsage(s.dir); err == nil {
		s.total = u.TotalBytes
		s.reserve = min(reserveMax, u.TotalBytes/reserveShare)
	}
}

// check looks at the disk before some octets are written, unless it did a moment and a few
// octets ago.
func (s *space) check(now time.Time, octets int) {
	s.mu.Lock()
	s.unchecked += uint64(octets)
	if s.short || now.Sub(s.checked) < checkEvery && s.unchecked < s.reserve/checkShare {
		s.mu.Unlock()
		return
	}
	s.checked, s.unchecked = now, 0
	s.mu.Unlock()
	if u, err := s.fs.GetDiskUsage(s.dir); err == nil && u.AvailBytes < s.reserve+uint64(octets) {
		s.becomeShort(now, false, u.AvailBytes)
	}
}

// full notes that a write found the disk full.
func (s *space) full() { s.becomeShort(time.Now(), true, 0) }

func (s *space) becomeShort(now time.Time, full bool, free uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if full {
		s.lastFull = now
		if !s.saidFull {
			s.saidFull = true
			s.logger.Error("the disk is full: nothing is confirmed, and publishers wait until there is space", "folder", s.dir)
		}
	}
	if s.short {
		return
	}
	s.short = true
	if !full {
		s.logger.Error("the disk is nearly full: publishers wait until there is space", "folder", s.dir, "free", free, "needed", 2*s.reserve)
	}
	go s.wait()
}

// wait waits until there is space again.
func (s *space) wait() {
	for {
		select {
		case <-s.stopped:
			return
		case <-time.After(s.pause):
		}
		u, err := s.fs.GetDiskUsage(s.dir)
		s.mu.Lock()
		if time.Since(s.lastFull) > 3*s.pause && (err != nil || u.AvailBytes >= 2*s.reserve) {
			s.short, s.saidFull = false, false
			s.mu.Unlock()
			s.logger.Warn("the disk has space again: publishers go on", "folder", s.dir)
			s.plenty()
			return
		}
		s.mu.Unlock()
	}
}

func (s *space) isShort() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.short
}

// little returns the free space, and whether it is so little that some should be freed.
func (s *space) little() (free uint64, little bool) {
	u, err := s.fs.GetDiskUsage(s.dir)
	return u.AvailBytes, err == nil && u.AvailBytes < max(2*s.reserve, s.keepFree)
}
