package topic

import (
	"math/bits"
	"slices"
	"sync"
)

// A longWalk is one match of a routing key of any number of words. Its position
// sets are slices of machine words, kept on the stack sets. The walk groups equal
// pieces of the key first, so that a node looks up each distinct piece once,
// however often the key repeats it. Walks come from a pool.
type longWalk struct {
	slab   *slab
	found  results
	steps  int
	parts  []piece
	end    int      // the position after the last piece
	width  int      // machine words a set
	bounds []uint64 // positions between words, with the first and the last
	inner  []uint64 // the other positions, within words
	sets   []uint64 // a stack: a set for each node on the path down

	distinct []distinctPiece
	where    []uint64  // for each distinct piece, the set of its positions
	heads    [64]int32 // by hash: 1 + the first of distinct, or 0
}

// A distinctPiece is a piece that occurs in the key, once or more.
type distinctPiece struct {
	part int32  // one of its positions
	next int32  // 1 + the next with the same hash, or 0
	kids uint64 // its bits in a node's mask
}

var longWalkPool = sync.Pool{New: func() any { return new(longWalk) }}

// longKeep is the length of the longest key, in bytes, after which a pooled walk
// keeps its memory.
const longKeep = 2 * MaxKeyLen

// matchLong adds the destinations that match a routing key that is too long for a
// walk.
func matchLong(s *slab, r *results, key []byte) (steps int) {
	w := longWalkPool.Get().(*longWalk)
	w.slab, w.found, w.steps = s, *r, 0
	w.prepare(key)
	w.sets = append(w.sets[:0], w.bounds...)
	clear(w.sets)
	w.sets[0] = 1
	w.visit(0, 0)
	*r, steps = w.found, w.steps
	w.slab, w.found = nil, results{}
	if len(key) <= longKeep {
		longWalkPool.Put(w)
	}
	return steps
}

// prepare splits the key and lists its distinct pieces.
func (w *longWalk) prepare(key []byte) {
	w.parts = slices.Grow(w.parts[:0], len(key)+1)[:len(key)+1]
	w.end, _ = split(w.parts, key)
	w.parts = w.parts[:w.end]
	w.width = w.end/64 + 1
	w.bounds = zeros(w.bounds[:0], w.width)
	w.inner = zeros(w.inner[:0], w.width)
	w.distinct, w.where = w.distinct[:0], w.where[:0]
	clear(w.heads[:])
	set(w.bounds, 0)
	for i := range w.parts {
		if w.parts[i].kind() == pieceInner {
			set(w.inner, i+1)
		} else {
			set(w.bounds, i+1)
		}
	}
	rest := uint(1)
	for i := w.end - 1; i >= 0; i-- {
		d := w.distinctOf(i)
		w.distinct[d].kids |= w.parts[i].restBit(rest)
		set(w.positions(d), i)
		if i > 0 && w.parts[i-1].kind() != pieceInner {
			rest = min(rest+1, manyRest)
		}
	}
}

// distinctOf returns the index in distinct of the i-th piece.
func (w *longWalk) distinctOf(i int) int32 {
	p := &w.parts[i]
	head := &w.heads[p.mix>>58]
	for d := *head; d != 0; d = w.distinct[d-1].next {
		q := &w.parts[w.distinct[d-1].part]
		if p.code == q.code && p.kind() == q.kind() {
			return d - 1
		}
	}
	w.distinct = append(w.distinct, distinctPiece{part: int32(i), next: *head})
	w.where = zeros(w.where, w.width)
	*head = int32(len(w.distinct))
	return *head - 1
}

// positions returns the positions of a distinct piece.
func (w *longWalk) positions(d int32) []uint64 {
	return w.where[int(d)*w.width:][:w.width]
}

// push makes room for a set on the stack and returns its index. Sets move in
// memory when the stack grows.
func (w *longWalk) push() int {
	at := len(w.sets)
	w.sets = zeros(w.sets, w.width)
	return at
}

func (w *longWalk) pop() { w.sets = w.sets[:len(w.sets)-w.width] }

func (w *longWalk) set(at int) []uint64 { return w.sets[at:][:w.width] }

