package topic

import (
	"math/bits"
	"sync"
)

// A seen set answers "was this there before?" within one match. It is an
// open-addressed table whose slots carry the number of the match that filled
// them, so that the next match starts with an empty set at no cost.
type seen struct {
	slots []seenSlot // a power of two of them
	round uint64
	n     int
}

type seenSlot struct{ key, round uint64 }

var seenPool = sync.Pool{New: func() any { return &seen{slots: make([]seenSlot, 64)} }}

// newSeen returns an empty set, to be given back with free.
func newSeen() *seen {
	s := seenPool.Get().(*seen)
	s.n = 0
	s.round++
	return s
}

func (s *seen) free() { seenPool.Put(s) }

// add adds key and reports whether it was new.
func (s *seen) add(key uint64) bool {
	if 2*s.n >= len(s.slots) {
		s.grow()
	}
	shift := 64 - bits.TrailingZeros(uint(len(s.slots)))
	mask := len(s.slots) - 1
	for i := int(key * 0x9e3779b97f4a7c15 >> shift); ; i++ {
		slot := &s.slots[i&mask]
		if slot.round != s.round {
			*slot = seenSlot{key, s.round}
			s.n++
			return true
		}
		if slot.key == key {
			return false
		}
	}
}

func (s *seen) grow() {
	old := s.slots
	s.slots = make([]seenSlot, 2*len(old))
	s.n = 0
	for _, slot := range old {
		if slot.round == s.round {
			s.add(slot.key)
		}
	}
}

// appendNew appends those of dests to dst that are not in s, and adds them.
func (s *seen) appendNew(dst, dests []Dest) []Dest {
	for _, d := range dests {
		if s.add(uint64(d)) {
			dst = append(dst, d)
		}
	}
	return dst
}

// fewMatches is up to how many destinations comparing each with each is cheaper
// than a table.
const fewMatches = 16

// unique removes repeated destinations from dst[from:].
func unique(dst []Dest, from int) []Dest {
	if len(dst)-from > fewMatches {
		s := newSeen()
		defer s.free()
		return s.appendNew(dst[:from], dst[from:]) // writes behind where it reads
	}
	n := from
next:
	for _, d := range dst[from:] {
		for _, e := range dst[from:n] {
			if d == e {
				continue next
			}
		}
		dst[n] = d
		n++
	}
	return dst[:n]
}
