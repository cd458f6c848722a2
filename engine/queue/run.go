package queue

import (
	"cmp"
	"slices"

	"harelab/engine/dispatch"
)

// run delivers ready messages until no message, no consumer or no budget is left. A
// fresh message may be delivered even if its time to live is zero.
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

// touch notes that c, and all consumers of its channel, may have got credit.
func (q *Queue) touch(c dispatch.ConsumerID) {
	switch l := q.cons.At(c).Limiter; {
	case l != nil:
		q.touchChannel(l)
	case q.cons.Aside(c) != 0:
		q.touched = append(q.touched, c)
	}
}

// touchChannel notes that the consumers of the channel with limiter l may have got
// credit; nil stands for all limiters.
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

// putBack returns touched consumers to the selector, in the order in which it set them
// aside, if they are eligible now.
func (q *Queue) putBack() {
	if len(q.touched) > 1 {
		slices.SortFunc(q.touched, func(a, b dispatch.ConsumerID) int {
			return cmp.Compare(q.cons.Aside(a), q.cons.Aside(b))
		})
	}
	for _, c := range q.touched {
		// A consumer can be in the list twice, or have left since.
		if q.cons.Valid(c) && q.cons.Aside(c) != 0 && q.cons.Eligible(c) {
			q.cons.PutBack(c)
			q.sel.Return(c)
		}
	}
	q.touched = q.touched[:0]
}

// expire removes expired messages at the head. As in RabbitMQ, a message that expires
// behind another one stays until it is at the head.
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

// schedule asks for an Expire event at the time when the head expires.
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
