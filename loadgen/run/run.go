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

// State is the state of a message at the end of the run.
type State uint8

// The states of a message.
const (
	Done       State = iota // its work was finished
	Lost                    // the broker accepted it, and no worker will ever finish it
	Unserved                // it was still queued or running when the run ended
	Returned                // the broker returned it as unroutable
	Unroutable              // it matched no queue, and the broker dropped it without notice
	Rejected                // the broker refused it (negative confirm)
	DeadLetter              // it ended in a queue of dead letters or was discarded
)

// String returns the state's name as messages.csv writes it.
func (s State) String() string {
	names := [...]string{"done", "lost", "unserved", "returned", "unroutable", "rejected", "dead-lettered"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

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
	Duplicated  bool // its work was finished more often than it has copies
	Paced       bool // it has a time of its own, from an open phase or a trace: its lateness counts

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

// A Ledger accounts for every message of a run. It counts messages, but deliveries
// in Delivered, Redelivered and Inversions.
type Ledger struct {
	Published   int64 // handed to the client library
	Confirmed   int64 // -1: the run asked for no confirms
	Returned    int64
	Unroutable  int64 // matched no queue, returned or dropped; -1: not visible
	Rejected    int64
	Delivered   int64 // redeliveries included
	Finished    int64 // work finished at least once
	Acked       int64 // acked at least once (0 for ack none)
	Lost        int64 // accepted and never finished, messages dropped as unroutable included
	Duplicated  int64 // work finished more often than the message has copies
	Redelivered int64 // flagged redelivered
	Unserved    int64
	Inversions  int64 // first deliveries of a queue out of publish order within a priority
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
