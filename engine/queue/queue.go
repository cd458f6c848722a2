// Package queue is one message queue as a pure state machine: events go in,
// decisions come out.
//
// Step has no clock, goroutine, lock, map iteration or I/O, and allocates
// nothing in steady state. A server calls it under the queue's lock, and virtual
// time calls it in order of events. Both carry out the decisions in order, and so
// behave the same.
//
// The queue knows a message by its Ref, the index of a row in its table. Rows are
// dense and reused, so the owner keeps payloads in a slice: it reads NextRef, stores
// the payload at that index, and steps with a Publish event.
package queue

import (
	"fmt"
	"math"

	"harelab/engine/dispatch"
)

// Overflow is the way in which a full queue treats the next message (x-overflow).
type Overflow uint8

// RabbitMQ's three ways.
const (
	DropHead         Overflow = iota // drop the message that would be delivered next
	RejectPublish                    // refuse the new message
	RejectPublishDLX                 // refuse the new message and dead-letter it
)

// Limits are the limits of a queue. A Configure event changes them. The zero value
// allows no message; Unlimited has no limits.
type Limits struct {
	MaxLength     int64 // number of ready messages; -1 no limit
	MaxBytes      int64 // sum of the sizes of ready messages; -1 no limit
	Overflow      Overflow
	MessageTTL    int64 // microseconds from publishing; -1 no limit
	DeliveryLimit int64 // number of times a message may be requeued; -1 no limit
	DeadLetter    bool  // messages lost to a limit or rejected are dead-lettered, not dropped
}

// Unlimited has no limits.
var Unlimited = Limits{MaxLength: -1, MaxBytes: -1, MessageTTL: -1, DeliveryLimit: -1}

// Config is the configuration of a queue. Selector and Order must be set.
type Config struct {
	Selector     dispatch.SelectorStrategy
	Order        dispatch.OrderStrategy
	Dispatch     dispatch.Config
	SingleActive bool // x-single-active-consumer
	Limits       Limits
}

// A Queue is the state of one queue. It is not safe for concurrent use.
type Queue struct {
	cfg    Config
	lim    Limits
	msgs   *dispatch.Messages
	cons   *dispatch.Consumers
	order  dispatch.Order
	sel    dispatch.Selector
	tasks  tasks
	tenant bool // the order reads tenants
	learns bool // a strategy reads costs

	now       int64        // greatest Now of the events so far
	lastID    uint64       // number of messages accepted
	ready     int          // number of ready messages
	unacked   int          // number of unacked messages
	taken     int          // number of those that a Get took
	bytes     int64        // sum of the sizes of ready messages
	expiring  int          // number of ready messages that expire
	gone      uint64       // number of accepted messages that are gone
	wake      int64        // time of the latest WakeAt, 0 none
	more      bool         // the latest decision was More, not counting Pauses after it
	fresh     dispatch.Ref // the message published in this step, until the queue has run; or NoRef
	active    dispatch.ConsumerID
	handing   bool // the active consumer left in a held step, and nothing has run the queue for the next one yet
	exclusive dispatch.ConsumerID
	touched   []dispatch.ConsumerID // consumers that may have got credit since the queue last ran
}

// New returns an empty queue.
func New(cfg Config) *Queue {
	q := &Queue{
		cfg:       cfg,
		lim:       cfg.Limits,
		msgs:      dispatch.NewMessages(),
		cons:      dispatch.NewConsumers(),
		now:       math.MinInt64,
		fresh:     dispatch.NoRef,
		active:    dispatch.NoConsumer,
		exclusive: dispatch.NoConsumer,
	}
	q.setNeeds()
	q.order = cfg.Order.New(cfg.Dispatch, q.msgs)
	q.sel = cfg.Selector.New(cfg.Dispatch, q.cons)
	return q
}

// Ready returns the number of messages that wait for a consumer.
func (q *Queue) Ready() int { return q.ready }

// Unacked returns the number of messages delivered and not settled.
func (q *Queue) Unacked() int { return q.unacked }

