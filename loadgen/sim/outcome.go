package sim

import (
	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/loadgen/run"
)

// copies counts the copies of a message.
type copies struct {
	home     int32 // the first queue that took the message when it was published
	enqueued int32 // number of queues that took the message when it was published
	workable int32 // number of these that a worker consumes
	finished int32 // number of attempts that succeeded
}

// tracer makes the driver the broker's [broker.Tracer].
type tracer driver

func (t *tracer) Enqueued(m *message.Message, queue string, _ int64) {
	seq := seqOf(m.Body())
	row := &t.out.Messages[seq]
	row.Enqueued = t.now
	number := t.queueNumber(queue)
	if seq == t.publishing {
		t.enqueued++
		if t.copies[seq].enqueued++; t.copies[seq].enqueued == 1 {
			t.copies[seq].home = number
		}
		if t.consumed[number] {
			t.copies[seq].workable++
		}
	}
	if row.Queue < 0 {
		row.Queue = number
	}
}

// queueNumber returns a queue's index. Most messages go to the same queue as the
// last one.
func (t *tracer) queueNumber(name string) int32 {
	if name != t.lastQueue {
		t.lastQueue, t.lastNumber = name, t.queues[name]
	}
	return t.lastNumber
}

func (t *tracer) Dispatched(*message.Message, string, int64) {}
func (t *tracer) Acked(*message.Message, string, int64)      {}

func (t *tracer) Died(m *message.Message, queue string, d broker.Death, _ int64) {
	cause := CauseOf(d)
	if cause == run.NoCause || t.over {
		return
	}
	to := make([]int32, len(d.To))
	for i, name := range d.To {
		to[i] = t.queueNumber(name)
	}
	t.fates.Died(seqOf(m.Body()), cause, t.queueNumber(queue), to)
}

// CauseOf returns the cause of a death in harelab's broker, or run.NoCause if the
// queue was purged or deleted.
func CauseOf(d broker.Death) run.Cause {
	switch {
	case d.Refused:
		return run.Overflow
	case d.Octets:
		return run.MaxOctets
	}
	switch d.Reason {
	case queue.Expired:
		return run.TTL
	case queue.MaxLen:
		return run.MaxMessages
	case queue.Rejected:
		return run.ByWorker
	case queue.DeliveryLimit:
		return run.Deliveries
	}
	return run.NoCause
}

// done records the end of an attempt that succeeded. The row of a message shows the
// last such attempt (R19).
func (d *driver) done(t *task) {
	row := &d.out.Messages[t.seq]
	c := &d.copies[t.seq]
	c.finished++
	switch c.finished {
	case 1:
		d.ledger.Finished++
	case c.enqueued + 1:
		d.ledger.Duplicated++
		row.Duplicated = true
	}
	row.State = run.Done
	row.Queue, row.Worker, row.Slot = t.queue, t.worker, t.slot
	row.Dispatched, row.Received, row.Started, row.Done = t.sent, t.received, t.started, d.now
	if !t.unacked {
		row.Acked = max(row.Acked, t.sent)
	}
	if d.feedback != nil {
		d.feedback.Finished(t.seq, d.now)
	}
}

// acked records that the broker saw a task's ack.
func (d *driver) acked(t *task) {
	row := &d.out.Messages[t.seq]
	if row.Acked == run.None {
		d.ledger.Acked++
	}
	row.Acked = d.now
	d.acks++
}

// drop records the end of a task whose worker dies: a message that is not acked yet
// goes back to its queue, any other is lost (R14).
func (d *driver) drop(t *task) {
	if t.phase == working {
		d.span(t, d.now, true)
	}
	row := &d.out.Messages[t.seq]
	if t.unacked {
		d.unacked--
		row.Redelivered = true // requeued messages are marked (R15)
		return
	}
	if row.State != run.Done {
		row.State = run.Lost
		row.Queue, row.Worker = t.queue, t.worker
		row.Dispatched, row.Received = t.sent, t.received
	}
}

func (d *driver) span(t *task, end int64, cut bool) {
	if !d.model.Spans {
		return
	}
	d.out.Spans = append(d.out.Spans, run.Span{
		Worker: t.worker, Slot: t.slot, Class: d.out.Messages[t.seq].Class, Seq: t.seq,
		Start: t.started, End: end, Cut: cut,
	})
}

// delivered counts a delivery, and an inversion if a later message of its queue and
// priority was delivered before.
func (d *driver) delivered(t *task, redelivered bool, priority uint8) {
	d.ledger.Delivered++
	if redelivered {
		d.ledger.Redelivered++
	}
	if redelivered || t.attempt > d.copies[t.seq].enqueued || t.queue < 0 {
		return
	}
	newest := d.newest[t.queue]
	if newest == nil {
		newest = make([]int64, 256)
		d.newest[t.queue] = newest
	}
	if t.seq < newest[priority] {
		d.ledger.Inversions++
	} else {
		newest[priority] = t.seq + 1
	}
}
