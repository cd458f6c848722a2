package pebble

import (
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"harelab/engine/store"
	"harelab/engine/store/storetest"
)

var seeds = flag.Uint64("powerfail.seeds", 0, "number of random histories with power cuts (default 500, or 100 with -short)")

// TestPowerfail runs random histories whose lives end with power cuts and failing disks. Of
// what was written and not synced, a power cut leaves some part.
func TestPowerfail(t *testing.T) {
	n := *seeds
	switch {
	case n > 0:
	case testing.Short():
		n = 100
	default:
		n = 500
	}
	var next atomic.Uint64
	var all sync.WaitGroup
	for range 4 { // an fsync in memory takes no time, but a failure has pauses
		all.Go(func() {
			for seed := next.Add(1); seed <= n && !t.Failed(); seed = next.Add(1) {
				storetest.History(t, seed, newPlace(seed))
			}
		})
	}
	all.Wait()
	t.Logf("%d seeds, from 1", n)
}

// newPlace returns a place with a file system in memory. The seed chooses what power cuts
// leave.
func newPlace(seed uint64) storetest.Place {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := &place{fs: vfs.NewCrashableMem()}
	return storetest.Place{
		Open: func(t *testing.T) store.Store {
			s, err := p.open()
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if seed%2 == 0 {
				go s.sweepOften()
			}
			return s
		},
		Crash: func(t *testing.T, s store.Store) { p.crash(s.(*Store), rng) },
		Fail:  func(_ store.Store, n int) { p.failAt.Store(p.writes.Load() + int64(n)) },
	}
}

// A place is a file system in memory whose writes can be made to fail.
type place struct {
	fs     *vfs.MemFS
	writes atomic.Int64
	failAt atomic.Int64 // number of the write from which on all writes fail; 0: none
}

// MaybeError implements [errorfs.Injector].
func (p *place) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	n := p.writes.Add(1)
	if at := p.failAt.Load(); at != 0 && n >= at {
		return syscall.EIO
	}
	return nil
}

func (p *place) String() string { return "a failing disk" }

func (p *place) open() (*Store, error) {
	p.failAt.Store(0)
	return Open("data", Options{
		fs:           injected(p.fs, p),
		memTableSize: 16 << 10, // so that tables are written and compacted
		pause:        time.Millisecond,
	})
}

// crash ends the life of a store as a power cut would.
func (p *place) crash(s *Store, rng *rand.Rand) {
	left := p.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 70, 100}[rng.IntN(4)], RNG: rng})
	s.abandon()
	p.fs = left
}

// abandon ends a store's goroutines. What they still write is of no importance.
func (s *Store) abandon() {
	if !s.over {
		s.Close()
	}
}

// sweepOften sweeps as if the disk were nearly full.
func (s *Store) sweepOften() {
	for {
		select {
		case <-s.stopped:
			return
		case <-time.After(time.Millisecond):
			s.mu.Lock()
			started := s.started
			s.mu.Unlock()
			if started {
				s.sweep()
			}
		}
	}
}
