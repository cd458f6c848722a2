package topic

import "math/bits"

// Tuple is tuple-space search (Srinivasan, Suri and Varghese, 1999), as in the
// flow tables of switches. Binding keys have the same shape if they have the same
// number of words, '*' at the same places, and agree in whether '#' comes last.
// Within a shape a match compares literal words only, so one probe of a hash table
// answers for all its keys. A match probes once for each shape that fits the number
// of words. Binding keys with '#' elsewhere go to an nfa.
//
// A match costs a probe for each shape, however many bindings there are. Use it
// where a million binding keys have a handful of shapes.

func init() {
	Register(Strategy{
		Name: "tuple",
		Doc:  "one hash probe for each shape of binding key; '#' before the end goes to the automaton",
		Bare: func() Matcher { return newTuple() },
	})
}

type tuple struct {
	rest   *nfa     // the binding keys that have no shape
	n      int      // number of bindings, those of rest not counted
	exact  []*shape // shapes without '#'
	prefix []*shape // shapes with '#' at the end

	slots []tupleSlot // open-addressed, a power of two of them
	keys  int         // number of slots taken
}

// A shape is what binding keys have in common if they differ in literal words only.
type shape struct {
	words   int
	literal uint64 // set of the places of literal words
	hash    bool   // '#' follows
	keys    int
	seed    uint64 // seed of the hashes of this shape's keys
}

type tupleSlot struct {
	hash uint64
	key  *tupleKey // nil if the slot is free
}

type tupleKey struct {
	key   string
	shape *shape
	words []string
	dests []Dest
}

// tupleWords is the largest number of words of a shape, which has a bit for each.
const tupleWords = 64

func newTuple() *tuple {
	return &tuple{rest: newNFA(), slots: make([]tupleSlot, 16)}
}

func (t *tuple) Len() int { return t.n + t.rest.Len() }

// shapeOf returns the shape of a binding key, without a seed, and the key's words
// before a last '#'. A key with '#' elsewhere has no shape.
func shapeOf(bindingKey string) (s shape, ws []string, ok bool) {
	ws = words(bindingKey)
	if n := len(ws); n > 0 && ws[n-1] == "#" {
		s.hash = true
		ws = ws[:n-1]
	}
	s.words = len(ws)
	if s.words > tupleWords {
		return s, nil, false
	}
	for i, w := range ws {
		switch w {
		case "#":
			return s, nil, false
		case "*":
		default:
			s.literal |= 1 << i
		}
	}
	return s, ws, true
}

func (t *tuple) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey)
	want, ws, ok := shapeOf(bindingKey)
	if !ok {
		return t.rest.Bind(bindingKey, d)
	}
	s := t.shape(want)
	at, found := t.probe(s.hashWords(ws), bindingKey)
	if !found {
		if s.keys == 0 {
			t.addShape(s)
		}
		s.keys++
		at = t.insert(tupleSlot{s.hashWords(ws), &tupleKey{bindingKey, s, ws, nil}})
	}
	k := t.slots[at].key
	for _, e := range k.dests {
		if e == d {
			return false
		}
	}
	k.dests = append(k.dests, d)
	t.n++
	return true
}

func (t *tuple) Unbind(bindingKey string, d Dest) bool {
	want, ws, ok := shapeOf(bindingKey)
	if !ok {
		return t.rest.Unbind(bindingKey, d)
	}
	s := t.shape(want)
	at, found := t.probe(s.hashWords(ws), bindingKey)
	if !found {
		return false
	}
	k := t.slots[at].key
	for i, e := range k.dests {
		if e != d {
			continue
		}
		last := len(k.dests) - 1
		k.dests[i] = k.dests[last]
		k.dests = k.dests[:last]
		t.n--
		if last == 0 {
			t.delete(at)
			if s.keys--; s.keys == 0 {
				t.dropShape(s)
			}
		}
		return true
	}
	return false
}

// list returns the list where a shape is kept.
func (t *tuple) list(s *shape) *[]*shape {
	if s.hash {
		return &t.prefix
	}
	return &t.exact
}

// shape returns the listed shape that equals want, or a new one that is not listed
// and has no keys.
func (t *tuple) shape(want shape) *shape {
	for _, s := range *t.list(&want) {
		if s.words == want.words && s.literal == want.literal {
			return s
		}
	}
	want.seed = seeded.mix(want.literal, uint32(want.words)) * seeded.kind[0]
	if want.hash {
		want.seed = ^want.seed
	}
	return &want
}

func (t *tuple) addShape(s *shape) {
	list := t.list(s)
	*list = append(*list, s)
}

