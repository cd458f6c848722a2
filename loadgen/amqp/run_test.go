package amqp

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// celery is the talk's first configuration, twenty times as fast: 500 ms nets,
// 5 ms queries.
const celery = `
schema: harelab/v1
name: celery
params: {ack: on-start, prefetch: 16}
topology:
  exchanges: [{name: celery, type: direct}]
  queues: [{name: celery}]
  bindings: [{exchange: celery, queue: celery, key: celery}]
classes:
  - {name: net, publish: {exchange: celery, key: celery}, size: 512B, service: 500ms}
  - {name: query, publish: {exchange: celery, key: celery}, size: 512B, service: 5ms}
load:
  - {sequence: run.py, phases: [{class: net, model: burst, count: 4}, {class: query, model: burst, count: 40}]}
workers:
  - {name: worker-1, threads: 4, consume: [{queue: celery}], prefetch: {count: =prefetch, scope: channel}, ack: =ack}
stop: {when: drained, timeout: 20s}
measure: {interval: 50ms}
`

// near reports whether a time, in microseconds, agrees with theory.
func near(got, want int64) bool {
	return math.Abs(float64(got-want)) <= 0.02*float64(want)+20_000
}

// TestQuickWorkWaitsBehindSlow runs on the real clock. A run that says that the
// machine was late proves nothing about times and is made again; none may be
// early, and all must account for their messages.
func TestQuickWorkWaitsBehindSlow(t *testing.T) {
	for _, ack := range []string{"on-start", "on-done", "none"} {
		t.Run("ack="+ack, func(t *testing.T) {
			s := resolve(t, celery, scenarios.Options{Set: map[string]string{"ack": ack}})
			for begin := time.Now(); time.Since(begin) < time.Minute; {
				r := embedded(t, s)
				if l := r.Ledger; l.Published != 44 || l.Delivered != 44 || l.Finished != 44 || l.Lost+l.Duplicated+l.Redelivered+l.Left+l.Inversions != 0 {
					t.Errorf("ledger %+v", l)
				}
				if want := map[string]int64{"on-start": 44, "on-done": 44}[ack]; r.Ledger.Acked != want {
					t.Errorf("%d acked, want %d", r.Ledger.Acked, want)
				}
				if r.Partial || !r.Valid() || r.Target.Kind != "embedded" || len(r.Spans) != 44 {
					t.Errorf("partial %v, findings %v, %d spans", r.Partial, r.Findings, len(r.Spans))
				}
				why := disagreement(t, r, ack)
				if len(r.Series) < 9 {
					why = fmt.Sprintf("%d samples of the series, want 9 or more", len(r.Series))
				}
				if why == "" {
					return
				}
				if r.Late < 5000 {
					t.Fatalf("%s, and the machine was at most %d us late", why, r.Late)
				}
				t.Logf("measured again, as the machine was %d us late: %s", r.Late, why)
			}
			t.Error("the machine was late in every run, and none was in time")
		})
	}
}

// disagreement says where a run of celery is later than theory.
func disagreement(t *testing.T, r *run.Result, ack string) string {
	t.Helper()
	late := ""
	check := func(what string, got, want int64) {
		if got < want-1000 {
			t.Errorf("%s %d us, want at least %d", what, got, want)
		} else if !near(got, want) {
			late = fmt.Sprintf("%s %d us, want %d", what, got, want)
		}
	}
	check("length", r.Length, 550_000)
	for i := range r.Messages {
		m := &r.Messages[i]
		want := int64(0)
		if m.Class == 1 {
			want = 500_000 + (m.Seq-4)/4*5000
		}
		check(fmt.Sprintf("wait of message %d", m.Seq), m.Started-m.Intended, want)
		ordered(t, m, ack)
	}
	return late
}

