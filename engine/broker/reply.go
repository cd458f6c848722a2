package broker

import (
	"strings"

	"harelab/engine/wire"
)

// replyTo is the pseudo-queue of direct reply-to: a requester consumes from it and
// names it in reply-to, where the broker puts a name that leads to the requester's
// channel. The responder publishes to that name and no queue is in between.
const replyTo = "amq.rabbitmq.reply-to"

// replyConsumer is a channel's subscription to its replies.
type replyConsumer struct {
	consumer *Consumer
	name     string // to publish to
}

// consumeReplies subscribes the channel to its replies.
func (ch *Channel) consumeReplies(m *wire.BasicConsume, o ConsumeOptions) (tag string, err error) {
	c := &Consumer{Tag: m.ConsumerTag, NoAck: true, channel: ch}
	if err := ch.nameConsumer(c); err != nil {
		return "", err
	}
	switch {
	case ch.replyTo != nil:
		return "", wire.Errorf(wire.PreconditionFailed, "reply consumer already set")
	case !m.NoAck:
		return "", wire.Errorf(wire.PreconditionFailed, "reply consumer cannot acknowledge")
	}
	r := &replyConsumer{c, ch.vhost.broker.makeName(replyTo + ".")}
	ch.mu.Lock()
	ch.replyTo = r
	ch.mu.Unlock()
	if o.Started != nil {
		o.Started(c.Tag)
	}
	ch.vhost.replies.Set(r.name, ch)
	return c.Tag, nil
}

// dropReplies ends the subscription, if there is one.
func (ch *Channel) dropReplies() {
	if ch.replyTo != nil {
		ch.vhost.replies.Delete(ch.replyTo.name)
		ch.mu.Lock()
		ch.replyTo = nil
		ch.mu.Unlock()
	}
}

// setReplyTo puts the channel's own name into a request.
func (ch *Channel) setReplyTo(p *Publishing) error {
	if ch.replyTo == nil {
		return wire.Errorf(wire.PreconditionFailed, "fast reply consumer does not exist")
	}
	p.Properties = editProperties(p.Properties, func(ps *wire.Properties) { ps.ReplyTo = ch.replyTo.name })
	return nil
}

// sendReply hands a message for a requester to its channel, and reports whether the
// name leads to one.
func (ch *Channel) sendReply(t *turn, p *Publishing) bool {
	if !strings.HasPrefix(string(p.RoutingKey), replyTo+".") {
		return false
	}
	to, ok := ch.vhost.replies.Get(p.RoutingKey)
	if !ok {
		return false
	}
	m := newMessage(p.Exchange, p.RoutingKey, p.Properties, p.Body)
	defer m.Release()
	return to.deliverReply(t, m)
}

func (ch *Channel) deliverReply(t *turn, m *Message) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.replyTo == nil {
		return false
	}
	c := ch.replyTo.consumer
	ch.lastTag++
	ch.delivery = Delivery{Consumer: c, DeliveryTag: ch.lastTag, Msg: m, Queue: replyTo}
	ch.sink.Deliver(&ch.delivery, t.batch) // replies are not held back
	return true
}
