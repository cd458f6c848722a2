package engine

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"harelab/engine/broker"
	"harelab/engine/limits"
)

const (
	// watchEvery is how often memory and disk are looked at. Messages that fill the memory
	// are noticed at once; what else fills it, and the disk, within this time.
	watchEvery = 100 * time.Millisecond

	// releaseAbove is the drop of the memory of messages, in octets, after which memory is
	// given back to the system. It is also half of what they took before.
	releaseAbove = 32 << 20
	// releaseEvery is the shortest time between two times.
	releaseEvery = 500 * time.Millisecond
)

// A monitor tells the broker how much memory the process takes and how much of the disk is
// free, and gives memory that messages have left back to the system.
type monitor struct {
	broker *broker.Broker
	logger *slog.Logger
	folder string // on the disk that is watched; empty: none
	blind  bool   // the free space of the disk could not be read the last time
	end    sync.Once
	stop   chan struct{}
	done   chan struct{}

	peak     int64     // most octets that messages took since memory was given back last
	released time.Time // when it was
}

func startMonitor(b *broker.Broker, logger *slog.Logger, folder string) *monitor {
	m := &monitor{broker: b, logger: logger, folder: folder, stop: make(chan struct{}), done: make(chan struct{})}
	m.watch()
	go m.run()
	return m
}

// close ends the monitor. A nil monitor was never started.
func (m *monitor) close() {
	if m != nil {
		m.end.Do(func() { close(m.stop) })
		<-m.done
	}
}

func (m *monitor) run() {
	defer close(m.done)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.watch()
			m.giveBack(time.Now())
		case <-m.stop:
			return
		}
	}
}

func (m *monitor) watch() {
	free := int64(-1)
	if m.folder != "" {
		n, err := limits.DiskFree(m.folder)
		switch {
		case err == nil:
			free = n
		case !m.blind && m.broker.Resources().DiskFreeLimit > 0:
			m.logger.Warn("the limit of free disk space has no effect: the free space cannot be read", "folder", m.folder, "error", err)
		}
		m.blind = err != nil
	}
	taken, limit := limits.Resident(), m.broker.Resources().MemoryLimit
	if limit > 0 && taken > limit/10*9 && time.Since(m.released) >= releaseEvery {
		m.collect() // publishers are not blocked for garbage
		taken = limits.Resident()
	}
	m.broker.Watch(taken, free)
}

// giveBack gives memory back to the system after messages have left much of it: a purged or
// drained queue. Go's runtime does so too, but minutes later, since it collects when the
// heap has doubled, and a heap that shrinks does not double.
func (m *monitor) giveBack(now time.Time) {
	took := m.broker.Resources().Messages
	m.peak = max(m.peak, took)
	if m.peak-took < releaseAbove || took > m.peak/2 || now.Sub(m.released) < releaseEvery {
		return
	}
	m.collect()
}

// collect collects garbage and gives it back to the system.
func (m *monitor) collect() {
	runtime.GC() // a sync.Pool keeps what it holds for one collection
	debug.FreeOSMemory()
	m.peak, m.released = m.broker.Resources().Messages, time.Now()
}
