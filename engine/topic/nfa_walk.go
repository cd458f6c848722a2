package topic

import "math/bits"

// shortPieces is up to how many pieces of a routing key a match keeps on the
// stack, with position sets of one machine word.
const shortPieces = 16

// A walk is one match of a short key. Positions are counted in pieces: position
// i is before piece i, and the last one after all pieces.
type walk struct {
	matched
	end    uint64 // the position after the last piece
	bounds uint64 // positions between words, with the first and the last
	inner  uint64 // the other positions, within words
	parts  [shortPieces]piece
}

// visit enters a node that is live at the positions p.
func (w *walk) visit(at uint32, p uint64) {
	for {
		w.steps++
		n := &w.slab.nodes[at]
		if p&w.end != 0 {
			w.accept(n)
		}
		if hash := n.hash.Load(); hash != 0 {
			w.visit(hash, w.bounds&-(p&-p))
		}
		p &= w.end - 1
		if p == 0 {
			return
		}
		if star := n.star.Load(); star != 0 {
			// The sum carries a position over the inner ones of its word.
			w.visit(star, (p<<1+w.inner)&^w.inner)
		}
		mask := n.mask.Load()
		if p&(p-1) != 0 {
			w.visitEach(at, mask, p)
			return
		}
		part := &w.parts[bits.TrailingZeros64(p)%shortPieces]
		if mask&part.bit() == 0 {
			return
		}
		w.steps++
		if at = w.slab.find(at, part); at == 0 {
			return
		}
		p <<= 1
	}
}

// visitEach goes on from a node by the pieces at the positions p. Equal pieces
// lead to one node, which is entered once.
func (w *walk) visitEach(at, mask uint32, p uint64) {
	for p != 0 {
		first := bits.TrailingZeros64(p)
		part := &w.parts[first%shortPieces]
		same := uint64(1) << first
		if mask&part.bit() != 0 {
			w.steps++
			if child := w.slab.find(at, part); child != 0 {
				same = w.equal(part, p)
				w.visit(child, same<<1)
			}
		}
		p &^= same
	}
}

// equal returns those of the positions p that hold an equal piece.
func (w *walk) equal(part *piece, p uint64) (same uint64) {
	for ; p != 0; p &= p - 1 {
		i := bits.TrailingZeros64(p) % shortPieces
		if w.parts[i].code == part.code && w.parts[i].kind == part.kind {
			same |= p & -p
		}
	}
	return same
}

// matched is what a walk has found so far.
type matched struct {
	slab  *slab
	dst   []Dest
	from  int // where its own part of dst begins
	lists int // how many nodes gave destinations
	steps int
}

// accept appends the destinations of a node.
func (m *matched) accept(n *node) {
	switch data := n.data.Load(); data & dataWhat {
	case dataOne:
		m.dst = append(m.dst, Dest(data>>32))
		m.lists++
	case dataMany:
		var once bool
		m.dst, once = m.slab.list(data).appendTo(m.dst)
		m.lists++
		if !once {
			m.lists++
		}
	}
}

// result returns dst and the steps taken. A node is entered once, so only
// destinations of several nodes can be there twice.
func (m *matched) result() ([]Dest, int) {
	if m.lists > 1 {
		m.dst = unique(m.dst, m.from)
	}
	return m.dst, m.steps
}
