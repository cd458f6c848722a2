package lab

import (
	"strings"
	"testing"
)

func varyOf(t *testing.T, q VaryRequest, axis string) *Vary {
	t.Helper()
	var err error
	if q.Axis, err = ParseAxis(axis); err != nil {
		t.Fatal(err)
	}
	v, err := NewVary(q)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVariedValuesTakeTurnsWithEqualSeeds(t *testing.T) {
	v := varyOf(t, VaryRequest{Scenario: "odd-heavy-even-light", Target: Target{Kind: Sim}, Repeat: 3}, "dispatch=rr,fair")
	if got, want := strings.Join(v.values, " "), "rr fair fair rr rr fair"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	for i, a := range v.Arms {
		if want := v.Arms[0].Scenario.Seed + uint64(i/2); a.Scenario.Seed != want || a.Repeat != i/2 {
			t.Errorf("arm %d: seed %d, repeat %d; want %d, %d", i, a.Scenario.Seed, a.Repeat, want, i/2)
		}
		if a.Scenario.Engine.Dispatch != v.values[i] {
			t.Errorf("arm %d runs with %q, want %q", i, a.Scenario.Engine.Dispatch, v.values[i])
		}
	}
}

func TestVaryRepeatsWhereTheClockIsReal(t *testing.T) {
	for target, want := range map[Kind]int{Sim: 1, Embedded: 6} {
		v := varyOf(t, VaryRequest{Scenario: "odd-heavy-even-light", Target: Target{Kind: target}}, "dispatch=rr,fair")
		if len(v.Arms) != 2*want {
			t.Errorf("%s: %d runs, want %d of each value", target, len(v.Arms), want)
		}
	}
}
