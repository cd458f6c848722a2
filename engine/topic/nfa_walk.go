package topic

import "math/bits"

// shortPieces is the largest number of pieces of a routing key that a walk
// handles: it keeps them on the stack and its position sets in one machine word.
// longWalk handles longer keys.
const shortPieces = 15

// A walk is one match of a short routing key. Positions are counted in pieces:
// position i is before piece i, and position end is after the last piece. Most
// states are live at one position, which visit takes; states behind a '#' are
// live at several, and visitSet takes those as a bit set.
type walk struct {
	slab   *slab
	steps  int
	end    uint                   // the position after the last piece
	bounds uint32                 // set of the positions between words, 0 and end included
	inner  uint32                 // set of the other positions, those within words
	next   [shortPieces + 1]uint8 // for each position the end of its word, where '*' leads
	places [shortPieces + 1]place
}

// at returns the place at position i. The number of places is a power of two, so
// the compiler checks no bound.
func (w *walk) at(i uint) *place { return &w.places[i%uint(len(w.places))] }

// afterWord returns the position after the word that position i is in.
func (w *walk) afterWord(i uint) uint { return uint(w.next[i%uint(len(w.next))]) }

// visit enters a node that is live at the one position i.
func (w *walk) visit(node uint32, i uint, r *results) {
	nodes := w.slab.nodes
	for {
		w.steps++
		n := &nodes[node]
		at := w.at(i)
		mask := n.mask.Load() & at.need
		if mask == 0 {
			return
		}
		if hash := n.hashChild(); hash != 0 {
			w.visitRest(hash, i, r)
		}
		if i == w.end {
			w.slab.accept(n, r)
			return
		}
		// Look for the child before following '*', so that the processor fetches
		// the memory of both at the same time.
		next := uint32(0)
		if mask&(maskRest-1) != 0 {
			w.steps++
			next = w.slab.find(node, &at.piece)
		}
		if star := n.star.Load(); star != 0 {
			after := w.afterWord(i)
			if nodes[star].mask.Load()&w.at(after).need != 0 {
				w.visit(star, after, r)
			}
		}
		if next == 0 {
			return
		}
		node, i = next, i+1
	}
}

// visitRest enters the child by '#' of a node that is live at position i. In most
// binding keys '#' comes last; such a child accepts whatever words follow.
func (w *walk) visitRest(hash uint32, i uint, r *results) {
	if n := &w.slab.nodes[hash]; n.mask.Load() == maskRest {
		w.steps++
		w.slab.accept(n, r)
		return
	}
	w.visitSet(hash, w.bounds&-(1<<i), r)
}

// nextWord returns the ends of the words that begin at the positions p. Adding p to
// the set of inner positions carries each bit of p past the inner ones of its word.
func (w *walk) nextWord(p uint32) uint32 { return (p<<1 + w.inner) &^ w.inner }

// visitSet enters a node that is live at each of the positions p.
func (w *walk) visitSet(node uint32, p uint32, r *results) {
	if p&(p-1) == 0 {
		if p != 0 {
			w.visit(node, uint(bits.TrailingZeros32(p)), r)
		}
		return
	}
	w.steps++
	n := &w.slab.nodes[node]
	end := uint32(1) << w.end
	if p&end != 0 {
		w.slab.accept(n, r)
	}
	if hash := n.hashChild(); hash != 0 {
		w.visitSet(hash, w.bounds&-(p&-p), r)
	}
	mask := n.mask.Load()
	if mask == maskRest {
		return
	}
	p &= end - 1
	if star := n.star.Load(); star != 0 {
		if words := w.live(mask&^(maskRest-1), p); words != 0 {
			w.visitSet(star, w.nextWord(words), r)
		}
	}
	for p != 0 {
		at := w.at(uint(bits.TrailingZeros32(p)))
		same := p & -p
		if mask&at.need&(maskRest-1) != 0 {
			w.steps++
			if child := w.slab.find(node, &at.piece); child != 0 {
				// Equal pieces lead to the same node: enter it once, for all of them.
				same = w.equal(&at.piece, p)
				w.visitSet(child, same<<1, r)
			}
		}
		p &^= same
	}
}

// live returns those of the positions p at which a node with this mask may accept.
func (w *walk) live(mask uint64, p uint32) (live uint32) {
	for ; p != 0; p &= p - 1 {
		if w.at(uint(bits.TrailingZeros32(p))).need&mask != 0 {
			live |= p & -p
		}
	}
	return live
}

// equal returns those of the positions p whose piece equals the given one.
func (w *walk) equal(part *piece, p uint32) (same uint32) {
	for ; p != 0; p &= p - 1 {
		if w.at(uint(bits.TrailingZeros32(p))).piece == *part {
			same |= p & -p
		}
	}
	return same
}
