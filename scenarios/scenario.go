package scenarios

import (
	"time"

	"harelab/scenarios/metric"
)

// A Scenario is one resolved scenario: every value is concrete and checked, names
// are unique, and every reference names something that exists. Do not change it:
// any number of goroutines may read it.
type Scenario struct {
	File    string // the file, as errors name it
	Name    string
	Variant string // empty for the scenario itself
	Title   string
	Doc     string
	Tags    []string
	Seed    uint64
	Params  map[string]string // the params after variants and settings, as written

	Engine       Engine
	Exchanges    []Exchange
	Queues       []Queue
	Bindings     []Binding
	Classes      []Class
	Load         []Sequence
	Dependencies []Dependency
	Workers      []Worker // one entry per client process: count is expanded
	Faults       []Fault  // in order of At
	Network      Network
	Ready        Ready
	Stop         Stop
	Measure      Measure
	Repeat       int // number of runs, at least 1

	Tolerance Tolerance
	Expect    []metric.Expectation // those whose condition holds, with Tolerance
	Report    Report

	Features []Use    // features that the scenario uses
	Notes    []string // sentences on what reading the file decided, for the findings of a run

	SHA256 string // of the resolved YAML, in hexadecimal
}

// Engine names the default strategies of harelab's own broker in a run; empty: the
// broker's defaults. Other brokers ignore them.
type Engine struct {
	Matcher  string // topic matching, such as "nfa"
	Dispatch string // choice of the consumer for the next message, such as "rr"
	Order    string // choice of the next message, such as "fifo"
	FairKey  string // source of the tenant for Order, such as "header:tenant"
}

// An Exchange is declared before the run. The default exchange "" and the
// amq.* exchanges need no declaration.
type Exchange struct {
	Line       int // of the file, from 1; 0: not known
	Name       string
	Type       string // direct, fanout, topic, headers or an extension x-...
	Durable    bool
	AutoDelete bool
	Internal   bool
	Arguments  []Argument
}

// A Queue is declared before the run.
type Queue struct {
	Line       int // of the file, from 1; 0: not known
	Name       string
	Durable    bool
	AutoDelete bool
	Exclusive  bool
	Arguments  []Argument
}

// A Binding ties a queue, or another exchange, to an exchange.
type Binding struct {
	Line       int    // of the file, from 1; 0: not known
	Exchange   string // the source
	Queue      string // the destination; empty if ToExchange is set
	ToExchange string
	Key        string
	Arguments  []Argument
}

// An Argument is one entry of an AMQP table. Value is a string, an int64, a
// float64, a bool, a []Argument (a nested table) or a []any of these. Times are in
// milliseconds, RabbitMQ's unit.
type Argument struct {
	Name  string
	Value any
}

// A Class is a kind of message: its destination, size and work.
type Class struct {
	Name       string
	Exchange   string
	Key        string     // routing key; may hold {name} of Keys and {class}
	Headers    []Argument // string values may hold {name} and {class}
	Tenant     string     // may hold {name} and {class}; by default the value of the key "tenant", if there is one
	Priority   uint8
	Persistent bool
	Mandatory  bool
	Expiration time.Duration // per-message TTL; 0: none
	Cost       Cost
	Keys       []Key
	Size       Dist // bytes of the body; a smaller one is sent with [MinSize]
	Service    Dist // microseconds of work
}

// MinSize is the size in bytes of the smallest body that a run publishes: room for
// the message's number, intended time and class.
const MinSize = 24

// Cost is the kind of cost hint that a message carries in the header x-cost, in
// microseconds, for strategies that use the size of the work.
type Cost string

// The cost hints.
const (
	CostNone    Cost = "none"
	CostService Cost = "service" // the true service time
)

// A Key draws a string per message, to fill {name} in a class's routing key and
// headers: by Zipf over N values, or by weight.
type Key struct {
	Name    string
	S       float64   // Zipf exponent, at least 0 (uniform)
	N       int       // number of values; 0 if Values lists them
	Values  []string  // the values, if N is 0
	Weights []float64 // weights of Values; empty: Zipf
	From    string    // "bindings": the values are routing keys that the bindings of the class's exchange match
	Prefix  string    // values are Prefix + rank, from 0
}

