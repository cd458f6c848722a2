package broker

import (
	"harelab/engine/auth"
	"harelab/engine/message"
	"harelab/engine/queue"
)

// A GetResult is the answer to a [Channel.Get]. The caller releases Msg.
type GetResult struct {
	Delivery         // Consumer is nil
	MessageCount int // number of ready messages left in the queue
}

// Get takes one message from a queue. ok is false if the queue has none.
//
// Errors: 403, 404 and 405 as for Consume.
func (ch *Channel) Get(name string, noAck bool) (r GetResult, ok bool, err error) {
	name, err = ch.queueShortcut(name)
	if err != nil {
		return GetResult{}, false, err
	}
	if err := ch.conn.may(auth.Read, ch.vhost.queueResource(name)); err != nil {
		return GetResult{}, false, err
	}
	q, err := ch.conn.findQueue(name)
	if err != nil {
		return GetResult{}, false, err
	}
	op := ch.begin()
	r, ok = q.get(op, ch, noAck)
	op.end()
	return r, ok, nil
}

// A gotten is the message that a queue gives for a Get.
type gotten struct {
	decision queue.Decision
	msg      *message.Message // with a reference; nil: away
	stub     stub
	left     int // number of ready messages left in the queue
}

// get takes the next message. One that is away is read when the queue is not locked; one
// that cannot be read is passed over.
func (q *Queue) get(op *operation, ch *Channel, noAck bool) (r GetResult, ok bool) {
	for {
		g, ok := q.next(op, noAck)
		if !ok {
			return GetResult{}, false
		}
		if g.msg == nil && !q.fetch(op, &g) {
			continue
		}
		if q.settings.Load().Quorum {
			m := g.msg
			g.msg = op.countDeliveries(m, g.decision.Attempts)
			op.release(m)
		}
		ch.mu.Lock()
		defer ch.mu.Unlock()
		ch.lastTag++
		if !noAck {
			ch.unacked.push(unsettled{tag: ch.lastTag, queue: q, ref: g.decision.Ref, byGet: true})
			if timeout := q.settings.Load().ConsumerTimeout; timeout >= 0 {
				ch.expect(op, timeout)
			}
		}
		ch.delivered++
		d := Delivery{DeliveryTag: ch.lastTag, Redelivered: g.decision.Redelivered, Msg: g.msg, Queue: q.name}
		return GetResult{Delivery: d, MessageCount: g.left}, true
	}
}

// next decides on a Get. ok is false if the queue has no message.
func (q *Queue) next(op *operation, noAck bool) (g gotten, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return g, false
	}
	q.usedAt = op.time()
	q.decide(op, &queue.Event{Kind: queue.Get, NoAck: noAck})
	for i := range op.decisions {
		d := &op.decisions[i]
		if d.Kind != queue.Deliver {
			q.carryOut(op, d)
			continue
		}
		ok = true
		g = gotten{decision: *d, msg: *q.messages.At(d.Ref), stub: q.stub(d.Ref) &^ stubAhead}
		if g.msg != nil {
			g.msg.Retain()
		}
		q.dispatched(op, g.msg, d)
		switch {
		case d.Done:
			q.acked(op, g.msg)
			if g.msg != nil {
				q.forget(op, d.Ref)
			} else { // fetch reads it first
				q.take(d.Ref)
				op.held -= rowOctets
			}
		default:
			q.dropOctets(op, d.Ref)
		}
	}
	g.left = q.machine.Ready() // counted after messages behind it have expired
	return g, ok
}

// fetch reads a message that is away. It reports false if the message cannot be read.
func (q *Queue) fetch(op *operation, g *gotten) bool {
	var err error
	g.msg, err = op.broker.pager.read(op, g.stub)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.deleted:
	case err != nil && g.decision.Done:
		q.unreadable(op, g.stub, err)
	case err != nil:
		q.lose(op, &reading{stub: g.stub, ref: g.decision.Ref, err: err})
	case g.decision.Done:
		q.unstore(op, g.msg, g.stub)
	}
	return err == nil
}
