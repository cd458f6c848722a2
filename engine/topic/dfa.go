package topic

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// Dfa is a deterministic automaton that is built lazily: a state is a set of trie
// nodes, made when a routing key first leads to it, and a match is one table lookup
// for each word. All words that occur in no binding key count as one word. There
// can be exponentially many states, so the table is bounded and discarded when it
// is full. A change of a binding, which may change every state, discards it as
// well. RabbitMQ tried this in Erlang in 2011 and found it slower than the trie.
//
// A match costs its number of words if its states exist, and words x nodes
// otherwise. Use it where bindings hardly ever change and most messages pass
// through few states.

func init() {
	Register(Strategy{
		Name: "dfa",
		Doc:  "makes states when first needed, at most so many, and discards them when a binding changes",
		Bare: func() Matcher { return &dfa{ids: make(map[string]wordID)} },
	})
}

// Bounds of a table. The first table for a set of bindings is small. When a table
// is full the next one is four times as large, up to dfaLast.
const (
	dfaFirst     = 1 << 10 // transitions
	dfaLast      = 1 << 16
	dfaPerState  = 4 // transitions for each state
	dfaNodesEach = 8 // nodes, and destinations, for each state
)

type dfa struct {
	trie  trie
	ids   map[string]wordID // literal words of binding keys
	last  uint32            // the greatest id given out
	free  []uint32          // ids for reuse
	table atomic.Pointer[dfaTable]
}

// A wordID is the number of a word, from 1 on, and the number n of its occurrences
// in binding keys.
type wordID struct {
	id uint32
	n  int
}

func (m *dfa) Len() int { return m.trie.Len() }

func (m *dfa) Bind(bindingKey string, d Dest) bool {
	if !m.trie.Bind(bindingKey, d) {
		return false
	}
	for _, w := range words(bindingKey) {
		ref := m.ids[w]
		if ref.n == 0 {
			if n := len(m.free); n > 0 {
				ref.id, m.free = m.free[n-1], m.free[:n-1]
			} else {
				m.last++
				ref.id = m.last
			}
		}
		ref.n++
		m.ids[w] = ref
	}
	m.table.Store(nil)
	return true
}

func (m *dfa) Unbind(bindingKey string, d Dest) bool {
	if !m.trie.Unbind(bindingKey, d) {
		return false
	}
	for _, w := range words(bindingKey) {
		ref := m.ids[w]
		if ref.n--; ref.n == 0 {
			m.free = append(m.free, ref.id)
			delete(m.ids, w)
		} else {
			m.ids[w] = ref
		}
	}
	m.table.Store(nil)
	return true
}

// A dfaTable holds the states and transitions made so far. Readers look transitions
// up without a lock. A reader that misses one adds it under the lock, if there is
// room.
type dfaTable struct {
	slots  []dfaSlot // open-addressed, a power of two of them
	states []dfaState

	mu       sync.Mutex
	taken    int // number of slots taken
	n        int // number of states
	byNodes  map[uint64]uint32
	nodes    []*trieNode // backing memory of all states' nodes
	accepted []Dest      // backing memory of all states' destinations
	misses   int         // lookups missed since the table became full
}

// A dfaSlot is a transition: from a state by a word to a state.
type dfaSlot struct {
	from atomic.Uint64 // 1 + state<<32 + word; 0 if the slot is free
	to   atomic.Uint32
}

type dfaState struct {
	nodes    []*trieNode // in order of id
	accepted []Dest      // destinations of a key that ends in this state
}

// State 0 is the empty set, from which nothing matches. State 1 is the start.
const (
	dfaDead  = 0
	dfaStart = 1
)

func newDFATable(root *trieNode, size int) *dfaTable {
	states := size / dfaPerState
	start := appendClosure(nil, root)
	room := states * dfaNodesEach
	for _, n := range start { // the start state must fit
		room += 1 + len(n.dests)
	}
	t := &dfaTable{
		slots:    make([]dfaSlot, size),
		states:   make([]dfaState, states),
		byNodes:  make(map[uint64]uint32),
		nodes:    make([]*trieNode, 0, room),
		accepted: make([]Dest, 0, room),
	}
	t.add(nil)
	t.add(start)
	return t
}

// appendClosure appends a node and the nodes that it reaches by '#' standing for no
// words.
func appendClosure(set []*trieNode, n *trieNode) []*trieNode {
	for ; n != nil; n = n.hash {
		set = append(set, n)
	}
	return set
}

// current returns the table. It makes one if there is none.
func (m *dfa) current() *dfaTable {
	if t := m.table.Load(); t != nil {
		return t
	}
	m.table.CompareAndSwap(nil, newDFATable(&m.trie.root, dfaFirst))
	return m.table.Load()
}

func (m *dfa) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = m.MatchSteps(dst, routingKey)
	return dst
}

func (m *dfa) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	r := splitRouting(routingKey)
	defer r.free()
	t := m.current()
	state := uint32(dfaStart)
	for i := range r.n() {
		w := r.at(i)
		id := m.ids[string(w)].id
		next, ok := t.next(state, id)
		if !ok {
			return m.matchSlowly(dst, r, i, t, state)
		}
		if next == dfaDead {
			return dst, i + 1
		}
		state = next
	}
	return append(dst, t.states[state].accepted...), r.n() + 1
}

