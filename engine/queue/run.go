package queue

import (
	"cmp"
	"slices"

	"harelab/engine/dispatch"
)

// run gives ready messages to consumers until either is out, or the budget. A
// message that was only just published, fresh, may be delivered though its time
// to live is zero.
func (q *Queue) run(budget uint32, out []Decision) []Decision {
	q.putBack()
	for n := uint32(1); q.ready > 0; n++ {
		out = q.expire(out)
		if q.ready == 0 {
			break
		}
		c := q.pick()
		if c == dispatch.NoConsumer {
			break
		}
		out = q.deliver(q.pop(), c, q.cons.At(c).NoAck, out)
		if n == budget && q.ready > 0 {
			q.more = true
			return append(out, Decision{Kind: More, Ref: dispatch.NoRef, Consumer: dispatch.NoConsumer})
		}
	}
	if q.fresh != dispatch.NoRef {
		q.fresh = dispatch.NoRef
		out = q.dropHeads(out)
	}
	return q.schedule(q.expire(out))
}

// pick chooses a consumer and takes its credit.
func (q *Queue) pick() dispatch.ConsumerID {
	if !q.cfg.SingleActive {
		return q.sel.Pick(q.now)
	}
	if q.active != dispatch.NoConsumer && q.cons.Take(q.active) {
		return q.active
	}
	return dispatch.NoConsumer
}

// touch notes that c may have got credit, and with it all of its channel.
func (q *Queue) touch(c dispatch.ConsumerID) {
	switch l := q.cons.At(c).Limiter; {
	case l != nil:
		q.touchChannel(l)
	case q.cons.Aside(c) != 0:
		q.touched = append(q.touched, c)
	}
}

// touchChannel notes that the consumers of a channel may have got credit; nil
// stands for all channels.
func (q *Queue) touchChannel(l *dispatch.Limiter) {
	if l == nil && q.cons.Limited() {
		for c := q.cons.First(); c != dispatch.NoConsumer; c = q.cons.After(c) {
			if q.cons.At(c).Limiter != nil && q.cons.Aside(c) != 0 {
				q.touched = append(q.touched, c)
			}
		}
	}
	for c := q.cons.Peer(l); c != dispatch.NoConsumer; c = q.cons.PeerAfter(c) {
		if q.cons.Aside(c) != 0 {
			q.touched = append(q.touched, c)
		}
	}
}

// putBack returns to the selector those of the touched consumers that it had
// set aside and that are eligible now, in the order in which it set them aside.
func (q *Queue) putBack() {
	if len(q.touched) > 1 {
		slices.SortFunc(q.touched, func(a, b dispatch.ConsumerID) int {
			return cmp.Compare(q.cons.Aside(a), q.cons.Aside(b))
		})
	}
	for _, c := range q.touched {
		// A consumer can be noted twice, or have left since.
		if q.cons.Valid(c) && q.cons.Aside(c) != 0 && q.cons.Eligible(c) {
			q.cons.PutBack(c)
			q.sel.Return(c)
		}
	}
	q.touched = q.touched[:0]
}

// expire loses the expired messages at the head. As in RabbitMQ, one that
// expires behind another stays until it gets to the head.
func (q *Queue) expire(out []Decision) []Decision {
	for q.expiring > 0 {
		r := q.order.Peek(q.now)
		at := q.msgs.At(r).Expires
		if at == 0 || at > q.now || r == q.fresh {
			break
		}
		out = q.lose(q.pop(), Expired, out)
	}
	return out
}

// schedule asks for an Expire event when the head will expire.
func (q *Queue) schedule(out []Decision) []Decision {
	if q.expiring == 0 {
		return out
	}
	at := q.msgs.At(q.order.Peek(q.now)).Expires
	if at == 0 || q.wake > q.now && q.wake <= at {
		return out
	}
	q.wake = at
	return append(out, Decision{Kind: WakeAt, Ref: dispatch.NoRef, Consumer: dispatch.NoConsumer, At: at})
}
