package message

import (
	"fmt"
	"sync"
	"unsafe"

	"harelab/engine/internal/invariants"
)

// A Book knows which messages of one broker are alive. It does so only where invariants
// are checked; elsewhere its methods do nothing. Any number of goroutines may use it.
type Book struct{ _ invariants.Value[byte] } // an address of its own, where that matters

// Enter enters a message that was just made, and returns it. The last Release takes it out.
func (b *Book) Enter(m *Message) *Message {
	if invariants.Enabled {
		t := tableOf(m)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.books == nil {
			t.books = make(map[*Message]*Book)
		}
		t.books[m] = b
	}
	return m
}

// Leaks names the messages that have more references than the caller knows of.
func (b *Book) Leaks(known map[*Message]int) (leaks []string) {
	if !invariants.Enabled {
		return nil
	}
	for i := range alive {
		t := &alive[i]
		t.mu.Lock()
		for m, of := range t.books {
			if of != b {
				continue
			}
			if refs := int(m.refs.Load()); refs > known[m] {
				leaks = append(leaks, fmt.Sprintf("%s has %d references, of which %d are known", m.describe(), refs, known[m]))
			}
		}
		t.mu.Unlock()
	}
	return leaks
}

// describe names a message for people who look for a fault.
func (m *Message) describe() string {
	b := m.octets()
	exchange := b[1 : 1+int(b[0])]
	return fmt.Sprintf("message to exchange %q with routing key %q and %d octets behind its properties",
		exchange, b[2+len(exchange):m.keyEnd], len(b)-int(m.propsEnd))
}

// alive are the messages of all books, in many small tables, so that goroutines rarely
// meet there: to the race detector that would be an order between them.
var alive [1 << 10]table

type table struct {
	mu    sync.Mutex
	books map[*Message]*Book
}

func tableOf(m *Message) *table {
	return &alive[uintptr(unsafe.Pointer(m))>>6%uintptr(len(alive))]
}

// bury marks the memory of a message whose last reference was released, and takes the
// message out of its book. The memory must not serve another message: whoever still
// uses this one is then found out.
func (m *Message) bury() {
	t := tableOf(m)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.books, m)
	octets := m.octets()
	for i := range octets {
		octets[i] = buried
	}
}

// buried is what the octets of a released message are.
const buried = 0xDB

// mustLive fails for a message that nobody has a reference to.
func (m *Message) mustLive() {
	if refs := m.refs.Load(); refs <= 0 {
		invariants.Failf("message of %d octets is used with %d references, after the last was released", m.size, refs)
	}
}
