package topic

import (
	"math/bits"
	"slices"
	"sync"
)

// A seen set tells whether a key was added before within one match. It is an
// open-addressed table whose slots carry the number of the match that filled
// them, so the next match starts with an empty set at no cost.
type seen struct {
	slots []seenSlot // a power of two of them
	round uint64
	n     int
}

type seenSlot struct{ key, round uint64 }

var seenPool = sync.Pool{New: func() any { return &seen{slots: make([]seenSlot, 64)} }}

// newSeen returns an empty set. The caller returns it with free.
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

// appendNew appends to dst those of dests that are not in s, and adds them to s.
func (s *seen) appendNew(dst, dests []Dest) []Dest {
	for _, d := range dests {
		if s.add(uint64(d)) {
			dst = append(dst, d)
		}
	}
	return dst
}

// results collects the destinations of a match. A destination may be in it several
// times until unique is called.
type results struct {
	dst   []Dest
	from  int // index in dst of the first result
	parts int // number of sets added; no set has a destination twice
}

func newResults(dst []Dest) results { return results{dst: dst, from: len(dst)} }

// addOne adds a destination.
func (r *results) addOne(d Dest) {
	if len(r.dst) == cap(r.dst) && r.parts > 0 {
		r.addFew([]Dest{d})
		return
	}
	r.dst = append(r.dst, d)
	r.parts++
}

// add adds a set of destinations.
func (r *results) add(dests []Dest) {
	if len(r.dst)+len(dests) > cap(r.dst) && r.parts > 0 {
		r.addFew(dests)
		return
	}
	r.dst = append(r.dst, dests...)
	r.parts++
}

// addFew adds a set when dst has no room for all of it. Without the destinations
// that dst has already, there may be room.
func (r *results) addFew(dests []Dest) {
	r.dst = r.unique()
	for _, d := range dests {
		if !slices.Contains(r.dst[r.from:], d) {
			r.dst = append(r.dst, d)
		}
	}
	r.parts = 1
}

// fewMatches is the largest number of destinations for which comparing each with
// each other is cheaper than a table.
const fewMatches = 16

// unique returns dst with each result once. An exchange numbers its destinations
// consecutively, so their low six bits usually differ, which proves that there is
// no duplicate.
func (r *results) unique() []Dest {
	if r.parts < 2 {
		return r.dst
	}
	found := r.dst[r.from:]
	if len(found) > fewMatches {
		s := newSeen()
		defer s.free()
		return s.appendNew(r.dst[:r.from], found) // in place: it never writes past what it has read
	}
	var low uint64
	for _, d := range found {
		low |= 1 << (d % 64)
	}
	if bits.OnesCount64(low) == len(found) {
		return r.dst
	}
	n := r.from
next:
	for _, d := range found {
		for _, e := range r.dst[r.from:n] {
			if d == e {
				continue next
			}
		}
		r.dst[n] = d
		n++
	}
	return r.dst[:n]
}
