package broker

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"harelab/engine/store"
)

// identities issues numbers that rise for ever, over restarts too. The store has a record
// of a limit that no issued number exceeds; the limit rises before a greater number is
// used. The numbers that the store still holds would not suffice for that, since the
// newest queue may have been deleted.
type identities struct {
	name  string // name of the record
	block uint64 // how far the limit rises at a time; a restart skips at most so many numbers

	last     atomic.Uint64 // the greatest number issued
	reserved atomic.Uint64 // the limit

	mu sync.Mutex
}

// kindIdentity is the kind of the records of identities.
const kindIdentity store.Kind = 'i'

// next returns the next number.
func (i *identities) next(s store.Store) uint64 {
	n := i.last.Add(1)
	if n > i.reserved.Load() {
		i.reserve(s, n)
	}
	return n
}

// reserve raises the limit so that n may be issued.
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

// restore reads the record; the next number will be greater than its limit.
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

// passed notes a number that the store uses, so that only greater ones are issued.
func (i *identities) passed(n uint64) {
	if n > i.last.Load() {
		i.last.Store(n)
	}
}
