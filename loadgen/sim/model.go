// Package sim runs experiments on harelab's own broker in virtual time.
//
// A [Model] is a topology, workers, a source of messages and a list of what goes
// wrong. [Model.Run] declares the topology on a [broker.Broker] whose clock stands
// still between events, subscribes the workers and carries out event after event:
// a message is published, a delivery reaches a worker, a worker finishes, an ack
// reaches the broker. Routing, dispatch, prefetch, TTL, dead letters and limits are
// those of the very broker that serves sockets; only the sockets and the workers
// are made up here.
//
// Time is int64 microseconds from the start of the run. The rules that settle what
// happens at one instant are R1 to R20 of the known answers (package selftest);
// comments here refer to them. A run has no other input than its model, so the same
// model gives the same outcome, to the byte, on every machine.
//
// [Run] makes a model of a scenario and a run's result of the outcome.
package sim

import (
	"io"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A Model is an experiment. Its lists are in the order in which things are declared,
// which is the order in which the broker runs queues (R14; R10, from a drawn one on)
// and subscribes workers (R3).
type Model struct {
	Matcher, Dispatch, Order string // strategies of the broker; empty: its defaults
	Seed                     uint64 // of the broker's own random choices

	Exchanges []scenarios.Exchange
	Queues    []scenarios.Queue
	Bindings  []scenarios.Binding
	Workers   []Worker
	Control   []Control // in the order in which those of one instant are carried out
	Rebind    []int64   // intervals in microseconds at which a binding goes and comes back, while messages are published
	Source    Source
	Sizes     bool // bodies have their real size, which only limits in octets can tell
	Confirms  bool // publishing asks for confirms, so that refusals show

	Stop     Stop
	Interval int64 // between samples of the series; 0: no series
	Spans    bool  // keep the spans of work

	// Record, if not nil, returns where the events and decisions of a queue are
	// written, nil for nowhere: what queue.Replay reads.
	Record func(queue string) io.Writer

	// Arrived, if not nil, is called for each delivery that reaches a worker, in
	// order.
	Arrived func(at, seq int64, worker int32)
}

// Ack is when a worker acknowledges.
type Ack uint8

// The ways to acknowledge (R11).
const (
	AckLate  Ack = iota // when work is finished
	AckEarly            // when work starts
	AckAuto             // not at all: the broker forgets what it sends
)

// A Worker is one client process: slots that work on one first-in first-out buffer
// over all its subscriptions (R11).
type Worker struct {
	Name            string
	Slots           int // at least 1
	Subscriptions   []Subscription
	Ack             Ack
	ChannelPrefetch int     // over all subscriptions; 0 is no limit
	Slow            float64 // factor on service times; 0 is 1
	Deliver         int64   // delay from broker to worker
	AckDelay        int64   // delay from worker to broker
	JoinsAt         int64   // when it subscribes; before 0: before any event
	AckBatch        int     // late: ack this many at once, or what there is when out of work; 0 is 1
	Seed            uint64  // of its draws among the queues that compete for ChannelPrefetch (R10)
	AckForget       int     // late: every n-th message is never acked; 0 is none

	// Fails, if not nil, returns how an attempt (from 1) at a message that starts now
	// will end. It is called once for each attempt. Without acks there is nothing to
	// refuse: only Forward differs from success then.
	Fails func(seq int64, attempt int32, end int64) loadgen.Verdict
}

// A Subscription is a consumer of a worker.
type Subscription struct {
	Queue     string
	Prefetch  int // 0 is no limit
	Priority  int32
	Exclusive bool
}

// A Control is something that is done to a worker.
type Control struct {
	At     int64
	Do     Do
	Worker int // index
}

// Do is what is done.
type Do uint8

// What can be done to a worker. A worker that is up cannot join, and one that is
// not cannot crash: nothing happens then.
const (
	Crash Do = iota // it dies without notice (R14)
	Join            // it comes (again) and subscribes (R13)
	Stall           // it stops working, and keeps its connection
	Wake            // it works on after a stall
)

// Stop says when a run ends. The zero value: when nothing is left to happen.
type Stop struct {
	Published bool  // when the last message was published
	Idle      int64 // when all is published and no work started for so long; 0: not for that
	Timeout   int64 // at this time at the latest, and the outcome is partial; 0: never
}

// A Source gives the messages to publish, in order of time. Message n of a source,
// from 0, has the seq n.
type Source interface {
	// Due returns when the next message is due, which is not before now, or false
	// if there is none. There may be one later, once others are done.
	Due(now int64) (at int64, ok bool)
	// Next fills in the message that is due. It returns false if there is none after
	// all.
	Next(m *Message) bool
	// Len is the number of messages, if it is known, else 0: a hint.
	Len() int
}

// A Feedback is a [Source] that wants to know what becomes of its messages, as closed
// loops do.
type Feedback interface {
	// Published tells that the broker took the message that Next gave last, and
	// into how many queues.
	Published(seq int64, copies int, at int64)
	// Finished tells that a copy of a message was worked on.
	Finished(seq, at int64)
}

// A Message is one message to publish.
type Message struct {
	Intended   int64 // when the schedule wanted it sent
	Sent       int64 // when it was sent; it is at the broker when it is due
	Confirmed  int64 // when its confirm is back, if it asked for one, else run.None
	Service    int64 // work in microseconds
	Cost       int64 // the hint x-cost in microseconds; 0: no hint; negative: known to be no work
	Expiration int64 // per-message TTL in microseconds; 0: none
	Class      int32
	Sequence   int32  // of the load; 0 where there is none
	Tenant     int32  // index, -1: none
	TenantName string // goes into the header "tenant" when not empty
	Exchange   string
	RoutingKey string
	Headers    []scenarios.Argument
	Size       int
	Priority   uint8
	Persistent bool
	Mandatory  bool
}

// An Outcome is the result of a model.
type Outcome struct {
	Messages []run.Message // by seq; Queue and Worker index the model's lists
	Spans    []run.Span    // in order of Start
	Series   []run.Sample
	Served   []int64 // by worker: attempts that ended well
	Busy     []int64 // by worker: the time they took
	Ledger   run.Ledger
	Length   int64 // the time of the last event
	Partial  bool  // ended by the timeout or by its context
}
