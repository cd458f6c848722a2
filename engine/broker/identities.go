package broker

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"harelab/engine/store"
)

// Identities gives out numbers that rise for ever, over restarts too: the store has a
// record of a number that none has passed, and gets a higher one before a greater
// number is used. It knows more than the numbers that are still there: the newest
// queue may have been deleted.
type identities struct {
	name  string // of the record
	block uint64 // how many numbers a record is good for; a restart skips as many at most

	last     atomic.Uint64
	reserved atomic.Uint64

	mu sync.Mutex
}

// recordIdentity is the kind of the records of identities.
const kindIdentity store.Kind = 'i'

// next returns the next number.
func (i *identities) next(s store.Store) uint64 {
	n := i.last.Add(1)
	if n > i.reserved.Load() {
		i.reserve(s, n)
	}
	return n
}

// reserve puts a record that is good for n.
func (i *identities) reserve(s store.Store, n uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n <= i.reserved.Load() {
		return
	}
	limit := n + i.block
	s.Put(kindIdentity, i.name, binary.BigEndian.AppendUint64(nil, limit))
	i.reserved.Store(limit)
}

// restore goes on after the record.
func (i *identities) restore(s store.Store) error {
	return s.Records(kindIdentity, func(name string, value []byte) error {
		if name != i.name {
			return nil
		}
		if len(value) != 8 {
			return fmt.Errorf("record %q of %d octets, want 8", name, len(value))
		}
		limit := binary.BigEndian.Uint64(value)
		i.last.Store(limit)
		i.reserved.Store(limit)
		return nil
	})
}

// passed notes a number that was found in use.
func (i *identities) passed(n uint64) {
	if n > i.last.Load() {
		i.last.Store(n)
	}
}