func transition(state, word uint32) uint64 { return 1 + uint64(state)<<32 + uint64(word) }

// probe returns the slot of a transition, or the free slot for it.
func (t *dfaTable) probe(want uint64) *dfaSlot {
	mask := uint64(len(t.slots) - 1)
	for i := want * 0x9e3779b97f4a7c15 >> (64 - bits.TrailingZeros(uint(len(t.slots)))); ; i++ {
		slot := &t.slots[i&mask]
		if from := slot.from.Load(); from == want || from == 0 {
			return slot
		}
	}
}

func (t *dfaTable) next(state, word uint32) (to uint32, ok bool) {
	slot := t.probe(transition(state, word))
	if slot.from.Load() == 0 {
		return 0, false
	}
	return slot.to.Load(), true
}

// A dfaScratch is two node sets from a pool.
type dfaScratch struct{ set, next []*trieNode }

var dfaScratchPool = sync.Pool{New: func() any { return new(dfaScratch) }}

func (s *dfaScratch) free() {
	clear(s.set[:cap(s.set)])
	clear(s.next[:cap(s.next)])
	dfaScratchPool.Put(s)
}

// matchSlowly matches the words from the i-th on, beginning in a state that has no
// transition for that word. It adds transitions while there is room.
func (m *dfa) matchSlowly(dst []Dest, r *routingWords, i int, t *dfaTable, state uint32) ([]Dest, int) {
	s := dfaScratchPool.Get().(*dfaScratch)
	defer s.free()
	s.set = append(s.set[:0], t.states[state].nodes...)
	steps, known := i, true
	for ; i < r.n(); i++ {
		w := r.at(i)
		steps += 1 + len(s.set)
		s.step(w)
		if known {
			state, known = m.learn(t, state, m.ids[string(w)].id, s.set)
		}
	}
	seen := newSeen()
	defer seen.free()
	for _, n := range s.set {
		dst = seen.appendNew(dst, n.dests)
	}
	return dst, steps + len(s.set)
}

// step replaces a set of nodes by the set that a word leads to. In a trie only a
// node behind '#' is reached in two ways: from itself and from its parent.
func (s *dfaScratch) step(w []byte) {
	next := s.next[:0]
	for _, n := range s.set {
		next = appendClosure(next, n.word[string(w)])
		next = appendClosure(next, n.star)
		if n.isHash {
			next = append(next, n)
		}
	}
	slices.SortFunc(next, func(a, b *trieNode) int { return cmp.Compare(a.id, b.id) })
	next = slices.Compact(next)
	s.set, s.next = next, s.set
}

// learn adds a transition to the state of a node set. It returns false if there is
// no room.
func (m *dfa) learn(t *dfaTable, from, word uint32, nodes []*trieNode) (uint32, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if 4*(t.taken+1) > 3*len(t.slots) {
		return 0, m.overflow(t)
	}
	to, ok := t.find(nodes)
	if !ok {
		if to, ok = t.add(nodes); !ok {
			return 0, m.overflow(t)
		}
	}
	slot := t.probe(transition(from, word))
	if slot.from.Load() == 0 {
		slot.to.Store(to)
		slot.from.Store(transition(from, word)) // from here on readers see the transition
		t.taken++
	}
	return to, true
}

// overflow counts a miss of a full table and replaces the table: at once if the
// next one may be larger, otherwise after as many misses as it has transitions, so
// that making a table anew costs little beside the misses. It returns false.
func (m *dfa) overflow(t *dfaTable) bool {
	t.misses++
	size := len(t.slots)
	if size < dfaLast || t.misses == size {
		m.table.CompareAndSwap(t, newDFATable(&m.trie.root, min(4*size, dfaLast)))
	}
	return false
}

func hashNodes(nodes []*trieNode) uint64 {
	h := seeded.code
	for _, n := range nodes {
		h = (h ^ n.id) * seeded.kind[1]
		h ^= h >> 32
	}
	return h
}

// find returns the state of a node set. Of two sets with the same hash it finds
// only the first.
func (t *dfaTable) find(nodes []*trieNode) (uint32, bool) {
	state, ok := t.byNodes[hashNodes(nodes)]
	return state, ok && slices.Equal(t.states[state].nodes, nodes)
}

// add makes a state for a node set, if there is room.
func (t *dfaTable) add(nodes []*trieNode) (uint32, bool) {
	if t.n == len(t.states) || len(t.nodes)+len(nodes) > cap(t.nodes) {
		return 0, false
	}
	dests := len(t.accepted)
	seen := newSeen()
	defer seen.free()
	for _, n := range nodes {
		for _, d := range n.dests {
			if !seen.add(uint64(d)) {
				continue
			}
			if len(t.accepted) == cap(t.accepted) {
				t.accepted = t.accepted[:dests]
				return 0, false
			}
			t.accepted = append(t.accepted, d)
		}
	}
	first := len(t.nodes)
	t.nodes = append(t.nodes, nodes...)
	t.states[t.n] = dfaState{t.nodes[first:len(t.nodes):len(t.nodes)], t.accepted[dests:len(t.accepted):len(t.accepted)]}
	t.byNodes[hashNodes(nodes)] = uint32(t.n)
	t.n++
	return uint32(t.n - 1), true
}
