package queue

import (
	"math"

	"harelab/engine/dispatch"
)

// publish adds a message, unless the queue is full and refuses it. A queue that refuses may
// have held more messages than its limit, since unacked ones do not count; all of them are
// restored.
func (q *Queue) publish(e *Event, out []Decision) []Decision {
	if q.lim.Overflow != DropHead && !e.Restored && q.over(1, int64(e.Bytes)) {
		return q.reject(out)
	}
	q.lastID++
	r := q.msgs.Alloc()
	m := q.msgs.At(r)
	*m = dispatch.Message{
		ID:          q.lastID,
		Published:   e.Msg.Published,
		Cost:        max(e.Msg.Cost, 0),
		Expires:     q.expiry(e.ExpiresAt),
		Bytes:       e.Bytes,
		Consumer:    dispatch.NoConsumer,
		Priority:    e.Msg.Priority,
		Redelivered: e.Redelivered,
		Costless:    e.Msg.Cost < 0,
	}
	if m.Published == 0 {
		m.Published = q.now
	}
	if q.tenant {
		m.Tenant = q.msgs.Intern(e.Msg.Tenant)
	}
	if q.learns {
		q.predict(m, e.Msg.Task)
	}
	q.push(r)
	if e.Hold && e.Restored {
		return out
	}
	if e.Hold {
		return q.dropHeads(out)
	}
	q.fresh = r
	return out
}

// expiry returns the earlier of a message's own expiry and the queue's.
func (q *Queue) expiry(own int64) int64 {
	if q.lim.MessageTTL < 0 {
		return own
	}
	at := q.now + min(q.lim.MessageTTL, math.MaxInt64-max(q.now, 0))
	if own != 0 && own < at {
		return own
	}
	return max(at, 1) // 0 would mean never
}

func (q *Queue) reject(out []Decision) []Decision {
	r := q.msgs.Next()
	if q.lim.Overflow == RejectPublishDLX && q.lim.DeadLetter {
		out = append(out, Decision{Kind: DeadLetter, Reason: MaxLen, Ref: r, Consumer: dispatch.NoConsumer})
	}
	return append(out, Decision{Kind: Reject, Reason: MaxLen, Ref: r, Consumer: dispatch.NoConsumer, Done: true})
}

// over reports whether so many more ready messages and bytes would exceed a limit.
func (q *Queue) over(messages int, bytes int64) bool {
	return q.lim.MaxLength >= 0 && int64(q.ready+messages) > q.lim.MaxLength ||
		q.lim.MaxBytes >= 0 && q.bytes+bytes > q.lim.MaxBytes
}

// dropHeads drops ready messages until the queue is within its limits.
func (q *Queue) dropHeads(out []Decision) []Decision {
	if q.lim.Overflow != DropHead {
		return out
	}
	for q.ready > 0 && q.over(0, 0) {
		out = q.lose(q.pop(), MaxLen, out)
	}
	return out
}

// push makes a message ready, which ends a hand-over.
func (q *Queue) push(r dispatch.Ref) {
	q.handing = false
	m := q.msgs.At(r)
	m.State = dispatch.Ready
	q.order.Push(r)
	q.ready++
	q.bytes += int64(m.Bytes)
	if m.Expires != 0 {
		q.expiring++
	}
}

// pop removes the next message from the ready ones. The caller must deliver or lose it.
func (q *Queue) pop() dispatch.Ref {
	r := q.order.Pop(q.now)
	m := q.msgs.At(r)
	if r == q.fresh {
		q.fresh = dispatch.NoRef
	}
	q.ready--
	q.bytes -= int64(m.Bytes)
	if m.Expires != 0 {
		q.expiring--
	}
	return r
}

// lose drops or dead-letters a message and frees its row.
func (q *Queue) lose(r dispatch.Ref, why Reason, out []Decision) []Decision {
	kind := Drop
	if q.lim.DeadLetter && why >= Expired && why <= DeliveryLimit {
		kind = DeadLetter
	}
	m := q.msgs.At(r)
	out = append(out, Decision{
		Kind: kind, Reason: why, Ref: r, ID: m.ID, Redelivered: m.Redelivered,
		Consumer: dispatch.NoConsumer, Done: true,
	})
	q.free(r)
	return out
}

func (q *Queue) free(r dispatch.Ref) {
	q.gone++
	q.msgs.Release(r)
}

func (q *Queue) isUnacked(r dispatch.Ref) bool {
	return q.msgs.Valid(r) && q.msgs.At(r).State == dispatch.Unacked
}

// settle takes an unacked message from its holder.
func (q *Queue) settle(r dispatch.Ref) (*dispatch.Message, bool) {
	if !q.isUnacked(r) {
		return nil, false
	}
	m := q.msgs.At(r)
	q.unacked--
	if c := m.Consumer; c != dispatch.NoConsumer {
		m.Consumer = dispatch.NoConsumer
		limiter := q.cons.At(c).Limiter
		q.cons.Settled(c, m.Cost, q.now)
		if q.cons.Valid(c) {
			q.sel.Changed(c, q.now)
			q.touch(c)
		} else if limiter != nil { // c left; other consumers of its channel may be here
			q.touchChannel(limiter)
		}
	} else {
		q.taken--
	}
	return m, true
}

func (q *Queue) requeue(r dispatch.Ref, out []Decision) []Decision {
	m, ok := q.settle(r)
	if !ok {
		return out
	}
	m.Redelivered = true
	m.Attempts++
	if q.lim.DeliveryLimit >= 0 && int64(m.Attempts) > q.lim.DeliveryLimit {
		return q.lose(r, DeliveryLimit, out)
	}
	q.push(r)
	return out
}

func (q *Queue) discard(r dispatch.Ref, out []Decision) []Decision {
	if _, ok := q.settle(r); !ok {
		return out
	}
	return q.lose(r, Rejected, out)
}

// deliver gives a popped message to a consumer. pick has taken the credit for it.
func (q *Queue) deliver(r dispatch.Ref, c dispatch.ConsumerID, noAck bool, out []Decision) []Decision {
	m := q.msgs.At(r)
	out = append(out, Decision{
		Kind: Deliver, Ref: r, ID: m.ID, Consumer: c,
		Redelivered: m.Redelivered, Attempts: m.Attempts, Done: noAck, Remaining: q.ready,
	})
	if noAck {
		q.free(r)
		return out
	}
	m.State = dispatch.Unacked
	m.Consumer = c
	q.unacked++
	if c != dispatch.NoConsumer {
		q.cons.Given(c, m.Cost, q.now)
		q.sel.Changed(c, q.now)
	} else {
		q.taken++
	}
	return out
}

func (q *Queue) get(e *Event, out []Decision) []Decision {
	out = q.expire(out)
	if q.ready == 0 {
		return append(out, Decision{Kind: Empty, Ref: dispatch.NoRef, Consumer: dispatch.NoConsumer})
	}
	out = q.deliver(q.pop(), dispatch.NoConsumer, e.NoAck, out)
	return q.schedule(q.expire(out))
}

func (q *Queue) purge(why Reason, out []Decision) []Decision {
	for q.ready > 0 {
		out = q.lose(q.pop(), why, out)
	}
	return out
}

// close drops the ready messages, then the unacked ones.
func (q *Queue) close(out []Decision) []Decision {
	out = q.purge(Closed, out)
	for r := dispatch.Ref(0); q.unacked > 0; r++ {
		if _, ok := q.settle(r); ok {
			out = q.lose(r, Closed, out)
		}
	}
	return out
}
