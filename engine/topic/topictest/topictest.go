// Package topictest is the conformance suite of topic-matching strategies: the
// rules by example, random histories against a model, no allocation, bounded
// work, readers beside a writer, and memory that returns.
package topictest

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"harelab/engine/topic"
)

var seedFlag = flag.Uint64("topic.seed", 0, "replay the random history with this seed")

// Run holds a strategy to the contract of [topic.Matcher].
func Run(t *testing.T, s topic.Strategy) {
	t.Run("rules", func(t *testing.T) { testRules(t, s) })
	t.Run("pairs", func(t *testing.T) { testPairs(t, s) })
	t.Run("append", func(t *testing.T) { testAppend(t, s) })
	t.Run("lengths", func(t *testing.T) { testLengths(t, s) })
	t.Run("history", func(t *testing.T) { testHistories(t, s) })
	t.Run("allocations", func(t *testing.T) { testAllocations(t, s) })
	t.Run("work", func(t *testing.T) { testWork(t, s) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, s) })
	t.Run("many-destinations", func(t *testing.T) { testManyDestinations(t, s) })
	t.Run("memory", func(t *testing.T) { testMemory(t, s) })
}

// rules is the reading of AMQP 0-9-1 section 3.1.3.3 that all strategies share.
// It is RabbitMQ's, also where the specification is silent. Destinations are the
// binding keys' indexes.
var rules = []struct {
	name     string
	bindings []string
	key      string
	want     []topic.Dest
}{
	{"words are compared whole", []string{"a.b", "a.bc", "ab"}, "a.b", []topic.Dest{0}},
	{"words are compared byte by byte", []string{"A", "a", "\u00e9", "e\u0301"}, "\u00e9", []topic.Dest{2}},
	{"words may be any bytes", []string{"\xff.\x00", "\xff"}, "\xff.\x00", []topic.Dest{0}},
	{"zero bytes count", []string{"a\x00", "a", "a\x00\x00"}, "a\x00", []topic.Dest{0}},
	{"a key is not a prefix", []string{"a", "a.b.c"}, "a.b", nil},
	{"long words are compared whole",
		[]string{"neural_network", "neural_n", "neural_n.etwork", "neural_networks"}, "neural_network", []topic.Dest{0}},
	{"words of eight bytes", []string{"12345678", "1234567", "12345678.", "123456789"}, "12345678", []topic.Dest{0}},
	{"words of sixteen bytes", []string{"1234567812345678", "12345678.12345678", "12345678"}, "1234567812345678", []topic.Dest{0}},

	{"star is one word", []string{"a.*", "*.b", "*.*"}, "a.b", []topic.Dest{0, 1, 2}},
	{"star is not zero words", []string{"a.*", "*.a", "a.*.b"}, "a", nil},
	{"star is not two words", []string{"a.*", "*"}, "a.b.c", nil},
	{"star is one long word", []string{"*.b", "*.*.b"}, "a-word-of-seventeen.b", []topic.Dest{0}},
	{"star within a word is a character", []string{"a*", "*a", "ab*.c"}, "ab", nil},
	{"star at the end of a long word is a character", []string{"12345678*", "12345678#"}, "123456789", nil},

	{"hash is zero words", []string{"a.#", "#.a", "#.a.#"}, "a", []topic.Dest{0, 1, 2}},
	{"hash is many words", []string{"a.#", "#.d", "#"}, "a.b.c.d", []topic.Dest{0, 1, 2}},
	{"hash in the middle", []string{"a.#.d", "a.#.c", "a.#.b.#.d", "a.#.c.#.b.#.d"}, "a.b.c.d", []topic.Dest{0, 2}},
	{"hash in the middle is zero words", []string{"a.#.b", "a.#.#.b"}, "a.b", []topic.Dest{0, 1}},
	{"hash takes words that come again", []string{"#.a.b", "#.a.#.a.b"}, "a.a.b", []topic.Dest{0, 1}},
	{"hash does not split words", []string{"a.#", "#.a"}, "ab", nil},
	{"hash within a word is a character", []string{"a#", "#a"}, "ab", nil},
	{"hash passes long words", []string{"#.end", "begin.#", "#.middle.#"}, "begin.a-rather-long-word.end", []topic.Dest{0, 1}},
	{"hash does not end within a long word, in a long key",
		[]string{"#.ab", "#.ab.#.c", "#.ab.#"}, "12345678ab" + strings.Repeat(".c", 20), nil},
	{"a word that was there before is not the end of the last one, in a long key",
		[]string{"#.ab", "#.ab.#", "#.*.ab"}, strings.Repeat("ab.", 20) + "12345678ab", []topic.Dest{1}},
	{"hash and star are at least one word", []string{"#.*", "*.#", "#.*.#", "*.#.*"}, "a", []topic.Dest{0, 1, 2}},
	{"two hashes match as one", []string{"#.#", "a.#.#", "#.#.#.b"}, "a.b", []topic.Dest{0, 1, 2}},
	{"stars between hashes count", []string{"#.*.#.*.#", "#.*.#.*.#.*.#"}, "a.b", []topic.Dest{0}},

	{"the empty key has no words", []string{"", "#", "#.#", "*", ".", "#.*"}, "", []topic.Dest{0, 1, 2}},
	{"the empty binding key matches the empty key alone", []string{""}, "a", nil},
	{"a dot is between two empty words", []string{".", "*.*", "*", "#", "", "*.*.*"}, ".", []topic.Dest{0, 1, 3}},
	{"a trailing dot makes an empty word", []string{"a.", "a.*", "a", "a.#"}, "a.", []topic.Dest{0, 1, 3}},
	{"a leading dot makes an empty word", []string{".a", "*.a", "a", "#.a"}, ".a", []topic.Dest{0, 1, 3}},
	{"adjacent dots make an empty word", []string{"a..b", "a.*.b", "a.b"}, "a..b", []topic.Dest{0, 1}},
	{"no trailing dot, no empty word", []string{"a.", "a..#"}, "a", nil},
	{"an empty word after a long one", []string{"12345678.", "12345678.*", "12345678"}, "12345678.", []topic.Dest{0, 1}},

	{"star in a routing key is a word", []string{"a.*", "a.b", "*"}, "a.*", []topic.Dest{0}},
	{"hash in a routing key is a word", []string{"a.#", "a", "a.*", "#"}, "a.#", []topic.Dest{0, 2, 3}},
	{"a routing key of wildcards matches no literal", []string{"a.b", "a", ""}, "#", nil},

	{"many destinations at the start", manyTimes("#", 3000), "", upTo(3000)},
	{"nothing bound", nil, "a.b", nil},
	{"no match", []string{"b.#", "*.c", "a.b.c"}, "a.b", nil},
}

