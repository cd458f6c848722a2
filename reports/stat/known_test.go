package stat

import (
	"math"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/scenarios/metric"
)

// The rules of dispatch alone give these answers; see the doc comments of the
// specimens.
func TestSummarizeKnownAnswers(t *testing.T) {
	arms := specimen.Arms()
	tests := []struct {
		arm       int
		what      string
		got       func(s, q *sums) float64
		want      float64
		tolerance float64
	}{
		{0, "query wait mean", func(s, q *sums) float64 { return q.c.Wait.Mean }, 10.45, 0},
		{0, "query wait p50", func(s, q *sums) float64 { return q.c.Wait.P50 }, 10.4, 0},
		{0, "query wait p95", func(s, q *sums) float64 { return q.c.Wait.P95 }, 10.9, 0},
		{0, "query wait max", func(s, q *sums) float64 { return q.c.Wait.Max }, 10.9, 0},
		{0, "query held max", func(s, q *sums) float64 { return q.c.Held.Max }, 10.3, 0},
		{0, "query starvation", func(s, q *sums) float64 { return q.c.Starvation }, 10, 0},
		{0, "query slowdown mean", func(s, q *sums) float64 { return q.c.Slowdown.Mean }, 105.5, 0},
		{0, "query slowdown max", func(s, q *sums) float64 { return q.c.Slowdown.Max }, 110, 0},
		{0, "makespan", func(s, q *sums) float64 { return s.s.Makespan }, 11, 0},
		{0, "utilisation", func(s, q *sums) float64 { return s.s.Utilisation }, 1, 0},
		{0, "net starvation", func(s, q *sums) float64 { return s.s.Class("fit_neural_net").Starvation }, 0, 0},
		{1, "query wait mean", func(s, q *sums) float64 { return q.c.Wait.Mean }, 8.284, 0.0005},
		{1, "query wait p50", func(s, q *sums) float64 { return q.c.Wait.P50 }, 9.9, 0},
		{1, "query wait max", func(s, q *sums) float64 { return q.c.Wait.Max }, 13.3, 0},
		{1, "makespan", func(s, q *sums) float64 { return s.s.Makespan }, 20, 0},
		{2, "query wait mean", func(s, q *sums) float64 { return q.c.Wait.Mean }, 3.828, 0.0005},
		{2, "query wait max", func(s, q *sums) float64 { return q.c.Wait.Max }, 10.5, 0},
		{2, "queries stuck behind nets", func(s, q *sums) float64 { return float64(q.c.Stuck) }, 11, 0},
		{2, "query starvation", func(s, q *sums) float64 { return q.c.Starvation }, 7.2, 0},
		{3, "query wait mean", func(s, q *sums) float64 { return q.c.Wait.Mean }, 1.95, 0},
		{3, "query wait max", func(s, q *sums) float64 { return q.c.Wait.Max }, 3.9, 0},
		{3, "query held max", func(s, q *sums) float64 { return q.c.Held.Max }, 0, 0},
		{3, "query starvation", func(s, q *sums) float64 { return q.c.Starvation }, 0.1, 0},
		{3, "queries stuck", func(s, q *sums) float64 { return float64(q.c.Stuck) }, 0, 0},
	}
	for _, tt := range tests {
		s := Summarize(arms[tt.arm])
		got := tt.got(&sums{s: s}, &sums{s: s, c: s.Class("run_user_query")})
		if math.Abs(got-tt.want) > tt.tolerance {
			t.Errorf("%s: %s = %v, want %v", s.Arm, tt.what, got, tt.want)
		}
	}
}

type sums struct {
	s *Summary
	c *Class
}

func TestExpectationsOfSpecimens(t *testing.T) {
	for _, r := range append(specimen.Arms(), specimen.Measured(specimen.CeleryInitial())) {
		for _, v := range Summarize(r).Verdicts {
			if v.Outcome != Met {
				t.Errorf("%s on %s: %s is %s (%+v)", r.Arm(), r.Target.Kind, v.Text, v.Outcome, v)
			}
		}
	}
}

func TestSameLoadIsByMessagesNotQueues(t *testing.T) {
	var loads []Load
	for _, r := range specimen.Arms() {
		loads = append(loads, Summarize(r).Load)
	}
	if !loads[0].Same(loads[2]) || !loads[0].Same(loads[3]) {
		t.Error("44 messages of the same work are not the same load in other queues")
	}
	if loads[0].Same(loads[1]) {
		t.Error("40 and 200 queries are the same load")
	}
	if got, want := loads[1].String(), "4 fit_neural_net, 200 run_user_query"; got != want {
		t.Errorf("Load = %q, want %q", got, want)
	}
}

func TestForeignBrokerHidesItsInside(t *testing.T) {
	s := Summarize(specimen.Foreign(specimen.CeleryInitial()))
	if s.All.Queued != nil {
		t.Error("queued is visible on a foreign broker")
	}
	if s.All.Held == nil || s.All.Transit == nil {
		t.Error("held and transit, which the client sees, are hidden")
	}
	es := []run.Expectation{{Text: "queued.max <= 1s", Of: metric.Query{Metric: "queued", Stat: "max"}, Op: "<=", Value: 1, Unit: "s"}}
	if v := Check(specimen.Foreign(specimen.CeleryInitial()), s, es)[0]; v.Outcome != NotVisible {
		t.Errorf("an expectation on queued is %q, want %q", v.Outcome, NotVisible)
	}
}

func TestAgreements(t *testing.T) {
	var ss []*Summary
	for _, r := range specimen.Arms() {
		ss = append(ss, Summarize(r), Summarize(specimen.Measured(r)))
	}
	as := Agreements(ss)
	if len(as) != 4 {
		t.Fatalf("%d agreements, want one for each arm", len(as))
	}
	for _, a := range as {
		if !a.Within() {
			t.Errorf("%s does not agree: worst %+v", a.Arm, a.Worst())
		}
	}
	late := specimen.Measured(specimen.CeleryInitial())
	late.Messages[43].Started += 400_000
	late.Messages[43].Done += 400_000
	a := Agreements([]*Summary{ss[0], Summarize(late)})[0]
	if a.Within() {
		t.Errorf("a query 0.4 s later than predicted agrees: %+v", a.Lines)
	}
}
