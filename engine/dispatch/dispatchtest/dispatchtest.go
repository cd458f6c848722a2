// Package dispatchtest is the suite that every dispatch strategy passes.
//
// It applies random events to a queue and to a slow and obvious model of it (model.go;
// the strategies in selectors.go and orders.go). Both must make the same decisions,
// and the queue's invariants must hold after every step. A failure prints the seed and
// the last steps.
package dispatchtest

import (
	"flag"
	"math/rand/v2"
	"testing"

	"harelab/engine/dispatch"
)

var (
	seedFlag  = flag.Uint64("dispatch.seed", 0, "run only the history of this seed; 0 runs all")
	countFlag = flag.Int("dispatch.histories", 30, "number of histories for each pair of strategies")
)

const steps = 300

// Run runs a pair of strategies through random histories.
func Run(t *testing.T, sel dispatch.SelectorStrategy, ord dispatch.OrderStrategy) {
	t.Helper()
	first, last := uint64(1), uint64(*countFlag)
	if *seedFlag != 0 {
		first, last = *seedFlag, *seedFlag
	}
	for seed := first; seed <= last; seed++ {
		src := &randomSource{rand.New(rand.NewPCG(seed, 0)), steps}
		if err := newHistory(src, sel, ord).run(); err != nil {
			t.Fatalf("seed %d (-dispatch.seed=%d): %v", seed, seed, err)
		}
	}
}

// Replay runs a pair of strategies through the history that a fuzzer's bytes encode.
func Replay(t *testing.T, choices []byte, sel dispatch.SelectorStrategy, ord dispatch.OrderStrategy) {
	t.Helper()
	src := byteSource(choices)
	if err := newHistory(&src, sel, ord).run(); err != nil {
		t.Fatal(err)
	}
}
