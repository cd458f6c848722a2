package broker

import (
	"time"

	"harelab/engine/dispatch"
	"harelab/engine/internal/invariants"
	"harelab/engine/message"
	"harelab/engine/queue"
)

// The functions of this file are called only if invariants.Enabled.

// checkEvent fails for an event that only a bug of the broker can cause. The queue is
// locked.
func (q *Queue) checkEvent(e *queue.Event) {
	if err := q.machine.CheckEvent(e); err != nil {
		invariants.Failf("queue %q: %v", q.name, err)
	}
	if e.Kind == queue.Publish {
		q.plant()
	}
}

// plant makes the fault that a test asks for, if any, when a message is enqueued. The
// queue is locked.
func (q *Queue) plant() {
	m := *q.messages.At(q.machine.NextRef())
	switch {
	case invariants.Planted("books"):
		q.machine.Spoil()
	case invariants.Planted("lock order"):
		q.vhost.Queues()
	case invariants.Planted("two queues"):
		new(queueMutex).Lock()
	case invariants.Planted("release"):
		m.Release()
	case invariants.Planted("leak"):
		m.Retain()
	}
}

// rowsAStep is the average number of rows that are checked after each step. A queue with
// fewer rows is checked after every step, a longer one less often: a broken invariant
// stays broken until the next check.
const rowsAStep = 8

// checkStep fails if the state of the queue is inconsistent after e. The queue is locked.
func (q *Queue) checkStep(op *operation, e *queue.Event) {
	if left := q.unchecked.Get(); left > 0 && e.Kind != queue.Close {
		q.unchecked.Set(left - 1)
		return
	}
	q.unchecked.Set(q.machine.Rows() / rowsAStep)
	if err := q.machine.CheckStep(e, op.decisions); err != nil {
		invariants.Failf("queue %q after %s: %v", q.name, e.Kind, err)
	}
}

// timerGrace is how long Close waits for timers that hold references to messages.
const timerGrace = time.Second

// checkLeaks fails if a message has more references than queues and transactions hold. The
// broker is closing: nobody calls it any more, but a timer may still run.
func (b *Broker) checkLeaks() {
	const pause = 10 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		leaks := b.tracker.Leaks(b.references())
		switch {
		case len(leaks) == 0:
			return
		case waited >= timerGrace:
			invariants.Failf("the broker closes and %d messages are leaked: %s", len(leaks), leaks[0])
		}
		time.Sleep(pause)
	}
}

// references counts the references to each message that queues and transactions hold.
func (b *Broker) references() map[*message.Message]int {
	known := make(map[*message.Message]int)
	for _, v := range b.VHosts() {
		for _, q := range v.sortedQueues() {
			q.mu.Lock()
			for r := range dispatch.Ref(q.machine.Rows()) {
				if _, ok := q.machine.Message(r); ok && *q.messages.At(r) != nil {
					known[*q.messages.At(r)]++
				}
			}
			for _, c := range q.consumers {
				if c != nil {
					for _, w := range c.waiting {
						known[w.msg]++
					}
				}
			}
			q.mu.Unlock()
		}
		v.mu.Lock()
		for x := range v.allExchanges {
			x.eachKept(func(m *message.Message) { known[m]++ })
		}
		for c := range v.conns {
			for ch := range c.channels {
				for _, p := range ch.tx.publishes {
					known[p.msg]++
				}
			}
		}
		v.mu.Unlock()
	}
	return known
}
