package stat

import (
	"slices"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// TestInterruptedRun cuts a run of one slot off at 4 s, during a task of 10 s that began
// at once: the slot was busy all the time, and no expectation has a result.
func TestInterruptedRun(t *testing.T) {
	const second = 1_000_000
	none := run.None
	r := &run.Result{
		Partial: true, Length: 4 * second, Classes: []string{"c"}, Queues: []string{"q"},
		Workers: []run.Worker{{Name: "w", Slots: 1, Queues: []string{"q"}}},
		Messages: []run.Message{
			{Seq: 0, State: run.Left, Started: 0, Done: none, Confirmed: none, Dispatched: 0, Received: 0, Acked: none, Service: 10 * second},
			{Seq: 1, Worker: -1, State: run.Left, Started: none, Done: none, Confirmed: none, Dispatched: none, Received: none, Acked: none, Service: second},
		},
		Spans:    []run.Span{{Start: 0, End: 4 * second}},
		Findings: []run.Finding{{Code: "interrupted"}},
		Expect: []run.Expectation{
			{Text: "lost == 0", Of: metric.Query{Metric: "lost"}, Op: "=="},
			{Text: "starvation == 10s", Of: metric.Query{Metric: "starvation"}, Op: "==", Value: 10, Unit: "s"},
			{Text: "wait.max == 10s", Of: metric.Query{Metric: "wait", Stat: "max"}, Op: "==", Value: 10, Unit: "s"},
		},
	}
	s := Summarize(r)
	if s.Utilisation != 1 || s.Length != 4 || s.All.N != 0 || s.Throughput != 0 {
		t.Errorf("utilisation %g, length %g s, %d finished, %g/s; want 1, 4 s, 0, 0/s", s.Utilisation, s.Length, s.All.N, s.Throughput)
	}
	if s.All.Starvation != 4 {
		t.Errorf("starvation %g s, want 4 s", s.All.Starvation)
	}
	if slices.ContainsFunc(s.Verdicts, func(v Verdict) bool { return v.Outcome != CutOff }) || len(s.Verdicts) != 3 {
		t.Errorf("verdicts %+v, want all cut off", s.Verdicts)
	}

	r.Findings = []run.Finding{{Code: "timeout"}} // the scenario's own end: expectations have results
	if v := Summarize(r).Verdicts; v[0].Outcome != NotMet || v[0].Error != "2 of 2 messages that it is about were not done" || v[1].Outcome != NotMet || v[2].Outcome != NotMet || v[2].Error != noData {
		t.Errorf("after a timeout: verdicts %+v", v)
	}
}
