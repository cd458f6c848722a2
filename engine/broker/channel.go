package broker

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A Channel is one channel of a connection. Its methods are called by one goroutine
// at a time, that of its connection; deliveries come from others meanwhile.
//
// After a method returned an error nothing of it was done.
type Channel struct {
	conn  *Conn
	vhost *VHost
	id    uint16
	seq   uint64 // order of opening
	sink  Sink

	// The connection's goroutine alone.
	mode      mode
	published uint64 // with confirms: the last sequence number
	tx        txState
	prefetch  uint32 // of consumers to come
	lastQueue string // declared last: what an empty queue name stands for
	last      lastExchange
	replyTo   *replyConsumer // written under mu
	closed    bool
	unsaved   []span // to be confirmed by the round that the next Commit returns

	confirmsEnded bool // under the lock of rounds: it hears of no more confirms

	limiter *dispatch.Limiter // prefetch of the whole channel; nil: never set
	draws   *rng.SplitMix64   // which of its queues gets a freed credit first; set with limiter

	mu        channelMutex
	lastTag   uint64
	unacked   unackedList
	delivery  Delivery // of the call of the Sink under way
	consumers map[string]*Consumer
	ordered   []*Consumer // in order of subscription
	queues    []*Queue    // that it consumes from, in order of declaration
	delivered uint64
	acked     uint64
}

// mode says whether publishes are confirmed, or wait for a commit.
type mode uint8

const (
	modeNone mode = iota
	modeConfirm
	modeTx
)

// ID returns the channel's number within its connection.
func (ch *Channel) ID() uint16 { return ch.id }

// Conn returns the connection that the channel belongs to.
func (ch *Channel) Conn() *Conn { return ch.conn }

// DrawFrom has the channel draw from r which of the queues that compete for its limit
// gets a freed credit first, in place of a generator of its own. It is for a driver
// whose draws have to go on when the channel is opened again. r is the caller's; the
// channel uses it within its calls.
func (ch *Channel) DrawFrom(r *rng.SplitMix64) { ch.draws = r }

// Flow answers channel.flow: what is delivered cannot be stopped.
//
// Errors: 540 if active is false, as in RabbitMQ.
func (ch *Channel) Flow(active bool) error {
	if !active {
		return refuse(wire.NotImplemented, "active=false")
	}
	return nil
}

// begin starts a call.
func (ch *Channel) begin() *operation {
	return ch.conn.begin()
}

// deliver sends a message to a consumer and reports whether the Sink takes more. The
// queue is locked.
func (ch *Channel) deliver(op *operation, c *Consumer, m *message.Message, d *queue.Decision) (writable bool) {
	ch.mu.Lock()
	ch.lastTag++
	if !c.NoAck {
		ch.unacked.push(unsettled{tag: ch.lastTag, queue: c.queue, ref: d.Ref})
	}
	ch.delivered++
	ch.delivery = Delivery{Consumer: c, DeliveryTag: ch.lastTag, Redelivered: d.Redelivered, Msg: m, Queue: c.queue.name}
	writable = ch.sink.Deliver(&ch.delivery, op.batch)
	c.paused = !writable
	ch.mu.Unlock()
	return writable
}

// Close closes the channel: its consumers leave and what is unsettled goes back to
// its queues. Closing a closed channel does nothing.
func (ch *Channel) Close() {
	if ch.closed {
		return
	}
	op := ch.begin()
	closeChannels(op, []*Channel{ch})
	op.end()
	v := ch.vhost
	v.mu.Lock()
	delete(ch.conn.channels, ch)
	v.mu.Unlock()
}

// closeChannels has all consumers of some channels leave, puts back what they did
// not settle, and then runs the queues in order of declaration.
func closeChannels(op *operation, channels []*Channel) {
	var consumers []*Consumer
	var returned []unsettled
	for _, ch := range channels {
		if ch.closed {
			continue
		}
		ch.closed = true
		if op.broker.store != nil {
			op.broker.rounds.close(ch)
		}
		ch.rollback()
		ch.dropReplies()
		ch.mu.Lock()
		consumers = append(consumers, ch.ordered...)
		ch.ordered, ch.queues = nil, nil
		clear(ch.consumers)
		ch.mu.Unlock()
	}
	touched := make([]*Queue, 0, len(consumers))
	for _, c := range consumers {
		c.queue.leave(op, c, true)
		touched = append(touched, c.queue)
	}
	for _, ch := range channels {
		ch.mu.Lock()
		returned, _ = ch.unacked.takeUpTo(0, returned)
		ch.mu.Unlock()
	}
	op.eachQueue(returned, func(q *Queue, refs []dispatch.Ref) {
		q.settle(op, queue.Requeue, refs, true)
		touched = append(touched, q)
	})
	slices.SortFunc(touched, bySeq)
	for _, q := range slices.Compact(touched) {
		q.event(op, queue.Event{Kind: queue.Run})
	}
}

// eachQueue calls f for each queue among deliveries, in order of declaration, with
// the queue's Refs in order of delivery. It sorts us.
func (op *operation) eachQueue(deliveries []unsettled, f func(*Queue, []dispatch.Ref)) {
	if len(deliveries) > 1 {
		slices.SortStableFunc(deliveries, func(a, b unsettled) int { return bySeq(a.queue, b.queue) })
	}
	for len(deliveries) > 0 {
		q := deliveries[0].queue
		op.refs = op.refs[:0]
		n := 0
		for n < len(deliveries) && deliveries[n].queue == q {
			op.refs = append(op.refs, deliveries[n].ref)
			n++
		}
		f(q, op.refs)
		deliveries = deliveries[n:]
	}
}
