package broker

import (
	"harelab/engine/auth"
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

func (q *Queue) get(op *operation, ch *Channel, noAck bool) (r GetResult, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return GetResult{}, false
	}
	q.usedAt = op.time()
	q.decide(op, &queue.Event{Kind: queue.Get, NoAck: noAck})
	for i := range op.decisions {
		d := &op.decisions[i]
		if d.Kind != queue.Deliver {
			q.carryOut(op, d)
			continue
		}
		m := *q.messages.At(d.Ref)
		sent := m
		if q.settings.Load().Quorum {
			sent = op.countDeliveries(m, d.Attempts)
		} else {
			m.Retain()
		}
		q.dispatched(op, m, d)
		ch.mu.Lock()
		ch.lastTag++
		if !noAck {
			ch.unacked.push(unsettled{tag: ch.lastTag, queue: q, ref: d.Ref, byGet: true})
			if timeout := q.settings.Load().ConsumerTimeout; timeout >= 0 {
				ch.expect(op, timeout)
			}
		}
		ch.delivered++
		r.DeliveryTag = ch.lastTag
		ch.mu.Unlock()
		r.Delivery = Delivery{DeliveryTag: r.DeliveryTag, Redelivered: d.Redelivered, Msg: sent, Queue: q.name}
		r.MessageCount = q.machine.Ready() // counted after messages behind it have expired
		ok = true
		if d.Done {
			q.acked(op, m)
			q.forget(op, d.Ref)
		}
	}
	return r, ok
}
