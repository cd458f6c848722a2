// Package queue is one message queue as a pure state machine: events go in,
// decisions come out.
//
// Step has no clock, goroutine, lock, map iteration or I/O, and allocates
// nothing in steady state. A server calls it under the queue's lock, virtual
// time calls it in order of events; both carry out the decisions, in order, and
// so behave alike.
//
// The queue knows messages by a Ref, the index of a row in its table. Rows are
// dense and used again, so the owner keeps payloads in a slice beside it: it
// reads NextRef, stores the payload there, and steps with a Publish event.
package queue

import (
	"fmt"
	"math"

	"harelab/engine/dispatch"
)

// Overflow is what a full queue does with the next message (x-overflow).
type Overflow uint8

// RabbitMQ's three ways.
const (
	DropHead         Overflow = iota // the next message out makes room
	RejectPublish                    // the new one is refused
	RejectPublishDLX                 // it is refused and dead-lettered
)

// Limits can be changed while the queue lives (Configure). The zero value is
// the tightest; Unlimited has none.
type Limits struct {
	MaxLength     int64 // ready messages; -1 none
	MaxBytes      int64 // sum of the sizes of ready messages; -1 none
	Overflow      Overflow
	MessageTTL    int64 // microseconds from publishing; -1 none
	DeliveryLimit int64 // times a message may come back; -1 none
	DeadLetter    bool  // what is lost to a limit is dead-lettered, not dropped
}

// Unlimited holds no message back and drops none.
var Unlimited = Limits{MaxLength: -1, MaxBytes: -1, MessageTTL: -1, DeliveryLimit: -1}

// Config makes a queue.
type Config struct {
	Selector     dispatch.SelectorStrategy
	Order        dispatch.OrderStrategy
	Dispatch     dispatch.Config
	SingleActive bool // x-single-active-consumer
	Limits       Limits
}

// A Queue is one queue. It is not safe for concurrent use.
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

	now       int64 // of the latest event
	lastID    uint64
	ready     int
	unacked   int
	bytes     int64 // of ready messages
	expiring  int   // ready messages that expire
	gone      uint64
	wake      int64        // the WakeAt that stands, 0 none
	more      bool         // the latest decision was More, pauses apart
	fresh     dispatch.Ref // just published and not yet run for, or NoRef
	active    dispatch.ConsumerID
	exclusive dispatch.ConsumerID
	touched   []dispatch.ConsumerID // given credit since the queue last ran
}

// New returns an empty queue.
func New(cfg Config) *Queue {
	q := &Queue{
		cfg:       cfg,
		lim:       cfg.Limits,
		msgs:      dispatch.NewMessages(),
		cons:      dispatch.NewConsumers(),
		tenant:    cfg.Order.Needs&dispatch.NeedTenant != 0,
		learns:    (cfg.Order.Needs|cfg.Selector.Needs)&dispatch.NeedCost != 0,
		now:       math.MinInt64,
		fresh:     dispatch.NoRef,
		active:    dispatch.NoConsumer,
		exclusive: dispatch.NoConsumer,
	}
	q.order = cfg.Order.New(cfg.Dispatch, q.msgs)
	q.sel = cfg.Selector.New(cfg.Dispatch, q.cons)
	return q
}

// Ready is the number of messages that wait for a consumer.
func (q *Queue) Ready() int { return q.ready }

// Unacked is the number of messages delivered and not settled.
func (q *Queue) Unacked() int { return q.unacked }

// Bytes is the size of the ready messages.
func (q *Queue) Bytes() int64 { return q.bytes }

// Consumers is the number of consumers.
func (q *Queue) Consumers() int { return q.cons.Len() }

// Active is the consumer that a single-active queue serves, or NoConsumer.
func (q *Queue) Active() dispatch.ConsumerID { return q.active }

// Exclusive reports whether a consumer has the queue for itself.
func (q *Queue) Exclusive() bool { return q.exclusive != dispatch.NoConsumer }

// NextRef is the Ref that the next message gets if it is published now.
func (q *Queue) NextRef() dispatch.Ref { return q.msgs.Next() }

// NextID is the ID that the next message gets.
func (q *Queue) NextID() uint64 { return q.lastID + 1 }

// NextConsumer is the ID that the next consumer gets if it joins now.
func (q *Queue) NextConsumer() dispatch.ConsumerID { return q.cons.Next() }

// Message returns the row of a message that is ready or unacked.
func (q *Queue) Message(r dispatch.Ref) (dispatch.Message, bool) {
	if !q.msgs.Valid(r) || q.msgs.At(r).State == dispatch.Free {
		return dispatch.Message{}, false
	}
	return *q.msgs.At(r), true
}

// Consumer returns the books of a consumer.
func (q *Queue) Consumer(c dispatch.ConsumerID) (dispatch.Consumer, bool) {
	if !q.cons.Valid(c) {
		return dispatch.Consumer{}, false
	}
	return *q.cons.At(c), true
}

// Competes reports whether the queue has ready messages and a consumer of a channel
// to give them to, which is eligible but for the channel's limit l. Of the
// consumers of a single-active queue only the active one counts. O(k) for the
// channel's k consumers on the queue.
func (q *Queue) Competes(l *dispatch.Limiter) bool {
	if q.ready == 0 {
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

// Step takes in an event and appends what follows from it to out. Of what it
// cannot make sense it takes no notice: an unknown consumer, a message that is
// not unacked.
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
		out = q.leave(e.Consumer, out)
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
	if e.Hold {
		return out
	}
	if e.Kind == Run && !goesOn {
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
