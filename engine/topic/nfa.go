package topic

import (
	"sync"
	"sync/atomic"
)

// Nfa is the automaton of all binding keys together: a trie whose nodes are
// states, with edges for words, '*' and '#'. The textbook algorithm goes once
// through the routing key and carries the set of live states from word to word.
// This walk does the reverse: it goes once down the trie and computes for each
// state the set P of positions in the routing key at which the state is live, as
// a bit set:
//
//	word  (P & positions of that word) << 1
//	'*'   P << 1
//	'#'   all positions from the lowest of P on
//
// A match therefore enters each state at most once, however many '#' lead to it,
// and its work is bounded by states x words. For routing keys of usual length a
// position set is one machine word. A state accepts if the position after the
// last word is in its set. Since no state is entered twice, a destination is
// found twice only if several binding keys name it.
//
// There is no table of words: a word of up to eight bytes is an integer, and a
// longer word is a chain of states (see piece). All states lie in one
// open-addressed table without pointers (see slab), which the garbage collector
// does not scan.
//
// One writer at a time changes the table in place while readers walk it. Readers
// never wait, and the writer never waits for readers. Use nfa unless there is a
// reason for another strategy.

// Default is the name of the strategy that an exchange uses if none is chosen.
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

	mu    sync.Mutex // held by the writer; guards the fields below
	parts []piece    // scratch: the pieces of the binding key
	path  []uint32   // scratch: the nodes of the binding key
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