// A Sequence is one publisher. Its phases run one after another; sequences run at the
// same time.
type Sequence struct {
	Name        string
	Start       time.Duration // run time at which its first phase begins
	Connections int           // number of connections that its messages are spread over, at least 1
	Confirm     bool          // publisher confirms
	MaxInFlight int           // greatest number of unconfirmed messages; 0: no limit
	InStep      bool          // its messages of a constant rate are not spread between those of sequences like it
	Phases      []Phase
	Admin       []Admin
}

// Model is the way in which a phase chooses the times of its messages.
type Model string

// The models of load.
const (
	Burst  Model = "burst"  // Count messages at the phase's start
	Open   Model = "open"   // at times that do not depend on the broker
	Closed Model = "closed" // Users who each wait for their message before sending the next
	Trace  Model = "trace"  // at the times of a recorded trace
)

// Await is the event for which a closed loop's user waits before thinking.
type Await string

// The events for which a user waits.
const (
	AwaitDone    Await = "done"    // the work on all copies of the message is done
	AwaitConfirm Await = "confirm" // the broker has confirmed the message
)

// A Phase is a part of a sequence's load. The classes of its messages follow Pattern
// in a cycle, or are drawn by Weights if Pattern is empty.
type Phase struct {
	Model   Model
	Pattern []int             // indexes into Classes
	Weights []float64         // one per class of the scenario
	Fix     map[string]string // values of keys that are not drawn

	Count    int           // number of messages; a limit for Open and Closed, where 0 is none
	Duration time.Duration // 0 for a burst, and for a closed phase that Count ends
	Arrival  Arrival       // Open
	Shape    []Segment     // Open: the rate over time; its lengths add up to Duration
	Users    int           // Closed: number of users
	Think    Dist          // Closed: microseconds between a user's messages
	Await    Await         // Closed
	Rows     []Row         // Trace, in order of At
}

// An Arrival is the random process of an open phase. The rate of the shape is its
// mean rate.
type Arrival struct {
	Process string        // constant, poisson, gamma or mmpp
	Shape   float64       // gamma: 1 is Poisson, larger is more regular
	Burst   time.Duration // mmpp: mean length of a burst
	Pause   time.Duration // mmpp: mean length of the pause between bursts
}

// A Segment is a part of a rate's shape, in messages per second: a straight line from
// From at its start to To at its end, plus Amplitude*sin(2 pi t/Period).
type Segment struct {
	For       time.Duration
	From, To  float64
	Amplitude float64
	Period    time.Duration
}

// A Row is one message of a trace.
type Row struct {
	At       time.Duration // from the start of the phase
	Class    int           // index into Classes
	Exchange string        // empty, with Key: the class's
	Key      string
	Size     int64         // bytes; -1: drawn from the class
	Service  time.Duration // -1: drawn from the class
}

// An Admin is a repeated change of the topology during the load.
type Admin struct {
	Do   string  // "rebind": remove and add a binding
	Rate float64 // per second
}

// The times at which a worker acks.
const (
	OnStart = "on-start" // when work begins: Celery's default
	OnDone  = "on-done"  // when work is finished: Celery's acks_late
	NoAck   = "none"     // never: the broker forgets messages when it sends them
)

// The scopes of a prefetch limit.
const (
	PerConsumer = "consumer" // each subscription by itself (basic.qos global=false)
	PerChannel  = "channel"  // all subscriptions of the worker together (global=true)
)

// A Worker is one client process: slots that work on one first-in first-out buffer
// over all its queues.
type Worker struct {
	Line     int // of the file, from 1; 0: not known
	Name     string
	Group    string    // the name in the file, before count was expanded
	Slots    int       // number of threads
	Consume  []Consume // in order of subscription
	Prefetch int       // 0: no limit
	Scope    string    // PerConsumer or PerChannel
	Ack      Ack
	Work     string        // "sleep" or "spin"
	Slow     float64       // factor on service times
	JoinsAt  time.Duration // run time at which it subscribes; 0: before the run
	Calls    string        // the dependency that does its work; empty: none, work takes its service time
	Fail     *Fail         // nil: work never fails
	Shared   int           // number of connections that the workers of Group share; 0: each has its own
}

