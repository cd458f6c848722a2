package loadgen

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"harelab/scenarios"
)

// instants returns when a load publishes, in milliseconds, in order.
func instants(t *testing.T, load string) []int64 {
	t.Helper()
	f, err := scenarios.Parse("s.yaml", []byte(`schema: harelab/v1
name: s
topology: {queues: [{name: q}]}
classes:
  - {name: a, publish: {exchange: "", key: q}, service: 1ms}
  - {name: b, publish: {exchange: "", key: q}, service: 1ms}
load:
`+load))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	var at []int64
	stream := p.All()
	for m := (Planned{}); stream.Next(&m); {
		at = append(at, m.At/1000)
	}
	return at
}

func TestProducersOfOneRateAreSpread(t *testing.T) {
	const second = "phases: [{class: a, model: open, rate: 1/s, duration: 2s}]}\n"
	sequences := func(n int, what string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  - {sequence: p%d, %s", i, what)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, load string
		want       []int64
	}{
		{"one", sequences(1, second), []int64{0, 1000}},
		{"four", sequences(4, second), []int64{0, 250, 500, 750, 1000, 1250, 1500, 1750}},
		{"four in step", sequences(4, "in_step: true, "+second), []int64{0, 0, 0, 0, 1000, 1000, 1000, 1000}},
		{"other rates", "  - {sequence: p, " + second + "  - {sequence: q, phases: [{class: a, model: open, rate: 2/s, duration: 1s}]}\n", []int64{0, 0, 500, 1000}},
		{"other classes", "  - {sequence: p, " + second + "  - {sequence: q, phases: [{class: b, model: open, rate: 1/s, duration: 2s}]}\n", []int64{0, 0, 1000, 1000}},
		{"other starts", "  - {sequence: p, " + second + "  - {sequence: q, start: 1s, " + second, []int64{0, 1000, 1000, 2000}},
		{"a rate that grows", sequences(2, "phases: [{class: a, model: open, shape: [{ramp: 4/s, for: 1s}]}]}\n"), []int64{0, 500, 707, 866}},
		{"as many as count says", sequences(2, "phases: [{class: a, model: open, rate: 1/s, count: 2}]}\n"), []int64{0, 500, 1000, 1500}},
	} {
		if got := instants(t, c.load); !slices.Equal(got, c.want) {
			t.Errorf("%s: published at %v ms, want %v", c.name, got, c.want)
		}
	}
}
