package broker

import (
	"slices"

	"harelab/engine/auth"
	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// A Consumer is a subscription of a channel to a queue.
type Consumer struct {
	Tag   string // unique in its channel
	NoAck bool   // deliveries are settled as soon as they are sent

	channel   *Channel
	queue     *Queue
	id        dispatch.ConsumerID
	joined    uint64 // order in which the queue's consumers subscribed
	exclusive bool
	prefetch  uint32 // number of messages; 0: no limit
	priority  int32
	slots     uint32 // number of messages that the worker handles at once
	args      wire.Table
	probe     dispatch.Probe
	paused    bool // under the channel's lock: the Sink answered the last delivery with false

	// Under the queue's lock.
	waiting []waitingDelivery // deliveries whose octets are not in memory yet, and those behind them
	leaving bool              // the consumer leaves when waiting is empty, and gets nothing more
}

// A ConsumerSpec describes a subscription.
type ConsumerSpec struct {
	Queue     string // empty: the queue that the channel declared last
	Tag       string // unique in the channel; empty: the broker generates a tag
	NoAck     bool   // deliveries are settled as soon as they are sent
	Exclusive bool   // no other consumer may consume from the queue

	// Arguments: x-priority, x-slots (the number of messages that the worker handles at
	// once, for the fair strategies).
	Arguments wire.Table

	// Prefetch, if not nil, is the consumer's prefetch in place of the channel's.
	Prefetch *uint32

	// Probe, if not nil, shows dispatch strategies the state of the consumer's worker.
	// A simulator can see that state, a server cannot.
	Probe dispatch.Probe

	// Started, if not nil, is called when the subscription exists and before its first
	// delivery, with the queue's lock held: a server sends basic.consume-ok then. It
	// must not call the broker.
	Started func(consumerTag string)
}

// Consume subscribes the channel to a queue and returns the consumer's tag.
//
// Errors: 403 if the user may not read or the queue is in exclusive use, 404 if the queue
// does not exist, 405 if it belongs to another connection, 406 for bad arguments and for
// a reply consumer (amq.rabbitmq.reply-to) with acknowledgements, 530 for a tag that is
// in use, 540 for a quorum queue if the channel has a limit of its own.
func (ch *Channel) Consume(spec ConsumerSpec) (tag string, err error) {
	if spec.Queue == replyTo {
		return ch.consumeReplies(spec)
	}
	name, err := ch.queueShortcut(spec.Queue)
	if err != nil {
		return "", err
	}
	c := &Consumer{Tag: spec.Tag, NoAck: spec.NoAck, channel: ch, exclusive: spec.Exclusive, prefetch: ch.prefetch, args: spec.Arguments, probe: spec.Probe}
	if err := ch.nameConsumer(c); err != nil {
		return "", err
	}
	if err := ch.conn.may(auth.Read, ch.vhost.queueResource(name)); err != nil {
		return "", err
	}
	if spec.Prefetch != nil {
		c.prefetch = *spec.Prefetch
	}
	q, err := ch.conn.findQueue(name)
	if err != nil {
		return "", err
	}
	if err := c.checkQueue(q); err != nil {
		return "", err
	}
	op := ch.begin()
	err = q.join(op, c, spec.Started)
	op.end()
	return c.Tag, err
}

// nameConsumer checks a consumer's tag, or generates one.
func (ch *Channel) nameConsumer(c *Consumer) error {
	if c.Tag == "" {
		c.Tag = ch.vhost.broker.generateName("amq.ctag-")
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.consumers[c.Tag] != nil {
		return refuse(wire.NotAllowed, "attempt to reuse consumer tag '%s'", c.Tag)
	}
	return nil
}

// checkQueue reads the consumer's arguments and checks whether the queue supports the
// subscription. Quorum queues ignore exclusive and refuse channels with a limit of their
// own.
func (c *Consumer) checkQueue(q *Queue) error {
	resource := q.vhost.queueResource(q.name)
	effective := q.settings.Load()
	s, err := settings.ForConsumer(c.args, effective, resource)
	if err != nil {
		return unmet(err)
	}
	c.priority, c.slots = s.Priority, s.Slots
	if effective.Quorum {
		c.exclusive = false
		if l := c.channel.limiter; l != nil && l.Limit() > 0 {
			return refuse(wire.NotImplemented, "%s does not support global qos", resource)
		}
	}
	return nil
}

// join adds a consumer and runs the queue.
func (q *Queue) join(op *operation, c *Consumer, started func(string)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return q.vhost.noQueue(q.name)
	}
	if q.exclusive != nil || c.exclusive && (q.machine.Consumers() > 0 || q.settings.Load().SingleActive) {
		return refuse(wire.AccessRefused, "%s in exclusive use", q.vhost.queueResource(q.name))
	}
	q.joins++
	c.queue, c.id, c.joined = q, q.machine.NextConsumer(), q.joins
	for int(c.id) >= len(q.consumers) {
		q.consumers = append(q.consumers, nil)
	}
	q.consumers[c.id] = c
	if c.exclusive {
		q.exclusive = c
	}
	if !q.settings.Load().Probed() {
		c.probe = nil // no strategy reads it, and with it each step would assign one message only
	}
	if c.probe != nil {
		q.probes++
	}
	q.stopIdle()
	c.channel.addConsumer(c)
	if started != nil {
		started(c.Tag)
	}
	priority := c.priority
	if s := q.settings.Load(); s.Quorum && s.SingleActive {
		priority = 0 // RabbitMQ's quorum queues choose the active consumer by subscription alone
	}
	q.step(op, &queue.Event{
		Kind:      queue.Join,
		Priority:  priority,
		Prefetch:  c.prefetch,
		NoAck:     c.NoAck,
		Exclusive: c.exclusive,
		Limiter:   q.limiterOf(c.channel),
		Probe:     c.probe,
		Slots:     c.slots,
	})
	return nil
}

// limiterOf returns the limiter of a channel, or nil for quorum queues, which have none.
func (q *Queue) limiterOf(ch *Channel) *dispatch.Limiter {
	if q.settings.Load().Quorum {
		return nil
	}
	return ch.limiter
}

// leave removes a consumer; its unsettled messages stay unacked. With its last consumer an
// auto-delete queue is deleted.
func (q *Queue) leave(op *operation, c *Consumer, hold bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leaveLocked(op, c, hold)
}

// leaveLocked is leave with the queue locked.
func (q *Queue) leaveLocked(op *operation, c *Consumer, hold bool) {
	if q.deleted || q.consumers[c.id] != c {
		return
	}
	q.step(op, &queue.Event{Kind: queue.Leave, Consumer: c.id, Hold: hold})
	q.consumers[c.id] = nil
	if refs := q.dropWaiting(op, c, nil); len(refs) > 0 {
		q.sortByAge(refs)
		q.step(op, &queue.Event{Kind: queue.Requeue, Refs: refs, Hold: hold})
	}
	if q.exclusive == c {
		q.exclusive = nil
	}
	if c.probe != nil {
		q.probes--
	}
	if q.machine.Consumers() > 0 {
		return
	}
	if q.autoDelete {
		q.close(op)
		op.effects = append(op.effects, effect{queue: q})
	}
	q.startIdle(op)
}

func (ch *Channel) addConsumer(c *Consumer) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.consumers[c.Tag] = c
	ch.ordered = append(ch.ordered, c)
	if i, found := slices.BinarySearchFunc(ch.queues, c.queue, bySeq); !found {
		ch.queues = slices.Insert(ch.queues, i, c.queue)
	}
}