// visit enters a node that is live at the positions of the set at p.
func (w *longWalk) visit(at uint32, p int) {
	w.steps++
	n := &w.slab.nodes[at]
	last, end := w.end/64, uint64(1)<<(w.end%64)
	if w.set(p)[last]&end != 0 {
		w.slab.accept(n, &w.found)
	}
	if hash := n.hashChild(); hash != 0 {
		w.visitHash(hash, lowest(w.set(p), w.set(p), 0))
	}
	w.set(p)[last] &^= end
	if empty(w.set(p)) {
		return
	}
	if star := n.star.Load(); star != 0 {
		child := w.push()
		nextWord(w.set(child), w.set(p), w.inner)
		w.visit(star, child)
		w.pop()
	}
	mask := n.mask.Load()
	if mask&(maskRest-1) == 0 {
		return
	}
	for d := range w.distinct {
		if mask&w.distinct[d].kids != 0 {
			w.follow(at, p, int32(d))
		}
	}
}

// follow visits the child by a distinct piece of a node that is live at the
// positions of the set at p.
func (w *longWalk) follow(at uint32, p int, d int32) {
	w.steps++
	child := w.push()
	if nextWhere(w.set(child), w.set(p), w.positions(d)) {
		if next := w.slab.find(at, &w.parts[w.distinct[d].part]); next != 0 {
			w.visit(next, child)
		}
	}
	w.pop()
}

// visitHash enters a node that '#' leads to. The node is live at all positions
// between words from low on, so low stands for the whole set.
func (w *longWalk) visitHash(at uint32, low int) {
	w.steps++
	n := &w.slab.nodes[at]
	w.slab.accept(n, &w.found)
	mask := n.mask.Load()
	if mask == maskRest {
		return
	}
	if hash := n.hashChild(); hash != 0 {
		w.visitHash(hash, low)
	}
	if low == w.end {
		return
	}
	if star := n.star.Load(); star != 0 {
		child := w.push()
		from(w.set(child), w.bounds, low+1) // the ends of the words that begin at low or later
		w.visit(star, child)
		w.pop()
	}
	for d := range w.distinct {
		if mask&w.distinct[d].kids != 0 {
			w.followFrom(at, low, int32(d))
		}
	}
}

// followFrom visits the child by a distinct piece of a node that is live at all
// positions between words from low on.
func (w *longWalk) followFrom(at uint32, low int, d int32) {
	w.steps++
	where := w.positions(d)
	first := lowest(w.bounds, where, low)
	if first < 0 {
		return
	}
	next := w.slab.find(at, &w.parts[w.distinct[d].part])
	if next == 0 {
		return
	}
	n := &w.slab.nodes[next]
	if n.star.Load() == 0 && n.mask.Load()&(maskRest-1) == 0 { // no child but one by '#'
		w.steps++
		if lowest(w.bounds, where, w.end-1) >= 0 {
			w.slab.accept(n, &w.found)
		}
		if hash := n.hashChild(); hash != 0 {
			w.visitHash(hash, first+1)
		}
		return
	}
	child := w.push()
	from(w.set(child), w.bounds, low)
	nextWhere(w.set(child), w.set(child), where)
	w.visit(next, child)
	w.pop()
}

// zeros appends n zeros to s.
func zeros(s []uint64, n int) []uint64 {
	for range n {
		s = append(s, 0)
	}
	return s
}

func set(s []uint64, i int) { s[i/64] |= 1 << (i % 64) }

func empty(s []uint64) bool {
	for _, x := range s {
		if x != 0 {
			return false
		}
	}
	return true
}

// from sets dst to the members of s that are at least low.
func from(dst, s []uint64, low int) {
	clear(dst[:low/64])
	dst[low/64] = s[low/64] &^ (1<<(low%64) - 1)
	copy(dst[low/64+1:], s[low/64+1:])
}

// lowest returns the lowest member of both sets that is at least low, or -1.
func lowest(a, b []uint64, low int) int {
	x := a[low/64] & b[low/64] &^ (1<<(low%64) - 1)
	for i := low / 64; ; x = a[i] & b[i] {
		if x != 0 {
			return 64*i + bits.TrailingZeros64(x)
		}
		if i++; i == len(a) {
			return -1
		}
	}
}

// nextWord sets dst to the ends of the words that begin at p. Adding p to the set
// of inner positions carries each bit of p past the inner positions of its word.
func nextWord(dst, p, inner []uint64) {
	var shifted, carry uint64
	for i := range dst {
		dst[i], carry = bits.Add64(p[i]<<1|shifted, inner[i], carry)
		dst[i] &^= inner[i]
		shifted = p[i] >> 63
	}
}

// nextWhere sets dst to the successors of the positions that are in both p and
// where, and reports whether there are any.
func nextWhere(dst, p, where []uint64) bool {
	var shifted, any uint64
	for i := range dst {
		x := p[i] & where[i]
		dst[i] = x<<1 | shifted
		shifted = x >> 63
		any |= dst[i]
	}
	return any != 0
}
