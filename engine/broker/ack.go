package broker

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// Ack settles a delivery, or with multiple all unsettled ones up to it; 0 with
// multiple means all there are. With tx it takes effect at TxCommit.
//
// Errors: 406 for a tag that is not unsettled.
func (ch *Channel) Ack(tag uint64, multiple bool) error {
	return ch.settle(queue.Ack, tag, multiple)
}

// Nack refuses deliveries, named as in Ack: with requeue they go back to their
// original places in their queues, else they are dead-lettered or dropped.
// basic.reject is Nack without multiple.
//
// Errors: 406 for a tag that is not unsettled.
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
	t := ch.begin()
	ch.mu.Lock()
	t.settled, _ = ch.unacked.takeUpTo(0, t.settled[:0])
	ch.mu.Unlock()
	ch.finish(t, queue.Requeue, t.settled)
	t.end()
	return nil
}

func (ch *Channel) settle(kind queue.Kind, tag uint64, multiple bool) error {
	t := ch.begin()
	us, ok := ch.take(t, tag, multiple)
	if !ok {
		return refuse(wire.PreconditionFailed, "unknown delivery tag %d", tag)
	}
	if ch.mode == modeTx {
		ch.tx.settle(kind, us)
		return nil
	}
	ch.finish(t, kind, us)
	t.end()
	return nil
}

// take takes deliveries out of the unacked list, into t.settled.
func (ch *Channel) take(t *turn, tag uint64, multiple bool) (us []unsettled, ok bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	t.settled = t.settled[:0]
	if multiple {
		t.settled, ok = ch.unacked.takeUpTo(tag, t.settled)
	} else {
		var u unsettled
		u, ok = ch.unacked.take(tag)
		t.settled = append(t.settled, u)
	}
	ch.acked += uint64(len(t.settled))
	return t.settled, ok
}

// finish tells the queues that deliveries were settled, in order of declaration.
// With a prefetch for the whole channel, what that frees may be used by any of its
// queues: all first take in what was settled, then all are run, beginning at a drawn
// one.
func (ch *Channel) finish(t *turn, kind queue.Kind, us []unsettled) {
	if len(us) == 1 && ch.limiter == nil { // nearly always
		t.refs = append(t.refs[:0], us[0].ref)
		us[0].queue.settle(t, kind, t.refs, false)
		return
	}
	shared := ch.limiter != nil
	if shared {
		for i := range us {
			ch.uncount(&us[i])
		}
	}
	t.runs = t.runs[:0]
	t.eachQueue(us, func(q *Queue, refs []dispatch.Ref) {
		q.settle(t, kind, refs, shared)
		t.runs = append(t.runs, q)
	})
	if !shared {
		return
	}
	ch.mu.Lock()
	t.runs = append(t.runs, ch.queues...)
	ch.mu.Unlock()
	slices.SortFunc(t.runs, bySeq)
	t.runs = slices.Compact(t.runs)
	first := ch.drawFirst(t)
	for i := range t.runs {
		q := t.runs[(first+i)%len(t.runs)]
		q.event(t, queue.Event{Kind: queue.Run, Limiter: ch.limiter})
	}
}

// drawFirst returns the index in t.runs of the queue that is run first. Queues that
// compete for what the channel's limit allows have the same chance: in a fixed order
// the first would take every credit and starve the others (rabbit_limiter,
// notify_queues/1). Nothing is drawn where fewer than two compete.
func (ch *Channel) drawFirst(t *turn) int {
	if len(t.runs) < 2 || ch.limiter.Limit() == 0 || ch.limiter.Full() {
		return 0
	}
	t.competing = t.competing[:0]
	for i, q := range t.runs {
		q.mu.Lock()
		if !q.deleted && q.machine.Competes(ch.limiter) {
			t.competing = append(t.competing, i)
		}
		q.mu.Unlock()
	}
	if len(t.competing) < 2 {
		return 0
	}
	return t.competing[ch.draws.Below(len(t.competing))]
}
