package topictest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"harelab/engine/topic"
)

// testConcurrent runs readers beside writers. Every result must contain the
// destinations that stay bound, none that was never bound, and none twice. A binding
// must be found as soon as Bind has returned.
func testConcurrent(t *testing.T, s topic.Strategy) {
	m := s.New()
	const fixed = 20 // destinations 0 to 19 stay bound
	for i := range fixed {
		m.Bind(fmt.Sprintf("room.%d.#", i), topic.Dest(i))
		m.Bind("#.alarm", topic.Dest(i))
	}
	var stop atomic.Bool
	var readers, writers sync.WaitGroup
	for r := range 2 {
		readers.Go(func() {
			dst := make([]topic.Dest, 0, 256)
			for i := r; !stop.Load(); i++ {
				room := i % fixed
				key := []byte(fmt.Sprintf("room.%d.door.alarm", room))
				got := sorted(m.Match(dst[:0], key))
				if err := checkConcurrent(got, fixed); err != "" {
					t.Errorf("Match(%q) = %d: %s", key, got, err)
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			own := topic.Dest(100 * (w + 1)) // first destination of those that only this writer binds
			for i := range 400 {
				d := own + topic.Dest(i%80)
				key := fmt.Sprintf("room.%d.door.*", i%fixed)
				m.Bind(key, d)
				m.Bind("#.alarm", d)
				if got := m.Match(nil, []byte("x.alarm")); !slices.Contains(got, d) {
					t.Errorf("Bind(#.alarm, %d) returned, but Match(x.alarm) = %d", d, got)
				}
				m.Unbind("#.alarm", d)
				if got := m.Match(nil, []byte("x.alarm")); slices.Contains(got, d) {
					t.Errorf("Unbind(#.alarm, %d) returned, but Match(x.alarm) = %d", d, got)
				}
				if i%3 != 0 {
					m.Unbind(key, d)
				}
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	readers.Wait()
}

func checkConcurrent(got []topic.Dest, fixed int) string {
	for i := range fixed {
		if i >= len(got) || got[i] != topic.Dest(i) {
			return fmt.Sprintf("destination %d is missing, which was never unbound", i)
		}
	}
	for i, d := range got[1:] {
		if d == got[i] {
			return fmt.Sprintf("destination %d is in the result twice", d)
		}
		if d >= topic.Dest(fixed) && (d < 100 || d >= 280) {
			return fmt.Sprintf("destination %d was never bound", d)
		}
	}
	return ""
}

// testManyDestinations binds one key to a thousand destinations, unbinds every second
// one, and repeats that in other orders.
func testManyDestinations(t *testing.T, s topic.Strategy) {
	m := s.New()
	const n = 1000
	for round := range 3 {
		for i := range n {
			m.Bind("a.#", topic.Dest((i*7+round)%n))
		}
		if got := sorted(m.Match(nil, []byte("a.b"))); len(got) != n || got[0] != 0 || got[n-1] != n-1 {
			t.Fatalf("round %d: %d destinations, want %d", round, len(got), n)
		}
		for i := 0; i < n; i += 2 {
			if !m.Unbind("a.#", topic.Dest((i*3+round)%n)) {
				t.Fatalf("round %d: Unbind(a.#, %d) = false, want true", round, (i*3+round)%n)
			}
		}
		if got := len(m.Match(nil, []byte("a"))); got != n/2 || m.Len() != n/2 {
			t.Fatalf("round %d: %d destinations, Len %d, want %d", round, got, m.Len(), n/2)
		}
	}
}
