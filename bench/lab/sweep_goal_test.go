package lab

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/reports/sweep"
)

// peak is a load of quick and slow work that needs 6.3 slots from 20 s to 40 s.
const peak = `schema: harelab/v1
name: peak
params: {workers: 1, prefetch: 4, split: "work"}
topology: {queues: [{name: work}, {name: apart}]}
classes:
  - {name: quick, publish: {exchange: "", key: work}, service: 80ms}
  - {name: slow, publish: {exchange: "", key: =split}, service: 3s}
load:
  - sequence: app
    phases:
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 20s}
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 28/s, duration: 20s}
workers:
  - {name: w, count: =workers, threads: 2, consume: [{queue: work}, {queue: apart}], prefetch: =prefetch}
stop: {when: drained, timeout: 900s}
`

// reportOf sweeps a scenario in virtual time and returns its report.
func reportOf(t *testing.T, text, goal string, axes ...Axis) *sweep.Sweep {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peak.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := NewSweep(SweepRequest{Scenario: file, Axes: axes, Target: Target{Kind: Sim}, Goal: goal})
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.Report(context.Background(), runAll(t, s, nil, func(Cell) error { return nil }), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestGoalOfASweep: the request decides, then the headline, then what the file expects, then
// the class that waits longest for its service. It is never the wait of all classes.
func TestGoalOfASweep(t *testing.T) {
	for _, tt := range []struct{ name, more, goal, want string }{
		{"request", "report: {headline: wait.max}\n", "wait.p50{class=slow}", "wait.p50{class=slow}"},
		{"headline", "report: {headline: wait.max}\nexpect: {that: [\"wait.p99{class=slow} < 1s\"]}\n", "", "wait.max"},
		{"expectation", "expect: {that: [lost == 0, \"wait.p99{class=slow} < 1s\"]}\n", "", "wait.p99{class=slow}"},
		{"counts alone", "expect: {that: [lost == 0]}\n", "", "wait.p99{class=quick}"},
		{"nothing said", "", "", "wait.p99{class=quick}"},
	} {
		if got := reportOf(t, peak+tt.more, tt.goal, Axis{Name: "prefetch", Values: []string{"2", "8"}}).Goal; got != tt.want {
			t.Errorf("%s: goal %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestSweepSaysWhatNoCellCanDo: where the load needs more slots than there are in every
// cell, the sweep says so, and that no cell meets what the file expects.
func TestSweepSaysWhatNoCellCanDo(t *testing.T) {
	const expect = "expect: {that: [\"wait.p99{class=quick} < 1s\", \"wait.p99{class=slow} == 3s\", lost == 0 when prefetch == 2]}\n"
	text := func(s *sweep.Sweep) string {
		var out bytes.Buffer
		if err := sweep.WriteTable(&out, s); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	prefetch := Axis{Name: "prefetch", Values: []string{"2", "8"}}
	few := text(reportOf(t, peak+expect, "", prefetch))
	for _, want := range []string{
		"OVERLOADED: In every cell: From 20 s to 40 s the load needs 6.33 busy slots and 2 are there: no prefetch or dispatch can help; 7 slots would.",
		"None of the 2 cells meets wait.p99{class=quick} < 1s.", // what it expects of some cells only, or knows of its own, is no wish
	} {
		if !strings.Contains(few, want) {
			t.Errorf("%q is missing:\n%s", want, few)
		}
	}
	all := text(reportOf(t, peak+expect, "", Axis{Name: "workers", Values: []string{"1", "4", "8", "16"}}, prefetch))
	for _, want := range []string{
		"In 2 of 8 cells the load needs more slots than there are: those with 1 worker.", "cells meet wait.p99{class=quick} < 1s: those with ", "The cheapest has ",
	} {
		if !strings.Contains(all, want) && !strings.Contains(all, strings.Replace(want, "In 2 of 8 cells the load needs more slots than there are: those with 1 worker.", "With 1 worker: From 20 s to 40 s", 1)) {
			t.Errorf("%q is missing:\n%s", want, all)
		}
	}
}
