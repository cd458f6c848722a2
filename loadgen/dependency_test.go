package loadgen

import (
	"testing"

	"harelab/scenarios"
)

// TestDependency calls one of two places: each line is the run time and the service time
// of an attempt, and how long it takes.
func TestDependency(t *testing.T) {
	d := NewDependencies(&scenarios.Scenario{Dependencies: []scenarios.Dependency{{Name: "api", Capacity: 2}}})["api"]
	for i, c := range []struct {
		name            string
		now, work, want int64
	}{
		{"a free place", 0, 10, 10},
		{"the other free place", 0, 30, 30},
		{"behind the first to end, also if its caller gave up", 5, 10, 15},
		{"behind the first to end again", 5, 10, 25},
		{"places are free again", 100, 10, 10},
		{"no work behind nobody", 100, 0, 0},
		{"both are busy", 100, 40, 40},
		{"no work waits, too", 105, 0, 5},
	} {
		if got := d.Call(c.now, c.work); got != c.want {
			t.Errorf("call %d, %s: takes %d us, want %d", i, c.name, got, c.want)
		}
	}
	var none *Dependency
	if got := none.Call(5, 7); got != 7 {
		t.Errorf("without a dependency %d us, want 7", got)
	}
}
