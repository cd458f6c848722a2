package broker

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A Channel is one channel of a connection. One goroutine at a time calls its methods, the
// same as for its connection; other goroutines deliver to its Sink meanwhile.
//
// A method that returns an error has changed nothing, unless its comment says otherwise.
type Channel struct {
	conn  *Conn
	vhost *VHost
	id    uint16
	seq   uint64 // order of opening
	sink  Sink

	// Used by the connection's goroutine alone.
	mode      mode
	published uint64 // with confirms: the sequence number of the last publish
	tx        txState
	prefetch  uint32 // limit of each new consumer, in messages; 0: none
	lastQueue string // the queue declared last, which an empty name stands for
	last      lastExchange
	replyTo   *replyConsumer // written under mu
	closed    bool
	unsaved   []span   // publishes to confirm when the round of the next Commit is durable
	left      []*Queue // single-active queues whose consumer it cancelled; they run when it closes

	confirmsEnded bool // under the lock of rounds: the Sink gets no more confirms

	limiter *dispatch.Limiter // prefetch of the whole channel; nil: never set
	draws   *rng.SplitMix64   // draws the queue that gets a freed credit first; set with limiter

	mu        channelMutex
	lastTag   uint64
	unacked   unackedList
	timeouts  *timeouts // nil: no delivery has to be settled in time
	delivery  Delivery  // argument of the current call of the Sink
	consumers map[string]*Consumer
	ordered   []*Consumer // in order of subscription
	queues    []*Queue    // the queues that it consumes from, in order of declaration
	delivered uint64      // number of deliveries
	acked     uint64      // number of deliveries that the client settled
}

// mode says whether publishes are confirmed, or wait for tx.commit.
type mode uint8

const (
	modeNone mode = iota
	modeConfirm
	modeTx
)

// Conn returns the connection that the channel belongs to.
func (ch *Channel) Conn() *Conn { return ch.conn }

// DrawFrom sets the generator that draws which of the queues that compete for the
// channel's limit gets a freed credit first. Without it the channel makes a generator of
// its own. A driver uses DrawFrom to continue the sequence of draws after it has opened
// the channel again. The channel uses r only during calls of its methods.
func (ch *Channel) DrawFrom(r *rng.SplitMix64) { ch.draws = r }

// Flow carries out channel.flow. Deliveries cannot be stopped.
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
		if timeout := c.queue.settings.Load().ConsumerTimeout; timeout >= 0 {
			ch.expect(op, timeout)
		}
	}
	ch.delivered++
	ch.delivery = Delivery{Consumer: c, DeliveryTag: ch.lastTag, Redelivered: d.Redelivered, Msg: m, Queue: c.queue.name}
	writable = ch.sink.Deliver(&ch.delivery, op.batch)
	if !writable {
		c.paused = true // until Resume, also if there is room for the next one
	}
	ch.mu.Unlock()
	return writable
}

// Close closes the channel: its consumers leave and its unsettled messages return to their
// queues. Closing a closed channel does nothing.
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

// closeChannels removes all consumers of the channels, requeues the messages that the
// channels have not settled, and then runs the queues in order of declaration.
func closeChannels(op *operation, channels []*Channel) {
	var consumers []*Consumer
	var returned []unsettled
	var touched []*Queue
	for _, ch := range channels {
		if ch.closed {
			continue
		}
		ch.closed = true
		ch.conn.use.addChannels(-1)
		touched = append(touched, ch.left...)
		ch.left = nil
		if op.broker.store != nil {
			op.broker.rounds.close(ch)
		}
		ch.rollback()
		ch.dropReplies()
		ch.mu.Lock()
		ch.endTimeouts()
		consumers = append(consumers, ch.ordered...)
		ch.ordered, ch.queues = nil, nil
		clear(ch.consumers)
		ch.mu.Unlock()
	}
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

// eachQueue calls f for each queue of the deliveries, in order of declaration, with the
// queue's Refs in order of delivery. It sorts deliveries.
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