// ordered wants a message's instants in their order. The broker's clock and
// the run's start at the same instant but count by themselves.
func ordered(t *testing.T, m *run.Message, ack string) {
	t.Helper()
	const skew = 1000
	at := []int64{m.Intended, m.Sent, m.Enqueued, m.Dispatched, m.Received, m.Started, m.Done}
	for i := 1; i < len(at); i++ {
		if at[i] == run.None || at[i]+skew < at[i-1] {
			t.Errorf("message %d: instants t0 t1 t3 t4 t5 t6 t7 %v", m.Seq, at)
			return
		}
	}
	if ack == "on-start" && m.Acked+skew < m.Started || ack == "on-done" && m.Acked+skew < m.Done {
		t.Errorf("message %d: %s acked at %d us, started %d, done %d", m.Seq, ack, m.Acked, m.Started, m.Done)
	}
}

// TestHeldIsThePriceOfPrefetch wants the split queue to park queries in the
// busy worker's window, and prefetch 1 to stop that.
func TestHeldIsThePriceOfPrefetch(t *testing.T) {
	const split = `
schema: harelab/v1
name: split
params: {multiplier: 4, ack: on-start}
topology:
  exchanges: [{name: smart, type: topic}]
  queues: [{name: nets}, {name: web}]
  bindings: [{exchange: smart, queue: nets, key: "net.#"}, {exchange: smart, queue: web, key: "web.#"}]
classes:
  - {name: net, publish: {exchange: smart, key: net.fit}, service: 500ms}
  - {name: query, publish: {exchange: smart, key: web.query}, service: 5ms}
load:
  - {sequence: s, phases: [{class: net, model: burst, count: 4}, {class: query, model: burst, count: 40}]}
workers:
  - {name: w2, consume: [{queue: web}], prefetch: {count: =multiplier, scope: channel}, ack: =ack}
  - {name: w3, threads: 3, consume: [{queue: nets}, {queue: web}], prefetch: {count: =3*multiplier, scope: channel}, ack: =ack}
stop: {when: drained, timeout: 20s}
`
	stuck := func(o scenarios.Options) (n int) {
		r := inBubble(t, resolve(t, split, o))
		for _, m := range r.Messages {
			if m.Class == 1 && m.Started-m.Received > 400_000 {
				n++
			}
		}
		return n
	}
	if n := stuck(scenarios.Options{}); n != 11 {
		t.Errorf("%d queries held behind nets, want 11", n)
	}
	if n := stuck(scenarios.Options{Set: map[string]string{"multiplier": "1", "ack": "on-done"}}); n != 0 {
		t.Errorf("%d queries held with prefetch 1 per slot, want none", n)
	}
}

// small is a scenario whose parts the tests below replace.
const small = `
schema: harelab/v1
name: small
topology: {queues: [{name: q}]}
classes:
  - {name: job, publish: {exchange: "", key: q}, service: 2ms}
load:
  - {sequence: s, phases: [{class: job, model: burst, count: 100}]}
workers:
  - {name: a, consume: [{queue: q}], prefetch: 5}
  - {name: b, consume: [{queue: q}], prefetch: 5}
stop: {when: drained, timeout: 20s}
`

func with(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(small) }

