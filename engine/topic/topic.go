// Package topic decides which bindings of an AMQP topic exchange match a
// routing key.
//
// A key is a list of words separated by dots. In a binding key the word '*'
// stands for exactly one word and '#' for zero or more, anywhere and any number
// of times (AMQP 0-9-1 section 3.1.3.3). The reading is RabbitMQ's: adjacent,
// leading and trailing dots make empty words, the empty key has no words at all,
// and in a routing key '*' and '#' are words like any other.
//
// Several strategies give the same answers at different cost:
//
//	          idea                                 a match costs at most        when to use it
//	nfa       all binding keys as one automaton,   words x states               the default
//	          each state entered once
//	scan      every binding in turn                words x words of all keys    a handful of bindings; the oracle
//	                                                                            that the others are tested against
//	trie      backtracking walk of a word trie     exponential in '#'           the baseline everybody knows; not
//	                                                                            where strangers choose the keys
//	memotrie  the trie with a memo of places       words x nodes                to see what the memo alone gives
//	dfa       states made when first needed        words, once they are there   bindings hardly ever change and few
//	                                                                            states take most messages
//	tuple     one hash probe for each shape of     shapes of keys               a million keys of a handful of shapes
//	          key
//	bitmap    intersections of sets of keys        words x keys/64              a thousand keys with many '*'
//
// Wrappers combine with strategies by name, as in "cached(nfa)":
//
//	cached    match sets of recent keys            a probe on a hit             few keys carry most messages
//	locked    a readers-writer lock                a lock more                  a strategy that is not safe by itself
//	rcu       two copies, so no reader waits       nothing more                 to compare strategies under changes
//
// Each is a file that registers itself, and opens with its idea, its cost and when
// to use it.
//
// To add a strategy, copy scan.go. The conformance suite (topictest), the
// fuzzer, the benchmarks, the flags and the reports take it from [Strategies].
package topic

import "harelab/engine/internal/registry"

// A Dest identifies a binding's destination within its exchange. Any value is
// allowed; the exchange gives them out.
type Dest uint32

// A Matcher holds the bindings of one topic exchange. Any number of goroutines
// may call its methods at the same time.
//
// A Match that overlaps a Bind or Unbind may answer with or without that one
// binding. A Bind or Unbind that has returned is seen by every Match that
// starts afterwards.
type Matcher interface {
	// Bind adds the pair of binding key and destination and reports whether
	// it was new. Pairs count by the key's bytes: "#" and "#.#" match the same
	// keys and are two bindings. Bind panics if [CheckKey] refuses the key.
	Bind(bindingKey string, d Dest) bool

	// Unbind removes the pair and reports whether it was there.
	Unbind(bindingKey string, d Dest) bool

	// Match appends to dst each destination with at least one binding that
	// matches, once, in no set order, and returns the extended slice. It
	// neither keeps dst nor routingKey and, when dst has room, does not
	// allocate. A routing key longer than [MaxKeyLen], which no AMQP frame can
	// carry, is matched by the same rules, though perhaps with an allocation.
	Match(dst []Dest, routingKey []byte) []Dest

	// Len returns the number of bindings held.
	Len() int
}

// A Stepper is a [Matcher] that counts its work, so that a bound on the work can
// be tested without a clock. Every strategy here makes one.
type Stepper interface {
	Matcher

	// MatchSteps is Match, and also returns how many states the match
	// entered plus how many edges it looked for.
	MatchSteps(dst []Dest, routingKey []byte) (matched []Dest, steps int)
}

// A Strategy is a named way to build a [Matcher].
type Strategy struct {
	Name string // as in flags and benchmark names: lower case, no spaces
	Doc  string // one line

	// New returns an empty Matcher. If nil, [Register] sets it to build Bare
	// behind a lock.
	New func() Matcher

	// Bare, if not nil, returns an empty Matcher for wrappers to guard:
	// several goroutines may call its Match at the same time, but none while
	// another is in Bind, Unbind or Len.
	Bare func() Matcher

	// Combinatorial says that some keys make a match take more than words x
	// states steps: not for keys that strangers choose.
	Combinatorial bool
}

// A Wrapper makes one strategy out of another.
type Wrapper struct {
	Name string
	Doc  string // one line
	Wrap func(Strategy) func() Matcher
}

var (
	strategies = registry.New[Strategy]("topic", "strategy")
	wrappers   = registry.New[Wrapper]("topic", "wrapper")
)

// Register makes a strategy available under s.Name. It is called from init
// functions and panics if the name is taken.
func Register(s Strategy) {
	if s.New == nil {
		s.New = lock(s)
	}
	strategies.Add(s.Name, s)
}

// RegisterWrapper makes a wrapper available under w.Name. It is called from
// init functions and panics if the name is taken.
func RegisterWrapper(w Wrapper) { wrappers.Add(w.Name, w) }

// Strategies returns the registered strategies, without wrappers, in the order
// of their names.
func Strategies() []Strategy { return strategies.All() }

// Wrappers returns the registered wrappers in the order of their names.
func Wrappers() []Wrapper { return wrappers.All() }
