package loadgen

import (
	"testing"
	"time"

	"harelab/scenarios"
)

// TestDemand wants the least time of shipped scenarios: the last message due,
// or the work spread over the slots.
func TestDemand(t *testing.T) {
	for _, c := range []struct {
		name  string
		least time.Duration
		off   time.Duration
	}{
		{"celery-initial", 11 * time.Second, 0},               // 4 x 10 s + 40 x 0.1 s on 4 slots
		{"priority-starves", 61100 * time.Millisecond, 0},     // 611 x 0.1 s on one
		{"dispatch-catalogue", 2 * time.Hour, time.Hour / 15}, // 20,000 at 2.8 a second
	} {
		f, err := scenarios.Load(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Resolve(scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := NewPlan(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := DemandOf(s, plan).Least(); got < c.least-c.off || got > c.least+c.off {
			t.Errorf("%s takes at least %v, want %v", c.name, got, c.least)
		}
	}
}
