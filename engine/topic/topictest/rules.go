package topictest

import (
	"slices"
	"strings"
	"testing"

	"harelab/engine/topic"
)

// rules say how all strategies read AMQP 0-9-1 section 3.1.3.3: as RabbitMQ does, also
// where the specification is silent. A destination is the index of its binding key.
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
	{"hash takes words that repeat", []string{"#.a.b", "#.a.#.a.b"}, "a.a.b", []topic.Dest{0, 1}},
	{"hashes in a row are one", []string{"#.#", "a.#.#", "#.#.#.a", "#.a.#.#"}, "a", []topic.Dest{0, 1, 2, 3}},
	{"stars and hash are as many words or more", []string{"*.#.*", "*.*.#", "#.*.#.*.#", "*.*.*.#"}, "a.b", []topic.Dest{0, 1, 2}},
	{"a letter between hashes is anywhere", []string{"#.a.#", "#.b.#", "#.c.#", "#.b.#.a.#", "#.a.#.b.#.c.#"}, "a.b.c", []topic.Dest{0, 1, 2, 4}},
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

// together is one set of bindings, with the destinations that each key matches. The
// destination of a binding is its index plus one. The set and the results are those of
// RabbitMQ's own test of its topic exchange.
var together = struct {
	bindings []string
	want     map[string][]topic.Dest
}{
	[]string{
		"a.b.c", "a.*.c", "a.#.b", "a.b.b.c", "#", "#.#", "#.b", "*.*", "a.*", "*.b.c", "a.#", "a.#.#", "b.b.c",
		"a.b.b", "a.b", "b.c", "", "*.*.*", "vodka.martini", "a.b.c", "*.#", "#.*.#", "*.#.#", "#.#.#", "*", "#.b.#",
	},
	map[string][]topic.Dest{
		"a.b.c":               {1, 2, 5, 6, 10, 11, 12, 18, 20, 21, 22, 23, 24, 26},
		"a.b":                 {3, 5, 6, 7, 8, 9, 11, 12, 15, 21, 22, 23, 24, 26},
		"a.b.b":               {3, 5, 6, 7, 11, 12, 14, 18, 21, 22, 23, 24, 26},
		"":                    {5, 6, 17, 24},
		"b.c.c":               {5, 6, 18, 21, 22, 23, 24, 26},
		"a.a.a.a.a":           {5, 6, 11, 12, 21, 22, 23, 24},
		"vodka.gin":           {5, 6, 8, 21, 22, 23, 24},
		"vodka.martini":       {5, 6, 8, 19, 21, 22, 23, 24},
		"b.b.c":               {5, 6, 10, 13, 18, 21, 22, 23, 24, 26},
		"nothing.here.at.all": {5, 6, 21, 22, 23, 24},
		"oneword":             {5, 6, 21, 22, 23, 24, 25},
	},
}

// testTogether checks that bindings do not disturb each other: with all of them bound,
// with every third one unbound, and with all bound again.
func testTogether(t *testing.T, s topic.Strategy) {
	m := s.New()
	for i, b := range together.bindings {
		m.Bind(b, topic.Dest(i+1))
	}
	third := func(change func(string, topic.Dest) bool) {
		for i := 0; i < len(together.bindings); i += 3 {
			change(together.bindings[i], topic.Dest(i+1))
		}
	}
	check := func(when string, bound func(topic.Dest) bool) {
		for key, all := range together.want {
			want := slices.DeleteFunc(slices.Clone(all), func(d topic.Dest) bool { return !bound(d) })
			if got := sorted(m.Match(nil, []byte(key))); !slices.Equal(got, want) {
				t.Errorf("%s: Match(%q) = %d, want %d", when, key, got, want)
			}
		}
	}
	every := func(topic.Dest) bool { return true }
	check("all bound", every)
	third(m.Unbind)
	check("every third unbound", func(d topic.Dest) bool { return (d-1)%3 != 0 })
	third(m.Bind)
	check("all bound again", every)
}

// testWords matches keys of any number of words, even of more bytes than a frame can
// carry, with binding keys of all kinds.
func testWords(t *testing.T, s topic.Strategy) {
	bindings := []string{"#", "a.#", "#.z", "a.#.z", "#.m.#", "#.m.#.z", "a.#.m.#.z", "*.#.*", "#.*.z", "#.m.*.#", "#.z.#.m.#", "#.m.m.#"}
	counts := []int{200, 500, 5000}
	for _, around := range []int{10, 32, 64, 128} { // near these, a representation changes
		for n := around - 9; n < around+9; n++ {
			counts = append(counts, n)
		}
	}
	m, model := s.New(), newModel()
	bind := func(key string, d topic.Dest) { m.Bind(key, d); model.bind(key, d) }
	for i, b := range bindings {
		bind(b, topic.Dest(i))
	}
	for _, n := range counts {
		words := slices.Repeat([]string{"a"}, n)
		words[n/2], words[n-1] = "m", "z"
		key := strings.Join(words, ".")
		if len(key) <= topic.MaxKeyLen {
			bind(key, topic.Dest(1000+n))
			bind(key[:n/2*2]+"#", topic.Dest(2000+n)) // half of the words, and '#'
		}
		if got, want := sorted(m.Match(nil, []byte(key))), model.match(key); !slices.Equal(got, want) {
			t.Errorf("%d words: Match(%.20q...) = %d, want %d", n, key, got, want)
		}
	}
}
