package topic

import "math/bits"

// shortPieces is up to how many pieces of a routing key a match keeps on the
// stack, with position sets of one machine word.
const shortPieces = 15

// A walk is one match of a short key. Positions are counted in pieces: position
// i is before piece i, and the last one after all pieces. Most states are live
// at one position; those behind a '#' are visited with a set of positions, a bit
// for each.
type walk struct {
	slab   *slab
	steps  int
	end    uint                   // the position after the last piece
	bounds uint32                 // positions between words, with the first and the last
	inner  uint32                 // the other positions, within words
	next   [shortPieces + 1]uint8 // the position after the word at each, where '*' leads
	places [shortPieces + 1]place
}

// at returns the place at position i. The number of places is a power of two, so
// that there is no bound to check.
func (w *walk) at(i uint) *place { return &w.places[i%uint(len(w.places))] }

// afterWord returns the position after the word, or what is left of it, at i.
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
		// The child is looked for before '*' is followed, so that the memory both
		// need is fetched at the same time.
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

// visitRest enters the child by '#' of a node that is live at position i. Most often
// '#' ends the binding key, and there is nothing to find out.
func (w *walk) visitRest(hash uint32, i uint, r *results) {
	if n := &w.slab.nodes[hash]; n.mask.Load() == maskRest {
		w.steps++
		w.slab.accept(n, r)
		return
	}
	w.visitSet(hash, w.bounds&-(1<<i), r)
}

// nextWord returns the ends of the words that begin at the positions p. The sum
// carries a position over the inner ones of its word.
func (w *walk) nextWord(p uint32) uint32 { return (p<<1 + w.inner) &^ w.inner }

// visitSet enters a node that is live at any positions p.
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
				// Equal pieces lead to one node, which is entered once.
				same = w.equal(&at.piece, p)
				w.visitSet(child, same<<1, r)
			}
		}
		p &^= same
	}
}

// live returns those of the positions p that need a bit of mask.
func (w *walk) live(mask uint64, p uint32) (live uint32) {
	for ; p != 0; p &= p - 1 {
		if w.at(uint(bits.TrailingZeros32(p))).need&mask != 0 {
			live |= p & -p
		}
	}
	return live
}

// equal returns those of the positions p that hold an equal piece.
func (w *walk) equal(part *piece, p uint32) (same uint32) {
	for ; p != 0; p &= p - 1 {
		if w.at(uint(bits.TrailingZeros32(p))).piece == *part {
			same |= p & -p
		}
	}
	return same
}
