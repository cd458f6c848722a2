package topic

import "math/bits"

// shortPieces is up to how many pieces of a routing key a match keeps on the
// stack, with position sets of one machine word.
const shortPieces = 16

// A walk is one match of a short key. Positions are counted in pieces: position
// i is before piece i, and the last one after all pieces.
type walk struct {
	slab   *slab
	steps  int
	end    uint64 // the position after the last piece
	bounds uint64 // positions between words, with the first and the last
	inner  uint64 // the other positions, within words
	parts  [shortPieces]piece
}

// visit enters a node that is live at the one position p.
func (w *walk) visit(at uint32, p uint64, r *results) {
	for {
		w.steps++
		n := &w.slab.nodes[at]
		mask := n.mask.Load()
		rest := bits.OnesCount64(w.bounds & -(p << 1)) // words from p on
		if mask&(maskRest(rest)|maskAnyRest) == 0 {
			return
		}
		if p == w.end {
			w.slab.accept(n, r)
		}
		if hash := n.hash.Load(); hash != 0 {
			w.visitSet(hash, w.bounds&-p, r)
		}
		if p == w.end {
			return
		}
		// The child is looked for before '*' is followed, so that the memory both
		// need is fetched at the same time.
		next := uint32(0)
		if part := &w.parts[bits.TrailingZeros64(p)%shortPieces]; mask&part.bit != 0 {
			w.steps++
			next = w.slab.find(at, part)
		}
		if star := n.star.Load(); star != 0 {
			w.visit(star, w.nextWord(p), r)
		}
		if next == 0 {
			return
		}
		at, p = next, p<<1
	}
}

// nextWord returns the ends of the words that begin at the positions p. The sum
// carries a position over the inner ones of its word.
func (w *walk) nextWord(p uint64) uint64 { return (p<<1 + w.inner) &^ w.inner }

// visitSet enters a node that is live at any positions p.
func (w *walk) visitSet(at uint32, p uint64, r *results) {
	if p&(p-1) == 0 {
		w.visit(at, p, r)
		return
	}
	w.steps++
	n := &w.slab.nodes[at]
	if p&w.end != 0 {
		w.slab.accept(n, r)
	}
	if hash := n.hash.Load(); hash != 0 {
		w.visitSet(hash, w.bounds&-(p&-p), r)
	}
	p &= w.end - 1
	if star := n.star.Load(); star != 0 {
		w.visitSet(star, w.nextWord(p), r)
	}
	// Equal pieces lead to one node, which is entered once.
	for mask := n.mask.Load(); p != 0; {
		part := &w.parts[bits.TrailingZeros64(p)%shortPieces]
		same := p & -p
		if mask&part.bit != 0 {
			w.steps++
			if child := w.slab.find(at, part); child != 0 {
				same = w.equal(part, p)
				w.visitSet(child, same<<1, r)
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
