package topic

import (
	"math/bits"
	"sync/atomic"
)

// A slab holds the nodes of an automaton in an open-addressed table. A node is
// hashed by the edge that leads to it, so one probe both finds a child and loads
// its 32 bytes, half a cache line. A node's name is its slot; slot 0 is the root.
//
// The writer changes a slab in place, beside readers. It writes the fields that
// identify a node before it stores the node's edge, and never changes them
// afterwards; no slot is reused for another node; every other field is one atomic
// word. A node without bindings is unlinked from its parent and otherwise left as
// it is, until compact copies the live nodes to a new slab. The garbage collector
// frees the old slab after its last reader.
type slab struct {
	nodes []node
	lists atomic.Pointer[[]*destList]

	// Only the writer uses these.
	kids []uint32 // number of children of each node
	used int      // slots taken, the root not counted
	dead int      // unlinked nodes among them
}

// A node is a state of the automaton.
type node struct {
	code uint64        // code of the piece that leads here; 0 for '*' and '#'
	mask atomic.Uint64 // which keys it may accept (see maskBits); may have stale bits
	data atomic.Uint64 // destination or index of list <<32 | child by '#' <<hashShift | what
	edge atomic.Uint32 // parent<<kindBits | kind of piece; 0 in a free slot
	star atomic.Uint32 // child by '*', or 0
}

// What a node's data holds.
const (
	dataNone   = iota
	dataOne    // a destination
	dataMany   // an index of slab.lists; a node that has a list keeps it
	dataWhat   = 3
	hashShift  = kindBits
	dataHash   = 1<<32 - 1<<hashShift
	nodesMax   = 1 << (32 - kindBits)
	nodesSpare = 8
)

// A node's mask tells which rests of a routing key the node and its descendants
// may accept. A rest is described by its number of words, where 7 stands for 7 or
// more, and its first piece. A '#' sets the bits of every number of words that it
// can stand for. The mask spares most visits and probes that would find nothing.
//
// The low maskBits bits are hashes of the number of words and the first piece. The
// bits above them are one for each number of words with any first word, beginning
// with the rest of no words.
const (
	maskBits = 56
	maskRest = 1 << maskBits // for no words; shifted left by the number of words
	manyRest = 7
)

// restBit returns the mask bit of a rest that begins with piece p and has the given
// number of words, at most manyRest.
func (p *piece) restBit(words uint) uint64 {
	hash := uint32(p.mix>>32) + uint32(words)*0x9e3779b9
	return 1 << (uint64(hash) * maskBits >> 32 % 64)
}

// newSlab returns a slab for n nodes with room for two thirds more.
func newSlab(n int) *slab {
	size := 1 + nodesSpare + 2*n + 3*n/8
	if size > nodesMax {
		panic("topic: more than 2^27 words in binding keys")
	}
	s := &slab{nodes: make([]node, size), kids: make([]uint32, size)}
	s.lists.Store(new([]*destList))
	return s
}

// full reports whether n more nodes would fill more than 7/10 of the slots. Beyond
// that probes get long.
func (s *slab) full(n int) bool { return 10*(s.used+n) > 7*len(s.nodes) }

// sparse reports whether there are enough dead nodes to compact the slab: they take
// memory, and readers' probes pass over them.
func (s *slab) sparse() bool { return 2*s.dead > s.used-s.dead+64 }

// home returns the slot at which the search for a child of parent begins. mix is
// uniform already; the first multiplication spreads the parents, and the second
// maps the sum to the table's size.
func (s *slab) home(parent uint32, mix uint64) uint32 {
	hi, _ := bits.Mul64(mix+uint64(parent)*0x9e3779b97f4a7c15, uint64(len(s.nodes)-1))
	return 1 + uint32(hi)
}

// find returns the child of parent by a piece, or 0. It finds unlinked nodes, too,
// which have no destinations.
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

// vacant returns the free slot for a child that the slab does not have.
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

// enter returns the child of parent by a piece. It makes and links the child if
// needed.
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

// add makes a child of parent and leaves it unlinked.
func (s *slab) add(parent uint32, p *piece) uint32 {
	slot := s.vacant(parent, p)
	s.nodes[slot].code = p.code
	s.nodes[slot].edge.Store(parent<<kindBits | p.kind()) // from here on readers may find it
	s.used++
	return slot
}

// link enters a child in its parent's fields.
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

// admit sets bits of the node's mask.
func (n *node) admit(bits uint64) {
	if mask := n.mask.Load(); mask&bits != bits {
		n.mask.Store(mask | bits)
	}
}

// admitRest prepares the masks for a node that is about to get a destination: it
// sets, in every node from there up to the root, the bits of the rests that the
// path below that node accepts.
func (s *slab) admitRest(at uint32) {
	least, most := uint(0), uint(0) // number of words that the path below accepts
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

// unlink removes the child by p from its parent's fields. The parent's mask keeps
// its bits, which other children may share, until the last child is gone.
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

// accept adds the destinations of a node to r. A walk enters each node once, so a
// destination is added twice only if several nodes have it.
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

// newList stores a list of destinations and returns the data of a node that has it.
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

// compact returns a new slab with the live nodes and room for more.
func (s *slab) compact(more int) *slab {
	t := newSlab(s.used - s.dead + more)
	moved := make([]uint32, len(s.nodes)) // the new slot of each node; 0: not moved yet
	s.moveData(t, 0, 0)
	for slot := 1; slot < len(s.nodes); slot++ {
		if slot := uint32(slot); s.nodes[slot].edge.Load() != 0 && !s.idle(slot) {
			s.move(t, moved, slot)
		}
	}
	return t
}

// move copies a node to t, after its ancestors, unless it is there already. It
// returns the node's slot in t.
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

// moveData copies a node's destinations and mask. The node's children are copied
// by calls of their own.
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
	if s.dead == 0 { // masks have few stale bits
		n.mask.Store(s.nodes[from].mask.Load())
	} else if data != 0 {
		t.admitRest(to)
	}
}
