package amqp

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"harelab/engine"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/scenarios"
)

// failing draws a scenario whose workers fail by a random policy. Times are odd
// numbers, so that independent events rarely happen at the same instant.
func failing(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	policy := []string{"retry: " + pick("immediate", "fixed", "backoff-jitter"), "how: " + pick("nack", "reject")}
	add := func(format string, args ...any) { policy = append(policy, fmt.Sprintf(format, args...)) }
	if r.IntN(3) > 0 {
		add("p: %d%%", 5+r.IntN(60))
	} else {
		add("p: 20%%")
		add("first: %d", 1+r.IntN(3))
	}
	if r.IntN(2) == 0 {
		add("from: %dms", 10+r.IntN(200))
		add("to: %dms", 300+r.IntN(400))
	}
	calls := ""
	if r.IntN(2) == 0 {
		calls = "\n    calls: api"
		add("timeout: %dms", 5+r.IntN(20))
	}
	// A storm of retries against a dependency does not end without a limit, nor if the
	// last attempt is dead-lettered into a queue that leads back.
	if calls != "" || r.IntN(3) > 0 {
		add("max_attempts: %d", 2+r.IntN(4))
		if calls != "" || r.IntN(2) == 0 {
			add("then: parked")
		}
	}
	add("backoff: {exchange: retry, keys: [later, latest], delay: [37ms, 113ms], jitter: %d%%}", 10*r.IntN(6))
	dead := ", x-dead-letter-exchange: retry, x-dead-letter-routing-key: later"
	if r.IntN(4) == 0 {
		dead = "" // what is rejected is gone
	}
	priorities := pick("0", "9")
	return fmt.Sprintf(`
schema: harelab/v1
name: failing
seed: %d
topology:
  exchanges: [{name: retry, type: direct}]
  queues:
    - {name: work, arguments: {x-max-priority: %s%s}}
    - {name: later, arguments: {x-message-ttl: 61ms, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}
    - {name: latest, arguments: {x-message-ttl: 157ms, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}
    - {name: parked}
  bindings: [{exchange: retry, queue: later, key: later}, {exchange: retry, queue: latest, key: latest}]
classes:
  - {name: call, publish: {exchange: "", key: work}, service: {dist: uniform, from: 1ms, to: 9ms}}
  - {name: urgent, publish: {exchange: "", key: work, priority: 7}, service: {dist: uniform, from: 1ms, to: 9ms}}
load: [{sequence: s, phases: [{mix: {pattern: [call, call, urgent]}, model: open, arrival: poisson, rate: 60/s, count: 40}]}]
dependencies: [{name: api, capacity: %d}]
workers:
  - name: w
    threads: %d
    consume: [{queue: work}]
    prefetch: %d
    ack: %s%s
    fail: {%s}
stop: {when: drained, timeout: 100s}
`, r.Uint64N(1<<40), priorities, dead, 1+r.IntN(2), 1+r.IntN(3), 3+r.IntN(6), pick("on-done", "{when: on-done, batch: 2}"), calls, strings.Join(policy, ", "))
}

// TestFailuresAgreeWithTheSimulator wants the runner over the real protocol and
// the one in virtual time to end every attempt alike: the same messages fail,
// equally often, at the same microseconds, and end in the same place.
func TestFailuresAgreeWithTheSimulator(t *testing.T) {
	histories := 40
	if testing.Short() {
		histories = 15
	}
	seed := rand.Uint64()
	failed, tied := 0, 0
	for i := range uint64(histories) {
		text := failing(rand.New(rand.NewPCG(seed, i)))
		s := resolve(t, text, scenarios.Options{})
		want, err := sim.Run(t.Context(), s, sim.Options{})
		if err != nil {
			t.Fatalf("seed %d, history %d: %v%s", seed, i, err, text)
		}
		if len(s.Dependencies) > 0 && startsTogether(want) {
			tied++
			continue
		}
		for _, m := range want.Messages {
			failed += int(m.Attempts) - 1
		}
		why := failuresDiffer(inBubble(t, s), want)
		for range 4 {
			// An attempt may also time out in the microsecond in which the dependency ends
			// another's work. One of several runs meets the simulator's order then.
			if len(s.Dependencies) == 0 || why == "" {
				break
			}
			why = failuresDiffer(inBubble(t, s), want)
		}
		if why != "" {
			t.Errorf("seed %d, history %d: %s%s", seed, i, why, text)
		}
	}
	if tied > histories/2 {
		t.Errorf("seed %d: %d of %d histories have attempts that start together", seed, tied, histories)
	}
	if failed < histories {
		t.Errorf("seed %d: %d attempts failed in %d histories: they prove nothing", seed, failed, histories)
	}
}

