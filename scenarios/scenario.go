package scenarios

import (
	"time"

	"harelab/scenarios/metric"
)

// A Scenario is one resolved scenario: every value is concrete and checked,
// names are unique and every name that is referred to exists. It is not
// changed after [File.Resolve] returned it and may be read by any number of
// goroutines.
type Scenario struct {
	File    string // where it came from, as errors name it
	Name    string
	Variant string // empty for the scenario itself
	Title   string
	Doc     string
	Tags    []string
	Seed    uint64
	Params  map[string]string // the params after variants and settings, as written

	Engine    Engine
	Exchanges []Exchange
	Queues    []Queue
	Bindings  []Binding
	Classes   []Class
	Load      []Sequence
	Workers   []Worker // one entry per client process: count is expanded
	Faults    []Fault  // in order of At
	Network   Network
	Ready     Ready
	Stop      Stop
	Measure   Measure
	Repeat    int // how often to run it, at least 1

	Tolerance Tolerance
	Expect    []metric.Expectation // those whose condition holds, with Tolerance
	Report    Report

	Features []Use // what not every runner can carry out

	SHA256 string // of the resolved YAML, in hexadecimal
}

// Engine names the broker-wide strategies that harelab's own broker is to run
// with; empty is the broker's default. Another broker ignores them.
type Engine struct {
	Matcher  string // topic matching, as "nfa"
	Dispatch string // which consumer gets the next message, as "rr"
	Order    string // which message is next, as "fifo"
	FairKey  string // what Order tells tenants by, as "header:tenant"
}

// An Exchange is declared before the run. The default exchange "" and the
// amq.* exchanges exist without being listed.
type Exchange struct {
	Name       string
	Type       string // direct, fanout, topic, headers or an extension x-...
	Durable    bool
	AutoDelete bool
	Internal   bool
	Arguments  []Argument
}

// A Queue is declared before the run.
type Queue struct {
	Name       string
	Durable    bool
	AutoDelete bool
	Exclusive  bool
	Arguments  []Argument
}

// A Binding ties a queue, or another exchange, to an exchange.
type Binding struct {
	Exchange   string // the source
	Queue      string // the destination; empty when ToExchange is set
	ToExchange string
	Key        string
	Arguments  []Argument
}

// An Argument is one entry of an AMQP table. Value is a string, an int64, a
// float64, a bool, a []Argument (a nested table) or a []any of these. Times
// are written as RabbitMQ wants them, in milliseconds.
type Argument struct {
	Name  string
	Value any
}

// A Class is a kind of message: where it goes, how big it is, how much work
// it makes.
type Class struct {
	Name       string
	Exchange   string
	Key        string     // routing key; may hold {name} of Keys and {class}
	Headers    []Argument // string values may hold the same
	Tenant     string     // likewise; the value of the key "tenant" when there is one
	Priority   uint8
	Persistent bool
	Mandatory  bool
	Expiration time.Duration // per-message TTL, 0 is none
	Cost       Cost
	Keys       []Key
	Size       Dist // body bytes; at least [MinSize] are sent
	Service    Dist // microseconds of work
}

// MinSize is the size in bytes of the smallest body a run publishes: it
// carries the message's number, intended time and class.
const MinSize = 24

// Cost says what cost hint a message carries for strategies that look at the
// size of the work (the header x-cost, in microseconds).
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
	S       float64  // Zipf exponent, any value from 0 (uniform)
	N       int      // number of values; 0 when Values lists them
	Values  []string // weighted values, or the only names to draw from
	Weights []float64
	From    string // "bindings": the values are routing keys that the bindings of the class's exchange match
	Prefix  string // values are Prefix + rank, from 0
}

// A Sequence is one publisher: its phases run one after another; sequences run
// side by side.
type Sequence struct {
	Name        string
	Start       time.Duration // when its first phase begins
	Connections int           // over how many connections its messages are spread, at least 1
	Confirm     bool          // publisher confirms
	MaxInFlight int           // unconfirmed messages at most, 0 is no limit
	Phases      []Phase
	Admin       []Admin
}

// Model is how a phase decides when to publish.
type Model string

// The models of load.
const (
	Burst  Model = "burst"  // Count messages at the phase's start
	Open   Model = "open"   // at times that do not depend on the broker
	Closed Model = "closed" // Users who each wait for their message before sending the next
	Trace  Model = "trace"  // at the times of a recorded trace
)

// Await is what a closed loop's user waits for before thinking.
type Await string

// What a user waits for.
const (
	AwaitDone    Await = "done"    // all copies of the message were worked on
	AwaitConfirm Await = "confirm" // the broker confirmed it
)

// A Phase is a stretch of load. Which class a message has is given by Pattern,
// cycled through, or drawn by Weights when Pattern is empty.
type Phase struct {
	Model   Model
	Pattern []int             // indexes into Classes
	Weights []float64         // one per class of the scenario
	Fix     map[string]string // keys that are not drawn but have this value

	Count    int           // Burst: messages. Closed: messages in all, 0 no limit. Open: at most, 0 no limit
	Duration time.Duration // how long; 0 for a burst, and where Count ends a closed phase
	Arrival  Arrival       // Open
	Shape    []Segment     // Open: the rate over time; its lengths add up to Duration
	Users    int           // Closed
	Think    Dist          // Closed: microseconds between a user's messages
	Await    Await         // Closed
	Rows     []Row         // Trace, in order of At
}

// An Arrival is the random process of an open phase. In each of them the rate
// of the shape is the mean rate.
type Arrival struct {
	Process string        // constant, poisson, gamma or mmpp
	Shape   float64       // gamma: 1 is Poisson, larger is more regular
	Burst   time.Duration // mmpp: mean length of a burst
	Pause   time.Duration // mmpp: mean length of the silence between bursts
}

