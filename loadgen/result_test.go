package loadgen

import (
	"math"
	"slices"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// TestWhenWorkersAreAway reads absences out of joins and faults.
func TestWhenWorkersAreAway(t *testing.T) {
	f, err := scenarios.Parse("t.yaml", []byte(`schema: harelab/v1
name: away
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: {dist: fixed, value: 1s}}]
load: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]
workers:
  - {name: always, threads: 1, consume: [{queue: q}], ack: on-done}
  - {name: late, threads: 1, consume: [{queue: q}], ack: on-done, joins_at: 2s}
  - {name: falls, threads: 1, consume: [{queue: q}], ack: on-done}
faults:
  - {at: 9s, do: kill, worker: late}
  - {at: 5s, do: stall, worker: falls, restart_after: 1s}
  - {at: 5500ms, do: kill, worker: falls, restart_after: 3s}
stop: {when: drained, timeout: 20s}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const second = 1_000_000
	want := map[string][]run.Absence{
		"late":  {{From: 0, To: 2 * second}, {From: 9 * second, To: math.MaxInt64}},
		"falls": {{From: 5 * second, To: 8_500_000}},
	}
	for _, w := range NewResult(s, run.Target{}).Workers {
		if !slices.Equal(w.Away, want[w.Name]) {
			t.Errorf("%s is away %v, want %v", w.Name, w.Away, want[w.Name])
		}
	}
}

// TestCheckWarmup: a message of the very instant at which the warm-up ends counts.
func TestCheckWarmup(t *testing.T) {
	for _, c := range []struct {
		name     string
		warmup   int64
		intended []int64
		valid    bool
	}{
		{"no warm-up", 0, []int64{0}, true},
		{"one behind it", 1000, []int64{0, 1000}, true},
		{"none behind it", 1000, []int64{0, 999}, false},
		{"nothing sent", 1000, nil, true},
	} {
		r := &run.Result{Warmup: c.warmup}
		for _, at := range c.intended {
			r.Messages = append(r.Messages, run.Message{Intended: at})
		}
		CheckWarmup(r)
		if r.Valid() != c.valid {
			t.Errorf("%s: findings %v, want valid %t", c.name, r.Findings, c.valid)
		}
	}
}
