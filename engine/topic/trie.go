package topic

import "slices"

// Trie is the textbook algorithm: a tree with an edge for each word of a binding
// key, and a recursive walk that tries the word itself, '*', and '#' against every
// rest of the routing key. RabbitMQ does the same from 2.4 to 4.3.4
// (rabbit_exchange_type_topic, rabbit_db_topic_exchange). It is quick without '#'.
// With '#' the walk reaches the same node and word along many paths, whose number
// multiplies with every further '#': a routing key of 120 words can take seconds.
// Use it as the baseline that everybody knows, not where strangers choose the keys.

func init() {
	Register(Strategy{
		Name:          "trie",
		Doc:           "backtracking walk of a word trie; combinatorial in '#'",
		Bare:          func() Matcher { return new(trie) },
		Combinatorial: true,
	})
}

type trie struct {
	root trieNode
	n    int    // number of bindings
	ids  uint64 // number of nodes made so far
}

type trieNode struct {
	id         uint64
	isHash     bool // the edge to it is labelled '#'
	word       map[string]*trieNode
	star, hash *trieNode
	dests      []Dest
}

func (t *trie) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey)
	node := &t.root
	for _, w := range words(bindingKey) {
		next := node.child(w)
		if next == nil {
			t.ids++
			next = &trieNode{id: t.ids, isHash: w == "#"}
			node.setChild(w, next)
		}
		node = next
	}
	if slices.Contains(node.dests, d) {
		return false
	}
	node.dests = append(node.dests, d)
	t.n++
	return true
}

func (t *trie) Unbind(bindingKey string, d Dest) bool {
	if !t.root.remove(words(bindingKey), d) {
		return false
	}
	t.n--
	return true
}

func (t *trie) Len() int { return t.n }

// remove removes d from the node at the end of path below n, and then the nodes of
// the path that lead to no destination any more.
func (n *trieNode) remove(path []string, d Dest) bool {
	if len(path) == 0 {
		i := slices.Index(n.dests, d)
		if i < 0 {
			return false
		}
		n.dests = slices.Delete(n.dests, i, i+1)
		return true
	}
	next := n.child(path[0])
	if next == nil || !next.remove(path[1:], d) {
		return false
	}
	if len(next.dests) == 0 && len(next.word) == 0 && next.star == nil && next.hash == nil {
		n.setChild(path[0], nil)
	}
	return true
}

func (n *trieNode) child(w string) *trieNode {
	switch w {
	case "*":
		return n.star
	case "#":
		return n.hash
	}
	return n.word[w]
}

// setChild makes c the child at word w; nil removes the child.
func (n *trieNode) setChild(w string, c *trieNode) {
	switch {
	case w == "*":
		n.star = c
	case w == "#":
		n.hash = c
	case c == nil:
		delete(n.word, w)
	default:
		if n.word == nil {
			n.word = make(map[string]*trieNode)
		}
		n.word[w] = c
	}
}

func (t *trie) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = t.MatchSteps(dst, routingKey)
	return dst
}

func (t *trie) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	w := trieWalk{key: splitRouting(routingKey), seen: newSeen(), dst: dst}
	w.visit(&t.root, 0)
	w.key.free()
	w.seen.free()
	return w.dst, w.steps
}

// A trieWalk is one match. It may reach a node more than once, so it keeps the set
// of destinations found.
type trieWalk struct {
	key   *routingWords
	seen  *seen
	dst   []Dest
	steps int
}

// visit matches the words from the i-th on below node n.
func (w *trieWalk) visit(n *trieNode, i int) {
	w.steps++
	if n.hash != nil {
		for j := i; j <= w.key.n(); j++ {
			w.visit(n.hash, j)
		}
	}
	if i == w.key.n() {
		w.dst = w.seen.appendNew(w.dst, n.dests)
		return
	}
	if next := n.word[string(w.key.at(i))]; next != nil {
		w.visit(next, i+1)
	}
	if n.star != nil {
		w.visit(n.star, i+1)
	}
}
