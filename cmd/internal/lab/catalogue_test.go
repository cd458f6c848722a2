package lab

import (
	"context"
	"slices"
	"testing"

	"harelab/loadgen"
	"harelab/reports/stat"
)

// TestStoriesOfStarvation wants the stories that scenarios tell by their
// expectations to be true in virtual time.
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

// TestDispatchCatalogue wants the arrangements in the order of their mean waits
// that queueing theory gives them: what knows who is idle before what counts,
// what counts before what is blind.
func TestDispatchCatalogue(t *testing.T) {
	s, err := NewSweep(SweepRequest{Scenario: "dispatch-catalogue", Target: Target{Kind: Sim}})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]map[string]float64{}
	for _, c := range runAll(t, s, nil, func(Cell) error { return nil }) {
		by[c.Values[0]] = c.Metrics
	}
	for _, same := range []string{"rr-1", "lwl-push"} { // least work left is the central queue, wait by wait
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