func manyTimes(key string, n int) []string { return slices.Repeat([]string{key}, n) }

func upTo(n int) (dests []topic.Dest) {
	for i := range n {
		dests = append(dests, topic.Dest(i))
	}
	return dests
}

func testRules(t *testing.T, s topic.Strategy) {
	for _, tt := range rules {
		t.Run(tt.name, func(t *testing.T) {
			m := s.New()
			for i, b := range tt.bindings {
				m.Bind(b, topic.Dest(i))
			}
			if got := sorted(m.Match(nil, []byte(tt.key))); !slices.Equal(got, tt.want) {
				t.Errorf("with %.200q: Match(%q) = %.20d, want %.20d", tt.bindings, tt.key, got, tt.want)
			}
			for i, b := range tt.bindings {
				if !m.Unbind(b, topic.Dest(i)) {
					t.Errorf("Unbind(%q, %d) = false, want true", b, i)
				}
			}
			if got := m.Match(nil, []byte(tt.key)); len(got) != 0 || m.Len() != 0 {
				t.Errorf("all unbound: Match(%q) = %d, Len = %d, want none", tt.key, got, m.Len())
			}
		})
	}
}

// A step is one call of a small history, with what it should return.
type step struct {
	op   string // "bind" or "unbind"
	key  string
	dest topic.Dest
	want bool
}

