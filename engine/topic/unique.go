package topic

import (
	"math/bits"
	"slices"
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

// results are the destinations that a match has found, some perhaps twice until
// they are asked for.
type results struct {
	dst   []Dest
	from  int // where they begin in dst
	parts int // sets added, of which each by itself had no destination twice
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

// addFew adds a set for which there may be room only without those destinations
// that are there already.
func (r *results) addFew(dests []Dest) {
	r.dst = r.unique()
	for _, d := range dests {
		if !slices.Contains(r.dst[r.from:], d) {
			r.dst = append(r.dst, d)
		}
	}
	r.parts = 1
}

// fewMatches is up to how many destinations comparing each with each is cheaper
// than a table.
const fewMatches = 16

// unique returns dst with each of the results once. Most often there is none twice,
// which the low bits of the destinations show: these are numbers that an exchange
// gives one after the other.
func (r *results) unique() []Dest {
	if r.parts < 2 {
		return r.dst
	}
	found := r.dst[r.from:]
	if len(found) > fewMatches {
		s := newSeen()
		defer s.free()
		return s.appendNew(r.dst[:r.from], found) // writes behind where it reads
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
