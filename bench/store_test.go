//go:build unix

package bench

import (
	"fmt"
	"sync"
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/store/pebble"
)

const (
	storeQueues = 4
	storeWindow = 256 // messages that each publisher may have unconfirmed
	storeChunk  = 32  // messages of a publisher between two commits
)

// storeLoads are the workloads of BenchmarkStore: a message is published and either kept,
// or removed as soon as it is confirmed.
var storeLoads = []struct {
	workload string
	body     int
	remove   bool
}{
	{"keep", 100, false},
	{"remove", 100, true},
	{"remove", 1024, true},
}

// BenchmarkStore measures a message's path through a store: four publishers, each with a
// queue of its own and a window of 256 messages, that wait until their rounds are durable.
//
//	target=memory  the store in memory
//	target=pebble  the durable store, confirmed after fsync
//	target=nosync  the durable store without fsync
func BenchmarkStore(b *testing.B) {
	for _, target := range []struct {
		name string
		open func(b *testing.B) store.Store
	}{
		{"memory", func(*testing.B) store.Store { return memory.New() }},
		{"pebble", func(b *testing.B) store.Store { return openPebble(b, b.TempDir(), pebble.Options{}) }},
		{"nosync", func(b *testing.B) store.Store { return openPebble(b, b.TempDir(), pebble.Options{NoSync: true}) }},
	} {
		for _, l := range storeLoads {
			b.Run(fmt.Sprintf("target=%s/workload=%s/body=%d", target.name, l.workload, l.body), func(b *testing.B) {
				r := &storeRun{store: target.open(b), body: make([]byte, l.body), remove: l.remove}
				r.run(b)
			})
		}
	}
}

func openPebble(b *testing.B, dir string, o pebble.Options) store.Store {
	s, err := pebble.Open(dir, o)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// A storeRun is the observer of a store and the state of its publishers.
type storeRun struct {
	store  store.Store
	body   []byte
	remove bool

	mu      sync.Mutex
	change  sync.Cond
	durable store.Round
	next    store.MessageID
	err     error
}

// Completed implements [store.Observer].
func (r *storeRun) Completed(n store.Round) {
	r.mu.Lock()
	r.durable = n
	r.mu.Unlock()
	r.change.Broadcast()
}

// Failed implements [store.Observer].
func (r *storeRun) Failed(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	r.change.Broadcast()
}

func (r *storeRun) run(b *testing.B) {
	r.change.L = &r.mu
	r.store.Start(r)
	r.publish(1, 10_000) // warm up
	each := b.N/storeQueues + 1
	b.ReportAllocs()
	start := cpuTime(b)
	b.ResetTimer()
	var all sync.WaitGroup
	for q := range storeQueues {
		all.Go(func() { r.publish(store.QueueID(1+q), each) })
	}
	all.Wait()
	b.StopTimer()
	spent := cpuTime(b) - start
	if r.err != nil {
		b.Fatal(r.err)
	}
	if err := r.store.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N), "msgs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// A sent is a chunk of messages that waits for its round.
type sent struct {
	first, last store.MessageID
	round       store.Round
}

// publish publishes messages to a queue, a chunk at a time, within the window.
func (r *storeRun) publish(q store.QueueID, n int) {
	window := make([]sent, 0, storeWindow/storeChunk)
	for n > 0 || len(window) > 0 {
		if n > 0 && len(window) < cap(window) {
			c := r.chunk(q, min(n, storeChunk))
			n -= int(c.last - c.first + 1)
			window = append(window, c)
			continue
		}
		oldest := window[0]
		if !r.wait(oldest.round) {
			return
		}
		window = window[:copy(window, window[1:])]
		if r.remove {
			for m := oldest.first; m <= oldest.last; m++ {
				r.store.Remove(q, m)
			}
		}
	}
}

func (r *storeRun) chunk(q store.QueueID, n int) sent {
	r.mu.Lock()
	first := r.next + 1
	r.next += store.MessageID(n)
	r.mu.Unlock()
	last := first + store.MessageID(n) - 1
	for m := first; m <= last; m++ {
		r.store.Message(m, r.body[:10], r.body[10:])
		r.store.Add(q, m, store.Entry{})
		r.store.Done(m)
	}
	return sent{first, last, r.store.Commit()}
}

// wait waits until a round is durable, and reports false if the store has failed.
func (r *storeRun) wait(n store.Round) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.durable < n && r.err == nil {
		r.change.Wait()
	}
	return r.err == nil
}
