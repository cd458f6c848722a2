package broker

import (
	"bytes"

	"harelab/engine/message"
	"harelab/engine/wire"
)

// replyTo is the pseudo-queue of direct reply-to. A requester consumes from it and names
// it in the property reply-to; the broker replaces it there by a name that stands for the
// requester's channel. The responder publishes to that name, and the message goes to the
// channel without a queue.
const replyTo = "amq.rabbitmq.reply-to"

// replyConsumer is a channel's subscription to its replies.
type replyConsumer struct {
	consumer *Consumer
	name     string // routing key of replies
}

// consumeReplies subscribes the channel to its replies.
func (ch *Channel) consumeReplies(spec ConsumerSpec) (tag string, err error) {
	c := &Consumer{Tag: spec.Tag, NoAck: true, channel: ch}
	if err := ch.nameConsumer(c); err != nil {
		return "", err
	}
	switch {
	case !spec.NoAck:
		return "", refuse(wire.PreconditionFailed, "reply consumer cannot acknowledge")
	case ch.replyTo != nil:
		return "", refuse(wire.PreconditionFailed, "reply consumer already set")
	}
	r := &replyConsumer{c, ch.vhost.broker.generateName(replyTo + ".")}
	ch.mu.Lock()
	ch.replyTo = r
	ch.mu.Unlock()
	if spec.Started != nil {
		spec.Started(c.Tag)
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

// setReplyTo sets a request's reply-to to the name that stands for the channel.
func (ch *Channel) setReplyTo(p *Publishing) error {
	if ch.replyTo == nil {
		return refuse(wire.PreconditionFailed, "fast reply consumer does not exist")
	}
	p.Properties = editProperties(p.Properties.Raw(), func(ps *wire.Properties) { ps.ReplyTo = ch.replyTo.name })
	return nil
}

// sendReplies delivers a message to the requesters whose names are among its routing
// keys. As in RabbitMQ, requesters are not queues: a mandatory reply is returned as
// unroutable although the requester got it, and transactions do not hold replies back.
func (op *operation) sendReplies(v *VHost, p *Publishing) {
	for _, key := range op.keys {
		if !bytes.HasPrefix(key, replyPrefix) {
			continue
		}
		if to, ok := v.replies.Get(key); ok {
			m := op.hold(message.New(p.Exchange, p.RoutingKey, &p.Properties, p.Body))
			to.deliverReply(op, m)
			op.release(m)
		}
	}
}

// replyPrefix begins the names that stand for requesters.
var replyPrefix = []byte(replyTo + ".")

// deliverReply delivers a reply. Its tag is also the next delivery's, since a reply is not
// acknowledged.
func (ch *Channel) deliverReply(op *operation, m *message.Message) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.replyTo == nil {
		return
	}
	ch.delivery = Delivery{Consumer: ch.replyTo.consumer, DeliveryTag: ch.lastTag + 1, Msg: m, Queue: replyTo}
	ch.sink.Deliver(&ch.delivery, op.batch) // replies ignore back-pressure
}

// declareReply carries out a declaration, passive or not, of a name that stands for a
// requester. A responder declares it to ask whether the requester is still there.
func (v *VHost) declareReply(name string) error {
	if _, ok := v.replies.GetString(name); ok || name == replyTo {
		return nil
	}
	return v.noQueue(name)
}