// removeConsumer removes a consumer from its channel and reports whether the channel had
// it. The channel is locked.
func (ch *Channel) removeConsumer(c *Consumer) bool {
	if ch.consumers[c.Tag] != c {
		return false
	}
	delete(ch.consumers, c.Tag)
	ch.ordered = slices.DeleteFunc(ch.ordered, func(o *Consumer) bool { return o == c })
	if !slices.ContainsFunc(ch.ordered, func(o *Consumer) bool { return o.queue == c.queue }) {
		ch.queues = slices.DeleteFunc(ch.queues, func(q *Queue) bool { return q == c.queue })
	}
	return true
}

// Cancel ends a subscription. Its unsettled messages still have to be settled. An unknown
// tag is no error.
func (ch *Channel) Cancel(tag string) error {
	if ch.replyTo != nil && ch.replyTo.consumer.Tag == tag {
		ch.dropReplies()
		return nil
	}
	ch.mu.Lock()
	c := ch.consumers[tag]
	if c != nil {
		ch.removeConsumer(c)
	}
	ch.mu.Unlock()
	if c == nil {
		return nil
	}
	// A quorum queue serves its next active consumer at once; a classic one only chooses it.
	s := c.queue.settings.Load()
	op := ch.begin()
	c.queue.part(op, c, !s.Quorum)
	op.end()
	if s.SingleActive && !s.Quorum {
		ch.noteLeft(c.queue)
	}
	return nil
}

// noteLeft adds a queue to those that run when the channel closes, and removes queues that
// are deleted.
func (ch *Channel) noteLeft(q *Queue) {
	ch.left = append(slices.DeleteFunc(ch.left, func(o *Queue) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o == q || o.deleted
	}), q)
}

// Resume resumes deliveries to the consumers for which the channel's Sink returned false.
// The server calls it when the Sink is writable again. Any goroutine may call it.
func (ch *Channel) Resume() {
	ch.mu.Lock()
	var paused []*Consumer
	for _, c := range ch.ordered {
		if c.paused {
			c.paused = false
			paused = append(paused, c)
		}
	}
	ch.mu.Unlock()
	if len(paused) == 0 {
		return
	}
	ch.vhost.broker.run(func(op *operation) {
		for _, c := range paused {
			c.queue.resume(op, c)
		}
	})
}
