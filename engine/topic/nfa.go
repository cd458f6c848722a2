package topic

import (
	"sync"
	"sync/atomic"
)

// Nfa is the automaton of all binding keys together: a trie whose nodes are
// states, with edges for words, '*' and '#'. Where the textbook carries the set
// of live states from word to word, this walk turns the table on its side. It
// goes once down the trie and carries for each state the set of positions in the
// routing key at which the state is live, a bit for each:
//
//	word  (P & positions of that word) << 1
//	'*'   P << 1
//	'#'   all positions from the lowest of P on
//
// So a state is entered at most once in a match, whatever the number of '#', and
// all ways that lead to it are followed together. Work is bounded by states x
// words, and a position set of a usual key is one machine word. A state accepts
// if the position after the last word is in its set; that it is entered once
// makes the results unique but for destinations bound by several keys.
//
// Words are not looked up in a table of words: up to eight bytes of a word are
// an integer, and a longer word is a chain of states (see piece). All states lie
// in one open-addressed table without pointers (see slab), which the garbage
// collector does not walk.
//
// One writer at a time changes the table in place while readers walk it; nobody
// waits for a reader and no reader waits. Use it unless there is a reason for
// another.

// Default is the strategy to use without a reason for another.
const Default = "nfa"

func init() {
	Register(Strategy{
		Name: Default,
		Doc:  "all binding keys as one automaton, entered once a state; readers never wait",
		New:  func() Matcher { return newNFA() },
	})
}

type nfa struct {
	slab atomic.Pointer[slab]
	n    atomic.Int64 // bindings

	mu    sync.Mutex // held by the writer, with what follows
	parts []piece    // the key in hand
	path  []uint32   // its nodes
}

func newNFA() *nfa {
	a := new(nfa)
	a.slab.Store(newSlab(0))
	return a
}

func (a *nfa) Len() int { return int(a.n.Load()) }

func (a *nfa) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parts = splitBinding(a.parts[:0], bindingKey)
	s := a.slab.Load()
	if s.full(len(a.parts)) {
		s = s.compact(len(a.parts))
		a.slab.Store(s)
	}
	at := uint32(0)
	for i := range a.parts {
		at = s.enter(at, &a.parts[i])
	}
	s.admitRest(at)
	if !s.addDest(&s.nodes[at], d) {
		return false
	}
	a.n.Add(1)
	return true
}

func (a *nfa) Unbind(bindingKey string, d Dest) bool {
	if len(bindingKey) > MaxKeyLen {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parts = splitBinding(a.parts[:0], bindingKey)
	s := a.slab.Load()
	a.path = append(a.path[:0], 0)
	for i := range a.parts {
		next := s.find(a.path[i], &a.parts[i])
		if next == 0 {
			return false
		}
		a.path = append(a.path, next)
	}
	if !s.removeDest(&s.nodes[a.path[len(a.parts)]], d) {
		return false
	}
	a.n.Add(-1)
	for i := len(a.parts); i > 0 && s.idle(a.path[i]); i-- {
		s.unlink(a.path[i-1], &a.parts[i-1])
	}
	if s.sparse() {
		a.slab.Store(s.compact(0))
	}
	return true
}

func (a *nfa) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = a.MatchSteps(dst, routingKey)
	return dst
}

func (a *nfa) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	r := newResults(dst)
	steps := a.match(&r, routingKey)
	return r.unique(), steps
}

// match adds the matching destinations to r and returns the steps it took.
func (a *nfa) match(r *results, routingKey []byte) (steps int) {
	w := walk{slab: a.slab.Load()}
	if !w.prepare(routingKey) {
		return matchLong(w.slab, r, routingKey)
	}
	w.visit(0, 0, r)
	return w.steps
}
