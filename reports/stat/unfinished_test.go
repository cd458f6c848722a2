package stat

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// TestPartialIsNotSuccess: an expectation on messages that were not done is not met,
// unless it speaks of what cannot change any more.
func TestPartialIsNotSuccess(t *testing.T) {
	const second = 1_000_000
	none := run.None
	row := func(seq int64, class int32, state run.State) run.Message {
		m := run.Message{
			Seq: seq, Class: class, Tenant: -1, Worker: -1, State: state, Intended: 0, Sent: 0, Confirmed: none, Enqueued: 0,
			Dispatched: none, Received: none, Started: none, Done: none, Acked: none, Service: second,
		}
		if state == run.Done {
			m.Worker, m.Attempts, m.Dispatched, m.Received, m.Started, m.Done = 0, 1, seq*second, seq*second, seq*second, (seq+1)*second
		}
		return m
	}
	r := &run.Result{
		Length: 9 * second, Classes: []string{"a", "b", "none"}, Queues: []string{"q"}, Target: run.Target{Kind: "sim"},
		Workers:  []run.Worker{{Name: "w", Slots: 1, Queues: []string{"q"}}},
		Messages: []run.Message{row(0, 0, run.Done), row(1, 0, run.Done), row(2, 1, run.Done), row(3, 1, run.Left), row(4, 1, run.Left)},
	}
	r.Ledger = run.Ledger{Published: 5, Finished: 3, Delivered: 3, Confirmed: -1}
	r.Ledger.Count(r.Messages)
	for _, tt := range []struct {
		expectation     string
		timedOut, stuck Outcome
	}{
		{"wait.p99{class=a} < 5s", Met, Met},          // all of class a was done
		{"wait.p99{class=b} < 5s", NotMet, NotMet},    // the others of class b may wait for ever
		{"wait.p99 < 5s", NotMet, NotMet},             //
		{"wait.max >= 2s", Met, Met},                  // it can only grow
		{"lost == 0", NotMet, Met},                    // the others may still be lost, unless they are stuck
		{"lost{class=a} == 0", Met, Met},              //
		{"finished >= 3", Met, Met},                   //
		{"finished == 3", NotMet, Met},                //
		{"left == 2", Met, Met},                       // it speaks of the end of this run
		{"unserved == 2", Met, Met},                   //
		{"published == 5", Met, Met},                  //
		{"lost{class=none} == 0", NotMet, NotMet},     // there is nothing to measure
		{"published{class=none} == 0", Met, Met},      //
		{"wait.p99{class=none} < 5s", NotMet, NotMet}, //
	} {
		e := run.Expectation{Text: tt.expectation}
		var rest, value string
		var err error
		if e.Of, rest, err = metric.Cut(tt.expectation); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(rest, &e.Op, &value); err != nil {
			t.Fatal(err)
		}
		if e.Value, err = strconv.ParseFloat(strings.TrimSuffix(value, "s"), 64); err != nil {
			t.Fatal(err)
		}
		r.Expect = []run.Expectation{e}
		for code, want := range map[string]Outcome{timedOut: tt.timedOut, leftBehind: tt.stuck} {
			r.Partial, r.Findings = code == timedOut, []run.Finding{{Code: code, Text: "some are left"}}
			s := Summarize(r)
			if got := s.Verdicts[0].Outcome; got != want {
				t.Errorf("%s, %s: %s (%s), want %s", tt.expectation, code, got, s.Verdicts[0].Error, want)
			}
			means := tt.expectation == "left == 2" || tt.expectation == "unserved == 2"
			if got := s.Incomplete(); got != "" && means || got != "some are left" && !means {
				t.Errorf("%s, %s: incomplete %q", tt.expectation, code, got)
			}
		}
	}
}

// TestQueuedLeavesOutRedeliveries: what lay with a worker that never acked it was not in
// the queue.
func TestQueuedLeavesOutRedeliveries(t *testing.T) {
	rows := []run.Message{
		{Seq: 0, Attempts: 1, State: run.Done, Enqueued: 0, Dispatched: 1000, Received: 1000, Started: 1000, Done: 2000},
		{Seq: 1, Attempts: 2, Redelivered: true, State: run.Done, Enqueued: 0, Dispatched: 19_000_000, Received: 19_000_000, Started: 19_000_000, Done: 19_001_000},
	}
	r := &run.Result{Classes: []string{"c"}, Queues: []string{"q"}, Workers: []run.Worker{{Name: "w", Slots: 1}}, Target: run.Target{Kind: "sim"}, Messages: rows}
	if got := Summarize(r).All.Queued; got.N != 1 || got.Max != 0.001 {
		t.Errorf("queued %+v, want 1 ms of the message that was delivered once", got)
	}
}