func testPairs(t *testing.T, s topic.Strategy) {
	for _, tt := range []struct {
		rule  string
		steps []step
		n     int
		want  []topic.Dest // for the routing key a.b
	}{
		{"a pair is bound once", []step{{"bind", "a.b", 1, true}, {"bind", "a.b", 1, false}}, 1, []topic.Dest{1}},
		{"a pair is unbound once", []step{
			{"bind", "a.b", 1, true}, {"unbind", "a.b", 1, true}, {"unbind", "a.b", 1, false}}, 0, nil},
		{"unbind wants the same destination", []step{{"bind", "a.b", 1, true}, {"unbind", "a.b", 2, false}}, 1, []topic.Dest{1}},
		{"unbind wants the same key", []step{
			{"bind", "a.*", 1, true}, {"unbind", "a.b", 1, false}, {"unbind", "a", 1, false}, {"unbind", "a.*.c", 1, false}}, 1, []topic.Dest{1}},
		{"equivalent keys are different pairs", []step{
			{"bind", "#", 1, true}, {"bind", "#.#", 1, true}, {"unbind", "#", 1, true}}, 1, []topic.Dest{1}},
		{"destinations of one key are apart", []step{
			{"bind", "a.b", 1, true}, {"bind", "a.b", 2, true}, {"bind", "a.b", 3, true}, {"unbind", "a.b", 2, true}}, 2, []topic.Dest{1, 3}},
		{"a destination of several keys is matched once", []step{
			{"bind", "a.b", 7, true}, {"bind", "a.*", 7, true}, {"bind", "#", 7, true}, {"bind", "a.#.b", 7, true}}, 4, []topic.Dest{7}},
		{"a destination stays while one key is left", []step{
			{"bind", "a.b", 7, true}, {"bind", "a.*", 7, true}, {"unbind", "a.b", 7, true}}, 1, []topic.Dest{7}},
		{"a prefix outlives what was below it", []step{
			{"bind", "a.b", 1, true}, {"bind", "a.b.c", 2, true}, {"unbind", "a.b.c", 2, true}}, 1, []topic.Dest{1}},
		{"what is below outlives a prefix", []step{
			{"bind", "a.#", 1, true}, {"bind", "a.#.b", 2, true}, {"unbind", "a.#", 1, true}}, 1, []topic.Dest{2}},
		{"a key comes back", []step{
			{"bind", "a.#", 1, true}, {"unbind", "a.#", 1, true}, {"bind", "a.#", 2, true}}, 1, []topic.Dest{2}},
		{"any number is a destination", []step{
			{"bind", "a.b", 0, true}, {"bind", "a.*", 1<<32 - 1, true}, {"bind", "*.b", 1 << 31, true}}, 3, []topic.Dest{0, 1 << 31, 1<<32 - 1}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			m := s.New()
			for _, st := range tt.steps {
				if got := apply(m, st.op, st.key, st.dest); got != st.want {
					t.Errorf("%s %q, %d = %t, want %t", st.op, st.key, st.dest, got, st.want)
				}
			}
			if got := sorted(m.Match(nil, []byte("a.b"))); !slices.Equal(got, tt.want) || m.Len() != tt.n {
				t.Errorf("Match(a.b) = %d, Len = %d, want %d, %d", got, m.Len(), tt.want, tt.n)
			}
		})
	}
}

func apply(m topic.Matcher, op, key string, d topic.Dest) bool {
	if op == "bind" {
		return m.Bind(key, d)
	}
	return m.Unbind(key, d)
}

// testAppend wants Match to append, to leave what was there, and to keep neither
// slice.
func testAppend(t *testing.T, s topic.Strategy) {
	m := s.New()
	m.Bind("a.*", 5)
	m.Bind("a.#", 6)
	m.Bind("#", 5)
	dst := append(make([]topic.Dest, 0, 8), 5, 6, 5)
	key := []byte("a.b")
	for range 2 { // the second may come from a cache
		got := m.Match(dst, key)
		if &got[0] != &dst[0] {
			t.Error("Match took a new slice though dst has room")
		}
		if !slices.Equal(got[:3], []topic.Dest{5, 6, 5}) || !slices.Equal(sorted(slices.Clone(got[3:])), []topic.Dest{5, 6}) {
			t.Errorf("Match after [5 6 5] = %d, want the same with 5 and 6 appended", got)
		}
		clear(got)
		copy(dst, []topic.Dest{5, 6, 5})
	}
	room := make([]topic.Dest, 0, 2)
	for range 2 {
		if got := m.Match(room, key); &got[0] != &room[:1][0] {
			t.Error("Match took a new slice though dst has room for each destination once")
		}
	}
	copy(key, "xyz")
	if got := sorted(m.Match(nil, []byte("a.b"))); !slices.Equal(got, []topic.Dest{5, 6}) {
		t.Errorf("after its slices were overwritten: Match(a.b) = %d, want [5 6]", got)
	}
}

