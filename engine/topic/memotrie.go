package topic

// Memotrie is the trie walk with a memo: the walk enters no pair of node and word
// twice. RabbitMQ does this from 4.3.5 on, together with a ban on more than two '#'
// in a binding key, which this strategy does not need. Two paths can only merge
// after a second '#', so the memo begins there and most keys never pay for it.
// Work is bounded by words x nodes. Use it to see what the memo alone gives.

func init() {
	Register(Strategy{
		Name: "memotrie",
		Doc:  "the trie with a memo of places visited; bounded by words x nodes",
		Bare: func() Matcher { return new(memotrie) },
	})
}

type memotrie struct{ trie }

func (t *memotrie) Match(dst []Dest, routingKey []byte) []Dest {
	dst, _ = t.MatchSteps(dst, routingKey)
	return dst
}

func (t *memotrie) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	w := memoWalk{key: splitRouting(routingKey), seen: newSeen(), memo: newSeen(), dst: dst}
	w.visit(&t.root, 0, 0)
	w.key.free()
	w.seen.free()
	w.memo.free()
	return w.dst, w.steps
}

type memoWalk struct {
	key   *routingWords
	seen  *seen // destinations found
	memo  *seen // pairs of node and word entered
	dst   []Dest
	steps int
}

// visit matches the words from the i-th on below node n. The path to n has the given
// number of edges labelled '#'.
func (w *memoWalk) visit(n *trieNode, i, hashes int) {
	w.steps++
	if hashes > 1 && !w.memo.add(n.id<<20|uint64(i)) {
		return
	}
	if n.hash != nil {
		w.visit(n.hash, i, hashes+1)
	}
	if i == w.key.n() {
		w.dst = w.seen.appendNew(w.dst, n.dests)
		return
	}
	if n.isHash { // '#' takes one more word and stays at the node
		w.visit(n, i+1, hashes)
	}
	if next := n.word[string(w.key.at(i))]; next != nil {
		w.visit(next, i+1, hashes)
	}
	if n.star != nil {
		w.visit(n.star, i+1, hashes)
	}
}
