package topictest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"harelab/engine/internal/race"
	"harelab/engine/topic"
)

// testAllocations checks that Match does not allocate if dst has room: with few and
// with many words and destinations, with a match and without.
func testAllocations(t *testing.T, s topic.Strategy) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	m := s.New()
	for i := range 300 {
		d := topic.Dest(i)
		m.Bind(fmt.Sprintf("device.%d.*", i%30), d)
		m.Bind(fmt.Sprintf("#.%c.#.%c.#", 'a'+i%7, 'a'+i%5), d)
		m.Bind("everything.#", d)
		m.Bind(fmt.Sprintf("a-rather-long-word-%d.b.c", i), d)
	}
	dst := make([]topic.Dest, 0, 2000)
	for _, key := range []string{
		"", "a", "device.7.on", "everything.at.once", "nothing.matches.this",
		"a-rather-long-word-17.b.c", strings.Repeat("a.b.", 60), strings.Repeat(".", 255),
	} {
		k := []byte(key)
		m.Match(dst, k)
		if n := testing.AllocsPerRun(100, func() { m.Match(dst, k) }); n != 0 {
			t.Errorf("Match(%.20q): %v allocations, want 0", key, n)
		}
	}
}

// testWork checks that the steps of a match are bounded by words x states and, once the
// match reaches all states, grow no faster than the number of words of the routing key,
// even if several '#' may match each word. The limits allow half as many steps more.
func testWork(t *testing.T, s topic.Strategy) {
	m, ok := s.New().(topic.Stepper)
	if !ok {
		t.Skipf("%T does not count its steps", s.New())
	}
	const letters = "abcdefgh"
	bound := 0
	for i := range 200 {
		var b strings.Builder
		b.WriteString("#")
		for x, j := i*2654435761, 0; j < 6; j++ {
			fmt.Fprintf(&b, ".%c.#", letters[x>>(3*j)&7])
			bound += 2
		}
		m.Bind(b.String(), topic.Dest(i))
	}
	var steps []int
	sizes := []int{15, 30, 60, 120}
	if s.Combinatorial {
		sizes = []int{4, 8, 16} // longer keys would take seconds
	}
	for _, n := range sizes {
		key := make([]byte, 0, 2*n)
		for i := range n {
			key = append(key, letters[i*5%7], '.')
		}
		_, k := m.MatchSteps(nil, key[:2*n-1])
		steps = append(steps, k)
	}
	linear := true
	for i, k := range steps {
		if 2*k > 3*bound*(sizes[i]+1) || i == len(sizes)-1 && k > 3*steps[i-1] {
			linear = false
		}
	}
	if !s.Combinatorial {
		testRepeatedWords(t, s)
	}
	if linear == s.Combinatorial {
		t.Errorf("%d steps for keys of %d words, 200 binding keys of seven '#': linear is %t, want %t",
			steps, sizes, linear, !s.Combinatorial)
	}
}

// testRepeatedWords matches keys that repeat one word against a binding key that has
// the word at six places.
func testRepeatedWords(t *testing.T, s topic.Strategy) {
	m := s.New().(topic.Stepper)
	m.Bind("#.a.#.a.#.a.#.a.#.a.#.a.#", 1)
	const states = 14
	for _, n := range []int{10, 15, 16, 17, 60, 120} {
		key := strings.Repeat("a.", n)
		if _, steps := m.MatchSteps(nil, []byte(key[:2*n-1])); steps > 3*states*(n+1) {
			t.Errorf("%d steps for %d times the same word and %d states, want at most %d", steps, n, states, 3*states*(n+1))
		}
	}
}

// testMemory checks that the memory of a matcher depends on the bindings that it holds,
// not on those it held: it replaces all keys a hundred times.
func testMemory(t *testing.T, s topic.Strategy) {
	if race.Enabled || testing.Short() {
		t.Skip("slow")
	}
	m := s.New()
	const held, rounds = 500, 100
	key := func(i int) string { return fmt.Sprintf("order.%d.item-number-%d.*", i%97, i) }
	dest := func(i int) topic.Dest { return topic.Dest(i % 50) }
	for i := range held {
		m.Bind(key(i), dest(i))
		m.Bind("all.#", topic.Dest(i))
	}
	dst := make([]topic.Dest, 0, 2*held)
	m.Match(dst, []byte("order.1.item-number-1.x"))
	before := heap()
	for i := range held * rounds {
		m.Unbind(key(i), dest(i))
		m.Bind(key(i+held), dest(i+held))
		m.Unbind("all.#", topic.Dest(i))
		m.Bind("all.#", topic.Dest(i+held))
		if i%16 == 0 {
			m.Match(dst[:0], []byte(key(i)))
		}
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d bytes more after %d keys were bound and unbound, want under 1 MiB", grown, held*rounds)
	}
	if m.Len() != 2*held {
		t.Errorf("Len() = %d, want %d", m.Len(), 2*held)
	}
	for i := held * rounds; i < held*(rounds+1); i++ {
		m.Unbind(key(i), dest(i))
		m.Unbind("all.#", topic.Dest(i))
	}
	m.Match(dst[:0], []byte("a"))
	if left := heap() - before; left > 1<<18 || m.Len() != 0 {
		t.Errorf("%d bytes more, %d bindings after all were unbound, want under 256 KiB, none", left, m.Len())
	}
	runtime.KeepAlive(m)
}

func heap() int64 {
	var s runtime.MemStats
	for range 2 { // a sync.Pool is empty after the second collection
		runtime.GC()
	}
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
