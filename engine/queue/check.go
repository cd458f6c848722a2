package queue

import (
	"fmt"

	"harelab/engine/dispatch"
)

// Check verifies the queue's invariants, in time linear in its size:
//
//   - ready + unacked + gone = published, and the tables agree with the counts;
//   - no message has two rows, and no two messages have the same row;
//   - each consumer's counts are the sums over its messages, and are within its
//     prefetch, unless they exceeded it when it was lowered;
//   - the next message is the oldest of those with the same priority, tenant and cost:
//     they go out in order, and a requeued one is in its original place;
//   - after a step that ran the queue (held is false), no consumer is eligible
//     while a message is ready, but for the next active one during a hand-over.
func (q *Queue) Check(held bool) error {
	if err := q.checkCounts(); err != nil {
		return err
	}
	if err := q.checkConsumers(); err != nil {
		return err
	}
	if err := q.checkNext(); err != nil {
		return err
	}
	if held {
		return nil
	}
	return q.checkServed(true)
}

// CheckStep is [Queue.Check] after any step with event e and decisions out. It does not
// check that consumers with a limiter were served: an event of another queue may have
// freed the limit, and a Run tells this queue later.
func (q *Queue) CheckStep(e *Event, out []Decision) error {
	if err := q.Check(true); err != nil {
		return err
	}
	switch {
	case e.Hold, e.Kind == Get, e.Kind == Purge, e.Kind == Close:
		return nil // the step did not run the queue
	case len(out) > 0 && out[len(out)-1].Kind == More:
		return nil // the step did not finish the run
	}
	return q.checkServed(false)
}

// CheckEvent reports an event of a consumer that has not joined, or of messages that
// are not unacked. Step ignores such references. CheckEvent accepts a Resume of any
// consumer: the connection's writer sends it, perhaps after the consumer left.
func (q *Queue) CheckEvent(e *Event) error {
	switch e.Kind {
	case Leave, Pause, Limit, Share:
		if !q.cons.Valid(e.Consumer) && (e.Kind != Share || e.Consumer != dispatch.NoConsumer) {
			return fmt.Errorf("queue: %s of consumer %d, which is not there", e.Kind, e.Consumer)
		}
	}
	switch e.Kind {
	case Ack, Requeue, Discard, Share:
		for _, r := range e.Refs {
			if !q.isUnacked(r) {
				return fmt.Errorf("queue: %s of message %d, which is not unacked", e.Kind, r)
			}
		}
	}
	return nil
}

// Spoil makes a count of the queue wrong, so that a test can see that Check finds it.
func (q *Queue) Spoil() { q.bytes++ }

// Rows returns the number of rows that Check reads.
func (q *Queue) Rows() int { return q.msgs.Rows() }

// checkServed finds consumers that should have got a message: among all consumers, or
// only among those without a limiter.
func (q *Queue) checkServed(all bool) error {
	if q.ready == 0 || q.handing {
		return nil
	}
	for c := q.cons.First(); c != dispatch.NoConsumer; c = q.cons.After(c) {
		if q.cfg.SingleActive && c != q.active {
			continue
		}
		if (all || q.cons.At(c).Limiter == nil) && q.cons.Eligible(c) {
			return fmt.Errorf("queue: consumer %d is eligible while %d messages are ready", c, q.ready)
		}
	}
	return nil
}

func (q *Queue) checkCounts() error {
	var ready, unacked, taken, expiring int
	var bytes int64
	ids := make(map[uint64]dispatch.Ref)
	for r := dispatch.Ref(0); q.msgs.Valid(r); r++ {
		m := q.msgs.At(r)
		if m.State == dispatch.Free {
			continue
		}
		if other, twice := ids[m.ID]; twice {
			return fmt.Errorf("queue: message %d is in rows %d and %d", m.ID, other, r)
		}
		ids[m.ID] = r
		switch m.State {
		case dispatch.Ready:
			ready++
			bytes += int64(m.Bytes)
			if m.Expires != 0 {
				expiring++
			}
		case dispatch.Unacked:
			unacked++
			if m.Consumer == dispatch.NoConsumer {
				taken++
			}
		}
	}
	switch {
	case ready != q.ready || q.order.Len() != q.ready:
		return fmt.Errorf("queue: %d rows are ready, the order holds %d, the count is %d", ready, q.order.Len(), q.ready)
	case unacked != q.unacked:
		return fmt.Errorf("queue: %d rows are unacked, the count is %d", unacked, q.unacked)
	case taken != q.taken:
		return fmt.Errorf("queue: %d rows are taken by gets, the count is %d", taken, q.taken)
	case bytes != q.bytes || expiring != q.expiring:
		return fmt.Errorf("queue: ready rows have %d bytes and %d expire, the counts are %d and %d", bytes, expiring, q.bytes, q.expiring)
	case uint64(ready+unacked)+q.gone != q.lastID:
		return fmt.Errorf("queue: %d ready + %d unacked + %d gone is not %d published", ready, unacked, q.gone, q.lastID)
	case ready+unacked != q.msgs.Len():
		return fmt.Errorf("queue: %d rows are in use for %d messages", q.msgs.Len(), ready+unacked)
	}
	return nil
}

func (q *Queue) checkConsumers() error {
	type books struct {
		unacked uint32
		work    int64
	}
	held := make(map[dispatch.ConsumerID]books)
	for r := dispatch.Ref(0); q.msgs.Valid(r); r++ {
		if m := q.msgs.At(r); m.State == dispatch.Unacked && m.Consumer != dispatch.NoConsumer {
			b := held[m.Consumer]
			held[m.Consumer] = books{b.unacked + 1, b.work + m.Cost}
		}
	}
	n := 0
	for c := q.cons.First(); c != dispatch.NoConsumer; c = q.cons.After(c) {
		n++
		row := q.cons.At(c)
		if b := held[c]; b.unacked != row.Unacked || b.work != row.Work {
			return fmt.Errorf("queue: consumer %d holds %d messages of cost %d, its books say %d and %d", c, b.unacked, b.work, row.Unacked, row.Work)
		}
		if row.Prefetch != 0 && row.Unacked > max(row.Prefetch, row.Excess) {
			return fmt.Errorf("queue: consumer %d holds %d messages, its prefetch is %d", c, row.Unacked, row.Prefetch)
		}
	}
	if n != q.cons.Len() {
		return fmt.Errorf("queue: %d consumers are listed, the count is %d", n, q.cons.Len())
	}
	return nil
}

func (q *Queue) checkNext() error {
	if q.ready == 0 {
		return nil
	}
	next := *q.msgs.At(q.order.Peek(q.now))
	if next.State != dispatch.Ready {
		return fmt.Errorf("queue: message %d is next and not ready", next.ID)
	}
	for r := dispatch.Ref(0); q.msgs.Valid(r); r++ {
		m := q.msgs.At(r)
		if m.State == dispatch.Ready && m.ID < next.ID &&
			m.Priority == next.Priority && m.Tenant == next.Tenant && m.Cost == next.Cost {
			return fmt.Errorf("queue: message %d is next, before %d, its equal and older", next.ID, m.ID)
		}
	}
	return nil
}
