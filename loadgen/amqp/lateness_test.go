package amqp

import (
	"testing"
	"time"

	"harelab/scenarios"
)

// TestLatenessIsRecorded has a publisher that must wait 10 ms for each confirm,
// while a message is due every millisecond. Its lateness counts as wait, which
// begins at the intended time.
func TestLatenessIsRecorded(t *testing.T) {
	const n = 100
	r := inBubble(t, resolve(t, `
schema: harelab/v1
name: late
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: 1ms}]
load:
  - {sequence: s, confirm: {max_in_flight: 1}, phases: [{class: c, model: open, arrival: constant, rate: 1000/s, duration: 100ms}]}
workers: [{name: w, consume: [{queue: q}], prefetch: {count: 10}, ack: none}]
network: {rtt: 10ms}
stop: {when: drained, timeout: 20s}
`, scenarios.Options{}))
	if len(r.Messages) != n {
		t.Fatalf("%d messages, want %d", len(r.Messages), n)
	}
	first := r.Messages[0].Intended
	for i, m := range r.Messages {
		intended, sent := first+int64(i)*1000, first+int64(i)*10_000
		if !m.Paced || m.Intended != intended || m.Sent != sent || m.Confirmed != sent+10_000 || m.Started-m.Sent != 10_000 {
			t.Errorf("message %d: intended %d, sent %d, confirmed %d, started %d us; want %d, %d, %d, %d",
				i, m.Intended, m.Sent, m.Confirmed, m.Started, intended, sent, sent+10_000, sent+10_000)
		}
	}
	// The last message finds its publisher free only when the one before it has
	// been sent.
	if want := r.Messages[n-2].Sent - r.Messages[n-1].Intended; r.Late != want {
		t.Errorf("late by %d us, want %d", r.Late, want)
	}
}

// TestLateMachineIsRecorded runs on a machine that wakes every sleeper 25 ms late.
// Paced messages are late then, and so is the end of work; a burst has no time to keep.
func TestLateMachineIsRecorded(t *testing.T) {
	const late = 25 * ms
	for _, c := range []struct {
		name, phase string
		paced       bool
		sent        int64 // after it was intended, in microseconds
	}{
		{"paced", "{class: c, model: open, arrival: constant, rate: 10/s, duration: 2s}", true, late.Microseconds()},
		{"burst", "{class: c, model: burst, count: 1}", false, late.Microseconds()},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := inBubbleUntil(t, resolve(t, `
schema: harelab/v1
name: late
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: 30ms}]
load: [{sequence: s, phases: [`+c.phase+`]}]
workers: [{name: w, consume: [{queue: q}], prefetch: {count: 10}, ack: on-done}]
stop: {when: drained, timeout: 20s}
`, scenarios.Options{}), time.Hour, late)
			for i, m := range r.Messages {
				if m.Paced != c.paced || m.Sent-m.Intended != c.sent || m.Started != m.Sent || m.Done-m.Started != (30*ms+late).Microseconds() {
					t.Errorf("message %d: intended %d, sent %d, started %d, done %d us", i, m.Intended, m.Sent, m.Started, m.Done)
				}
			}
			if r.Late != late.Microseconds() {
				t.Errorf("late by %d us, want %v", r.Late, late)
			}
			for _, span := range r.Spans {
				if int64(span.Late) != late.Microseconds() {
					t.Errorf("work on message %d ended %d us late, want %v", span.Seq, span.Late, late)
				}
			}
		})
	}
}

// TestNothingIsSentEarly asks the real clock for messages closer to one another
// than a sleep can hit. A late machine sends them late, but none before its time.
func TestNothingIsSentEarly(t *testing.T) {
	r := embedded(t, resolve(t, `
schema: harelab/v1
name: fast
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: 0s}]
load: [{sequence: s, phases: [{class: c, model: open, arrival: constant, rate: 20000/s, duration: 100ms}]}]
workers: [{name: w, consume: [{queue: q}], prefetch: {count: 1000}, ack: none}]
stop: {when: drained, timeout: 20s}
`, scenarios.Options{}))
	if len(r.Messages) != 2000 {
		t.Fatalf("%d messages, want 2000", len(r.Messages))
	}
	early, most := 0, int64(0)
	for _, m := range r.Messages {
		if d := m.Intended - m.Sent; d > 0 {
			early, most = early+1, max(most, d)
		}
	}
	if early > 0 {
		t.Errorf("%d of %d messages were sent early, by up to %d us", early, len(r.Messages), most)
	}
}
