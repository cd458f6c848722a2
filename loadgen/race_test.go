package loadgen

import (
	"fmt"
	"slices"
	"testing"

	"harelab/scenarios"
)

// TestRaceKeepsTheOrderOfEachQueue: messages of one queue keep their order in every try,
// those of two queues change places only within the window, and some do.
func TestRaceKeepsTheOrderOfEachQueue(t *testing.T) {
	s := &scenarios.Scenario{Seed: 7, Queues: []scenarios.Queue{{Name: "a"}, {Name: "b"}}}
	type message struct{ at, key int64 }
	exchanged := 0
	for try := 1; try <= 20; try++ {
		race := NewRace(s, try)
		of := map[string][]message{}
		for i := range int64(300) {
			at := i / 3 * 4000 // three at one instant, every 4 ms
			queue := []string{"a", "b"}[(i*i+i/7)%2]
			of[queue] = append(of[queue], message{at, race.Key(at, "", queue, nil)})
		}
		for queue, ms := range of {
			if !slices.IsSortedFunc(ms, func(a, b message) int { return int(a.key - b.key) }) {
				t.Errorf("try %d: queue %s is not in order", try, queue)
			}
		}
		for _, a := range of["a"] {
			for _, b := range of["b"] {
				if (a.at < b.at) != (a.key < b.key) && a.at != b.at && a.key != b.key {
					exchanged++
					if apart := max(a.at-b.at, b.at-a.at); apart > RaceWindow.Microseconds()+2*raceSpacing.Microseconds() {
						t.Errorf("try %d: messages %d us apart changed places", try, apart)
					}
				}
			}
		}
	}
	if exchanged == 0 {
		t.Error("no messages changed places")
	}
}

// TestRaceIsDrawnFromSeedAndTry: the same seed and try give the same order.
func TestRaceIsDrawnFromSeedAndTry(t *testing.T) {
	order := func(seed uint64, try int) string {
		race := NewRace(&scenarios.Scenario{Seed: seed, Queues: []scenarios.Queue{{Name: "a"}, {Name: "b"}}}, try)
		var keys []int64
		for i := range 40 {
			keys = append(keys, race.Key(0, "", []string{"a", "b"}[i%2], nil))
		}
		return fmt.Sprint(keys)
	}
	first, again := order(1, 2), order(1, 2)
	if first != again || first == order(1, 4) || first == order(2, 2) {
		t.Error("the order depends on something else, or not on seed and try")
	}
}

func TestMayRace(t *testing.T) {
	worker := func(queues ...string) scenarios.Worker {
		var w scenarios.Worker
		for _, q := range queues {
			w.Consume = append(w.Consume, scenarios.Consume{Queue: q})
		}
		return w
	}
	for _, c := range []struct {
		workers []scenarios.Worker
		want    bool
	}{
		{[]scenarios.Worker{worker("a"), worker("a")}, false},
		{[]scenarios.Worker{worker("a"), worker("b")}, false},
		{[]scenarios.Worker{worker("a"), worker("a", "b")}, true},
	} {
		if got := MayRace(&scenarios.Scenario{Workers: c.workers}); got != c.want {
			t.Errorf("%v: %v, want %v", c.workers, got, c.want)
		}
	}
}
