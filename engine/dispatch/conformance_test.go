package dispatch_test

import (
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/dispatchtest"
)

func TestConformance(t *testing.T) {
	for _, s := range dispatch.Selectors() {
		for _, o := range dispatch.Orders() {
			t.Run("dispatch="+s.Name+"/order="+o.Name, func(t *testing.T) { dispatchtest.Run(t, s, o) })
		}
	}
}

// TestNeeds checks that each strategy declares all inputs that it reads.
func TestNeeds(t *testing.T) {
	for _, s := range dispatch.Selectors() {
		for _, o := range dispatch.Orders() {
			t.Run("dispatch="+s.Name+"/order="+o.Name, func(t *testing.T) { dispatchtest.RunNeeds(t, s, o) })
		}
	}
}

// FuzzHistory runs histories that the fuzzer writes. The first two bytes choose the
// strategies.
func FuzzHistory(f *testing.F) {
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) < 2 {
			return
		}
		selectors, orders := dispatch.Selectors(), dispatch.Orders()
		s := selectors[int(choices[0])%len(selectors)]
		o := orders[int(choices[1])%len(orders)]
		dispatchtest.Replay(t, choices[2:], s, o)
	})
}
