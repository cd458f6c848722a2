package broker

import (
	"harelab/engine/message"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// countDeliveries returns a copy of a message with the header x-delivery-count, which
// quorum queues add to redeliveries and to answers of basic.get: how often the message
// was returned to the queue. As in RabbitMQ, the copy's headers are sorted. The caller
// releases the copy.
func (op *operation) countDeliveries(m *message.Message, attempts uint32) *message.Message {
	properties := editProperties(m.Properties(), func(ps *wire.Properties) {
		ps.Headers = append(without(ps.Headers, "x-delivery-count"), wire.Field{Key: "x-delivery-count", Value: int64(attempts)})
		sortFields(ps.Headers)
	})
	return op.hold(message.New(m.Exchange(), m.RoutingKey(), &properties, m.Body()))
}

// consumerCount returns the number of consumers that clients are told. In a quorum queue
// each unacked basic.get is a consumer of one message (rabbit_fifo, apply of a checkout
// that is once). The queue is locked.
func (q *Queue) consumerCount() int {
	if q.settings.Load().Quorum {
		return q.machine.Consumers() + q.machine.Taken()
	}
	return q.machine.Consumers()
}

// checkQuorum refuses properties that quorum queues do not support (rabbit_quorum_queue).
func checkQuorum(spec *QueueSpec, resource settings.Resource) error {
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"auto-delete", spec.AutoDelete},
		{"exclusive-owner", spec.Exclusive},
		{"non-durable", !spec.durable()},
	} {
		if p.set {
			return refuse(wire.PreconditionFailed, "invalid property '%s' for %s", p.name, resource)
		}
	}
	return nil
}

// checkQuorumDelete refuses conditions that quorum queues do not support
// (rabbit_quorum_queue, delete/4).
func checkQuorumDelete(only DeleteIf, resource settings.Resource) error {
	for _, flag := range []struct {
		name string
		set  bool
	}{{"if-unused", only.Unused}, {"if-empty", only.Empty}} {
		if flag.set {
			return refuse(wire.NotImplemented, "cannot delete %s. queue.delete operations with %s flag set are not supported by quorum queues", resource, flag.name)
		}
	}
	return nil
}
