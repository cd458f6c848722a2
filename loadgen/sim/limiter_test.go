package sim

import (
	"fmt"
	"testing"
)

// Two workers share two queues under a limit of their channels: a is backlogged, and b
// gets a quick message now and then. Neither queue starves, whichever was declared
// first (R10): on RabbitMQ 3.10.8 a message of b waits 0.118 s in the mean, which is a
// little more than the work that is under way when it comes.
func TestLimitedChannelServesAllItsQueues(t *testing.T) {
	const load = `
topology: {queues: [%s]}
classes:
  - {name: slow, publish: {exchange: "", key: a}, service: 100ms}
  - {name: quick, publish: {exchange: "", key: b}, service: 10ms}
load:
  - sequence: slow
    phases: [{class: slow, model: burst, count: 100}]
  - sequence: quick
    phases: [{class: quick, model: open, arrival: constant, rate: 5/s, duration: 5s}]
workers:
  - {name: w, count: 2, threads: 1, consume: [%s], prefetch: {count: 1, scope: channel}, ack: on-done}
stop: {when: drained, timeout: 60s}
`
	for _, c := range []struct{ declared, consumed string }{
		{"{name: a}, {name: b}", "{queue: a}, {queue: b}"},
		{"{name: a}, {name: b}", "{queue: b}, {queue: a}"},
		{"{name: b}, {name: a}", "{queue: a}, {queue: b}"},
	} {
		s := parse(t, fmt.Sprintf(load, c.declared, c.consumed))
		sum, n := int64(0), 0
		for seed := range uint64(20) {
			s.Seed = seed
			wait, _ := waits(t, mustRun(t, s), "quick")
			for _, w := range wait {
				sum += w
			}
			n += len(wait)
		}
		if mean := sum / int64(n); mean < 60_000 || mean > 140_000 {
			t.Errorf("declared %s, consumed %s: a quick message waits %d us in the mean, want about 100,000", c.declared, c.consumed, mean)
		} else {
			t.Logf("declared %s, consumed %s: a quick message waits %d us in the mean", c.declared, c.consumed, mean)
		}
	}
}
