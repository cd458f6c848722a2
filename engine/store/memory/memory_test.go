package memory

import (
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Place {
		s := New()
		return storetest.Place{
			Open:  func(*testing.T) store.Store { return s },
			Crash: func(*testing.T, store.Store) { s.Crash() },
		}
	})
}

// TestWritten: an entry or record that comes and goes within a round is not written, the
// octets of a message are written once however many queues hold it, and dropping an empty
// range writes nothing.
func TestWritten(t *testing.T) {
	s := New()
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"an entry that comes and goes", func() {
			s.Message(1, nil, []byte("m"))
			s.Add(1, 1, store.Entry{})
			s.Done(1)
			s.Remove(1, 1)
		}, 0},
		{"an entry that goes before its message is done", func() {
			s.Message(2, nil, []byte("m"))
			s.Add(1, 2, store.Entry{})
			s.Remove(1, 2)
			s.Commit()
			s.Done(2)
		}, 0},
		{"three queues: three entries, octets once", func() {
			s.Message(3, nil, []byte("m"))
			for q := range store.QueueID(3) {
				s.Add(q, 3, store.Entry{})
			}
			s.Done(3)
		}, 4},
		{"one queue less", func() { s.Remove(0, 3) }, 1},
		{"another entry of a queue that has it", func() { s.Add(1, 3, store.Entry{Redelivered: true}) }, 1},
		{"the last queue, and the octets", func() { s.Drop(1, 0, 9); s.Drop(2, 3, 3) }, 3},
		{"an empty range", func() { s.Drop(1, 0, store.LastMessage) }, 0},
		{"a record that comes and goes", func() { s.Put('r', "a", nil); s.Delete('r', "a") }, 0},
	} {
		before := s.Written()
		step.do()
		s.Commit()
		if got := s.Written() - before; got != step.want {
			t.Errorf("%s: %d writes, want %d", step.name, got, step.want)
		}
	}
}
