package broker

import (
	"harelab/engine/exchange"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// A history holds the latest messages of an x-recent-history exchange. A restart forgets
// them, as in RabbitMQ.
type history struct {
	max int

	mu       queueMutex
	messages []*message.Message // the oldest first
	closed   bool
}

func newHistory(x *Exchange) *history { return &history{max: exchange.HistoryLength(x.args)} }

// add takes over a reference.
func (h *history) add(op *operation, m *message.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		op.release(m)
		return
	}
	if len(h.messages) == h.max {
		op.release(h.messages[0])
		h.messages = append(h.messages[:0], h.messages[1:]...)
	}
	h.messages = append(h.messages, m)
}

func (h *history) close(op *operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.messages {
		op.release(m)
	}
	h.messages, h.closed = nil, true
}

func (h *history) each(f func(*message.Message)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.messages {
		f(m)
	}
}

// replay gives the history to a destination that was just bound, the oldest message first
// (rabbit_exchange_type_recent_history, add_binding/3).
func (h *history) replay(op *operation, to *target) {
	var messages []*message.Message
	h.each(func(m *message.Message) {
		m.Retain()
		messages = append(messages, m)
	})
	for _, m := range messages {
		properties := wire.ViewProperties(m.Properties())
		var hidden [][]byte
		if to.queue != nil {
			op.headers = properties.Headers()
			op.queues = append(op.queues[:0], to.queue)
			hidden = m.AppendHidden(nil)
		} else {
			hidden = op.routeKept(to.exchange, m, properties.Headers())
			op.keeping = op.keeping[:0]
		}
		if len(op.queues) > 0 {
			copied := op.hold(message.NewHiding(m.Exchange(), m.RoutingKey(), &properties, m.Body(), hidden))
			op.enqueue(copied, -1)
		}
		op.release(m)
	}
}