// A Segment is a part of a rate's course, in messages a second: from From at
// its start to To at its end, straight, plus Amplitude*sin(2 pi t/Period).
type Segment struct {
	For       time.Duration
	From, To  float64
	Amplitude float64
	Period    time.Duration
}

// A Row is one message of a trace. A size or service of -1 is drawn from the
// class; an empty exchange and key together are the class's.
type Row struct {
	At       time.Duration
	Class    int
	Exchange string
	Key      string
	Size     int64
	Service  time.Duration
}

// An Admin is work on the topology during the load.
type Admin struct {
	Do   string  // "rebind": a binding comes and goes
	Rate float64 // per second
}

// When a worker acks.
const (
	OnStart = "on-start" // when work begins: Celery's default
	OnDone  = "on-done"  // when work is finished: acks_late
	NoAck   = "none"     // no acks: the broker forgets a message when it sends it
)

// What prefetch limits.
const (
	PerConsumer = "consumer" // each subscription by itself (basic.qos global=false)
	PerChannel  = "channel"  // all subscriptions of the worker together (global=true)
)

// A Worker is one client process: Slots threads that work on one first-in
// first-out buffer over all its queues.
type Worker struct {
	Name     string
	Group    string // the name in the file, before count was expanded
	Slots    int
	Consume  []Consume // in order of subscription
	Prefetch int       // 0 is no limit
	Scope    string    // PerConsumer or PerChannel
	Ack      Ack
	Work     string  // "sleep" or "spin"
	Slow     float64 // factor on service times, 1 is as asked
	JoinsAt  time.Duration
	Fail     *Fail // nil: work never fails
	Shared   int   // the workers of Group share this many connections; 0: each has its own
}

// A Consume is one subscription.
type Consume struct {
	Queue     string
	Prefetch  int // of this subscription, where it differs from the worker's; -1 is the worker's
	Priority  int32
	Exclusive bool
}

// Ack is a worker's way of acknowledging.
type Ack struct {
	When   string // OnStart, OnDone or NoAck
	Forget int    // every Forget-th message is never acked, 0 is none
	Batch  int    // ack this many at once, or whatever is finished once the worker runs out of work; 1 is each by itself
}

// How a failing message is tried again.
const (
	RetryImmediate = "immediate"      // nack with requeue
	RetryFixed     = "fixed"          // reject: the queue's dead-letter exchange delays it
	RetryBackoff   = "backoff-jitter" // published anew to a delay queue chosen by attempt, then acked
)

// How a worker refuses a message. The broker treats both alike.
const (
	HowNack   = "nack"   // basic.nack, RabbitMQ's extension
	HowReject = "reject" // basic.reject
)

// A Fail makes work fail: at the end of the service time the message is not
// acked but retried.
type Fail struct {
	From, To    time.Duration // of run time at the end of the work; To 0 is for ever
	P           float64       // probability
	First       int           // fail the first attempts of each message, whatever P says
	Retry       string
	How         string // HowNack or HowReject: the method by which the worker refuses a message
	MaxAttempts int    // 0 is no limit
	Then        string // the queue that takes a message after MaxAttempts; empty: rejected without requeue
	Backoff     Backoff
}

// Backoff is where RetryBackoff publishes.
type Backoff struct {
	Exchange string
	Keys     []string // by attempt, the last one for all further attempts
	Delay    []time.Duration
	Jitter   float64 // the delay, as the message's expiration, is drawn within +- this share
}

// What a fault does.
const (
	Kill            = "kill"             // the socket is cut without a word; work in progress is gone
	CloseConnection = "close-connection" // an orderly close
	Stall           = "stall"            // the worker stops working but keeps its connection
)

// A Fault is something that goes wrong at a set time.
type Fault struct {
	At           time.Duration
	Do           string
	Worker       string
	RestartAfter time.Duration // -1 is never
}

// Network is the path between clients and broker.
type Network struct {
	RTT time.Duration // added round trip, half each way
}

// Ready says what must be in place before the first message is published.
type Ready string

// The conditions to begin.
const (
	ReadyConsumers Ready = "consumers" // every worker that joins at the start is subscribed
	ReadyTopology  Ready = "topology"  // the topology is declared
)

// When a run ends.
const (
	StopDrained          = "drained"            // every message is done with
	StopPublished        = "published"          // the last message was published
	StopPublishedAndIdle = "published-and-idle" // published, and nothing started for Idle
)

// Stop ends a run.
type Stop struct {
	When    string
	Idle    time.Duration
	Timeout time.Duration // then the run ends as it is, marked partial
}

// Measure says what is kept.
type Measure struct {
	Interval time.Duration // of the series
	Warmup   time.Duration // messages intended before are left out of statistics
	Trace    float64       // share of messages listed by row, 1 is all
	GroupBy  []string
	Gauges   []string
}

// Tolerance is allowed on a real clock: a value may be off by Rel of the
// expected one plus Abs. Without one in the file it is 2 % and 50 ms.
type Tolerance struct {
	Rel float64
	Abs time.Duration
}

// Report is what the page should stress.
type Report struct {
	Headline    string // a metric, as in an expectation's left-hand side
	CompareWith string // another scenario
	Charts      []string
}

// An Axis is a parameter and the values a sweep gives it.
type Axis struct {
	Name   string
	Values []string
}

// A Sweep is a scenario's own grid.
type Sweep struct {
	Axes  []Axis // in the order of the file
	Order string // "file" or "random"
}
