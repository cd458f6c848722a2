package queue

import "harelab/engine/dispatch"

func (q *Queue) join(e *Event, out []Decision) []Decision {
	c := q.cons.Add(dispatch.Consumer{
		Priority: e.Priority,
		Prefetch: e.Prefetch,
		Slots:    e.Slots,
		NoAck:    e.NoAck,
		Limiter:  e.Limiter,
		Probe:    e.Probe,
	})
	q.sel.Join(c)
	if e.Exclusive {
		q.exclusive = c
	}
	q.handing = false
	if q.cfg.SingleActive && q.active == dispatch.NoConsumer {
		out = q.activate(c, out)
	}
	return out
}

// leave removes a consumer. If it was the active one of a single-active queue, the next is
// chosen at once, but in a held step the hand-over is not done: as in RabbitMQ's classic
// queues, the new active consumer gets nothing before a message arrives or returns, a
// consumer joins, or the owner runs the queue because a channel closed. Acks and timers
// are not enough (rabbit_amqqueue_process, handle_call of basic_cancel).
func (q *Queue) leave(c dispatch.ConsumerID, hold bool, out []Decision) []Decision {
	if !q.cons.Valid(c) {
		return out
	}
	q.sel.Leave(c)
	q.cons.Remove(c)
	if q.exclusive == c {
		q.exclusive = dispatch.NoConsumer
	}
	if q.active == c {
		q.handing = hold
		out = q.activate(q.heir(), out)
	}
	return out
}

// heir returns the consumer that becomes active when the active one leaves: of those with
// the greatest priority the one that subscribed first, or NoConsumer. O(consumers).
func (q *Queue) heir() dispatch.ConsumerID {
	heir := q.cons.First()
	for c := heir; c != dispatch.NoConsumer; c = q.cons.After(c) {
		if q.cons.At(c).Priority > q.cons.At(heir).Priority {
			heir = c
		}
	}
	return heir
}

// share gives consumers of a channel its limiter: one that has joined, and the holders
// of messages, which may have left.
func (q *Queue) share(e *Event) {
	if e.Limiter == nil {
		return
	}
	if q.cons.Valid(e.Consumer) {
		q.cons.Share(e.Consumer, e.Limiter)
	}
	for _, r := range e.Refs {
		if q.isUnacked(r) && q.msgs.At(r).Consumer != dispatch.NoConsumer {
			q.cons.Share(q.msgs.At(r).Consumer, e.Limiter)
		}
	}
}

// activate makes c the active consumer of a single-active queue, or nobody if c is
// NoConsumer.
func (q *Queue) activate(c dispatch.ConsumerID, out []Decision) []Decision {
	q.active = c
	return append(out, Decision{Kind: Activate, Consumer: c, Ref: dispatch.NoRef})
}

// change applies Pause, Resume or Limit to a consumer.
func (q *Queue) change(e *Event) {
	c := e.Consumer
	if !q.cons.Valid(c) {
		return
	}
	row := q.cons.At(c)
	switch e.Kind {
	case Pause:
		row.Paused = true
	case Resume:
		row.Paused = false
	case Limit:
		row.Prefetch, row.Excess = e.Prefetch, row.Unacked
	}
	q.sel.Changed(c, q.now)
	q.touch(c)
}
