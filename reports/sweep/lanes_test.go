package sweep

import (
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/plot"
)

// busyRun is a run of one slot that works n times for a second. Message 500 waits for
// twenty seconds, the others do not wait.
func busyRun(variant string, n int64) *run.Result {
	r := &run.Result{Scenario: "s", Variant: variant, Classes: []string{"job"}, Queues: []string{"q"}, Length: n * 1e6,
		Target: run.Target{Kind: "sim"}, Workers: []run.Worker{{Name: "w", Slots: 1, Queues: []string{"q"}}}}
	for i := range n {
		at := i * 1e6
		m := run.Message{Seq: i, Tenant: -1, Confirmed: run.None, Intended: at, Sent: at, Enqueued: at, Dispatched: at,
			Received: at, Started: at, Done: at + 1e6, Acked: at + 1e6, Service: 1e6, State: run.Done}
		if i == 500 {
			m.Intended -= 20e6
		}
		r.Messages = append(r.Messages, m)
		r.Spans = append(r.Spans, run.Span{Seq: i, Start: at, End: at + 1e6})
	}
	return r
}

func TestLanesShowAStretchOfLongRuns(t *testing.T) {
	w := aroundLongestWait(busyRun("worst", 1000), "")
	if w != (section{475e6, 505e6}) {
		t.Fatalf("section %v, want 475 s to 505 s", w)
	}
	part := w.of(busyRun("worst", 1000))
	if len(part.Spans) != 30 || part.Spans[0].Start != 0 || part.Spans[29].End != 30e6 || part.Length != 30e6 {
		t.Errorf("%d spans over %d us", len(part.Spans), part.Length)
	}
	for _, m := range part.Messages {
		if m.Intended < 0 || m.Done > 30e6 || m.Confirmed != run.None {
			t.Errorf("message %d from %d to %d, confirmed %d", m.Seq, m.Intended, m.Done, m.Confirmed)
		}
	}
	s := catalogue()
	s.Extremes = arms.Summarize(busyRun("best", 1000), busyRun("worst", 1000))
	if f := s.lanes()(plot.Wide); f == nil || !strings.HasPrefix(f.Note, "The time around the longest wait in the worst cell; 0 is 475 s into the run.") {
		t.Errorf("lanes: %+v", f)
	}
	if s.Extremes[0].Result.Spans[999].End != 1000e6 || s.Extremes[1].Result.Messages[480].Intended != 480e6 {
		t.Error("drawing changed the runs")
	}
	s.Extremes = arms.Summarize(busyRun("best", 20), busyRun("worst", 20))
	if f := s.lanes()(plot.Wide); f == nil || strings.Contains(f.Note, "into the run") {
		t.Errorf("lanes of short runs: %+v", f)
	}
}

// TestLanesShowWhatTheGoalIsAbout: the section is around the longest wait of the goal's
// class, whose blocks have the first colour, though another class waits longer.
func TestLanesShowWhatTheGoalIsAbout(t *testing.T) {
	worst := busyRun("worst", 1000)
	worst.Classes = append(worst.Classes, "quick")
	worst.Messages[100].Class = int32(len(worst.Classes) - 1)
	worst.Messages[100].Intended -= 8e6
	if w := aroundLongestWait(worst, "quick"); w != (section{90e6, 102e6}) {
		t.Errorf("section %v, want 90 s to 102 s", w)
	}
	s := catalogue()
	s.Goal = "wait.p99{class=quick}"
	s.Extremes = arms.Summarize(worst, worst)
	f := s.lanes()(plot.Wide)
	if f == nil || !strings.HasPrefix(f.Note, "The time around the longest wait of quick in the worst cell; 0 is 90 s into the run.") || !strings.Contains(f.Note, "when the quick blocks begin") {
		t.Errorf("lanes: %+v", f)
	}
}
