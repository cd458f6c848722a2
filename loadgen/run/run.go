// Package run holds what one run of a scenario measured: a row per message,
// a series of gauges, a ledger, and findings about the run's validity.
//
// It is the seam between the load generators, which fill a [Result], and
// reports, which only read one. Of harelab it imports the language of metrics
// and nothing else, so old results stay readable when the code that made them
// changes.
//
// All times are int64 microseconds since the start of the run, which is the
// instant of the load schedule's time zero. [None] stands for a time that is not
// visible on the run's target or an event that did not happen.
package run

import (
	"math"
	"time"

	"harelab/scenarios/metric"
)

// None is the time of an event that is not visible or did not happen.
const None int64 = math.MinInt64

// A Message is one row: the last attempt at one published message. A message
// that was routed to several queues has one row as well, that of the copy whose
// work ended last; the [Ledger] counts all copies.
// Class, Queue, Tenant and Worker index the name lists of the [Result];
// -1 is none.
type Message struct {
	Seq         int64 // publish order over the whole run, from 0
	Class       int32
	Queue       int32
	Tenant      int32
	Worker      int32
	Slot        int32
	Attempts    int32 // number of deliveries
	Redelivered bool  // it returned to its queue at least once
	State       State
	Cause       Cause // why it last left a queue without an acknowledgement
	Duplicated  bool  // its work was finished more often than it has copies
	From        int32 // the queue that it left so; of no meaning without a Cause
	Paced       bool  // it has a time of its own, from an open phase or a trace: its lateness counts

	Redeliveries int32 // number of deliveries flagged redelivered

	Intended   int64 // t0: when the schedule wanted it sent
	Sent       int64 // t1
	Confirmed  int64 // t2
	Enqueued   int64 // t3: in the broker
	Dispatched int64 // t4: handed to a consumer by the broker
	Received   int64 // t5: in the worker's buffer
	Started    int64 // t6
	Done       int64 // t7
	Acked      int64 // t8: ack seen by the broker

	Service int64 // the work asked for, in microseconds
}

// A Worker is one client process with slots.
type Worker struct {
	Name     string
	Slots    int
	Prefetch int    // the prefetch count, 0 for no limit
	Scope    string // "consumer" or "channel"
	Ack      string // "on-start", "on-done" or "none"
	Queues   []string
	Away     []Absence // in order, not touching
	Unacked  int64     // number of deliveries whose work was done and whose ack had not come when the run ended
}

// An Absence is a span of run time in microseconds during which a worker takes no
// messages: it has not joined yet, has died, or is stalled. To is math.MaxInt64 if
// it does not come back.
type Absence struct {
	From int64 `json:"from_us"`
	To   int64 `json:"to_us"`
}

// An Outage is a span of run time in microseconds in which something the work needs
// was out of order, other than the absence of one worker. To is math.MaxInt64 if it
// does not end.
type Outage struct {
	From int64  `json:"from_us"`
	To   int64  `json:"to_us"`
	What string `json:"what"` // a short sentence without its full stop, as "all work fails"
}

// A Sample is the state of the run at the end of one interval. Offered to Acked
// count messages since the start of the run, Ready to Held those of the instant; -1
// is not visible.
type Sample struct {
	At        int64
	Offered   int64 // due by now
	Sent      int64
	Confirmed int64
	Delivered int64
	Acked     int64
	Ready     int64 // waiting in queues
	Unacked   int64 // delivered, not acked
	Held      int64 // received by workers, not started
}

// A Span is the work of one attempt on one slot. Every attempt has one, so that
// lanes show redelivered work too.
type Span struct {
	Worker, Slot, Class int32
	Late                int32 // on a real clock: microseconds by which the work ended after its time
	Seq                 int64
	Start, End          int64
	Cut                 bool // the worker died before the work was done
}

// A Finding is a fact that a reader must know before trusting the figures.
type Finding struct {
	Code    string // short and stable, such as "lateness"
	Text    string // a sentence
	Invalid bool   // true: the run's figures must not be used
}

// A Target is the broker that the run used.
type Target struct {
	Kind    string // "sim", "embedded" or "amqp"
	URL     string // without credentials; empty unless Kind is "amqp"
	Product string // from server-properties, "harelab" for sim and embedded
	Version string

	// Durability is what a confirm means, as harelab says it: memory, unsynced or fsynced.
	// Empty: the target does not say.
	Durability string
}

// Visible reports whether the target shows times inside the broker: those of
// enqueue, dispatch and ack.
func (t Target) Visible() bool { return t.Kind != "amqp" }

// An Expectation is one line of a scenario's expect block, parsed.
type Expectation = metric.Expectation

// A Result is one run of one arm of one scenario on one target.
type Result struct {
	Scenario string // as "celery-optimized"
	Variant  string // as "same-load"; empty for the scenario itself
	Title    string
	Doc      string
	Params   map[string]string // the resolved params
	Matcher  string            // the strategies that ran, several joined by "+"; empty for a broker other than harelab's
	Dispatch string
	Order    string
	Seed     uint64
	Repeat   int // from 0

	Target   Target
	Started  time.Time     // wall clock; zero in virtual time
	Elapsed  time.Duration // length of the run by the wall clock; zero in virtual time
	Length   int64         // run time of the last event, in microseconds
	Late     int64         // on a real clock: greatest lateness of a wake-up of the load generator, in microseconds
	Partial  bool          // cut short: interrupted or timed out
	Warmup   int64         // in microseconds: statistics leave out messages intended before this run time
	Interval int64         // between samples of Series, in microseconds

	Classes []string
	Queues  []string
	Tenants []string
	Workers []Worker

	Messages []Message // in order of Seq
	Spans    []Span    // in order of Start
	Series   []Sample
	Ledger   Ledger
	Findings []Finding
	Expect   []Expectation
	Outages  []Outage // in order of From
	Headline string   // the scenario's main metric, from report.headline
	Charts   []string // the charts that report.charts names; empty: all
	Capacity []Pool   // the work that the plan offers, and the slots that there are
	Resolved []byte   // the resolved scenario as YAML
}

// Arm returns the label of the run among others: scenario, variant and target.
func (r *Result) Arm() string {
	s := r.Scenario
	if r.Variant != "" {
		s += "/" + r.Variant
	}
	return s
}

// Valid reports whether no finding forbids using the figures.
func (r *Result) Valid() bool {
	for _, f := range r.Findings {
		if f.Invalid {
			return false
		}
	}
	return true
}
