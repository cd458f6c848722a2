package message

import (
	"fmt"
	"sync"
	"unsafe"

	"harelab/engine/internal/invariants"
)

// A Tracker tracks the messages of one broker that have references. It does so only
// where invariants are checked; elsewhere its methods do nothing. Any number of
// goroutines may use it.
type Tracker struct{ _ invariants.Value[byte] } // not empty, so that each Tracker has its own address

// Track tracks a new message until its last Release, and returns it.
func (k *Tracker) Track(m *Message) *Message {
	if invariants.Enabled {
		t := tableOf(m)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.trackers == nil {
			t.trackers = make(map[*Message]*Tracker)
		}
		t.trackers[m] = k
	}
	return m
}

// Leaks describes the messages that have more references than the caller knows of.
func (k *Tracker) Leaks(known map[*Message]int) (leaks []string) {
	if !invariants.Enabled {
		return nil
	}
	for i := range alive {
		t := &alive[i]
		t.mu.Lock()
		for m, of := range t.trackers {
			if of != k {
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

// describe identifies a message in the text of a broken invariant.
func (m *Message) describe() string {
	b := m.octets()
	exchange := b[1 : 1+int(b[0])]
	return fmt.Sprintf("message to exchange %q with routing key %q and %d octets behind its properties",
		exchange, b[2+len(exchange):m.keyEnd], len(b)-int(m.propsEnd))
}

// alive holds the messages of all trackers, in many small tables, so that goroutines
// rarely share one: to the race detector, a shared lock orders the goroutines' actions.
var alive [1 << 10]table

type table struct {
	mu       sync.Mutex
	trackers map[*Message]*Tracker
}

func tableOf(m *Message) *table {
	return &alive[uintptr(unsafe.Pointer(m))>>6%uintptr(len(alive))]
}

// bury overwrites the octets of a message whose last reference was released, and ends
// its tracking. The memory must not serve another message, so that mustLive finds later
// uses of this one.
func (m *Message) bury() {
	t := tableOf(m)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.trackers, m)
	octets := m.octets()
	for i := range octets {
		octets[i] = buried
	}
}

// buried is the value of each octet of a released message.
const buried = 0xDB

// mustLive fails if a message has no references.
func (m *Message) mustLive() {
	if refs := m.refs.Load(); refs <= 0 {
		invariants.Failf("message of %d octets is used with %d references, after the last was released", m.size, refs)
	}
}
