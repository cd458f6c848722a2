// Package pebble is the durable store: an LSM tree of the library Pebble in a folder.
//
// Changes are gathered in memory. A goroutine, the committer, writes what was gathered as
// one batch with one fsync; the rounds that end meanwhile share the next batch. A message
// that goes before it is written leaves no trace on the disk.
//
// A message in one queue is one key, its entry and its octets, so that it costs one write
// and one deletion, and a queue is one range. A message in several queues has a key for its
// octets and one for each entry. The store keeps in memory, for each message, where it is,
// and reads that from the keys when it opens.
//
// After an error of a write or an fsync nobody knows what the disk has. The store fails for
// good then, and never tries the same fsync again; what it has reported as durable is found
// when it is opened again.
package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"harelab/engine/store"
)

// Options say how a store is opened. The zero value is a store that syncs and is silent.
type Options struct {
	// NoSync leaves it to the operating system when it writes to the disk. Rounds are
	// reported before: they survive the end of the process, not that of the machine.
	NoSync bool

	// Logger gets what the operator should know, and Pebble's own words at debug level.
	// nil: no log.
	Logger *slog.Logger

	// CacheSize is the memory for blocks read from the disk, in octets. 0: 16 MiB.
	CacheSize int64

	// Unwritten is the number of octets of changes that wait to be written before there is
	// pressure, on a disk below 4 GiB fewer. The tables in memory are no larger either.
	// 0: 64 MiB.
	Unwritten int

	// KeepFree is the space, in octets, that should be free on the disk. While there is less,
	// what deleted messages take is freed at once, and not when it suits. The store frees it
	// on a disk that is nearly full in any case. 0: no other wish.
	KeepFree int64

	// Progress, if not nil, is called while the store is opened, with the number of keys
	// read and about how many there are.
	Progress func(done, total uint64)

	// For tests:
	fs           vfs.FS // nil: that of the system
	memTableSize uint64 // 0: that which suits the disk
	pause        time.Duration
}

const (
	defaultCacheSize = 16 << 20
	memTableSize     = 32 << 20
	memTableSizeMin  = 1 << 20
	memTableShare    = 64       // what is not in tables is at most one part in so many of the disk, or the minimum
	baseLevelMax     = 64 << 20 // Pebble's default
	baseLevelMin     = 4 << 20
	baseLevelShare   = 16       // the first level is at most one part in so many of the disk, or the minimum: a compaction needs its size
	unwrittenMax     = 64 << 20 // octets of changes that wait to be written before there is pressure
)

// A Store implements [store.Store].
type Store struct {
	folder       *folder
	disk         *disk
	space        space
	logger       *slog.Logger
	db           *pebble.DB
	blocks       *pebble.Cache
	files        *pebble.FileCache
	ahead        readAhead
	durability   *pebble.WriteOptions
	unwrittenMax int
	reports      reports
	started      bool
	stopFreeing  context.CancelFunc // ends freeing; nil before Start
	freeing      sync.WaitGroup     // freeSpace
	over         bool               // end was called
	ended        chan struct{}      // closed when the committer has ended
	stopped      chan struct{}      // closed when the store has failed or is closed

	mu         sync.Mutex
	wake       sync.Cond // tells the committer of rounds, of closing and of failure
	index      index
	queues     queues
	shared     map[store.MessageID]*sharedMessage
	open       *buffer
	writing    *buffer
	generation uint64 // of the open buffer, from 1
	changed    bool   // the open round has a change
	round      store.Round
	written    store.Round // the last round that is durable
	swept      bool        // the committer should write, although no round has ended
	removals   uint64      // of entries that were written, and tombstones that were found
	sweptAt    uint64      // number of removals at the last sweep
	closing    bool
	err        error
	pressure   chan struct{}
}

