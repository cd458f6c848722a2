package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/wire"
)

// A Consumer is a subscription of a channel to a queue.
type Consumer struct {
	Tag   string // unique in its channel
	NoAck bool   // deliveries are settled as soon as they are sent

	channel *Channel
}

// Channel returns the channel that the consumer belongs to.
func (c *Consumer) Channel() *Channel { return c.channel }

// ConsumeOptions is what basic.consume cannot say. The zero value is for servers
// that answer later than the first delivery.
type ConsumeOptions struct {
	// Started, if not nil, is called once the subscription stands and before its
	// first delivery, with no lock held: the moment for basic.consume-ok.
	Started func(consumerTag string)

	// Probe, if not nil, tells dispatch strategies about the worker behind the
	// consumer, whom a simulator can see and a server cannot.
	Probe dispatch.Probe
}

// BasicConsume subscribes the channel to a queue and returns the consumer's tag,
// which is made up if m has none. Consumer arguments: x-priority, x-slots (how
// many messages the worker works on at once, for the fair strategies).
//
// Errors: 403 if the user may not read or the queue is in exclusive use, 404 if it
// does not exist, 405 if it belongs to another connection, 406 for bad arguments
// and a reply consumer (amq.rabbitmq.reply-to) with acknowledgements, 530 for a
// tag that is in use.
func (ch *Channel) BasicConsume(m *wire.BasicConsume, o ConsumeOptions) (tag string, err error) {
	return "", nil
}

// BasicCancel ends a subscription. Messages it has are still to be acked. A tag
// that is not there is no error.
func (ch *Channel) BasicCancel(tag string) error { return nil }

// BasicQos sets the prefetch of consumers to come (Global false) or of the whole
// channel (Global true), in messages, 0 for no limit.
//
// Errors: 540 for a prefetch size.
func (ch *Channel) BasicQos(m *wire.BasicQos) error { return nil }

// Resume tells that the channel's Sink is writable again: consumers whose delivery
// was answered with false get messages.
func (ch *Channel) Resume() {}

// A GetResult is a message that was asked for. The caller releases Msg.
type GetResult struct {
	Delivery         // without a Consumer
	MessageCount int // messages left in the queue
}

// Get takes one message from a queue, if it has one.
//
// Errors: 403, 404 and 405 as for BasicConsume.
func (ch *Channel) Get(queue string, noAck bool) (r GetResult, ok bool, err error) {
	return GetResult{}, false, nil
}
