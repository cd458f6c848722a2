package topic

// Scan compares the routing key with each binding in turn, by dynamic programming.
// It is short enough to be checked by reading, and the other strategies are tested
// against it. Some brokers route in a similar way (LavinMQ, garagemq). A match
// costs words of the routing key x words of all binding keys; a bind costs a map
// entry. Use it for a handful of bindings, or as the reference.

func init() {
	Register(Strategy{
		Name: "scan",
		Doc:  "every binding in turn, by dynamic programming: the oracle",
		Bare: func() Matcher { return &scan{at: make(map[pair]int)} },
	})
}

type scan struct {
	bindings []scanBinding
	at       map[pair]int // where each pair is in bindings
}

type pair struct {
	key  string
	dest Dest
}

type scanBinding struct {
	pair
	words []string
}

func (m *scan) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey)
	p := pair{bindingKey, d}
	if _, bound := m.at[p]; bound {
		return false
	}
	m.at[p] = len(m.bindings)
	m.bindings = append(m.bindings, scanBinding{p, words(bindingKey)})
	return true
}

func (m *scan) Unbind(bindingKey string, d Dest) bool {
	p := pair{bindingKey, d}
	i, bound := m.at[p]
	if !bound {
		return false
	}
	last := len(m.bindings) - 1
	m.bindings[i] = m.bindings[last]
	m.at[m.bindings[i].pair] = i
	m.bindings[last] = scanBinding{}
	m.bindings = m.bindings[:last]
	delete(m.at, p)
	return true
}

func (m *scan) Len() int { return len(m.bindings) }

func (m *scan) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = m.MatchSteps(dst, routingKey)
	return dst
}

func (m *scan) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	r := splitRouting(routingKey)
	defer r.free()
	s := newSeen()
	defer s.free()
	steps := 0
	for i := range m.bindings {
		b := &m.bindings[i]
		steps += (len(b.words) + 1) * (r.n() + 1)
		if r.matches(b.words) && s.add(uint64(b.dest)) {
			dst = append(dst, b.dest)
		}
	}
	return dst, steps
}

// matches reports whether the words of a binding key match the routing key.
// After each of them, reach[i] says whether the words so far match the first i
// words of the routing key.
func (r *routingWords) matches(binding []string) bool {
	n := r.n()
	reach := append(r.reach[:0], true)
	for range n {
		reach = append(reach, false)
	}
	r.reach = reach
	for _, w := range binding {
		if w == "#" {
			for i := 1; i <= n; i++ {
				reach[i] = reach[i] || reach[i-1]
			}
			continue
		}
		for i := n; i > 0; i-- {
			reach[i] = reach[i-1] && (w == "*" || w == string(r.at(i-1)))
		}
		reach[0] = false
	}
	return reach[n]
}
