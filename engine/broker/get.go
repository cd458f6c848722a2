package broker

import (
	"harelab/engine/auth"
	"harelab/engine/queue"
)

// A GetResult is a message that was asked for. The caller releases Msg.
type GetResult struct {
	Delivery         // without a Consumer
	MessageCount int // messages left in the queue
}

// Get takes one message from a queue, if it has one.
//
// Errors: 403, 404 and 405 as for Consume.
func (ch *Channel) Get(name string, noAck bool) (r GetResult, ok bool, err error) {
	name, err = ch.queueShortcut(name)
	if err != nil {
		return GetResult{}, false, err
	}
	if err := ch.conn.may(auth.Read, name, ch.vhost.queueName); err != nil {
		return GetResult{}, false, err
	}
	q, err := ch.conn.findQueue(name)
	if err != nil {
		return GetResult{}, false, err
	}
	t := ch.begin()
	r, ok = q.get(t, ch, noAck)
	t.end()
	return r, ok, nil
}

func (q *Queue) get(t *turn, ch *Channel, noAck bool) (r GetResult, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return GetResult{}, false
	}
	q.usedAt = t.time()
	q.decide(t, &queue.Event{Kind: queue.Get, NoAck: noAck})
	for i := range t.decisions {
		d := &t.decisions[i]
		if d.Kind != queue.Deliver {
			q.carryOut(t, d)
			continue
		}
		m := *q.messages.at(d.Ref)
		shown := m
		if q.settings.Load().Quorum {
			shown = t.broker.countDeliveries(m, d.Attempts)
		} else {
			m.Retain()
		}
		q.dispatched(t, m, d)
		ch.mu.Lock()
		ch.lastTag++
		if !noAck {
			ch.unacked.push(unsettled{tag: ch.lastTag, queue: q, ref: d.Ref, gotten: true})
		}
		ch.delivered++
		r.DeliveryTag = ch.lastTag
		ch.mu.Unlock()
		r.Delivery = Delivery{DeliveryTag: r.DeliveryTag, Redelivered: d.Redelivered, Msg: shown, Queue: q.name}
		r.MessageCount = q.machine.Ready() // without what expired behind it
		ok = true
		if d.Done {
			q.acked(t, m)
			q.forget(t, d.Ref)
		}
	}
	return r, ok
}
