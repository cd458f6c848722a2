package lab

import (
	"context"
	"math"
	"slices"
	"testing"

	"harelab/loadgen"
	"harelab/reports/stat"
)

// TestStoriesOfStarvation checks that scenarios meet their expectations in virtual time.
func TestStoriesOfStarvation(t *testing.T) {
	arms, err := Expand(Request{Scenarios: []string{"priority-starves", "tenant-isolation"}, Targets: []Target{{Kind: Sim}}, Repeat: 1})
	if err != nil || len(arms) != 6 {
		t.Fatalf("%d arms, %v", len(arms), err)
	}
	for _, a := range arms {
		r, err := a.run(context.Background(), func(loadgen.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		vs := stat.Summarize(r).Verdicts
		if len(vs) < 2 {
			t.Errorf("%s expects %d things", a.Name(), len(vs))
		}
		for _, v := range vs {
			if v.Outcome != stat.Met {
				t.Errorf("%s: %s is %s (%s)", a.Name(), v.Text, v.Outcome, v.Error)
			}
		}
	}
}

// TestDispatchCatalogue checks that the mean waits of the arrangements are in the order of
// queueing theory: strategies that know idle workers wait less than strategies that
// count, and those wait less than blind ones.
func TestDispatchCatalogue(t *testing.T) {
	s, err := NewSweep(SweepRequest{Scenario: "dispatch-catalogue", Target: Target{Kind: Sim}})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]map[string]float64{}
	for _, c := range runAll(t, s, nil, func(Cell) error { return nil }) {
		by[c.Values[0]] = c.Metrics
	}
	for _, same := range []string{"rr-1", "lwl-push"} { // least work left has the waits of a central queue
		for _, m := range []string{"wait.mean", "wait.p99", "wait.max"} {
			if by[same][m] != by["fair"][m] {
				t.Errorf("%s of %s is %g, of fair %g", m, same, by[same][m], by["fair"][m])
			}
		}
	}
	order := []string{"fair", "adaptive", "rr-2", "jsq-push", "rr-4", "po2-push", "rr-8", "rr-16", "rr-push", "random-push"}
	if !slices.IsSortedFunc(order, func(a, b string) int {
		if by[a]["wait.mean"] < by[b]["wait.mean"] {
			return -1
		}
		return 1
	}) {
		for _, a := range order {
			t.Errorf("%s: mean wait %g s", a, by[a]["wait.mean"])
		}
	}
	for a, m := range by {
		if wastes := m["idle_while_waiting"] > 0; wastes == slices.Contains([]string{"fair", "rr-1", "lwl-push"}, a) {
			t.Errorf("%s: idle while waiting %g s", a, m["idle_while_waiting"])
		}
	}
}

// TestDispatchYardstick checks the catalogue's strategies against an independent simulator
// on the recorded load: mean, 99th percentile and longest wait in seconds and the mean
// slowdown, to the digits of its table.
func TestDispatchYardstick(t *testing.T) {
	want := map[string][4]float64{
		"fair": {1.239133, 10.384258, 11.878596, 12.294398}, "lwl-push": {1.239133, 10.384258, 11.878596, 12.294398},
		"rr-2": {1.950, 14.58, 20.62, 18.7}, "jsq-push": {2.187050, 20.550328, 30.476797, 20.845851}, "rr-4": {2.900, 19.23, 27.94, 27.5},
		"po2-push": {3.556193, 23.458341, 33.109297, 33.314247}, "rr-8": {4.383593, 24.657882, 39.681354, 41.265566}, "rr-16": {5.993, 33.94, 48.08, 55.9},
		"rr-push": {6.747894, 38.941134, 67.716768, 62.123529}, "random-push": {8.914035, 61.704677, 76.133898, 81.170847},
	}
	for name, want := range want {
		arms, err := Expand(Request{Scenarios: []string{"dispatch-yardstick"}, Set: map[string]string{"arrangement": name}, Targets: []Target{{Kind: Sim}}, Repeat: 1})
		if err != nil || len(arms) != 1 {
			t.Fatalf("%d arms, %v", len(arms), err)
		}
		r, err := arms[0].run(context.Background(), func(loadgen.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		s := stat.Summarize(r)
		for i, got := range []float64{s.All.Wait.Mean, s.All.Wait.P99, s.All.Wait.Max, s.All.Slowdown.Mean} {
			if math.Abs(got-want[i]) > max(0.003*want[i], 0.001) {
				t.Errorf("%s: %s is %g, want %g", name, []string{"mean", "p99", "max", "slowdown"}[i], got, want[i])
			}
		}
		if len(s.Verdicts) < 3 {
			t.Errorf("%s expects %d things, not a figure of its own", name, len(s.Verdicts))
		}
		for _, v := range s.Verdicts {
			if v.Outcome != stat.Met {
				t.Errorf("%s: %s is %s (%s)", name, v.Text, v.Outcome, v.Error)
			}
		}
	}
}
