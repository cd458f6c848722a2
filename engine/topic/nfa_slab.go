package topic

import (
	"math/bits"
	"sync/atomic"
)

// A slab holds the nodes of an automaton in an open-addressed table, hashed by
// the edge that leads to each: one probe finds a child and brings its 32 bytes,
// half a cache line, along. A node is named by its slot; slot 0 is the root.
//
// The writer changes a slab in place. What identifies a node is written before
// its edge is stored and never changes afterwards, and a slot is never given to
// another node; everything else in a node is one atomic word. A node that is
// bound no longer stays as it is, unlinked from its parent, until the live nodes
// are copied to a new slab. The old one then belongs to its last readers and the
// garbage collector.
type slab struct {
	nodes []node
	lists atomic.Pointer[[]*destList]

	// For the writer alone.
	kids []uint32 // children of each node
	used int      // slots taken, without the root
	dead int      // of these, nodes that are unlinked
}

// A node is a state of the automaton.
type node struct {
	code uint64        // of the piece that leads here; 0 for '*' and '#'
	mask atomic.Uint64 // what it may accept, below; may have too many bits
	data atomic.Uint64 // destination or index of list <<32 | child by '#' <<hashShift | what
	edge atomic.Uint32 // parent<<kindBits | kind of piece; 0 in a free slot
	star atomic.Uint32 // child by '*', or 0
}

// What a node's data holds.
const (
	dataNone   = iota
	dataOne    // a destination
	dataMany   // an index of slab.lists, from then on
	dataWhat   = 3
	hashShift  = kindBits
	dataHash   = 1<<32 - 1<<hashShift
	nodesMax   = 1 << (32 - kindBits)
	nodesSpare = 8
)

// A node's mask tells which keys the node, or one below it, may accept: it has a
// bit for how many words are to come, together with the first of them. From 7 on
// numbers count as 7, and what '#' may stand for has the bits of all of them. It
// spares most visits and probes that would find nothing.
//
// The low bits are hashes of number and piece. The next ones are for a number that
// begins with any word, or for none to come.
const (
	maskBits = 56
	maskRest = 1 << maskBits // for none; shifted left for more
	manyRest = 7
)

// restBit returns the bit of a piece with which begin a number of words, up to
// manyRest.
func (p *piece) restBit(words uint) uint64 {
	hash := uint32(p.mix>>32) + uint32(words)*0x9e3779b9
	return 1 << (uint64(hash) * maskBits >> 32 % 64)
}

// newSlab returns a slab for n nodes, with room for two thirds as many again.
func newSlab(n int) *slab {
	size := 1 + nodesSpare + 2*n + 3*n/8
	if size > nodesMax {
		panic("topic: more than 2^27 words in binding keys")
	}
	s := &slab{nodes: make([]node, size), kids: make([]uint32, size)}
	s.lists.Store(new([]*destList))
	return s
}

// full reports whether n more nodes would take the table beyond 7/10 of its
// slots, where probes get long.
func (s *slab) full(n int) bool { return 10*(s.used+n) > 7*len(s.nodes) }

// sparse reports whether it is time to give back the memory of dead nodes, which
// readers also have to pass.
func (s *slab) sparse() bool { return 2*s.dead > s.used-s.dead+64 }

// home returns the slot at which to begin to look for a child of parent. The
// hash is uniform already; the multiplication spreads the parents, and another
// maps the result to the table's size.
func (s *slab) home(parent uint32, mix uint64) uint32 {
	hi, _ := bits.Mul64(mix+uint64(parent)*0x9e3779b97f4a7c15, uint64(len(s.nodes)-1))
	return 1 + uint32(hi)
}

// find returns the child of parent by a piece, or 0. It also finds nodes that
// are unlinked; they have no destinations.
func (s *slab) find(parent uint32, p *piece) uint32 {
	want := parent<<kindBits | p.kind()
	slot := s.home(parent, p.mix)
	for {
		if uint(slot) >= uint(len(s.nodes)) {
			slot = 1
		}
		n := &s.nodes[slot]
		edge := n.edge.Load()
		if edge == want && n.code == p.code {
			return slot
		}
		if edge == 0 {
			return 0
		}
		slot++
	}
}

// vacant returns the free slot where a child that is not there belongs.
func (s *slab) vacant(parent uint32, p *piece) uint32 {
	slot := s.home(parent, p.mix)
	for s.nodes[slot].edge.Load() != 0 {
		slot++
		if int(slot) == len(s.nodes) {
			slot = 1
		}
	}
	return slot
}

// enter returns the child of parent by a piece, made and linked as needed.
func (s *slab) enter(parent uint32, p *piece) uint32 {
	slot := s.find(parent, p)
	if slot == 0 {
		slot = s.add(parent, p)
	} else if s.idle(slot) {
		s.dead--
	} else {
		return slot
	}
	s.link(parent, slot, p)
	return slot
}

// add makes a child of parent, which is not linked yet.
func (s *slab) add(parent uint32, p *piece) uint32 {
	slot := s.vacant(parent, p)
	s.nodes[slot].code = p.code
	s.nodes[slot].edge.Store(parent<<kindBits | p.kind()) // readers may find it from here on
	s.used++
	return slot
}

// link makes a child known to its parent.
func (s *slab) link(parent, child uint32, p *piece) {
	up := &s.nodes[parent]
	s.kids[parent]++
	switch p.kind() {
	case edgeStar:
		up.star.Store(child)
	case edgeHash:
		up.data.Store(up.data.Load() | uint64(child)<<hashShift)
	}
}

