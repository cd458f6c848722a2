//go:build !race && !invariants

package sim

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A message costs its row of the outcome, and no allocation of its own.
func TestMessagesAllocateNothing(t *testing.T) {
	measure := func(n int64) (allocs, size float64) {
		m := Model{Queues: []scenarios.Queue{queueOf("q")}, Source: &steadySource{n: n}}
		for i := range 4 {
			m.Workers = append(m.Workers, Worker{Name: fmt.Sprint("w", i), Slots: 1, JoinsAt: -1, Deliver: 1, AckDelay: 1,
				Subscriptions: []Subscription{{Queue: "q", Prefetch: 2}}})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
	}
	const small, large = 10_000, 60_000
	measure(small) // fills pools
	allocs1, size1 := measure(small)
	allocs2, size2 := measure(large)
	if more := allocs2 - allocs1; more > 200 {
		t.Errorf("%v more allocations for %d more messages", more, large-small)
	}
	per := (size2 - size1) / (large - small)
	if row := float64(unsafe.Sizeof(run.Message{})); per > row+64 {
		t.Errorf("%.0f bytes a message, want at most its row of %.0f and 64", per, row)
	}
}
