package plot

import (
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
)

// TestDepthIsThatOfTheSeries: a message that a worker never acks is not in the queue,
// whatever the instants of its last delivery are.
func TestDepthIsThatOfTheSeries(t *testing.T) {
	r := specimen.CeleryInitial()
	for i := range r.Messages {
		m := &r.Messages[i]
		m.Attempts, m.Redelivered, m.Received, m.Started, m.Done = 2, true, 30_000_000, 30_000_000, 31_000_000
	}
	r.Series = []run.Sample{
		{At: 1_000_000, Ready: 18736, Unacked: 4, Held: 1}, {At: 2_000_000, Ready: 0, Unacked: 11, Held: 0}, {At: 3_000_000},
	}
	f := depth(inputOf(r), 500)
	if want := "18,736, 1 and 11"; f == nil || !strings.Contains(f.Alt, want) {
		t.Errorf("caption %+v, want %q", f, want)
	}
	for i := range r.Series {
		r.Series[i].Ready = -1
	}
	f = depth(inputOf(r), 500)
	if f == nil || !strings.Contains(f.Alt, "not visible, 1 and 11") || !strings.HasPrefix(f.Note, "The broker does not show") {
		t.Errorf("ready hidden: %+v", f)
	}
}

// TestBreakdownNamesLateness: time before a message is sent, and time on the wire, are
// not time in the queue.
func TestBreakdownNamesLateness(t *testing.T) {
	const ms = 1000
	for _, tt := range []struct {
		name, want string
		change     func(*run.Message)
	}{
		{"late", "late: not sent yet (60 ms of 0.1 s)", func(m *run.Message) { m.Sent = m.Intended + 60*ms }},
		{"far", "on the wire (60 ms of 0.1 s)", func(m *run.Message) {
			m.Sent, m.Enqueued, m.Dispatched = m.Intended, m.Intended+30*ms, m.Intended+30*ms
		}},
		{"queued", "in the queue (50 ms of 0.1 s)", func(m *run.Message) {
			m.Sent, m.Enqueued, m.Dispatched = m.Intended, m.Intended, m.Intended+50*ms
		}},
		{"delivered before", "in earlier deliveries (50 ms of 0.1 s)", func(m *run.Message) {
			m.Sent, m.Enqueued, m.Dispatched, m.Attempts = m.Intended, m.Intended, m.Intended+50*ms, 2
		}},
		{"hidden", "queue and network, not split (60 ms of 0.1 s)", func(m *run.Message) {
			m.Sent, m.Enqueued, m.Dispatched = m.Intended, run.None, run.None
		}},
	} {
		r := specimen.CeleryInitial()
		for i := range r.Messages {
			m := &r.Messages[i]
			m.Class, m.Attempts = 0, 1
			m.Received, m.Started, m.Done = m.Intended+60*ms, m.Intended+70*ms, m.Intended+100*ms
			m.Enqueued, m.Dispatched = m.Received, m.Received
			tt.change(m)
		}
		got := breakdownFinding(inputOf(r))
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		p := stat.Summarize(r).Classes[0].Parts
		if sum := p.Late + p.Wire + p.Queued + p.Earlier + p.Before + p.Held + p.Service; sum < 0.0999 || sum > 0.1001 {
			t.Errorf("%s: the parts add up to %g s, want 0.1 s", tt.name, sum)
		}
	}
}
