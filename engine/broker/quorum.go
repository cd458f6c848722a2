package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/wire"
)

// countDeliveries returns a copy of a message with the header that quorum queues add
// to what they deliver again, or to basic.get: how often it came back. The caller
// releases it.
func (q *Queue) countDeliveries(m *Message, r dispatch.Ref) *Message {
	row, _ := q.machine.Message(r)
	properties := editProperties(m.Properties(), func(ps *wire.Properties) {
		ps.Headers = append(without(ps.Headers, "x-delivery-count"), wire.Field{Key: "x-delivery-count", Value: int64(row.Attempts)})
	})
	return newMessage(m.Exchange(), m.RoutingKey(), properties, m.Body())
}
