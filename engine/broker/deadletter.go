package broker

import (
	"slices"

	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// deadLetter publishes a message that died in a queue to the queue's dead letter exchange
// (rabbit_dead_letter, publish/5). It takes over the effect's reference.
func (op *operation) deadLetter(e effect) {
	if e.msg == nil {
		var err error
		if e.msg, err = op.broker.pager.read(op, e.stub); err != nil {
			e.queue.unreadable(op, e.stub, err)
			return
		}
	}
	dead := op.deadLetterOf(e)
	if tracer := op.broker.tracer; tracer != nil {
		d := Death{Reason: e.reason, Octets: e.octets}
		for _, q := range op.queues {
			d.To = append(d.To, q.name)
		}
		d.Refused = e.refused && len(d.To) == 0
		tracer.Died(e.msg, e.queue.name, d, op.time())
	}
	if dead != nil {
		op.enqueue(dead, -1)
	}
	if e.remove {
		e.queue.remove(op, e.msg, e.stub)
	}
	op.release(e.msg)
}

// deadLetterOf returns the message that a dead letter is published as, and leaves the
// queues that it goes to in op.queues. Without any it returns nil.
func (op *operation) deadLetterOf(e effect) *message.Message {
	op.queues = op.queues[:0]
	s := e.queue.settings.Load()
	if s.DeadLetterTo == nil {
		return nil // the queue was configured meanwhile
	}
	x, ok := e.queue.vhost.exchanges.GetString(*s.DeadLetterTo)
	if !ok {
		return nil
	}
	ps, err := wire.ParseProperties(e.msg.Properties())
	if err != nil {
		return nil // unreachable: the properties were checked when they came
	}
	key := e.msg.RoutingKey()
	before := wire.ViewProperties(e.msg.Properties())
	op.headers = before.Headers()
	if _, err := op.setKeys(key); err != nil {
		op.keys = append(op.keys[:0], key)
	}
	original := slices.Clone(op.keys)
	op.keys = e.msg.AppendHidden(op.keys)
	hidden := op.keys[len(original):]
	if s.DeadLetterAs != nil {
		key = []byte(*s.DeadLetterAs)
		op.keys, hidden = append(op.keys[:0], key), nil
	}
	addDeath(&ps, death(e, original, op.time(), ps.Expiration))
	if s.DeadLetterAs != nil {
		ps.Headers = without(ps.Headers, "CC")
	}
	ps.Remove(wire.FlagExpiration)
	encoded, err := wire.EncodeProperties(nil, &ps)
	if err != nil {
		return nil // the headers would be longer than a table can be
	}
	properties := wire.ViewProperties(encoded)
	op.headers, op.message.Properties = properties.Headers(), properties.Raw()
	op.route(x)
	if len(op.keeping) > 0 {
		queues := slices.Clone(op.queues)
		op.keep([]byte(x.name), key, &properties, e.msg.Body(), hidden)
		op.queues = append(op.queues[:0], queues...)
	}
	if e.reason != queue.Rejected {
		deaths, _ := ps.Headers.Get("x-death")
		op.queues = slices.DeleteFunc(op.queues, func(q *Queue) bool { return isCycle(q.name, deaths) })
	}
	if len(op.queues) == 0 {
		return nil
	}
	return op.hold(message.NewHiding([]byte(x.name), key, &properties, e.msg.Body(), hidden))
}

// death returns the table that describes one death in the header x-death.
func death(e effect, keys [][]byte, now int64, expiration string) wire.Table {
	routingKeys := make([]any, len(keys))
	for i, k := range keys {
		routingKeys[i] = string(k)
	}
	d := wire.Table{
		{Key: "count", Value: int64(1)},
		{Key: "reason", Value: e.reason.String()},
		{Key: "queue", Value: e.queue.name},
		{Key: "time", Value: wire.Timestamp(max(now, 0) / 1_000_000)},
		{Key: "exchange", Value: string(e.msg.Exchange())},
		{Key: "routing-keys", Value: routingKeys},
	}
	if expiration != "" {
		d = append(d, wire.Field{Key: "original-expiration", Value: expiration})
	}
	return d
}

// isCycle reports whether a message with these deaths has died in the queue before, and no
// consumer has rejected it since (rabbit_dead_letter, is_cycle/2).
func isCycle(queueName string, deaths any) bool {
	list, _ := deaths.([]any)
	for _, d := range list {
		table, _ := d.(wire.Table)
		if reason, _ := table.Get("reason"); reason == queue.Rejected.String() {
			return false
		}
		if q, _ := table.Get("queue"); q == queueName {
			return true
		}
	}
	return false
}