// startsTogether reports whether two attempts start in the same microsecond. Which of
// them calls a dependency first is open then.
func startsTogether(r *run.Result) bool {
	for i := 1; i < len(r.Spans); i++ { // they are in order of Start
		if r.Spans[i].Start == r.Spans[i-1].Start {
			return true
		}
	}
	return false
}

// TestHowARefusalIsSent: fail.how names the method that the worker sends. Against
// the broker both have the same effect, which the other tests show.
func TestHowARefusalIsSent(t *testing.T) {
	const class, nack, reject = 60, 120, 90
	for _, c := range []struct {
		how           string
		nacks, reject int // refused deliveries: 3 messages, twice each
	}{{"", 6, 0}, {"nack", 6, 0}, {"reject", 0, 6}} {
		policy := "{p: 100%, retry: immediate, max_attempts: 2}"
		if c.how != "" {
			policy = strings.Replace(policy, "{", "{how: "+c.how+", ", 1)
		}
		s := resolve(t, `
schema: harelab/v1
name: refusing
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: 1ms}]
load: [{sequence: s, phases: [{class: c, model: burst, count: 3}]}]
workers: [{name: w, consume: [{queue: q}], prefetch: 1, ack: on-done, fail: `+policy+`}]
stop: {when: drained, timeout: 20s}
`, scenarios.Options{})
		e, err := engine.New(engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var sent methods
		_, err = Run(t.Context(), s, Options{Dial: func(context.Context) (net.Conn, error) {
			conn, err := e.Dial()
			return &spied{Conn: conn, sent: &sent}, err
		}})
		e.Close()
		if err != nil {
			t.Fatal(err)
		}
		if n, r := sent.count(class, nack), sent.count(class, reject); n != c.nacks || r != c.reject {
			t.Errorf("how %q: %d basic.nack and %d basic.reject, want %d and %d", c.how, n, r, c.nacks, c.reject)
		}
	}
}

// methods counts the method frames that clients send, by class and method.
type methods struct {
	mu   sync.Mutex
	seen map[[2]uint16]int
}

func (m *methods) count(class, method uint16) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[[2]uint16{class, method}]
}

// A spied connection counts the methods that are written to it.
type spied struct {
	net.Conn
	sent *methods
	buf  []byte // octets of an incomplete frame
}

func (c *spied) Write(b []byte) (int, error) {
	c.sent.mu.Lock()
	defer c.sent.mu.Unlock()
	if c.sent.seen == nil {
		c.sent.seen = map[[2]uint16]int{}
	}
	c.buf = append(c.buf, b...)
	c.buf = bytes.TrimPrefix(c.buf, []byte("AMQP\x00\x00\x09\x01"))
	for len(c.buf) >= 7 {
		size := int(binary.BigEndian.Uint32(c.buf[3:])) + 8
		if len(c.buf) < size {
			break
		}
		if c.buf[0] == 1 {
			c.sent.seen[[2]uint16{binary.BigEndian.Uint16(c.buf[7:]), binary.BigEndian.Uint16(c.buf[9:])}]++
		}
		c.buf = c.buf[size:]
	}
	return c.Conn.Write(b)
}

func failuresDiffer(got, want *run.Result) string {
	if got.Ledger != want.Ledger || !got.Valid() || got.Partial != want.Partial {
		return fmt.Sprintf("ledger %+v, findings %v; simulated %+v", got.Ledger, got.Findings, want.Ledger)
	}
	for i := range want.Messages {
		g, w := &got.Messages[i], &want.Messages[i]
		if g.Attempts != w.Attempts || g.State != w.State || g.Started != w.Started || g.Done != w.Done || g.Redelivered != w.Redelivered {
			return fmt.Sprintf("message %d: %d attempts, %v, work from %d to %d us, redelivered %t; simulated %d, %v, %d to %d, %t",
				i, g.Attempts, g.State, g.Started, g.Done, g.Redelivered, w.Attempts, w.State, w.Started, w.Done, w.Redelivered)
		}
	}
	return ""
}