// testLengths wants keys of every length up to the limit, and beyond it a panic
// from Bind.
func testLengths(t *testing.T, s topic.Strategy) {
	for _, word := range []string{"a", "", "abcdefgh", "abcdefghi", "a-word-of-many-bytes"} {
		m := s.New()
		m.Bind("#", 1000)
		key := ""
		for n := 0; len(key) <= topic.MaxKeyLen; n++ {
			m.Bind(key, topic.Dest(n))
			if got, want := sorted(m.Match(nil, []byte(key))), []topic.Dest{topic.Dest(n), 1000}; !slices.Equal(got, want) {
				t.Fatalf("%d words of %q: matched %d, want %d", n+1, word, got, want)
			}
			key += "." + word
		}
	}
	m := s.New()
	testMiddles(t, s)
	long := strings.Repeat("a", topic.MaxKeyLen+1)
	m.Bind(long[1:], 1)
	if got := m.Match(nil, []byte(long)); len(got) != 0 {
		t.Errorf("a routing key of 256 bytes was matched by its first 255")
	}
	if m.Unbind(long, 1) {
		t.Errorf("a binding key of 256 bytes was taken for its first 255")
	}
	defer func() {
		if recover() == nil {
			t.Errorf("Bind of a key of 256 bytes did not panic")
		}
		if !m.Bind("b", 1) || m.Len() != 2 {
			t.Errorf("not usable after a refused Bind")
		}
	}()
	m.Bind(long, 1)
}

// testMiddles wants keys that differ in one byte to be told apart, wherever it is,
// also when they come again.
func testMiddles(t *testing.T, s topic.Strategy) {
	for _, n := range []int{5, 20, 40, 90, topic.MaxKeyLen} {
		m := s.New()
		key := []byte(strings.Repeat("a", n))
		for at := range key {
			key[at] = 'b'
			m.Bind(string(key), topic.Dest(at))
			key[at] = 'a'
		}
		for range 2 {
			for at := range key {
				key[at] = 'b'
				if got := m.Match(nil, key); !slices.Equal(got, []topic.Dest{topic.Dest(at)}) {
					t.Errorf("keys of %d bytes that differ in one: Match of the %d-th = %d", n, at, got)
				}
				key[at] = 'a'
			}
		}
	}
}

func testHistories(t *testing.T, s topic.Strategy) {
	rounds := 30
	if testing.Short() || raceEnabled {
		rounds = 10
	}
	for range rounds {
		seed := rand.Uint64()
		if *seedFlag != 0 {
			seed = *seedFlag
		}
		if !history(t, s, seed) || *seedFlag != 0 {
			return
		}
	}
}

// history applies the same random operations to a matcher and to a model.
func history(t *testing.T, s topic.Strategy, seed uint64) bool {
	rng := rand.New(rand.NewPCG(seed, 0))
	g := newGenerator(rng)
	if s.Combinatorial {
		g.longest = min(g.longest, 8)
	}
	m, model := s.New(), newModel()
	for op := range 400 {
		var name, key string
		d := topic.Dest(rng.IntN(12))
		var got, want bool
		switch p, has := model.any(rng); {
		case has && rng.IntN(3) == 0:
			name, key, d = "Unbind", p.key, p.dest
			got, want = m.Unbind(key, d), model.unbind(key, d)
		case rng.IntN(8) == 0:
			name, key = "Unbind", g.bindingKey()
			got, want = m.Unbind(key, d), model.unbind(key, d)
		default:
			name, key = "Bind", g.bindingKey()
			got, want = m.Bind(key, d), model.bind(key, d)
		}
		if got != want {
			t.Errorf("seed %#x, op %d: %s(%q, %d) = %t, want %t", seed, op, name, key, d, got, want)
			return false
		}
		if m.Len() != model.len() {
			t.Errorf("seed %#x, op %d: Len() = %d, want %d", seed, op, m.Len(), model.len())
			return false
		}
		for range 2 {
			key := g.routingKey(model)
			room := make([]topic.Dest, 0, rng.IntN(20))
			got, want := sorted(m.Match(room, []byte(key))), model.match(key)
			if !slices.Equal(got, want) {
				t.Errorf("seed %#x, op %d: Match(%q) = %d, want %d", seed, op, key, got, want)
				return false
			}
		}
	}
	return true
}
