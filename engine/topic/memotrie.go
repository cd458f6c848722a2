package topic

// Memotrie is the trie walk with a memo: a place that the walk has been to, node
// and word, is not entered again. RabbitMQ does this from 4.3.5 on, together
// with a ban on more than two '#' in a binding key, which is not needed here. A
// way can only meet another behind a second '#', so that is where the memo
// begins and most keys never pay for it. Work is bounded by words x nodes. Use
// it to see what the memo alone gives.

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
	seen  *seen // destinations
	memo  *seen // places
	dst   []Dest
	steps int
}

// visit walks on from node n with the words from the i-th on still to match,
// after hashes edges labelled '#'.
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
	if n.isHash { // it may take one more word, and is then at the next place
		w.visit(n, i+1, hashes)
	}
	if next := n.word[string(w.key.at(i))]; next != nil {
		w.visit(next, i+1, hashes)
	}
	if n.star != nil {
		w.visit(n.star, i+1, hashes)
	}
}