func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name, text string
		check      func(l run.Ledger) bool
	}{
		{"confirms", with("sequence: s,", "sequence: s, confirm: {max_in_flight: 10}, connections: 2,"),
			func(l run.Ledger) bool { return l.Confirmed == 100 && l.Finished == 100 && l.Acked == 100 }},
		{"batch acks", with("prefetch: 5", "prefetch: 25, ack: {when: on-done, batch: 10}"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Acked == 100 }},
		{"kill with acks when done repeats work", with("stop:", "faults: [{at: 51ms, do: kill, worker: b, restart_after: 50ms}]\nstop:"),
			func(l run.Ledger) bool {
				return l.Finished == 100 && l.Lost == 0 && l.Redelivered > 0 && l.Delivered == 100+l.Redelivered
			}},
		{"kill with acks on start loses what runs", with("stop:", "faults: [{at: 51ms, do: kill, worker: b}]\nstop:", "prefetch: 5}", "prefetch: 5, ack: on-start}"),
			func(l run.Ledger) bool { return l.Finished == 99 && l.Lost == 1 && l.Redelivered > 0 }},
		{"kill without acks loses what was held", with("stop:", "faults: [{at: 51ms, do: kill, worker: b}]\nstop:", "prefetch: 5}", "ack: none}"),
			func(l run.Ledger) bool {
				return l.Lost > 1 && l.Finished+l.Lost == 100 && l.Redelivered == 0 && l.Acked == 0
			}},
		{"close gives back in order", with("stop:", "faults: [{at: 51ms, do: close-connection, worker: b, restart_after: 10ms}]\nstop:"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Lost == 0 && l.Redelivered > 0 }},
		{"stall keeps what it has", with("stop:", "faults: [{at: 51ms, do: stall, worker: b, restart_after: 200ms}]\nstop:"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Delivered == 100 }},
		{"forgotten acks stop a worker", with("prefetch: 5}\nstop:", "prefetch: 5, ack: {when: on-done, forget: {every: 2}}}\nstop:"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Acked == 95 }},
		{"a worker that joins late", with("name: b,", "name: b, joins_at: 40ms,"),
			func(l run.Ledger) bool { return l.Finished == 100 }},
		{"failing at first is tried again", with("name: b,", "name: b, fail: {first: 1},"),
			func(l run.Ledger) bool {
				return l.Finished == 100 && l.Redelivered > 0 && l.Lost == 0 && l.Duplicated == 0
			}},
		{"unroutable is lost in silence", with("topology: {", "topology: {exchanges: [{name: x, type: topic}], ", `exchange: ""`, "exchange: x"),
			func(l run.Ledger) bool { return l.Unroutable == 100 && l.Lost == 100 && l.Returned == 0 }},
		{"mandatory comes back", with("topology: {", "topology: {exchanges: [{name: x, type: topic}], ", `exchange: ""`, "mandatory: true, exchange: x", "sequence: s,", "sequence: s, confirm: all,"),
			func(l run.Ledger) bool {
				return l.Unroutable == 100 && l.Lost == 0 && l.Returned == 100 && l.Confirmed == 100
			}},
		{"priorities go first and invert nothing", with("{name: q}", "{name: q, arguments: {x-max-priority: 9}}", "classes:", "classes:\n  - {name: high, publish: {exchange: \"\", key: q, priority: 9}, service: 1ms}", "class: job,", "mix: {pattern: [job, high]},"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Inversions == 0 }},
		{"a closed loop", with("model: burst, count: 100", "model: closed, users: 3, think: 1ms, count: 60"),
			func(l run.Ledger) bool { return l.Published == 60 && l.Finished == 60 && l.Lost == 0 }},
		{"a closed loop on confirms", with("model: burst, count: 100", "model: closed, users: 3, await: confirm, count: 60", "sequence: s,", "sequence: s, confirm: all,"),
			func(l run.Ledger) bool { return l.Published == 60 && l.Confirmed == 60 && l.Finished == 60 }},
		{"a closed loop over messages no queue takes", with("model: burst, count: 100", "model: closed, users: 3, think: 1ms, count: 60", "topology: {", "topology: {exchanges: [{name: x, type: topic}], ", `exchange: ""`, "exchange: x"),
			func(l run.Ledger) bool { return l.Published == 60 && l.Unroutable == 60 }},
		{"a closed loop whose messages die with a worker", with("model: burst, count: 100", "model: closed, users: 8, count: 60", "prefetch: 5}", "prefetch: 5, ack: on-start}", "stop:", "faults: [{at: 11ms, do: kill, worker: b}]\nstop:", "drained, timeout: 20s", "drained, timeout: 500ms"),
			func(l run.Ledger) bool { return l.Published == 60 && l.Finished == 59 && l.Lost == 1 }},
		{"a line that is 4 ms long", with("stop:", "network: {rtt: 4ms}\nstop:"),
			func(l run.Ledger) bool { return l.Finished == 100 && l.Acked == 100 }},
		{"spinning work, shared connection", with("prefetch: 5}", "prefetch: 5, work: spin, connections: shared:1}", "2ms", "200us"),
			func(l run.Ledger) bool { return l.Finished == 100 }},
		{"published", with("when: drained", "when: published"),
			func(l run.Ledger) bool { return l.Published == 100 && l.Finished < 100 && l.Lost == 0 }},
		{"published and idle", with("when: drained", "when: published-and-idle, idle: 100ms"),
			func(l run.Ledger) bool { return l.Finished == 100 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := resolve(t, c.text, scenarios.Options{})
			run := inBubble
			if s.Workers[0].Work == "spin" {
				run = embedded // a fake clock stands still while work spins
			}
			r := run(t, s)
			if !c.check(r.Ledger) || r.Partial || !r.Valid() {
				t.Errorf("ledger %+v, partial %v, findings %v", r.Ledger, r.Partial, r.Findings)
			}
		})
	}
}

