package queue

import (
	"fmt"

	"harelab/engine/dispatch"
)

// Kind is the kind of an event.
type Kind uint8

// The events. The brackets name the fields that Step reads, besides Kind, Now, Hold and
// Budget. An event runs the queue, that is, delivers what can be delivered, unless its
// comment says otherwise.
const (
	Publish   Kind = iota // a message arrived; NextRef is its Ref [Msg, Bytes, ExpiresAt, Redelivered, Restored]
	Ack                   // messages were acknowledged [Refs]
	Requeue               // messages go back to the queue: nack, recover, a closed channel [Refs]
	Discard               // messages were rejected without requeue [Refs]
	Join                  // a consumer subscribed; NextConsumer is its ID [Priority, Prefetch, NoAck, Limiter, Probe, Slots, Exclusive]
	Leave                 // a consumer left; its messages stay unacked until they are settled. With Hold, the next active consumer waits: see leave [Consumer]
	Pause                 // a consumer's connection takes no more messages for now [Consumer]
	Resume                // a paused consumer's connection takes messages again [Consumer]
	Limit                 // a consumer's prefetch changed [Consumer, Prefetch]
	Run                   // run after More or after Hold, or because a channel got credit [Limiter; nil: any channel may have, which costs a scan]
	Get                   // basic.get; does not run the queue [NoAck]
	Purge                 // drop the ready messages; does not run the queue
	Expire                // the time of WakeAt has come
	Close                 // drop all messages; does not run the queue
	Configure             // limits changed, and perhaps strategies [Change]
	Share                 // a channel got a limit: it applies to a consumer and to the holders of messages [Limiter, Consumer, Refs]
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

	// Hold keeps the queue from running in this step; the caller must step with Run
	// later. So a channel can settle messages in several queues before any of them
	// delivers.
	Hold        bool
	Redelivered bool // the message may have been delivered before
	Restored    bool // the queue held the message in an earlier life: it is not refused, and with Hold no message is dropped for it
	NoAck       bool // the consumer, or the Get, sends no acknowledgements
	Exclusive   bool // the consumer excludes others

	// Budget is the number of deliveries after which the queue stops running, so that
	// the owner can carry them out and pause consumers; 0 is no limit. If messages are
	// left, the decision More asks the owner to step with Run at once.
	Budget uint32

	Now       int64 // microseconds, not negative; the queue ignores a step back
	Msg       dispatch.Meta
	ExpiresAt int64  // microseconds, 0 never; the queue's own TTL may make it earlier
	Bytes     uint32 // size of the message

	Consumer dispatch.ConsumerID
	Prefetch uint32 // number of messages; 0 no limit
	Slots    uint32 // number of messages the worker can work on at once; 0 unknown
	Priority int32  // of the consumer (x-priority)
	Limiter  *dispatch.Limiter
	Probe    dispatch.Probe

	Refs   []dispatch.Ref // owned by the caller; Step does not keep it
	Change *Change        // owned by the caller; Step does not keep it
}

// DecisionKind is the kind of a decision.
type DecisionKind uint8

// The decisions, and what the owner must do. A message whose Done is set is gone after
// the step: its Ref is free, and the owner releases its payload.
const (
	Deliver    DecisionKind = iota // send Ref to Consumer; NoConsumer: answer the Get with it, and with Remaining
	Empty                          // answer the Get: there is no message
	Drop                           // Ref is gone, for Reason
	DeadLetter                     // Ref is gone, for Reason; publish it to the dead letter exchange
	Reject                         // the queue refuses the message just published, which would have got Ref; confirm it negatively
	Activate                       // Consumer is now the single active one; NoConsumer: there is none
	WakeAt                         // step with Expire at At; it replaces an earlier WakeAt
	More                           // the budget is used up and messages are left; step with Run
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

// Reason is the reason why a message was dropped or dead-lettered.
type Reason uint8

// The reasons. String spells the reasons of dead-lettering as RabbitMQ does in an
// x-death header.
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

// A Decision is one thing that the owner of a queue must do after an event.
type Decision struct {
	Kind        DecisionKind
	Reason      Reason
	Redelivered bool
	Done        bool // Ref is free after this step
	Consumer    dispatch.ConsumerID
	Ref         dispatch.Ref
	Attempts    uint32 // number of times the delivered message was requeued
	Remaining   int    // number of ready messages left after the delivery
	ID          uint64 // of the message (dispatch.Message)
	At          int64  // microseconds
}