// Taken returns the number of unacked messages that Get events took.
func (q *Queue) Taken() int { return q.taken }

// Bytes returns the sum of the sizes of the ready messages.
func (q *Queue) Bytes() int64 { return q.bytes }

// Consumers returns the number of consumers.
func (q *Queue) Consumers() int { return q.cons.Len() }

// Active returns the consumer that a single-active queue serves, or NoConsumer.
func (q *Queue) Active() dispatch.ConsumerID { return q.active }

// Exclusive reports whether the queue has an exclusive consumer.
func (q *Queue) Exclusive() bool { return q.exclusive != dispatch.NoConsumer }

// NextRef returns the Ref of the message that a Publish event would add now.
func (q *Queue) NextRef() dispatch.Ref { return q.msgs.Next() }

// NextID returns the ID of the next message that the queue accepts.
func (q *Queue) NextID() uint64 { return q.lastID + 1 }

// NextConsumer returns the ID of the consumer that a Join event would add now.
func (q *Queue) NextConsumer() dispatch.ConsumerID { return q.cons.Next() }

// Message returns the row of a message that is ready or unacked.
func (q *Queue) Message(r dispatch.Ref) (dispatch.Message, bool) {
	if !q.msgs.Valid(r) || q.msgs.At(r).State == dispatch.Free {
		return dispatch.Message{}, false
	}
	return *q.msgs.At(r), true
}

// Consumer returns the row of a consumer that has joined and not left.
func (q *Queue) Consumer(c dispatch.ConsumerID) (dispatch.Consumer, bool) {
	if !q.cons.Valid(c) {
		return dispatch.Consumer{}, false
	}
	return *q.cons.At(c), true
}

// Competes reports whether the queue would use credit of a channel's limiter l: it has
// ready messages, and a consumer with this limiter that is eligible but for the
// limiter. In a single-active queue only the active consumer counts, and nobody until the
// hand-over is done. O(k) for k consumers with this limiter.
func (q *Queue) Competes(l *dispatch.Limiter) bool {
	if q.ready == 0 || q.handing {
		return false
	}
	if q.cfg.SingleActive {
		return q.active != dispatch.NoConsumer && q.cons.At(q.active).Limiter == l && q.cons.At(q.active).Free()
	}
	for c := q.cons.Peer(l); c != dispatch.NoConsumer; c = q.cons.PeerAfter(c) {
		if q.cons.At(c).Free() {
			return true
		}
	}
	return false
}

// Step applies an event and appends the decisions that follow from it to out. It
// ignores references to consumers that have not joined and to messages that are not
// unacked; CheckEvent reports them, and owners call it where invariants are checked.
func (q *Queue) Step(e Event, out []Decision) []Decision {
	if e.Now > q.now {
		q.now = e.Now
	}
	if q.cons.Log != nil {
		q.cons.Log.Rewind()
	}
	goesOn := q.more && e.Kind == Run && e.Limiter == nil
	q.more = q.more && e.Kind == Pause
	switch e.Kind {
	case Publish:
		out = q.publish(&e, out)
	case Ack:
		for _, r := range e.Refs {
			q.ack(r)
		}
	case Requeue:
		for _, r := range e.Refs {
			out = q.requeue(r, out)
		}
		out = q.dropHeads(out)
	case Discard:
		for _, r := range e.Refs {
			out = q.discard(r, out)
		}
	case Join:
		out = q.join(&e, out)
	case Leave:
		out = q.leave(e.Consumer, e.Hold, out)
	case Pause, Resume, Limit:
		q.change(&e)
	case Get:
		return q.get(&e, out)
	case Purge:
		return q.purge(Purged, out)
	case Close:
		return q.close(out)
	case Configure:
		out = q.configure(&e, out)
	case Share:
		q.share(&e)
	}
	if e.Kind == Run && e.Limiter == nil {
		q.handing = false
	}
	switch {
	case e.Hold:
		return out
	case q.handing:
		return q.schedule(q.expire(out))
	case e.Kind == Run && !goesOn:
		q.touchChannel(e.Limiter)
	}
	return q.run(e.Budget, out)
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}
