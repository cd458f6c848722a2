package topic

import (
	"math/bits"
	"slices"
	"sync"
)

// Bitmap gives every binding key a bit. It keeps, for each place, a bit set of the
// keys with '*' at that place and, for each word at that place, a bit set of the
// keys with that word. A match intersects these sets, 64 keys in one operation
// (Treat's inverted bitmap, 2016; here one for each number of words, so that
// lengths need no test). Sets of words omit empty machine words, since most words
// are rare. Binding keys with '#' before the end go to an nfa.
//
// A match costs words x keys/64, counting the keys of fitting length, and has no
// branch that depends on the key. Use it for about a thousand binding keys with
// many '*'.

func init() {
	Register(Strategy{
		Name: "bitmap",
		Doc:  "intersection of bit sets, one for each place and word; '#' before the end goes to the automaton",
		Bare: func() Matcher { return &bitmap{rest: newNFA()} },
	})
}

type bitmap struct {
	rest    *nfa // the binding keys with '#' before the end
	n       int  // number of bindings, those of rest not counted
	classes []*bitClass
}

// A bitClass holds the binding keys with the same number of words that agree in
// whether '#' comes last.
type bitClass struct {
	words  int
	hash   bool
	bits   map[string]int // the bit of each key
	dests  [][]Dest       // the destinations of each bit's key
	free   []int          // bits for reuse
	places []bitPlace
}

// A bitPlace holds the sets of one place.
type bitPlace struct {
	star  []uint64 // keys with '*' here
	words map[string][]bitBlock
}

// A bitBlock is a machine word of a set that omits the words that are zero.
type bitBlock struct {
	index int
	bits  uint64
}

func (m *bitmap) Len() int { return m.n + m.rest.Len() }

func (m *bitmap) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey)
	s, ws, ok := shapeOf(bindingKey)
	if !ok {
		return m.rest.Bind(bindingKey, d)
	}
	c := m.class(s)
	if c == nil {
		c = &bitClass{words: s.words, hash: s.hash, bits: make(map[string]int), places: make([]bitPlace, s.words)}
		m.classes = append(m.classes, c)
	}
	bit, bound := c.bits[bindingKey]
	if !bound {
		bit = c.take(bindingKey)
		for i, w := range ws {
			c.places[i].set(w, bit)
		}
	}
	if slices.Contains(c.dests[bit], d) {
		return false
	}
	c.dests[bit] = append(c.dests[bit], d)
	m.n++
	return true
}

func (m *bitmap) Unbind(bindingKey string, d Dest) bool {
	s, ws, ok := shapeOf(bindingKey)
	if !ok {
		return m.rest.Unbind(bindingKey, d)
	}
	c := m.class(s)
	if c == nil {
		return false
	}
	bit, bound := c.bits[bindingKey]
	if !bound {
		return false
	}
	i := slices.Index(c.dests[bit], d)
	if i < 0 {
		return false
	}
	m.n--
	if c.dests[bit] = slices.Delete(c.dests[bit], i, i+1); len(c.dests[bit]) > 0 {
		return true
	}
	for i, w := range ws {
		c.places[i].clear(w, bit)
	}
	c.dests[bit] = nil
	c.free = append(c.free, bit)
	if delete(c.bits, bindingKey); len(c.bits) == 0 {
		m.classes = slices.DeleteFunc(m.classes, func(e *bitClass) bool { return e == c })
	}
	return true
}

func (m *bitmap) class(s shape) *bitClass {
	for _, c := range m.classes {
		if c.words == s.words && c.hash == s.hash {
			return c
		}
	}
	return nil
}

// take gives a key a bit that no key has.
func (c *bitClass) take(bindingKey string) int {
	bit := len(c.dests)
	if n := len(c.free); n > 0 {
		bit = c.free[n-1]
		c.free = c.free[:n-1]
	} else {
		c.dests = append(c.dests, nil)
		if bit%64 == 0 {
			for i := range c.places {
				c.places[i].star = append(c.places[i].star, 0)
			}
		}
	}
	c.bits[bindingKey] = bit
	return bit
}

func (p *bitPlace) set(w string, bit int) {
	if w == "*" {
		p.star[bit/64] |= 1 << (bit % 64)
		return
	}
	blocks := p.words[w]
	i, found := findBlock(blocks, bit/64)
	if !found {
		blocks = slices.Insert(blocks, i, bitBlock{index: bit / 64})
	}
	blocks[i].bits |= 1 << (bit % 64)
	if p.words == nil {
		p.words = make(map[string][]bitBlock)
	}
	p.words[w] = blocks
}

func (p *bitPlace) clear(w string, bit int) {
	if w == "*" {
		p.star[bit/64] &^= 1 << (bit % 64)
		return
	}
	blocks := p.words[w]
	i, _ := findBlock(blocks, bit/64)
	blocks[i].bits &^= 1 << (bit % 64)
	if blocks[i].bits != 0 {
		return
	}
	if blocks = slices.Delete(blocks, i, i+1); len(blocks) == 0 {
		delete(p.words, w)
		return
	}
	p.words[w] = blocks
}

func findBlock(blocks []bitBlock, index int) (int, bool) {
	return slices.BinarySearchFunc(blocks, index, func(b bitBlock, index int) int { return b.index - index })
}

func (m *bitmap) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = m.MatchSteps(dst, routingKey)
	return dst
}

func (m *bitmap) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	w := bitWalkPool.Get().(*bitWalk)
	w.key, w.found, w.steps = splitRouting(routingKey), newResults(dst), 0
	for _, c := range m.classes {
		if c.words == w.key.n() || c.hash && c.words < w.key.n() {
			w.intersect(c)
		}
	}
	if m.rest.Len() > 0 {
		w.steps += m.rest.match(&w.found, routingKey)
	}
	dst, steps := w.found.unique(), w.steps
	w.key.free()
	clear(w.sets[:cap(w.sets)])
	w.key, w.found = nil, results{}
	bitWalkPool.Put(w)
	return dst, steps
}

var bitWalkPool = sync.Pool{New: func() any { return new(bitWalk) }}

// A bitWalk is one match.
type bitWalk struct {
	key   *routingWords
	found results
	sets  []bitSets
	steps int
}

// bitSets are the two sets of a place that a matching binding key is in one of: the
// keys with '*' and the keys with the routing key's word.
type bitSets struct {
	star   []uint64
	blocks []bitBlock // the set of the word, from the next block on
}

// intersect adds the destinations of those keys of a class that match.
func (w *bitWalk) intersect(c *bitClass) {
	w.sets = w.sets[:0]
	for i := range c.places {
		p := &c.places[i]
		w.sets = append(w.sets, bitSets{p.star, p.words[string(w.key.at(i))]})
	}
	for block := range (len(c.dests) + 63) / 64 {
		keys := ^uint64(0)
		for i := range w.sets {
			w.steps++
			if keys &= w.sets[i].take(block); keys == 0 {
				break
			}
		}
		for ; keys != 0; keys &= keys - 1 {
			bit := 64*block + bits.TrailingZeros64(keys)
			if bit >= len(c.dests) {
				break
			}
			w.found.add(c.dests[bit])
		}
	}
}

// take returns the keys of a block whose word at this place may be the routing
// key's. Blocks are taken in rising order.
func (s *bitSets) take(block int) uint64 {
	for len(s.blocks) > 0 && s.blocks[0].index < block {
		s.blocks = s.blocks[1:]
	}
	if len(s.blocks) > 0 && s.blocks[0].index == block {
		return s.star[block] | s.blocks[0].bits
	}
	return s.star[block]
}
