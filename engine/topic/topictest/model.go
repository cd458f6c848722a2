package topictest

import (
	"math/rand/v2"
	"slices"
	"strings"

	"harelab/engine/topic"
)

// A pair is a binding.
type pair struct {
	key  string
	dest topic.Dest
}

// A model holds bindings in the plainest form.
type model struct {
	at    map[pair]int // index of each in pairs
	pairs []pair
}

func newModel() *model { return &model{at: make(map[pair]int)} }

func (m *model) len() int { return len(m.pairs) }

func (m *model) bind(key string, d topic.Dest) bool {
	p := pair{key, d}
	if _, bound := m.at[p]; bound {
		return false
	}
	m.at[p] = len(m.pairs)
	m.pairs = append(m.pairs, p)
	return true
}

func (m *model) unbind(key string, d topic.Dest) bool {
	p := pair{key, d}
	i, bound := m.at[p]
	if !bound {
		return false
	}
	last := m.pairs[len(m.pairs)-1]
	m.pairs[i], m.at[last] = last, i
	m.pairs = m.pairs[:len(m.pairs)-1]
	delete(m.at, p)
	return true
}

func (m *model) match(routingKey string) []topic.Dest {
	var dests []topic.Dest
	key := split(routingKey)
	for _, p := range m.pairs {
		if matches(split(p.key), key) {
			dests = append(dests, p.dest)
		}
	}
	return slices.Compact(sorted(dests))
}

// any returns a random binding, if there is one.
func (m *model) any(rng *rand.Rand) (pair, bool) {
	if len(m.pairs) == 0 {
		return pair{}, false
	}
	return m.pairs[rng.IntN(len(m.pairs))], true
}

func split(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// matches is the definition of a match. ok[b][r] says whether the words of the binding
// key from b on match the words of the routing key from r on.
func matches(binding, routing []string) bool {
	ok := make([][]bool, len(binding)+1)
	for b := len(binding); b >= 0; b-- {
		ok[b] = make([]bool, len(routing)+1)
		for r := len(routing); r >= 0; r-- {
			more := r < len(routing)
			switch {
			case b == len(binding):
				ok[b][r] = !more
			case binding[b] == "#":
				ok[b][r] = ok[b+1][r] || more && ok[b][r+1]
			default:
				ok[b][r] = more && (binding[b] == "*" || binding[b] == routing[r]) && ok[b+1][r+1]
			}
		}
	}
	return ok[0][0]
}

func sorted(dests []topic.Dest) []topic.Dest {
	slices.Sort(dests)
	return dests
}

// A generator makes keys that match often: of few words, some of them similar, with
// lengths near those at which a representation changes.
type generator struct {
	rng       *rand.Rand
	words     []string
	wildcards int // number of wildcards in ten words of a binding key, on average
	longest   int // greatest number of words of a routing key
}

var vocabulary = []string{
	"a", "b", "c", "", "ab", "a\x00", "*a", "#", "*", "12345678", "123456789", "1234567",
	"1234567812345678", "1234567812345679", "12345678.", "\xff\xfe", "a-much-longer-word-than-most",
}

func newGenerator(rng *rand.Rand) *generator {
	g := &generator{rng: rng, wildcards: rng.IntN(8), longest: 2 + rng.IntN(6)}
	if rng.IntN(5) == 0 {
		g.longest = 40
	}
	for range 2 + rng.IntN(5) {
		g.words = append(g.words, vocabulary[rng.IntN(len(vocabulary))])
	}
	return g
}

func (g *generator) bindingKey() string {
	words := make([]string, g.rng.IntN(min(g.longest, 8)+1))
	for i := range words {
		switch {
		case g.rng.IntN(10) >= g.wildcards:
			words[i] = g.words[g.rng.IntN(len(g.words))]
		case g.rng.IntN(2) == 0:
			words[i] = "*"
		default:
			words[i] = "#"
		}
	}
	return limit(strings.Join(words, "."))
}

// routingKey returns random words or, half of the time, a key that matches a binding
// key of the model.
func (g *generator) routingKey(m *model) string {
	words := make([]string, g.rng.IntN(g.longest+1))
	p, has := m.any(g.rng)
	if has && g.rng.IntN(2) == 0 {
		words = words[:0]
		for _, w := range split(p.key) {
			n := 1
			if w == "#" {
				n = g.rng.IntN(4)
			}
			for range n {
				if w == "#" || w == "*" {
					words = append(words, g.words[g.rng.IntN(len(g.words))])
				} else {
					words = append(words, w)
				}
			}
		}
		return limit(strings.Join(words, "."))
	}
	for i := range words {
		words[i] = g.words[g.rng.IntN(len(g.words))]
	}
	return limit(strings.Join(words, "."))
}

func limit(key string) string { return key[:min(len(key), topic.MaxKeyLen)] }
