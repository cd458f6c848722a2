package queue

import (
	"fmt"

	"harelab/engine/dispatch"
)

// Kind says what happened.
type Kind uint8

// The events. In brackets: the fields that are read, besides Now and Hold.
const (
	Publish   Kind = iota // a message came: NextRef is its Ref [Msg, Bytes, ExpiresAt, Redelivered]
	Ack                   // messages were acknowledged [Refs]
	Requeue               // messages came back: nack, recover, a closed channel [Refs]
	Discard               // messages were rejected for good [Refs]
	Join                  // a consumer: NextConsumer is its ID [Priority, Prefetch, NoAck, Limiter, Probe, Slots, Exclusive]
	Leave                 // a consumer left; what it holds stays unacked until it is settled [Consumer]
	Pause                 // a consumer's connection takes nothing more for now [Consumer]
	Resume                // it takes more [Consumer]
	Limit                 // a consumer's prefetch changed [Consumer, Prefetch]
	Run                   // a channel's credit came back, or an end to Hold [Limiter; nil: any channel's, at the cost of a scan; or just goes on after More]
	Get                   // basic.get [NoAck]; it does not run the queue
	Purge                 // drop what is ready; it does not run the queue
	Expire                // the time of WakeAt came
	Close                 // drop everything
	Configure             // new limits [Limits]
	Share                 // consumers come under their channel's limit: one, and those that have some messages [Limiter, Consumer, Refs]
	kinds
)

var kindNames = [kinds]string{
	"publish", "ack", "requeue", "discard", "join", "leave", "pause", "resume",
	"limit", "run", "get", "purge", "expire", "close", "configure",
	"share",
}

// An Event is one thing that happens to a queue.
type Event struct {
	Kind Kind

	// Hold does the bookkeeping and does not run the queue: a Run follows.
	// With it a channel that has several queues settles in all of them first.
	Hold        bool
	Redelivered bool // this message may have been delivered before
	NoAck       bool
	Exclusive   bool // this consumer wants the queue for itself

	// Budget is the number of deliveries after which the queue stops running, to
	// let the owner carry them out and pause who takes no more; 0 is none. If
	// messages are left, More says that a Run has to follow at once.
	Budget uint32

	Now       int64 // microseconds, not negative; the queue's time never goes back
	Msg       dispatch.Meta
	ExpiresAt int64  // microseconds, 0 never; the queue's own TTL is applied besides
	Bytes     uint32 // size of the message

	Consumer dispatch.ConsumerID
	Prefetch uint32
	Slots    uint32
	Priority int32
	Limiter  *dispatch.Limiter
	Probe    dispatch.Probe

	Refs   []dispatch.Ref // the caller's, not kept
	Limits *Limits        // the caller's, not kept
}

// DecisionKind says what the owner has to do.
type DecisionKind uint8

// The decisions. A message whose Done is set is gone after the step: its Ref is
// free, and its payload is the owner's to release.
const (
	Deliver    DecisionKind = iota // send Ref to Consumer; NoConsumer: it answers the Get, and Remaining are left
	Empty                          // nothing to Get
	Drop                           // Ref is gone, for Reason
	DeadLetter                     // Ref is gone, for Reason; publish it to the dead letter exchange
	Reject                         // the message just published is refused: a negative confirm; Ref is what it would have got
	Activate                       // Consumer is now the single active one; NoConsumer: none is
	WakeAt                         // step with Expire at At; it replaces an earlier WakeAt
	More                           // the budget is used up: step with Run
	decisionKinds
)

var decisionNames = [decisionKinds]string{
	"deliver", "empty", "drop", "deadletter", "reject", "activate", "wakeat", "more",
}

func (k DecisionKind) String() string {
	if int(k) < len(decisionNames) {
		return decisionNames[k]
	}
	return fmt.Sprintf("decision(%d)", uint8(k))
}

// Reason says why a message was dropped or dead-lettered.
type Reason uint8

// The reasons. String gives those of dead-lettering as RabbitMQ spells them in
// an x-death header.
const (
	NoReason Reason = iota
	Expired
	MaxLen
	Rejected
	DeliveryLimit
	Purged
	Closed
	reasons
)

var reasonNames = [reasons]string{
	"", "expired", "maxlen", "rejected", "delivery_limit", "purged", "closed",
}

func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// A Decision is one thing that follows from an event.
type Decision struct {
	Kind        DecisionKind
	Reason      Reason
	Redelivered bool
	Done        bool // Ref is free after this step
	Consumer    dispatch.ConsumerID
	Ref         dispatch.Ref
	Attempts    uint32 // how often what is delivered came back
	Remaining   int    // ready messages left after a Get
	ID          uint64
	At          int64 // microseconds
}