func TestStalledWorkerStartsNothing(t *testing.T) {
	r := inBubble(t, resolve(t, with("stop:", "faults: [{at: 51ms, do: stall, worker: b, restart_after: 200ms}]\nstop:"), scenarios.Options{}))
	before, after := 0, 0
	for _, s := range r.Spans {
		switch {
		case r.Workers[s.Worker].Name != "b":
		case s.Start > 51_000 && s.Start < 251_000:
			t.Errorf("work starts at %d us, while the worker is stalled", s.Start)
		case s.Start < 51_000:
			before++
		default:
			after++
		}
	}
	if before == 0 || after != 5 {
		t.Errorf("%d pieces of work before, %d after; want some, and the 5 it held", before, after)
	}
}

// TestRetries wants both ways of delay to bring every message back.
func TestRetries(t *testing.T) {
	const text = `
schema: harelab/v1
name: retries
params: {retry: fixed}
topology:
  exchanges: [{name: work, type: direct}, {name: retry, type: direct}]
  queues:
    - {name: work, arguments: {x-dead-letter-exchange: retry, x-dead-letter-routing-key: later}}
    - {name: later, arguments: {x-message-ttl: 60ms, x-dead-letter-exchange: work, x-dead-letter-routing-key: work}}
    - {name: parked}
  bindings: [{exchange: work, queue: work, key: work}, {exchange: retry, queue: later, key: later}]
classes: [{name: call, publish: {exchange: work, key: work}, service: 500us}]
load: [{sequence: s, phases: [{class: call, model: burst, count: 50}]}]
workers:
  - name: w
    consume: [{queue: work}]
    prefetch: 5
    fail: {to: 100ms, p: 100%, retry: =retry, max_attempts: 9, then: parked, backoff: {exchange: retry, keys: [later], delay: [30ms], jitter: 50%}}
stop: {when: drained, timeout: 20s}
`
	for _, retry := range []string{"immediate", "fixed", "backoff-jitter"} {
		t.Run(retry, func(t *testing.T) {
			r := inBubble(t, resolve(t, text, scenarios.Options{Set: map[string]string{"retry": retry}}))
			parked := int64(0)
			for _, m := range r.Messages {
				if m.State == run.DeadLetter {
					parked++
				}
			}
			if l := r.Ledger; l.Finished+parked != 50 || l.Lost != 0 || l.Delivered <= 50 || r.Partial {
				t.Errorf("ledger %+v, %d parked, partial %v", l, parked, r.Partial)
			}
			if retry != "immediate" && parked > 0 {
				t.Errorf("%d messages parked", parked)
			}
		})
	}
}

func TestInterruptedRunIsPartial(t *testing.T) {
	r := inBubbleUntil(t, resolve(t, celery, scenarios.Options{}), 200*time.Millisecond, 0)
	if !r.Partial || !r.Valid() || r.Ledger.Published != 44 || r.Ledger.Left != 44 || r.Ledger.Lost != 0 {
		t.Errorf("partial %v, findings %v, ledger %+v", r.Partial, r.Findings, r.Ledger)
	}
	if len(r.Spans) != 4 {
		t.Errorf("%d spans, want those of the four nets", len(r.Spans))
	}
}

