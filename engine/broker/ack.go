package broker

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// Ack acknowledges the delivery with a tag. With multiple it acknowledges all unsettled
// deliveries up to that tag, and tag 0 stands for all of the channel. With tx it takes
// effect at TxCommit.
//
// Errors: 406 for a tag without an unsettled delivery.
func (ch *Channel) Ack(tag uint64, multiple bool) error {
	return ch.settle(queue.Ack, tag, multiple)
}

// Nack rejects deliveries; tag and multiple work as in Ack. With requeue the messages go
// back to their original places in their queues, otherwise they are dead-lettered or
// dropped. basic.reject is Nack without multiple.
//
// Errors: 406 for a tag without an unsettled delivery.
func (ch *Channel) Nack(tag uint64, multiple, requeue bool) error {
	if requeue {
		return ch.settle(queue.Requeue, tag, multiple)
	}
	return ch.settle(queue.Discard, tag, multiple)
}

// Recover requeues all unsettled deliveries of the channel.
//
// Errors: 540 without requeue, as in RabbitMQ.
func (ch *Channel) Recover(requeue bool) error {
	if !requeue {
		return refuse(wire.NotImplemented, "requeue=false")
	}
	op := ch.begin()
	ch.mu.Lock()
	op.settled, _ = ch.unacked.takeUpTo(0, op.settled[:0])
	ch.mu.Unlock()
	ch.finish(op, queue.Requeue, op.settled)
	op.end()
	return nil
}

func (ch *Channel) settle(kind queue.Kind, tag uint64, multiple bool) error {
	op := ch.begin()
	deliveries, ok := ch.take(op, tag, multiple)
	if !ok {
		return refuse(wire.PreconditionFailed, "unknown delivery tag %d", tag)
	}
	if ch.mode == modeTx {
		ch.tx.settle(kind, deliveries)
		return nil
	}
	ch.finish(op, kind, deliveries)
	op.end()
	return nil
}

// take moves deliveries from the unacked list to op.settled. It reports false if the tag
// has no unsettled delivery.
func (ch *Channel) take(op *operation, tag uint64, multiple bool) (deliveries []unsettled, ok bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	op.settled = op.settled[:0]
	if multiple {
		op.settled, ok = ch.unacked.takeUpTo(tag, op.settled)
	} else {
		var u unsettled
		u, ok = ch.unacked.take(tag)
		op.settled = append(op.settled, u)
	}
	ch.acked += uint64(len(op.settled))
	return op.settled, ok
}

// finish settles deliveries in their queues, in order of declaration. If the channel has a
// limit of its own, any of its queues may use the freed credit: first all deliveries are
// settled, then all queues run, beginning with a drawn one.
func (ch *Channel) finish(op *operation, kind queue.Kind, deliveries []unsettled) {
	if len(deliveries) == 1 && ch.limiter == nil { // nearly always
		op.refs = append(op.refs[:0], deliveries[0].ref)
		deliveries[0].queue.settle(op, kind, op.refs, false)
		return
	}
	shared := ch.limiter != nil
	if shared {
		for i := range deliveries {
			ch.uncount(&deliveries[i])
		}
	}
	op.runs = op.runs[:0]
	op.eachQueue(deliveries, func(q *Queue, refs []dispatch.Ref) {
		q.settle(op, kind, refs, shared)
		op.runs = append(op.runs, q)
	})
	if !shared {
		return
	}
	ch.mu.Lock()
	op.runs = append(op.runs, ch.queues...)
	ch.mu.Unlock()
	slices.SortFunc(op.runs, bySeq)
	op.runs = slices.Compact(op.runs)
	first := ch.drawFirst(op)
	for i := range op.runs {
		q := op.runs[(first+i)%len(op.runs)]
		q.event(op, queue.Event{Kind: queue.Run, Limiter: ch.limiter})
	}
}

// drawFirst returns the index in op.runs of the queue that runs first. The queues that
// compete for credit of the channel's limit have the same chance: in a fixed order the
// first one would take every credit and starve the others (rabbit_limiter,
// notify_queues/1). It draws nothing if fewer than two compete.
func (ch *Channel) drawFirst(op *operation) int {
	if len(op.runs) < 2 || ch.limiter.Limit() == 0 || ch.limiter.Full() {
		return 0
	}
	op.competing = op.competing[:0]
	for i, q := range op.runs {
		q.mu.Lock()
		if !q.deleted && q.machine.Competes(ch.limiter) {
			op.competing = append(op.competing, i)
		}
		q.mu.Unlock()
	}
	if len(op.competing) < 2 {
		return 0
	}
	return op.competing[ch.draws.Below(len(op.competing))]
}