func (n *node) admit(bits uint64) {
	if mask := n.mask.Load(); mask&bits != bits {
		n.mask.Store(mask | bits)
	}
}

// admitRest tells the nodes on the way to one, which is about to accept, what
// may follow from each.
func (s *slab) admitRest(at uint32) {
	least, most := uint(0), uint(0) // words to come
	for bits := uint64(maskRest); ; {
		n := &s.nodes[at]
		n.admit(bits)
		if at == 0 {
			return
		}
		edge := n.edge.Load()
		kind := edge & (1<<kindBits - 1)
		switch kind {
		case edgeHash:
			most = manyRest
		case pieceInner:
		default:
			least, most = min(least+1, manyRest), min(most+1, manyRest)
		}
		var p piece
		p.set(seeded, n.code, kind)
		bits = 0
		for rest := least; rest <= most; rest++ {
			if kind == edgeStar || kind == edgeHash {
				bits |= maskRest << rest
			} else {
				bits |= p.restBit(rest)
			}
		}
		at = edge >> kindBits
	}
}

// unlink takes the child by p from its parent. The parent's mask keeps the bits,
// which other children may share, until there are no children.
func (s *slab) unlink(parent uint32, p *piece) {
	up := &s.nodes[parent]
	s.kids[parent]--
	switch p.kind() {
	case edgeStar:
		up.star.Store(0)
	case edgeHash:
		up.data.Store(up.data.Load() &^ dataHash)
	}
	if s.kids[parent] == 0 {
		up.mask.Store(maskRest)
	}
	s.dead++
}

// hashChild returns the child by '#', or 0.
func (n *node) hashChild() uint32 { return uint32(n.data.Load()) >> hashShift }

// accept adds the destinations of a node to r. A walk enters a node once, so only
// destinations of several nodes can be there twice.
func (s *slab) accept(n *node, r *results) {
	switch data := n.data.Load(); data & dataWhat {
	case dataOne:
		r.addOne(Dest(data >> 32))
	case dataMany:
		s.list(data).addTo(r)
	}
}

// idle reports whether a node has neither destinations nor children.
func (s *slab) idle(slot uint32) bool {
	data := s.nodes[slot].data.Load()
	return s.kids[slot] == 0 && (data&dataWhat == dataNone ||
		data&dataWhat == dataMany && s.list(data).n == 0)
}

func (s *slab) list(data uint64) *destList { return (*s.lists.Load())[data>>32] }

// newList gives a node's destinations a list and returns the node's data.
func (s *slab) newList(l *destList) uint64 {
	lists := append(*s.lists.Load(), l)
	s.lists.Store(&lists)
	return uint64(len(lists)-1)<<32 | dataMany
}

// addDest adds a destination to a node and reports whether it was new.
func (s *slab) addDest(n *node, d Dest) bool {
	data := n.data.Load()
	switch data & dataWhat {
	case dataNone:
		n.data.Store(uint64(d)<<32 | data&dataHash | dataOne)
	case dataOne:
		old := Dest(data >> 32)
		if old == d {
			return false
		}
		l := newDestList(old)
		l.add(d)
		n.data.Store(s.newList(l) | data&dataHash)
	case dataMany:
		l := s.list(data)
		if l.find(d) >= 0 {
			return false
		}
		l.add(d)
	}
	return true
}

// removeDest removes a destination from a node and reports whether it was there.
func (s *slab) removeDest(n *node, d Dest) bool {
	data := n.data.Load()
	switch {
	case data&dataWhat == dataOne && Dest(data>>32) == d:
		n.data.Store(data & dataHash)
		return true
	case data&dataWhat == dataMany:
		return s.list(data).remove(d)
	}
	return false
}

// compact returns a slab of the live nodes with room for more of them.
func (s *slab) compact(more int) *slab {
	t := newSlab(s.used - s.dead + more)
	moved := make([]uint32, len(s.nodes)) // new slots; 0 is not moved yet
	s.moveData(t, 0, 0)
	for slot := 1; slot < len(s.nodes); slot++ {
		if slot := uint32(slot); s.nodes[slot].edge.Load() != 0 && !s.idle(slot) {
			s.move(t, moved, slot)
		}
	}
	return t
}

// move copies a node to t, its ancestors first, unless that is done.
func (s *slab) move(t *slab, moved []uint32, slot uint32) uint32 {
	if slot == 0 || moved[slot] != 0 {
		return moved[slot]
	}
	n := &s.nodes[slot]
	edge := n.edge.Load()
	parent := s.move(t, moved, edge>>kindBits)
	var p piece
	p.set(seeded, n.code, edge&(1<<kindBits-1))
	to := t.add(parent, &p)
	t.link(parent, to, &p)
	moved[slot] = to
	s.moveData(t, slot, to)
	return to
}

// moveData copies a node's destinations. Its children come by themselves.
func (s *slab) moveData(t *slab, from, to uint32) {
	data := s.nodes[from].data.Load()
	switch {
	case data&dataWhat == dataMany && s.list(data).n > 1:
		data = t.newList(s.list(data).compact())
	case data&dataWhat == dataMany && s.list(data).n == 1:
		data = uint64(s.list(data).all()[0])<<32 | dataOne
	case data&dataWhat == dataOne:
		data &^= dataHash
	default:
		data = 0
	}
	n := &t.nodes[to]
	n.data.Store(data | n.data.Load()&dataHash)
	if s.dead == 0 { // few bits of masks are there without need
		n.mask.Store(s.nodes[from].mask.Load())
	} else if data != 0 {
		t.admitRest(to)
	}
}
