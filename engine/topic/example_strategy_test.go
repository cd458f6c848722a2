package topic_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"harelab/engine/topic"
)

// Grouped keeps the binding keys of each destination together and stops at the first
// one that matches, so that no destination is found twice. A match costs words of the
// routing key x words of all binding keys. Use it where few queues have many keys each.

func init() {
	topic.Register(topic.Strategy{
		Name: "grouped",
		Doc:  "every binding in turn, grouped by destination",
		Bare: func() topic.Matcher { return &grouped{at: make(map[topic.Dest]int)} },
	})
}

type grouped struct {
	groups []group
	at     map[topic.Dest]int // index of each destination's group
	n      int                // number of bindings
}

type group struct {
	dest topic.Dest
	keys [][]string // words of the binding keys
}

func (g *group) find(words []string) int {
	return slices.IndexFunc(g.keys, func(k []string) bool { return slices.Equal(k, words) })
}

func (m *grouped) Bind(bindingKey string, d topic.Dest) bool {
	if err := topic.CheckKey(bindingKey); err != nil {
		panic(err)
	}
	i, ok := m.at[d]
	if !ok {
		i = len(m.groups)
		m.groups = append(m.groups, group{dest: d})
		m.at[d] = i
	}
	g, words := &m.groups[i], splitWords(bindingKey)
	if g.find(words) >= 0 {
		return false
	}
	g.keys = append(g.keys, words)
	m.n++
	return true
}

func (m *grouped) Unbind(bindingKey string, d topic.Dest) bool {
	i, ok := m.at[d]
	if !ok {
		return false
	}
	g := &m.groups[i]
	k := g.find(splitWords(bindingKey))
	if k < 0 {
		return false
	}
	m.n--
	if g.keys = slices.Delete(g.keys, k, k+1); len(g.keys) == 0 { // the last group takes its place
		last := len(m.groups) - 1
		m.groups[i] = m.groups[last]
		m.at[m.groups[i].dest] = i
		m.groups = slices.Delete(m.groups, last, last+1)
		delete(m.at, d)
	}
	return true
}

func (m *grouped) Len() int { return m.n }

func (m *grouped) Match(dst []topic.Dest, routingKey []byte) []topic.Dest {
	dst, _ = m.MatchSteps(dst, routingKey)
	return dst
}

func (m *grouped) MatchSteps(dst []topic.Dest, routingKey []byte) ([]topic.Dest, int) {
	steps := 0
	for i := range m.groups {
		for _, words := range m.groups[i].keys {
			if matchWords(words, routingKey, &steps) {
				dst = append(dst, m.groups[i].dest)
				break
			}
		}
	}
	return dst, steps
}

// matchWords compares from left to right. At a mismatch, the latest '#' takes one word
// more. The word at from is the one that it takes then.
func matchWords(binding []string, key []byte, steps *int) bool {
	at, end := 0, len(key)+1 // at is where the next word begins
	if len(key) == 0 {
		at = end // the empty key has no words
	}
	b, hash, from := 0, -1, 0
	for at < end {
		*steps++
		word := wordAt(key, at)
		switch {
		case b < len(binding) && binding[b] == "#":
			hash, from = b, at
			b++
		case b < len(binding) && (binding[b] == "*" || binding[b] == string(word)):
			at += len(word) + 1
			b++
		case hash >= 0:
			from += len(wordAt(key, from)) + 1
			at, b = from, hash+1
		default:
			return false
		}
	}
	for b < len(binding) && binding[b] == "#" {
		b++
	}
	return b == len(binding)
}

func wordAt(key []byte, at int) []byte {
	word, _, _ := bytes.Cut(key[at:], []byte("."))
	return word
}

func splitWords(bindingKey string) []string {
	if bindingKey == "" {
		return nil
	}
	return strings.Split(bindingKey, ".")
}

// A new strategy is one file that registers itself, as this one does. It is found by its
// name, wrappers work with it, and topictest tests it with all others.
func Example_newStrategy() {
	for _, name := range []string{"grouped", "cached(grouped)"} {
		s, err := topic.Lookup(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		m := s.New()
		m.Bind("invoice.*", 1)
		m.Bind("#.eu", 1)
		m.Bind("order.#", 2)
		fmt.Println(name, m.Match(nil, []byte("invoice.eu")), m.Match(nil, []byte("order.us.new")))
	}
	// Output:
	// grouped [1] [2]
	// cached(grouped) [1] [2]
}
