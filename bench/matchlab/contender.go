package matchlab

import (
	"fmt"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// A Contender is a strategy of ours or, from outside this module, another broker's
// matcher behind an adapter.
type Contender struct {
	Name string // its name in benchmark names

	// Accepts reports whether the contender can express a binding key with the same
	// meaning. Other keys are left out and counted. Nil: it can express all keys.
	Accepts func(bindingKey string) bool

	// Limit is set for a contender that is no matcher but a lower bound of the cost. It
	// is measured even if it can express no binding key.
	Limit bool

	// Combinatorial has the meaning that it has in [topic.Strategy].
	Combinatorial bool

	// New returns an empty matcher whose Run will match these routing keys.
	New func(keys [][]byte) Subject
}

// A Subject is a matcher under measurement. One goroutine uses it.
type Subject interface {
	Bind(bindingKey string, d topic.Dest)
	Unbind(bindingKey string, d topic.Dest)

	// Run matches n routing keys in order, from index from on and again from the
	// first after the last. It returns the total number of matched destinations.
	Run(from, n int) (matches int)
}

// Ours returns the strategy of this name as a contender.
func Ours(name string) (Contender, error) {
	s, err := topic.Lookup(name)
	if err != nil {
		return Contender{}, err
	}
	return Contender{
		Name:          s.Name,
		Combinatorial: s.Combinatorial,
		New: func(keys [][]byte) Subject {
			return &subject{m: s.New(), keys: keys, dst: make([]topic.Dest, 0, 256)}
		},
	}, nil
}

type subject struct {
	m    topic.Matcher
	keys [][]byte
	dst  []topic.Dest
}

func (s *subject) Bind(bindingKey string, d topic.Dest)   { s.m.Bind(bindingKey, d) }
func (s *subject) Unbind(bindingKey string, d topic.Dest) { s.m.Unbind(bindingKey, d) }

func (s *subject) Run(from, n int) (matches int) {
	i := from
	for range n {
		s.dst = s.m.Match(s.dst[:0], s.keys[i])
		matches += len(s.dst)
		if i++; i == len(s.keys) {
			i = 0
		}
	}
	return matches
}

// accepted returns the bindings that a contender can express.
func (c *Contender) accepted(w *workload.Workload) []workload.Binding {
	if c.Accepts == nil {
		return w.Bindings
	}
	var bindings []workload.Binding
	for _, b := range w.Bindings {
		if c.Accepts(b.Key) {
			bindings = append(bindings, b)
		}
	}
	return bindings
}

// A truth has the number of matches of any range of a stream of keys.
type truth struct {
	upTo []int // total number of matches of the first 0, 1, 2, ... keys
}

// newTruth matches the stream once with the default strategy. The tests of packages topic
// and workload check that strategy against the oracle.
func newTruth(bindings []workload.Binding, keys [][]byte) (*truth, error) {
	c, err := Ours(topic.Default)
	if err != nil {
		return nil, err
	}
	s := c.New(keys)
	for _, b := range bindings {
		s.Bind(b.Key, b.Dest)
	}
	t := &truth{upTo: make([]int, 1, len(keys)+1)}
	for i := range keys {
		t.upTo = append(t.upTo, t.upTo[i]+s.Run(i, 1))
	}
	return t, nil
}

// of returns the number of matches of n keys from an index on.
func (t *truth) of(from, n int) int {
	keys := len(t.upTo) - 1
	return (from+n)/keys*t.upTo[keys] + t.upTo[(from+n)%keys] - t.upTo[from]
}

// mean returns the mean number of matches of a key.
func (t *truth) mean() float64 {
	keys := len(t.upTo) - 1
	return float64(t.upTo[keys]) / float64(keys)
}

// check returns an error unless matches is the number of matches of n keys from an index
// on.
func (t *truth) check(contender string, from, n, matches int) error {
	if want := t.of(from, n); matches != want {
		return fmt.Errorf("%s: %d matches of %d keys, want %d; not measured", contender, matches, n, want)
	}
	return nil
}