// Open opens the store in a folder, which it makes if necessary. It counts what the store
// holds, which takes about half a second for a million messages.
//
// Errors: another process has the folder (its name); a format that this version does not
// know; ErrCorrupt; those of the disk.
func Open(dir string, o Options) (*Store, error) {
	if o.fs == nil {
		o.fs = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CacheSize == 0 {
		o.CacheSize = defaultCacheSize
	}
	if o.Unwritten == 0 {
		o.Unwritten = unwrittenMax
	}
	if o.pause == 0 {
		o.pause = fullPause
	}
	s := &Store{
		logger:     o.Logger,
		durability: pebble.Sync,
		ended:      make(chan struct{}),
		stopped:    make(chan struct{}),
		index:      newIndex(),
		queues:     queues{byID: make(map[store.QueueID]*queue)},
		shared:     make(map[store.MessageID]*sharedMessage),
		open:       newBuffer(0),
		writing:    newBuffer(mark),
		generation: 1,
		sweptAt:    math.MaxUint64,
	}
	if o.NoSync {
		s.durability = pebble.NoSync
	}
	s.wake.L = &s.mu
	s.disk = newDisk(o.fs, o.pause, s.fail, func() { s.space.full() })
	s.space = space{fs: o.fs, dir: dir, pause: o.pause, logger: o.Logger, stopped: s.stopped, plenty: s.plenty}
	s.space.keepFree = uint64(max(0, o.KeepFree))
	var err error
	if s.folder, err = openFolder(s.disk, dir); err != nil {
		return nil, err
	}
	s.space.init()
	// On a small disk, so that a batch and its tables fit into the reserve.
	s.unwrittenMax = int(min(uint64(o.Unwritten), max(memTableSizeMin, s.space.total/memTableShare)))
	if o.memTableSize == 0 {
		o.memTableSize = min(memTableSize, uint64(s.unwrittenMax))
	}
	if err := s.openDB(dir, &o); err != nil {
		s.folder.close()
		return nil, fmt.Errorf("store: folder %s: %w", dir, err)
	}
	s.removals = s.db.Metrics().Keys.TombstoneCount
	err = s.count(o.Progress)
	if failed := s.Failed(); failed != nil {
		err = failed
	}
	if err != nil {
		s.end()
		return nil, fmt.Errorf("store: folder %s: %w", dir, err)
	}
	s.disk.patient.Store(true)
	return s, nil
}

// openDB opens Pebble. A failure of the disk that Pebble was not told is an error, too.
func (s *Store) openDB(dir string, o *Options) error {
	// If Open fails, Pebble's goroutines may still use its caches, which therefore outlive it.
	s.blocks = pebble.NewCache(o.CacheSize + 2*int64(o.memTableSize)) // memtables take from it
	s.files = pebble.NewFileCache(runtime.GOMAXPROCS(0), pebble.FileCacheSize(openFilesMax))
	db, err := pebble.Open(dir, s.pebbleOptions(o))
	if err == nil {
		s.db, s.ahead.db = db, db
	}
	if failed := s.Failed(); failed != nil {
		if err == nil {
			s.disk.stopWaiting()
			db.Close()
		}
		return failed
	}
	return err
}

const openFilesMax = 1000

func (s *Store) pebbleOptions(o *Options) *pebble.Options {
	p := &pebble.Options{
		FS:                          s.disk,
		Lock:                        s.folder.lock,
		Cache:                       s.blocks,
		FileCache:                   s.files,
		MaxOpenFiles:                openFilesMax,
		MemTableSize:                o.memTableSize,
		MemTableStopWritesThreshold: 4,
		LBaseMaxBytes:               int64(max(baseLevelMin, min(baseLevelMax, s.space.total/baseLevelShare))),
		FlushDelayDeleteRange:       time.Second,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      pebbleLogger{s},
		EventListener:               s.events(),
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, max(1, runtime.GOMAXPROCS(0)/2) },
	}
	return p
}

// plenty ends the pressure of a disk that was nearly full.
func (s *Store) plenty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relieve()
}

// end closes Pebble and gives up the folder.
func (s *Store) end() error {
	if s.Failed() != nil {
		s.disk.stopWaiting()
	}
	if s.stopFreeing != nil {
		s.stopFreeing()
		s.freeing.Wait()
	}
	err := s.db.Close()
	s.files.Unref()
	s.blocks.Unref()
	s.mu.Lock()
	s.over = true
	if s.err == nil {
		s.err = errClosed
		close(s.stopped)
	}
	s.mu.Unlock()
	s.folder.close()
	return err
}

// errClosed makes a closed store ignore changes.
var errClosed = errors.New("store: closed")

// Start implements [store.Store].
func (s *Store) Start(o store.Observer) {
	s.reports.start(o)
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	go s.commitRounds()
	var ctx context.Context
	ctx, s.stopFreeing = context.WithCancel(context.Background())
	s.freeing.Go(func() { s.freeSpace(ctx) })
}
