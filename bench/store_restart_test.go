//go:build unix

package bench

import (
	"fmt"
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/pebble"
)

const restartMessages = 1_000_000

// BenchmarkStoreRestart measures how long a store with a million small messages takes to
// open, and a broker to read all of them, queue by queue.
//
//	go test -run=^$ -bench=StoreRestart ./bench
func BenchmarkStoreRestart(b *testing.B) {
	for _, c := range []struct {
		workload         string
		queues, messages int
	}{
		{"backlog", 1, restartMessages},
		{"backlog4", 4, restartMessages},
		{"queues", 100_000, 100_000},
	} {
		b.Run(fmt.Sprintf("target=pebble/workload=%s/body=100", c.workload), func(b *testing.B) {
			dir := b.TempDir()
			fillStore(b, dir, c.queues, c.messages)
			for b.Loop() {
				s := openPebble(b, dir, pebble.Options{})
				if n := readStore(b, s, c.queues); n != c.messages {
					b.Fatalf("found %d messages, want %d", n, c.messages)
				}
				b.StopTimer()
				s.Start(new(storeRun))
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(c.messages), "msgs")
		})
	}
}

// fillStore makes a store in which each queue has a record and messages lie in turn.
func fillStore(b *testing.B, dir string, queues, messages int) {
	r := &storeRun{store: openPebble(b, dir, pebble.Options{NoSync: true})}
	r.change.L = &r.mu
	r.store.Start(r)
	for q := range queues {
		r.store.Put('q', fmt.Sprintf("queue-%d", q), make([]byte, 100))
	}
	body := make([]byte, 100)
	for i := range messages {
		m := store.MessageID(1 + i)
		r.store.Message(m, nil, body)
		r.store.Add(store.QueueID(1+i%queues), m, store.Entry{})
		r.store.Done(m)
		if i%1024 == 0 {
			r.wait(r.store.Commit())
		}
	}
	if err := r.store.Close(); err != nil {
		b.Fatal(err)
	}
}

// readStore reads what a broker reads when it starts, and returns the number of messages.
func readStore(b *testing.B, s store.Store, queues int) (messages int) {
	if err := s.Records('q', func(string, []byte) error { return nil }); err != nil {
		b.Fatal(err)
	}
	var octets []byte
	var entries []store.MessageID
	for q := range queues {
		entries = entries[:0]
		if err := s.Entries(store.QueueID(1+q), func(m store.MessageID, _ store.Entry) error {
			entries = append(entries, m)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		for _, m := range entries {
			var err error
			if octets, err = s.Load(m, octets[:0]); err != nil || len(octets) != 100 {
				b.Fatal(len(octets), err)
			}
		}
		messages += len(entries)
	}
	return messages
}
