// Package sim runs experiments on harelab's own broker in virtual time.
//
// A [Model] consists of a topology, workers, a source of messages and a list of
// faults. [Model.Run] declares the topology on a [broker.Broker] whose clock stands
// still between events, subscribes the workers and carries out event after event:
// a message is published, a delivery reaches a worker, a worker finishes, an ack
// reaches the broker. Routing, dispatch, prefetch, TTL, dead letters and limits are
// those of the broker that serves sockets. Only the sockets and the workers are
// simulated.
//
// Time is int64 microseconds from the start of the run. Rules R1 to R20 of the known
// answers (package selftest) determine the order of events at one instant; comments
// here refer to them. A run has no other input than its model, so the same model
// gives the same outcome, to the byte, on every machine.
//
// [Run] translates a scenario into a model and the outcome into a run's result.
package sim

import (
	"io"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A Model is an experiment. The lists are in order of declaration. In this order the
// broker runs queues (R14; R10, beginning with a drawn one) and the driver subscribes
// workers (R3).
type Model struct {
	Matcher, Dispatch, Order string // strategies of the broker; empty: its defaults
	Seed                     uint64 // of the broker's random choices

	Exchanges []scenarios.Exchange
	Queues    []scenarios.Queue
	Bindings  []scenarios.Binding
	Workers   []Worker
	Control   []Control // those of one instant take effect in this order
	Rebind    []int64   // intervals in microseconds at which a binding is removed and added again, while messages are published
	Source    Source
	Sizes     bool // bodies have their real size; needed for limits in octets only
	Confirms  bool // publish with confirms, so that the broker's refusals are known

	Stop     Stop
	Interval int64 // microseconds between samples of the series, more in a long run (loadgen.Series); 0: no series
	Spans    bool  // keep the spans of work
	Most     int   // number of messages at which the run ends with a partial outcome, as it does at four times as many copies or attempts; 0: no limit

	// Transcript, if not nil, returns the writer for the events and decisions of a
	// queue, nil for none. queue.Replay reads what is written.
	Transcript func(queue string) io.Writer

	// Arrived, if not nil, is called for each delivery that reaches a worker, in
	// order of time.
	Arrived func(at, seq int64, worker int32)
}

// Ack says when a worker acknowledges.
type Ack uint8

// The ways to acknowledge (R11).
const (
	AckLate  Ack = iota // when work is finished
	AckEarly            // when work starts
	AckAuto             // not at all: the broker forgets messages when it sends them
)

// A Worker is one client process: slots that work on one first-in first-out buffer
// over all its subscriptions (R11). Times are in microseconds.
type Worker struct {
	Line            int // of the scenario's file; 0: not known
	Name            string
	Slots           int // at least 1
	Subscriptions   []Subscription
	Ack             Ack
	ChannelPrefetch int     // limit over all subscriptions; 0: none
	Slow            float64 // factor on service times; 0: 1
	Deliver         int64   // delay from broker to worker
	AckDelay        int64   // delay from worker to broker
	JoinsAt         int64   // when it subscribes; negative: before any event
	AckBatch        int     // late: ack this many at once, or all finished ones when out of work; 0: 1
	Seed            uint64  // of its draws among the queues that compete for ChannelPrefetch (R10)
	AckForget       int     // late: every n-th message is never acked; 0: none

	// Attempt, if not nil, returns how long an attempt (from 1) at a message that starts
	// now with this work occupies its slot, and how it will end. The driver calls it once
	// for each attempt. A worker with AckAuto cannot refuse a message: verdicts other than
	// Forward count as success.
	Attempt func(seq int64, attempt int32, now, work int64) (took int64, v loadgen.Verdict)
}

// A Subscription is a consumer of a worker.
type Subscription struct {
	Queue     string
	Prefetch  int // limit of this consumer; 0: none
	Priority  int32
	Exclusive bool
}

// A Control is a change of a worker at a time.
type Control struct {
	At     int64 // microseconds
	Do     Do
	Worker int // index into Model.Workers
}

// Do is a kind of change of a worker.
type Do uint8

// The changes of a worker. A worker that is up cannot join, and a worker that is
// not up cannot crash: the change has no effect then.
const (
	Crash Do = iota // it dies without notice (R14)
	Join            // it connects and subscribes (R13)
	Stall           // it starts no more work, and keeps its connection
	Wake            // its stall ends
)

// Stop says when a run ends. With the zero value, it ends when no events are left.
type Stop struct {
	Published bool  // end when the last message was published
	Idle      int64 // end when all messages are published and no work started for this time, in microseconds; 0: off
	Timeout   int64 // end at this time at the latest, with a partial outcome; 0: no limit
}

// A Source gives the messages to publish, in order of time. Message n of a source,
// from 0, has the seq n.
type Source interface {
	// Due returns the time of the next message, at or after now, or false if there
	// is none. Later there may be one again, after other messages are done.
	Due(now int64) (at int64, ok bool)
	// Next fills in the message that is due. It returns false if the source has
	// found that there is none.
	Next(m *Message) bool
	// Len returns the number of messages, or 0 if it is not known. It is a hint.
	Len() int
}

// A Feedback is a [Source] whose next messages depend on earlier ones, as in closed
// loops.
type Feedback interface {
	// Published reports that the broker routed the message that Next gave last
	// to a number of queues.
	Published(seq int64, copies int, at int64)
	// Finished reports that the work on a copy of a message is done.
	Finished(seq, at int64)
}

// A Message is one message to publish.
type Message struct {
	Intended   int64 // when the schedule wanted it sent
	Sent       int64 // when it was sent; it reaches the broker at the time from Source.Due
	Confirmed  int64 // when its confirm reaches the publisher; run.None: it asks for none
	Service    int64 // work in microseconds
	Cost       int64 // header x-cost in microseconds; 0: no header; a negative one says that the work is 0
	Expiration int64 // per-message TTL in microseconds; 0: none
	Class      int32
	Sequence   int32  // index into Scenario.Load; 0 in a model without a scenario
	Tenant     int32  // index; -1: none
	TenantName string // header "tenant"; empty: no header
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
	Interval int64   // microseconds between the samples
	Served   []int64 // by worker: number of attempts that succeeded
	Busy     []int64 // by worker: microseconds that these attempts took
	Unacked  []int64 // by worker: number of deliveries whose work is done and whose ack has not come
	Ledger   run.Ledger
	Length   int64 // time of the last event that is not a timer
	Partial  bool  // ended by the timeout, by its context or by Model.Most
	TimedOut bool  // ended by the timeout
	Full     bool  // ended by Model.Most
}
