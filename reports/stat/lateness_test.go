package stat

import (
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

const msec = int64(1000) // microseconds

// measured is a run of 1,000 messages of one class, one every 10 ms, on a real clock.
// Each waits for wait microseconds after its intended time, the lateness of its publishing
// included. lag is the lateness of the first late messages, work that of their work.
func measured(wait, lag, work int64, late int) *run.Result {
	const n, service = 1000, 5 * msec
	r := &run.Result{
		Scenario: "late", Target: run.Target{Kind: "embedded", Product: "harelab"}, Classes: []string{"quick"}, Queues: []string{"q"},
		Workers: []run.Worker{{Name: "w", Slots: 1}}, Ledger: run.Ledger{Published: n, Finished: n},
	}
	for i := range int64(n) {
		m := run.Message{
			Seq: i, Tenant: -1, Paced: true, Service: service, Attempts: 1, Intended: i * 10 * msec, Sent: i * 10 * msec,
			Started: i*10*msec + wait, Confirmed: run.None, Acked: run.None,
		}
		s := run.Span{Seq: i}
		if i < int64(late) {
			m.Sent += lag
			s.Late = int32(work)
		}
		m.Enqueued, m.Dispatched, m.Received = m.Sent, m.Started, m.Started
		m.Done = m.Started + service
		s.Start, s.End = m.Started, m.Done
		r.Messages, r.Spans = append(r.Messages, m), append(r.Spans, s)
		r.Length = m.Done
	}
	return r
}

// TestLatenessIsJudgedByWhatItCouldSpoil holds the rule to its bounds, on both sides: a
// figure that is asked for is spoiled by lateness at the same percentile above a tenth of
// it and above 0.2 ms. Other figures that are spoiled are named, and the run is valid.
func TestLatenessIsJudgedByWhatItCouldSpoil(t *testing.T) {
	for _, c := range []struct {
		name            string
		headline        string
		wait, lag, work int64 // microseconds
		late            int   // messages
		valid           bool
		named           string // figures in the finding; empty: there is no finding
	}{
		{"waits of seconds, 2 ms late", "wait.p99", 3000 * msec, 2 * msec, 2 * msec, 1000, true, ""},
		{"waits of seconds, 100 ms late", "wait.p99", 3000 * msec, 100 * msec, 100 * msec, 1000, true, ""},
		{"a tenth of the figure", "wait.p99", 50 * msec, 4500, 0, 1000, true, ""},
		{"more than a tenth", "wait.p99", 50 * msec, 5*msec + 1, 0, 1000, false, "can explain 5 ms of wait.p99 (50 ms)"},
		{"both kinds add up", "wait.p99", 50 * msec, 3 * msec, 2*msec + 1, 1000, false, "can explain 5 ms of wait.p99 (50 ms)"},
		{"below the floor", "wait.p99", 400, 200, 0, 1000, true, ""},
		{"above the floor", "wait.p99", 400, 201, 0, 1000, false, "wait.p99"},
		{"one in a hundred is not in the 99th percentile", "wait.p99", 50 * msec, 40 * msec, 0, 10, true, "wait.max{class=quick} (50 ms, lateness 40 ms)"},
		{"eleven in a thousand are", "wait.p99", 50 * msec, 40 * msec, 0, 11, false, "wait.p99"},
		{"one late message and the longest wait", "wait.max", 50 * msec, 40 * msec, 0, 1, false, "wait.max"},
		{"a count is asked for", "lost", 50 * msec, 40 * msec, 0, 1000, true, "wait.p50{class=quick} (50 ms, lateness 40 ms)"},
		{"nothing is asked for", "", 50 * msec, 40 * msec, 0, 10, true, "wait.max"},
		{"nothing is asked for, and the usual figure is spoiled", "", 50 * msec, 40 * msec, 0, 11, false, "wait.p99{class=quick}"},
		{"late work makes service longer", "service.mean", 50 * msec, 0, 1 * msec, 1000, false, "service.mean"},
		{"late publishing does not", "service.mean", 500 * msec, 1 * msec, 0, 1000, true, ""},
		{"slowdown is relative to service", "slowdown.p99", 500 * msec, 45 * msec, 0, 1000, true, ""},
		{"slowdown is spoiled", "slowdown.p99", 500 * msec, 60 * msec, 0, 1000, false, "slowdown.p99"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := measured(c.wait, c.lag, c.work, c.late)
			r.Headline = c.headline
			s := Summarize(r)
			i := slices.IndexFunc(s.Findings, func(f Finding) bool { return f.Code == "lateness" })
			if s.Valid() != c.valid || (i >= 0) != (c.named != "") {
				t.Fatalf("valid %v, want %v: %v", s.Valid(), c.valid, s.Findings)
			}
			if i >= 0 && !strings.Contains(s.Findings[i].Text, c.named) {
				t.Errorf("the finding lacks %q: %s", c.named, s.Findings[i].Text)
			}
		})
	}
}

