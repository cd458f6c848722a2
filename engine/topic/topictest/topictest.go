// Package topictest is the conformance suite of topic-matching strategies: the
// rules by example, random histories against a model, no allocation, bounded
// work, readers beside a writer, and memory that is freed.
package topictest

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"harelab/engine/internal/race"
	"harelab/engine/topic"
)

var seedFlag = flag.Uint64("topic.seed", 0, "replay the random history with this seed")

// Run checks that a strategy keeps the contract of [topic.Matcher].
func Run(t *testing.T, s topic.Strategy) {
	t.Run("rules", func(t *testing.T) { testRules(t, s) })
	t.Run("together", func(t *testing.T) { testTogether(t, s) })
	t.Run("pairs", func(t *testing.T) { testPairs(t, s) })
	t.Run("append", func(t *testing.T) { testAppend(t, s) })
	t.Run("lengths", func(t *testing.T) { testLengths(t, s) })
	t.Run("words", func(t *testing.T) { testWords(t, s) })
	t.Run("history", func(t *testing.T) { testHistories(t, s) })
	t.Run("allocations", func(t *testing.T) { testAllocations(t, s) })
	t.Run("work", func(t *testing.T) { testWork(t, s) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, s) })
	t.Run("many-destinations", func(t *testing.T) { testManyDestinations(t, s) })
	t.Run("memory", func(t *testing.T) { testMemory(t, s) })
}

// A step is one call of a small history, with the result that it must have.
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
		{"unbind needs the same destination", []step{{"bind", "a.b", 1, true}, {"unbind", "a.b", 2, false}}, 1, []topic.Dest{1}},
		{"unbind needs the same key", []step{
			{"bind", "a.*", 1, true}, {"unbind", "a.b", 1, false}, {"unbind", "a", 1, false}, {"unbind", "a.*.c", 1, false}}, 1, []topic.Dest{1}},
		{"equivalent keys are different pairs", []step{
			{"bind", "#", 1, true}, {"bind", "#.#", 1, true}, {"unbind", "#", 1, true}}, 1, []topic.Dest{1}},
		{"destinations of one key are apart", []step{
			{"bind", "a.b", 1, true}, {"bind", "a.b", 2, true}, {"bind", "a.b", 3, true}, {"unbind", "a.b", 2, true}}, 2, []topic.Dest{1, 3}},
		{"a destination of several keys is matched once", []step{
			{"bind", "a.b", 7, true}, {"bind", "a.*", 7, true}, {"bind", "#", 7, true}, {"bind", "a.#.b", 7, true}}, 4, []topic.Dest{7}},
		{"a destination stays while one key is left", []step{
			{"bind", "a.b", 7, true}, {"bind", "a.*", 7, true}, {"unbind", "a.b", 7, true}}, 1, []topic.Dest{7}},
		{"a prefix outlives a longer key", []step{
			{"bind", "a.b", 1, true}, {"bind", "a.b.c", 2, true}, {"unbind", "a.b.c", 2, true}}, 1, []topic.Dest{1}},
		{"a longer key outlives its prefix", []step{
			{"bind", "a.#", 1, true}, {"bind", "a.#.b", 2, true}, {"unbind", "a.#", 1, true}}, 1, []topic.Dest{2}},
		{"a key is bound again", []step{
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

// testAppend checks that Match appends, leaves the elements of dst alone, and keeps
// neither slice.
func testAppend(t *testing.T, s topic.Strategy) {
	m := s.New()
	m.Bind("a.*", 5)
	m.Bind("a.#", 6)
	m.Bind("#", 5)
	dst := append(make([]topic.Dest, 0, 8), 5, 6, 5)
	key := []byte("a.b")
	for range 2 { // a cache may answer the second Match
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

// testLengths matches keys of every length up to the limit. Beyond it Bind must panic.
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
		t.Errorf("Unbind of a key of 256 bytes removed the key of its first 255")
	}
	defer func() {
		if recover() == nil {
			t.Errorf("Bind of a key of 256 bytes did not panic")
		}
		if !m.Bind("b", 1) || m.Len() != 2 {
			t.Errorf("the matcher is not usable after a refused Bind")
		}
	}()
	m.Bind(long, 1)
}

// testMiddles checks that a matcher tells keys apart that differ in one byte, wherever
// the byte is, also at their second match.
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
	if testing.Short() || race.Enabled {
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
			if m, ok := m.(topic.Stepper); ok {
				if got, _ := m.MatchSteps(nil, []byte(key)); !slices.Equal(sorted(got), want) {
					t.Errorf("seed %#x, op %d: MatchSteps(%q) = %d, want %d", seed, op, key, got, want)
					return false
				}
			}
		}
	}
	return true
}
