// Package storetest is the suite that every store passes.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"harelab/engine/store"
)

// Run tests stores. open returns a store with what the one before it, which was
// closed, held; the first is empty. Each subtest gets an open of its own from make.
func Run(t *testing.T, makeOpen func(t *testing.T) (open func() store.Store)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, func() store.Store)
	}{
		{"records come in order of their names", testRecords},
		{"a message is kept once and as long as a queue holds it", testShared},
		{"entries come in order of publishing", testOrder},
		{"what is removed before its commit is not found", testNeverWritten},
		{"a delivered message is redelivered", testDelivered},
		{"an error from yield ends the reading", testYieldError},
		{"values are copied", testCopies},
		{"random changes are found again", testRandom},
		{"many goroutines", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, makeOpen(t)) })
	}
}

// reopen closes a store and opens it again.
func reopen(t *testing.T, s store.Store, open func() store.Store) store.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open()
}

func records(t *testing.T, s store.Store, kind store.Kind) []string {
	t.Helper()
	var all []string
	err := s.Records(kind, func(name string, value []byte) error {
		all = append(all, fmt.Sprintf("%s=%s", name, value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func entries(t *testing.T, s store.Store, q store.QueueID) []string {
	t.Helper()
	var all []string
	err := s.Entries(q, func(m store.MessageID, e store.Entry) error {
		all = append(all, describe(m, e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func describe(m store.MessageID, e store.Entry) string {
	return fmt.Sprintf("%d:%s@%d/%t", m, e.Data, e.ExpiresAt, e.Redelivered)
}

func wantList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %q, want %q", what, got, want)
	}
}

func testRecords(t *testing.T, open func() store.Store) {
	s := open()
	s.Put('q', "b", []byte("2"))
	s.Put('q', "a", []byte("1"))
	s.Put('x', "a", []byte("other kind"))
	s.Put('q', "gone", nil)
	s.Put('q', "b", []byte("3"))
	s.Delete('q', "gone")
	s.Delete('q', "never there")
	s = reopen(t, s, open)
	wantList(t, "records", records(t, s, 'q'), "a=1", "b=3")
	wantList(t, "records of another kind", records(t, s, 'x'), "a=other kind")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func testShared(t *testing.T, open func() store.Store) {
	s := open()
	s.Add(1, 7, store.Entry{Data: []byte("body")})
	s.Add(2, 7, store.Entry{ExpiresAt: 5}) // data is not needed again
	s.Add(3, 7, store.Entry{})
	s.Drop(3)
	s = reopen(t, s, open)
	s.Remove(1, 7)
	s.Remove(1, 7)
	wantList(t, "the queue it left", entries(t, s, 1))
	wantList(t, "the queue it is in", entries(t, s, 2), "7:body@5/false")
	wantList(t, "the queue that was dropped", entries(t, s, 3))
	s.Remove(2, 7)
	s = reopen(t, s, open)
	wantList(t, "the last queue it left", entries(t, s, 2))
	s.Close()
}

func testOrder(t *testing.T, open func() store.Store) {
	s := open()
	for _, m := range []store.MessageID{300, 2, 1 << 40, 10} {
		s.Add(1, m, store.Entry{Data: []byte("m")})
		s.Add(256, m, store.Entry{Data: []byte("m")}) // a neighbour in any encoding
	}
	s = reopen(t, s, open)
	wantList(t, "entries", entries(t, s, 1), "2:m@0/false", "10:m@0/false", "300:m@0/false", "1099511627776:m@0/false")
	s.Close()
}

func testNeverWritten(t *testing.T, open func() store.Store) {
	s := open()
	s.Add(1, 1, store.Entry{Data: []byte("m")})
	s.Remove(1, 1)
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s, open)
	wantList(t, "entries", entries(t, s, 1))
	s.Close()
}

func testDelivered(t *testing.T, open func() store.Store) {
	s := open()
	s.Add(1, 1, store.Entry{Data: []byte("m")})
	s.Add(1, 2, store.Entry{Data: []byte("m")})
	s.Delivered(1, 1)
	s.Delivered(1, 3)
	s = reopen(t, s, open)
	wantList(t, "entries", entries(t, s, 1), "1:m@0/true", "2:m@0/false")
	s.Close()
}

func testYieldError(t *testing.T, open func() store.Store) {
	s := open()
	defer s.Close()
	s.Put('q', "a", nil)
	s.Put('q', "b", nil)
	s.Add(1, 1, store.Entry{})
	s.Add(1, 2, store.Entry{})
	stop := errors.New("stop")
	calls := 0
	if err := s.Records('q', func(string, []byte) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("Records = %v after %d calls, want %v after 1", err, calls, stop)
	}
	if err := s.Entries(1, func(store.MessageID, store.Entry) error { calls++; return stop }); err != stop || calls != 2 {
		t.Errorf("Entries = %v after %d calls, want %v after 1", err, calls-1, stop)
	}
}

func testCopies(t *testing.T, open func() store.Store) {
	s := open()
	b := []byte("mine")
	s.Put('q', "a", b)
	s.Add(1, 1, store.Entry{Data: b})
	copy(b, "your")
	s = reopen(t, s, open)
	wantList(t, "records", records(t, s, 'q'), "a=mine")
	wantList(t, "entries", entries(t, s, 1), "1:mine@0/false")
	s.Close()
}

// testRandom compares a store with maps, over several lives.
func testRandom(t *testing.T, open func() store.Store) {
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 0))
	const queues = 5
	model := make([]map[store.MessageID]store.Entry, queues)
	for q := range model {
		model[q] = make(map[store.MessageID]store.Entry)
	}
	s := open()
	next := store.MessageID(0)
	for life := range 4 {
		for range 500 {
			q := store.QueueID(rng.IntN(queues))
			switch r := rng.IntN(20); {
			case r < 9:
				next++
				for to := q; to < queues; to += 2 {
					e := store.Entry{ExpiresAt: int64(rng.IntN(3)), Data: bytes.Repeat([]byte{'a' + byte(next%26)}, rng.IntN(40))}
					if to != q {
						e.Data = model[q][next].Data
					}
					s.Add(to, next, e)
					model[to][next] = e
				}
			case r < 17 && next > 0:
				m := 1 + store.MessageID(rng.IntN(int(next)))
				s.Remove(q, m)
				delete(model[q], m)
			case r < 19 && next > 0:
				m := 1 + store.MessageID(rng.IntN(int(next)))
				s.Delivered(q, m)
				if e, ok := model[q][m]; ok {
					e.Redelivered = true
					model[q][m] = e
				}
			case rng.IntN(20) == 0:
				s.Drop(q)
				clear(model[q])
			}
		}
		s = reopen(t, s, open)
		for q := range model {
			var want []string
			for _, m := range slices.Sorted(maps.Keys(model[q])) {
				want = append(want, describe(m, model[q][m]))
			}
			wantList(t, fmt.Sprintf("seed %d, life %d, queue %d", seed, life, q), entries(t, s, store.QueueID(q)), want...)
		}
	}
	s.Close()
}

// waiter counts answers to Commit.
type waiter chan error

func (w waiter) Committed(err error) { w <- err }

// testConcurrent adds and removes from several goroutines, each its own queue and all
// of them one, and waits for each commit.
func testConcurrent(t *testing.T, open func() store.Store) {
	s := open()
	const goroutines, messages = 4, 200
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			w := make(waiter, 1)
			for i := range messages {
				m := store.MessageID(i*goroutines + g)
				s.Add(store.QueueID(g), m, store.Entry{Data: []byte("m")})
				s.Add(goroutines, m, store.Entry{Data: []byte("m")})
				s.Remove(store.QueueID(g), m)
				if !s.Commit(w) {
					if err := <-w; err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	s = reopen(t, s, open)
	for g := range goroutines {
		wantList(t, fmt.Sprintf("queue %d", g), entries(t, s, store.QueueID(g)))
	}
	if n := len(entries(t, s, goroutines)); n != goroutines*messages {
		t.Errorf("the common queue has %d messages, want %d", n, goroutines*messages)
	}
	s.Close()
}
