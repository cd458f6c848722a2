package main

import (
	"slices"
	"strings"
	"testing"

	"harelab/bench/matchlab"
)

// TestOnlyBarsDecide checks that a missed bar fails the run, and that a missed target is
// only reported.
func TestOnlyBarsDecide(t *testing.T) {
	met, missed := bar{what: "quick", value: 1, lo: 0.94, hi: 1.07, unit: "x", limit: 2, stretch: 0.5}, bar{what: "slow", value: 36_370, unit: "ns", limit: 1000}
	for _, tt := range []struct {
		name string
		v    verdict
		ok   bool
		want []string
	}{
		{"all met", verdict{[]bar{met}, []bar{met}}, true, []string{"All 1 bars are met.", "0.94 x to 1.07 x", "All 1 further targets are met."}},
		{"a target missed", verdict{[]bar{met}, []bar{met, missed}}, true, []string{"All 1 bars are met.", "1 of 2 further targets are met. Missed: slow."}},
		{"a bar missed", verdict{[]bar{missed}, []bar{met}}, false, []string{"0 of 1 bars are met. Missed: slow.", "36.4 µs", "MISSED"}},
		{"a target just missed", verdict{[]bar{met}, []bar{{what: "close", value: 0.553, unit: "x", limit: 0.55}}}, true, []string{"above", "MISSED"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if got := tt.v.print(&out); got != tt.ok {
				t.Errorf("bars met: %t, want %t", got, tt.ok)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

// TestPause checks that the limit of a pause is 100 µs or, on a machine that makes longer
// pauses by itself, the machine's.
func TestPause(t *testing.T) {
	const µs = 1e3
	times := func(values ...float64) []float64 { return slices.Repeat(values, 8) }
	for _, tt := range []struct {
		name            string
		pause, machines []float64
		met             bool
	}{
		{"short", times(30*µs, 40*µs), times(30*µs, 40*µs), true},
		{"too long", times(150*µs, 160*µs), times(30*µs, 40*µs), false},
		{"too long on an uneven machine", times(150*µs, 160*µs), times(30*µs, 40*µs, 5000*µs), false},
		{"as long as the machine's", times(200*µs, 210*µs), times(195*µs, 215*µs), true},
		{"longer than the machine's", times(300*µs, 310*µs), times(195*µs, 215*µs), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := pause(&matchlab.Deletion{Pause: tt.pause, Elsewhere: tt.machines})
			if b.met() != tt.met || b.value <= 0 {
				t.Errorf("%s: %s, at most %s: met %t, want %t", b.what, figure(b.value, b.unit), figure(b.limit, b.unit), b.met(), tt.met)
			}
		})
	}
}