// A Consume is one subscription.
type Consume struct {
	Queue     string
	Prefetch  int // of this subscription; -1: the worker's
	Priority  int32
	Exclusive bool
}

// Ack is a worker's way of acknowledging.
type Ack struct {
	When   string // OnStart, OnDone or NoAck
	Forget int    // every Forget-th message is never acked; 0: none
	Batch  int    // number of messages acked together, or fewer when the worker runs out of work
}

// The ways in which a worker has a failed message tried again.
const (
	RetryImmediate = "immediate"      // refuse it with requeue
	RetryFixed     = "fixed"          // refuse it without requeue: the queue's dead-letter exchange delays it
	RetryBackoff   = "backoff-jitter" // publish it to a delay queue chosen by attempt, then ack it
)

// The methods by which a worker refuses a message. The broker treats both alike.
const (
	HowNack   = "nack"   // basic.nack, RabbitMQ's extension
	HowReject = "reject" // basic.reject
)

// A Fail makes work fail: at the end of the service time the message is not
// acked but tried again.
type Fail struct {
	From, To    time.Duration // run times of the work's end between which P applies; To 0: no end
	P           float64       // probability that an attempt fails
	First       int           // number of first attempts of each message that fail at any time, with certainty
	Timeout     time.Duration // an attempt that takes longer fails after this time; 0: none
	Retry       string        // RetryImmediate, RetryFixed or RetryBackoff
	How         string        // HowNack or HowReject
	MaxAttempts int           // 0: no limit
	Then        string        // the queue for messages that fail MaxAttempts times; empty: they are refused without requeue
	Backoff     Backoff
}

// Backoff is the destination of messages that RetryBackoff publishes.
type Backoff struct {
	Exchange string
	Keys     []string        // routing keys by attempt; the last one for all further attempts
	Delay    []time.Duration // by attempt, the expiration of the message
	Jitter   float64         // the delay is drawn within +- this share
}

// The kinds of faults.
const (
	Kill            = "kill"             // the socket is cut without AMQP's handshake, and work in progress is gone
	CloseConnection = "close-connection" // the connection is closed with AMQP's handshake
	Stall           = "stall"            // the worker stops working but keeps its connection
)

// A Fault is a fault of a worker at a set time.
type Fault struct {
	At           time.Duration
	Do           string // Kill, CloseConnection or Stall
	Worker       string
	RestartAfter time.Duration // -1: never
}

// Network is the path between clients and broker.
type Network struct {
	RTT time.Duration // added round trip, half each way
}

// Ready is the condition for publishing the first message.
type Ready string

// The conditions to begin.
const (
	ReadyConsumers Ready = "consumers" // every worker that joins at the start is subscribed
	ReadyTopology  Ready = "topology"  // the topology is declared
)

// The conditions at which a run ends.
const (
	StopDrained          = "drained"            // no message is left to work on
	StopPublished        = "published"          // the last message was published
	StopPublishedAndIdle = "published-and-idle" // the last message was published, and no work started for Idle
)

// Stop says when a run ends.
type Stop struct {
	When    string        // StopDrained, StopPublished or StopPublishedAndIdle
	Idle    time.Duration // for StopPublishedAndIdle
	Timeout time.Duration // the run ends at this run time at the latest, marked partial
}

// Measure says what a run measures.
type Measure struct {
	Interval time.Duration // between samples of the series
	Warmup   time.Duration // statistics leave out messages intended before this run time
	Trace    float64       // share of messages listed by row, 1 is all
	GroupBy  []string
	Gauges   []string
}

// Tolerance is the tolerance of expectations on a real clock: a value may differ by
// Rel of the expected one plus Abs. The default is 2 % and 50 ms.
type Tolerance struct {
	Rel float64
	Abs time.Duration
}

// Report says what the report page shows.
type Report struct {
	Headline    string // the scenario's main metric, as on the left-hand side of an expectation
	CompareWith string // another scenario
	Charts      []string
}

// An Axis is a param and the values that a sweep gives it.
type Axis struct {
	Name   string
	Values []string
}

// A Sweep is a scenario's own grid.
type Sweep struct {
	Axes  []Axis // in the order of the file
	Order string // "file" or "random"
}
