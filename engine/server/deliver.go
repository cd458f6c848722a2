package server

import (
	"slices"

	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// Deliver implements [broker.Sink]. Readers of any connection, which published or acked,
// call it with the queue's lock held.
func (ch *channel) Deliver(d *broker.Delivery, b *broker.Batch) (writable bool) {
	o := &ch.conn.out
	m := d.Msg
	body := m.Body()
	buf, ok := o.begin(contentRoom(m, body))
	if !ok {
		return false // the connection is ending, which requeues the message
	}
	if len(body) < copyBelow {
		buf = wire.AppendDeliver(buf, ch.id, d.Consumer.Tag, d.DeliveryTag, d.Redelivered,
			m.ExchangeAndKey(), m.Properties(), body, ch.conn.frameMax)
	} else {
		buf = wire.AppendDeliverHead(buf, ch.id, d.Consumer.Tag, d.DeliveryTag, d.Redelivered,
			m.ExchangeAndKey(), m.Properties(), uint64(len(body)))
		buf = ch.refer(buf, m, body)
	}
	writable = o.endDelivery(buf, ch)
	b.Touch(ch.conn)
	return writable
}

// contentRoom returns an upper bound, in octets, of what a message takes in an outbox:
// method, header and, unless the body is large, one body frame. Names have at most 255
// octets.
func contentRoom(m *message.Message, body []byte) int {
	const names = 3*(1+wire.MaxShortString) + 64
	n := names + len(m.Properties())
	if len(body) < copyBelow {
		n += len(body)
	}
	return n
}

// refer appends the body of m without copying it. It retains m until the body is written.
func (ch *channel) refer(buf []byte, m *message.Message, body []byte) []byte {
	m.Retain()
	return ch.conn.out.body(buf, ch.id, body, ch.conn.frameMax, m)
}

// Cancelled implements [broker.Sink].
func (ch *channel) Cancelled(consumerTag string, b *broker.Batch) {
	if ch.conn.cancelNotify {
		ch.reply(&wire.BasicCancel{ConsumerTag: consumerTag, NoWait: true})
		b.Touch(ch.conn)
	}
}

// Confirmed implements [broker.Sink].
func (ch *channel) Confirmed(first, last uint64, ok bool, b *broker.Batch) {
	o := &ch.conn.out
	o.mu.Lock()
	if ch.late.empty() {
		o.late = append(o.late, ch)
	}
	if ok {
		ch.late.ack(first, last)
	} else {
		ch.late.nack(first, last)
	}
	o.unlock()
	b.Touch(ch.conn)
}

// settle returns the settlements that are confirmed at the end of the reader's chunk.
func (ch *channel) settle() *settlements {
	if !ch.awaiting {
		ch.awaiting = true
		ch.conn.confirming = append(ch.conn.confirming, ch)
	}
	return &ch.settled
}

// sendConfirms confirms the publishes that were settled in this chunk.
func (c *conn) sendConfirms() {
	for i, ch := range c.confirming {
		c.confirming[i] = nil
		ch.awaiting = false
		if buf, ok := c.out.begin(methodRoom); ok {
			c.out.end(ch.confirms.append(buf, ch.id, &ch.settled))
		}
	}
	c.confirming = c.confirming[:0]
}

// sendLate confirms the publishes that Confirmed has settled.
func (o *outbox) sendLate() {
	o.mu.Lock()
	pending := len(o.late) > 0
	o.unlock()
	if !pending {
		return
	}
	buf, ok := o.begin(methodRoom)
	if !ok {
		return
	}
	for i, ch := range o.late {
		o.late[i] = nil
		buf = ch.confirms.append(buf, ch.id, &ch.late)
	}
	o.late = o.late[:0]
	o.end(buf)
}

// dropLate drops settlements that came while the channel was being closed.
func (o *outbox) dropLate(ch *channel) {
	o.mu.Lock()
	defer o.unlock()
	ch.late = settlements{}
	o.late = slices.DeleteFunc(o.late, func(other *channel) bool { return other == ch })
}

// sendGetOk sends basic.get-ok and releases the message.
func (ch *channel) sendGetOk(r *broker.GetResult) {
	m := r.Msg
	defer m.Release()
	left, body := uint32(r.MessageCount), m.Body()
	buf, ok := ch.conn.out.begin(contentRoom(m, body))
	if !ok {
		return
	}
	if len(body) < copyBelow {
		buf = wire.AppendGetOk(buf, ch.id, r.DeliveryTag, r.Redelivered, m.ExchangeAndKey(), left,
			m.Properties(), body, ch.conn.frameMax)
	} else {
		buf = wire.AppendGetOkHead(buf, ch.id, r.DeliveryTag, r.Redelivered, m.ExchangeAndKey(), left,
			m.Properties(), uint64(len(body)))
		buf = ch.refer(buf, m, body)
	}
	ch.conn.out.end(buf)
}

// returnMandatory returns a mandatory publish that no queue took.
func (ch *channel) returnMandatory(p *broker.Publishing) {
	c := ch.conn
	c.scratch = wire.AppendExchangeAndKey(c.scratch[:0], string(p.Exchange), string(p.RoutingKey))
	ch.sendReturn(c.scratch, p.Properties.Raw(), p.Body)
}

// sendReturn sends a basic.return. It copies its arguments.
func (ch *channel) sendReturn(exchangeAndKey, properties, body []byte) {
	if buf, ok := ch.conn.out.begin(methodRoom + len(properties) + len(body)); ok {
		ch.conn.out.end(wire.AppendReturn(buf, ch.id, wire.NoRoute, wire.NoRoute.Name(),
			exchangeAndKey, properties, body, ch.conn.frameMax))
	}
}
