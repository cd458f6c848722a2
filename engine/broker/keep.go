package broker

import (
	"harelab/engine/exchange"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// Some types of exchange keep messages: x-delayed-message until their time has come,
// x-recent-history for destinations that are bound later. Routing only notes that. Who
// publishes gives copies to the exchanges afterwards: what is kept has an entry of its own
// in the store, or none.

// A keeping is an exchange that keeps a message being routed.
type keeping struct {
	exchange *Exchange
	delay    int64 // milliseconds; 0: the exchange remembers the message
}

// meet notes whether an exchange keeps the message, and reports whether the exchange holds
// the message back instead of routing it.
func (op *operation) meet(x *Exchange) (held bool) {
	if x.delays != nil {
		if delay := exchange.Delay(op.headers); delay > 0 {
			op.keeping = append(op.keeping, keeping{x, delay})
			return true
		}
	}
	if x.history != nil && !exchange.Forgettable(op.headers) {
		op.keeping = append(op.keeping, keeping{exchange: x})
	}
	return false
}

// keep gives a message that was routed to the exchanges that keep it. hidden are the
// routing keys that no consumer may see.
func (op *operation) keep(exchangeName, key []byte, properties *wire.PropertyView, body []byte, hidden [][]byte) {
	for _, k := range op.keeping {
		m := op.hold(message.NewHiding(exchangeName, key, properties, body, hidden))
		if k.delay == 0 {
			k.exchange.history.add(op, m)
		} else {
			k.exchange.delays.add(op, m, k.delay)
		}
	}
	op.keeping = op.keeping[:0]
}

// routeKept routes a message that an exchange kept, under its own routing keys and with
// these headers, from an exchange on. It leaves the queues in op.queues.
func (op *operation) routeKept(x *Exchange, m *message.Message, headers []byte) (hidden [][]byte) {
	op.headers = headers
	if _, err := op.setKeys(m.RoutingKey()); err != nil {
		op.keys = append(op.keys[:0], m.RoutingKey()) // unreachable: the headers were checked when they came
	}
	own := len(op.keys)
	op.keys = m.AppendHidden(op.keys)
	hidden = op.keys[own:]
	op.message.Properties = m.Properties()
	op.route(x)
	return hidden
}

// closeKept releases what an exchange keeps, because it is deleted. The virtual host is
// locked; who deletes the exchange commits the change of the store.
func (x *Exchange) closeKept() {
	if x.delays == nil && x.history == nil {
		return
	}
	b := x.vhost.broker
	op := &operation{broker: b}
	if x.delays != nil {
		x.delays.close(op)
	}
	if x.history != nil {
		x.history.close(op)
	}
	if op.changed {
		b.recordsChanged.Store(true)
	}
	op.report()
}

// eachKept calls f for each message that the exchange keeps.
func (x *Exchange) eachKept(f func(*message.Message)) {
	if x.delays != nil {
		x.delays.each(f)
	}
	if x.history != nil {
		x.history.each(f)
	}
}
