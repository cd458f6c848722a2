package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// parse resolves a scenario of the test's own.
func parse(t *testing.T, body string) *scenarios.Scenario {
	t.Helper()
	f, err := scenarios.Parse("test.yaml", []byte("schema: harelab/v1\nname: test\ntitle: t\nseed: 1\n"+body))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const oneQueue = `
topology:
  queues: [{name: q}]
classes:
  - {name: job, publish: {exchange: "", key: q}, size: 100B, service: {dist: fixed, value: 10ms}}
stop: {when: drained, timeout: 60s}
`

// times lists intended, sent, enqueued, received and done of each message, in ms.
func times(r *run.Result) []string {
	var all []string
	for _, m := range r.Messages {
		all = append(all, fmt.Sprintf("%g %g %g %g %g", ms(m.Intended), ms(m.Sent), ms(m.Enqueued), ms(m.Received), ms(m.Done)))
	}
	return all
}

func ms(us int64) float64 { return float64(us) / 1000 }

func wantTimes(t *testing.T, r *run.Result, want ...string) {
	t.Helper()
	if got := times(r); !slices.Equal(got, want) {
		t.Errorf("intended, sent, enqueued, received, done in ms:\ngot  %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	checkSound(t, r)
}

// A user sends its next message once the last was worked on, after thinking.
func TestClosedLoop(t *testing.T) {
	r := mustRun(t, parse(t, oneQueue+`
load:
  - {sequence: users, phases: [{class: job, model: closed, users: 2, think: 5ms, count: 5}]}
workers:
  - {name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}
`))
	wantTimes(t, r, "5 5 5 5 15", "5 5 5 15 25", "20 20 20 25 35", "30 30 30 35 45", "40 40 40 45 55")
}

// Links delay messages, deliveries, acks and confirms by half the round trip each.
func TestRoundTrip(t *testing.T) {
	r := mustRun(t, parse(t, oneQueue+`
network: {rtt: 8ms}
load:
  - {sequence: s, confirm: {max_in_flight: 2}, phases: [{class: job, model: burst, count: 4}]}
workers:
  - {name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}
`))
	// Two messages fill the window; the next two wait for their confirms at 8 ms. A
	// message takes 4 ms to the broker, 4 to the worker, 10 of work, and 4 for the ack.
	wantTimes(t, r, "0 0 4 8 18", "0 0 4 26 36", "0 8 12 44 54", "0 8 12 62 72")
	for i, want := range []int64{8000, 8000, 16000, 16000} {
		if got := r.Messages[i].Confirmed; got != want {
			t.Errorf("message %d confirmed at %d us, want %d", i, got, want)
		}
	}
	if r.Ledger.Confirmed != 4 {
		t.Errorf("%d confirmed, want 4", r.Ledger.Confirmed)
	}
}

// A killed worker comes back and does again what it had not acked.
func TestKillAndRestart(t *testing.T) {
	r := mustRun(t, parse(t, oneQueue+`
load:
  - {sequence: s, phases: [{class: job, model: burst, count: 3}]}
workers:
  - {name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 2}, ack: on-done}
faults:
  - {at: 15ms, do: kill, worker: w, restart_after: 20ms}
`))
	wantTimes(t, r, "0 0 0 0 10", "0 0 0 35 45", "0 0 0 35 55")
	if r.Ledger.Redelivered != 2 || r.Ledger.Delivered != 5 || r.Ledger.Duplicated != 0 {
		t.Errorf("ledger %+v, want 5 delivered, 2 of them again, none done twice", r.Ledger)
	}
	var cut []run.Span
	for _, s := range r.Spans {
		if s.Cut {
			cut = append(cut, s)
		}
	}
	if want := (run.Span{Seq: 1, Start: 10_000, End: 15_000, Cut: true}); len(cut) != 1 || cut[0] != want {
		t.Errorf("work cut short %+v, want %+v", cut, want)
	}
}

// Bindings that come and go do not disturb the others, and end with the load.
func TestRebind(t *testing.T) {
	r := mustRun(t, parse(t, `
topology:
  exchanges: [{name: x, type: topic}]
  queues: [{name: q}, {name: p}]
  bindings: [{exchange: x, queue: q, key: a.#}, {exchange: x, queue: p, key: b.#}]
classes:
  - {name: job, publish: {exchange: x, key: a.b}, size: 100B, service: {dist: fixed, value: 1ms}}
load:
  - {sequence: s, phases: [{class: job, model: open, arrival: constant, rate: 100/s, duration: 100ms}]}
  - {sequence: churn, admin: [{do: rebind, rate: 1000/s}]}
workers:
  - {name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}
stop: {when: drained, timeout: 60s}
`))
	if l := r.Ledger; l.Published != 10 || l.Finished != 10 {
		t.Errorf("ledger %+v, want 10 published and finished", l)
	}
	checkSound(t, r)
}

// A closed loop in which nothing takes time would go on for ever at one instant;
// with a number of messages to send, it ends.
func TestClosedLoopThatLetsNoTimePass(t *testing.T) {
	loop := func(service, load string) *scenarios.Scenario {
		return parse(t, fmt.Sprintf(`
topology:
  queues: [{name: q}]
classes:
  - {name: job, publish: {exchange: "", key: q}, size: 100B, service: {dist: fixed, value: %s}}
load:
  - {sequence: users, confirm: all, phases: [{class: job, model: closed, users: 3, think: 0s, %s}]}
workers:
  - {name: w, threads: 1, consume: [{queue: q}], prefetch: {count: 1}, ack: on-done}
stop: {when: drained, timeout: 60s}
`, service, load))
	}
	for _, c := range []struct {
		name, service, load string
		endless             bool
	}{
		{"no work", "0s", "duration: 1s", true},
		{"work that nobody waits for", "1ms", "duration: 1s, await: confirm", true},
		{"a number of messages", "0s", "count: 200000", false},
		{"work", "1ms", "duration: 1s", false},
	} {
		_, err := Run(t.Context(), loop(c.service, c.load), Options{})
		var mistake *scenarios.Error
		switch {
		case c.endless && (!errors.As(err, &mistake) || !strings.Contains(err.Error(), `test.yaml: sequence "users"`)):
			t.Errorf("%s: %v, want a mistake in test.yaml's sequence \"users\"", c.name, err)
		case !c.endless && err != nil:
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
