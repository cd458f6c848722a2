package queue

import (
	"fmt"

	"harelab/engine/dispatch"
)

// Check verifies the queue's invariants, in time linear in its size:
//
//   - ready + unacked + gone = published, and the tables agree with the counts;
//   - no message is in two places, nor two messages in one;
//   - each consumer's books are the sum of what it holds, which is within its
//     prefetch, or was too much already when that was lowered;
//   - the next message is the oldest of its equals in priority, tenant and cost,
//     so these go out in order and one that came back is in its original place;
//   - after a step that ran the queue (held false), no consumer is eligible
//     while a message is ready.
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
	if held || q.ready == 0 {
		return nil
	}
	for c := q.cons.First(); c != dispatch.NoConsumer; c = q.cons.After(c) {
		if q.cfg.SingleActive && c != q.active {
			continue
		}
		if q.cons.Eligible(c) {
			return fmt.Errorf("queue: consumer %d is eligible while %d messages are ready", c, q.ready)
		}
	}
	return nil
}

func (q *Queue) checkCounts() error {
	var ready, unacked, expiring int
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
		}
	}
	switch {
	case ready != q.ready || q.order.Len() != q.ready:
		return fmt.Errorf("queue: %d rows are ready, the order holds %d, the count is %d", ready, q.order.Len(), q.ready)
	case unacked != q.unacked:
		return fmt.Errorf("queue: %d rows are unacked, the count is %d", unacked, q.unacked)
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