func (t *tuple) dropShape(s *shape) {
	list := t.list(s)
	for i, e := range *list {
		if e == s {
			last := len(*list) - 1
			(*list)[i] = (*list)[last]
			(*list)[last] = nil
			*list = (*list)[:last]
			return
		}
	}
}

// hashWord hashes a word at a place. The hash of a key is the sum of its words'
// hashes, so that a match computes each word's hash once for all shapes.
func hashWord(w []byte, at int) uint64 {
	h := seeded.mix(uint64(len(w)), uint32(at))
	for i := 0; i < len(w); i += 8 {
		hi, lo := bits.Mul64(load(w, i)^seeded.code, h|1)
		h = hi ^ lo
	}
	return seeded.mix(h, uint32(at))
}

// hashWords returns the hash of a key of this shape.
func (s *shape) hashWords(ws []string) uint64 {
	h := s.seed
	for i, w := range ws {
		if s.literal>>i&1 != 0 {
			h += hashWord([]byte(w), i)
		}
	}
	return h
}

func (t *tuple) home(hash uint64) int {
	return int(hash * 0x9e3779b97f4a7c15 >> (64 - bits.TrailingZeros(uint(len(t.slots)))))
}

// probe returns the index of the slot of a binding key and whether there is one.
func (t *tuple) probe(hash uint64, key string) (at int, found bool) {
	mask := len(t.slots) - 1
	for i := t.home(hash); ; i++ {
		slot := &t.slots[i&mask]
		if slot.key == nil {
			return 0, false
		}
		if slot.hash == hash && slot.key.key == key {
			return i & mask, true
		}
	}
}

// insert enters a key that the table does not have and returns the index of its
// slot.
func (t *tuple) insert(slot tupleSlot) int {
	if 2*(t.keys+1) > len(t.slots) {
		t.resize(2 * len(t.slots))
	}
	t.keys++
	mask := len(t.slots) - 1
	i := t.home(slot.hash)
	for t.slots[i&mask].key != nil {
		i++
	}
	t.slots[i&mask] = slot
	return i & mask
}

// delete frees a slot and moves keys behind it into the gap, so that no probe for
// them ends there.
func (t *tuple) delete(at int) {
	mask := len(t.slots) - 1
	t.slots[at] = tupleSlot{}
	t.keys--
	for i := at + 1; t.slots[i&mask].key != nil; i++ {
		home := t.home(t.slots[i&mask].hash)
		if (i-home)&mask >= (i-at)&mask {
			t.slots[at&mask], t.slots[i&mask] = t.slots[i&mask], tupleSlot{}
			at = i
		}
	}
	if len(t.slots) > 16 && 8*t.keys < len(t.slots) {
		t.resize(len(t.slots) / 2)
	}
}

func (t *tuple) resize(size int) {
	old := t.slots
	t.slots = make([]tupleSlot, size)
	t.keys = 0
	for _, slot := range old {
		if slot.key != nil {
			t.insert(slot)
		}
	}
}

func (t *tuple) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = t.MatchSteps(dst, routingKey)
	return dst
}

func (t *tuple) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	steps := 0
	found := newResults(dst)
	r := splitRouting(routingKey)
	hashes := r.hashes[:0]
	for i := range min(r.n(), tupleWords) {
		hashes = append(hashes, hashWord(r.at(i), i))
	}
	r.hashes = hashes
	for _, s := range t.exact {
		if s.words == r.n() {
			steps++
			t.matchShape(&found, s, r)
		}
	}
	for _, s := range t.prefix {
		if s.words <= r.n() {
			steps++
			t.matchShape(&found, s, r)
		}
	}
	r.free()
	if t.rest.Len() > 0 {
		steps += t.rest.match(&found, routingKey)
	}
	return found.unique(), steps
}

// matchShape adds the destinations of the only key of a shape that can match.
func (t *tuple) matchShape(found *results, s *shape, r *routingWords) {
	h := s.seed
	for m := s.literal; m != 0; m &= m - 1 {
		h += r.hashes[bits.TrailingZeros64(m)]
	}
	mask := len(t.slots) - 1
	for i := t.home(h); ; i++ {
		slot := &t.slots[i&mask]
		if slot.key == nil {
			return
		}
		if slot.hash == h && slot.key.is(s, r) {
			found.add(slot.key.dests)
			return
		}
	}
}

// is reports whether k is of shape s and matches the routing key.
func (k *tupleKey) is(s *shape, r *routingWords) bool {
	if k.shape != s {
		return false
	}
	for m := s.literal; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if k.words[i] != string(r.at(i)) {
			return false
		}
	}
	return true
}