// TestExpectationsAreDecidedByMargin: an expectation is met or not met if its margin is
// larger than the lateness, and is not decided otherwise, which makes the run invalid.
func TestExpectationsAreDecidedByMargin(t *testing.T) {
	for _, c := range []struct {
		op    string
		bound int64 // microseconds; all waits are 50 ms, 8 ms of it lateness
		want  Outcome
	}{
		{"<", 1000 * msec, Met},
		{"<", 58*msec + 1, Met},
		{"<", 58 * msec, NotDecided},
		{"<", 50*msec + 1, NotDecided},
		{"<", 42 * msec, NotDecided},
		{"<", 42*msec - 1, NotMet},
		{">", 42*msec - 1, Met},
		{">", 42 * msec, NotDecided},
		{">", 58 * msec, NotDecided},
		{">", 58*msec + 1, NotMet},
		{"==", 100 * msec, NotMet},
		{"==", 50 * msec, NotDecided}, // without tolerance
	} {
		r := measured(50*msec, 8*msec, 0, 1000)
		r.Expect = []run.Expectation{{Text: "wait.p99 " + c.op, Of: metric.Must("wait.p99"), Op: c.op, Value: seconds(c.bound), Unit: "s"}}
		s := Summarize(r)
		if v := s.Verdicts[0]; v.Outcome != c.want || s.Valid() != (c.want != NotDecided) || AllMet(s.Verdicts) != (c.want == Met) {
			t.Errorf("50 ms, 8 ms of it lateness, %s %s: %q, valid %v, want %q", c.op, Brief(seconds(c.bound)), v.Outcome, s.Valid(), c.want)
		}
	}
	// A tolerance that is wider than the lateness decides.
	r := measured(50*msec, 8*msec, 0, 1000)
	r.Expect = []run.Expectation{{Text: "wait.p99 == 52ms", Of: metric.Must("wait.p99"), Op: "==", Value: 0.052, Unit: "s", AbsTol: 0.02}}
	if s := Summarize(r); s.Verdicts[0].Outcome != Met || !s.Valid() {
		t.Errorf("52 ms within 20 ms: %+v, %v", s.Verdicts[0], s.Findings)
	}
}

// TestNothingIsLateInVirtualTime: there is no lateness, and a burst has none in its
// publishing.
func TestNothingIsLateInVirtualTime(t *testing.T) {
	r := measured(1*msec, 1*msec, 1*msec, 1000)
	r.Target.Kind = "sim"
	if s := Summarize(r); s.Lateness != nil || !s.Valid() {
		t.Errorf("virtual time: %+v, %v", s.Lateness, s.Findings)
	}
	r = measured(5*msec, 5*msec, 0, 1000)
	for i := range r.Messages {
		r.Messages[i].Paced = false
	}
	if s := Summarize(r); s.Lateness.Publishing != nil || !s.Valid() || len(s.Findings) > 0 {
		t.Errorf("a burst: %+v, %v", s.Lateness, s.Findings)
	}
}