// TestInterruptedBeforeItBegan ends a run while it waits for its time zero.
func TestInterruptedBeforeItBegan(t *testing.T) {
	r := inBubbleUntil(t, resolve(t, celery, scenarios.Options{}), time.Millisecond, 0)
	if !r.Partial || r.Length != 0 || r.Ledger.Published != 0 || len(r.Messages) != 0 {
		t.Errorf("partial %v, length %d us, ledger %+v", r.Partial, r.Length, r.Ledger)
	}
}

func TestTimeoutIsPartial(t *testing.T) {
	r := inBubble(t, resolve(t, strings.Replace(celery, "timeout: 20s", "timeout: 100ms", 1), scenarios.Options{}))
	if !r.Partial || len(r.Findings) != 1 || r.Findings[0].Code != "timeout" {
		t.Errorf("partial %v, findings %v", r.Partial, r.Findings)
	}
}

func TestRefusals(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	addr, err := e.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("amqp://guest:guest@%s/", addr)
	s := resolve(t, small, scenarios.Options{})
	t.Run("over TCP by URL", func(t *testing.T) {
		r, err := Run(t.Context(), s, Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if r.Target.Kind != "amqp" || strings.Contains(r.Target.URL, "guest") || r.Target.Visible() || r.Ledger.Finished != 100 {
			t.Errorf("target %+v, ledger %+v", r.Target, r.Ledger)
		}
		if m := r.Messages[0]; m.Enqueued != run.None || m.Dispatched != run.None || m.Acked != run.None {
			t.Errorf("a foreign broker's inside is guessed: %+v", m)
		}
	})
	dial := func(context.Context) (net.Conn, error) { return e.Dial() }
	t.Run("a queue that holds messages", func(t *testing.T) {
		held := resolve(t, with("when: drained", "when: published", "{name: q}", "{name: q, durable: true}"), scenarios.Options{})
		// A first run leaves nothing behind, so the queue is made by hand.
		leave(t, dial, "q")
		_, err := Run(t.Context(), held, Options{URL: url})
		if err == nil || !strings.Contains(err.Error(), `queue "q" is not empty (messages: 1): purge or delete it`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("other properties", func(t *testing.T) {
		_, err := Run(t.Context(), s, Options{URL: url})
		if err == nil || !strings.Contains(err.Error(), "PRECONDITION_FAILED") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		if _, err := Run(t.Context(), s, Options{URL: "amqp://127.0.0.1:1/"}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("what is not carried out", func(t *testing.T) {
		odd := resolve(t, small, scenarios.Options{})
		odd.Features = append(odd.Features, scenarios.Use{Feature: "load model clairvoyant", Line: 13})
		_, err := Run(t.Context(), odd, Options{URL: url})
		if want := "t.yaml:13: load model clairvoyant: a real broker does not carry this out"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})
}

// TestBrokerThatGoesAway wants a run whose broker stops to say so and to end.
func TestBrokerThatGoesAway(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(150*time.Millisecond, func() { e.Close() })
	r, err := Run(t.Context(), resolve(t, celery, scenarios.Options{}), Options{Dial: func(context.Context) (net.Conn, error) { return e.Dial() }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Valid() || !r.Partial {
		t.Errorf("valid %v, partial %v, findings %v", r.Valid(), r.Partial, r.Findings)
	}
}

func TestProgress(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var seen []loadgen.Progress
	_, err = Run(t.Context(), resolve(t, celery, scenarios.Options{}), Options{
		Dial:     func(context.Context) (net.Conn, error) { return e.Dial() },
		Progress: func(p loadgen.Progress) { seen = append(seen, p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	last := seen[len(seen)-1]
	if last.Planned != 44 || last.Published != 44 || last.Done != 44 || last.Depth != 0 {
		t.Errorf("last progress %+v", last)
	}
	if early := seen[0]; early.Left < 500*time.Millisecond || early.Left > 600*time.Millisecond {
		t.Errorf("at first %v left, want about 550 ms", early.Left)
	}
}
