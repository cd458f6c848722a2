//go:build invariants || race

package invariants

import (
	"fmt"
	"sync"
)

// held are the locks that one goroutine holds, in order.
type held struct {
	n     int
	ranks [ranks]Rank
}

func (h *held) String() string { return fmt.Sprint(h.ranks[:h.n]) }

// Goroutines are spread over many small tables, so that they rarely share one: to the
// race detector, a shared lock orders the goroutines' actions, and would hide races.
const tables = 1 << 10

var goroutines [tables]struct {
	mu   sync.Mutex
	held map[uintptr]held
}

// Locking reports that the calling goroutine is about to take a lock. It fails if the
// goroutine holds one of the same rank or of a later one.
func Locking(r Rank) {
	g := goroutine()
	t := &goroutines[g>>8%tables]
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.held[g]
	if h.n > 0 && h.ranks[h.n-1] >= r {
		Failf("lock order: %s is locked by a goroutine that holds %v", r, &h)
	}
	h.ranks[h.n] = r
	h.n++
	if t.held == nil {
		t.held = make(map[uintptr]held)
	}
	t.held[g] = h
}

// Unlocked reports that the calling goroutine has released a lock. It fails if the
// goroutine did not hold one of that rank.
func Unlocked(r Rank) {
	g := goroutine()
	t := &goroutines[g>>8%tables]
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.held[g]
	i := h.n - 1
	for i >= 0 && h.ranks[i] != r {
		i--
	}
	if i < 0 {
		Failf("lock order: %s is unlocked by a goroutine that holds %v", r, &h)
	}
	copy(h.ranks[i:], h.ranks[i+1:])
	if h.n--; h.n == 0 {
		delete(t.held, g)
		return
	}
	t.held[g] = h
}
