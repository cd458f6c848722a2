// Package metric is the language of queries for the figures of runs:
//
//	metric.stat{label=value,label!=value,...}
//
// as in wait.p99{class=quick}, starvation{tenant!=noisy} or
// jain.busy{by=worker}. It has the one list of metrics, the parser and the
// checks; package reports/stat computes metrics. The language is the same wherever
// users name a metric: in a scenario's expect and report.headline, and in the flags
// --metric, --fail and --goal.
//
// A metric that is a distribution takes a statistic (mean, min, max, sd, n, or
// a percentile such as p50 and p99.9). Other metrics are one number and take none.
// Every metric takes the labels class, tenant, queue and worker, each any number
// of times with !=, or once with =. They choose the messages that the metric covers.
// The queue and worker of a message that was delivered several times, or routed to
// several queues, are those that finished its work, or else those that had it last.
package metric

import (
	"slices"
	"strings"
)

// A Kind is the type of a metric's values. It determines whether the metric takes a
// statistic.
type Kind uint8

// The kinds.
const (
	Interval Kind = iota // distribution of the time between two instants of each message
	Ratio                // distribution of a number of each message
	Gauge                // distribution of a number at the end of each interval of the series
	Span                 // one length of time for the whole run
	Figure               // one number for the whole run
	Count                // number of messages or deliveries
)

// A Direction says whether lower or higher values of a metric are better.
type Direction int8

// The directions.
const (
	Lower   Direction = -1
	Neither Direction = 0
	Higher  Direction = 1
)

// A Metric is one entry of the list.
type Metric struct {
	Name   string
	Doc    string // half a line
	Kind   Kind
	Unit   string    // "s", "%" for a share, "/s" for a rate, "x" for a factor, or empty
	Better Direction // Lower or Higher: these values are better
	By     string    // label that the metric compares over, which every query must give, as in {by=worker}; empty: none
	Before bool      // it also takes the label before=20s, which counts only events before that run time
	Fate   bool      // it counts messages by what became of them in the broker, which other targets may not tell apart
	Plan   bool      // it is known from the plan; it also takes the label phase=120s, which chooses the phase at that run time
	Inside bool      // it needs times inside the broker, which targets other than harelab may not show
}

// Distribution reports whether the metric needs a statistic.
func (m *Metric) Distribution() bool { return m.Kind <= Gauge }

// list is every metric, in order of name.
var list = []*Metric{
	{Name: "acked", Kind: Count, Better: Higher, Inside: true, Doc: "messages acknowledged by workers"},
	{Name: "amplification", Kind: Figure, Unit: "x", Better: Lower, Doc: "deliveries / messages published"},
	{Name: "confirm", Kind: Interval, Unit: "s", Better: Lower, Doc: "from the intended instant to the broker's confirm"},
	{Name: "confirmed", Kind: Count, Better: Higher, Doc: "messages that the broker confirmed; not visible in a run without confirms"},
	{Name: "dead_lettered", Kind: Count, Better: Lower, Fate: true, Doc: "messages that were dead-lettered and lie in a queue which no worker consumes"},
	{Name: "delivered", Kind: Count, Better: Neither, Before: true, Doc: "deliveries received"},
	{Name: "delivery_limited", Kind: Count, Better: Lower, Fate: true, Doc: "messages discarded because they were delivered too often (x-delivery-limit)"},
	{Name: "dropped", Kind: Count, Better: Lower, Fate: true, Doc: "messages dropped by a full queue (x-max-length, x-max-length-bytes)"},
	{Name: "duplicated", Kind: Count, Better: Lower, Doc: "messages whose work was finished more often than they have copies"},
	{Name: "expired", Kind: Count, Better: Lower, Fate: true, Doc: "messages discarded because their time to live was over"},
	{Name: "finish", Kind: Span, Unit: "s", Better: Lower, Doc: "from the start of the run to the last message done"},
	{Name: "finished", Kind: Count, Better: Higher, Doc: "messages whose work was done"},
	{Name: "held", Kind: Interval, Unit: "s", Better: Lower, Doc: "from received to started: in a worker's prefetch window"},
	{Name: "idle_while_waiting", Kind: Span, Unit: "s", Better: Lower, Doc: "time with a free slot and a message that it could serve"},
	{Name: "jain.busy", Kind: Figure, Better: Higher, By: "worker", Doc: "Jain's index over the workers' busy time"},
	{Name: "jain.share", Kind: Figure, Better: Higher, By: "tenant", Doc: "Jain's index over the service of tenants while all of them are backlogged"},
	{Name: "left", Kind: Count, Better: Lower, Doc: "messages that were in a queue or at a worker when the run ended"},
	{Name: "lost", Kind: Count, Better: Lower, Fate: true, Doc: "messages accepted and never finished for no cause that another count names, and messages that matched no queue and were not returned"},
	{Name: "makespan", Kind: Span, Unit: "s", Better: Lower, Doc: "another name of finish, for the whole run"},
	{Name: "offered_slots", Kind: Figure, Better: Neither, Plan: true, Doc: "busy slots that the open load needs (rate x mean service), in the phase that leaves the least spare"},
	{Name: "order.inversions", Kind: Count, Better: Lower, Inside: true, Doc: "first deliveries of a queue out of publish order"},
	{Name: "published", Kind: Count, Better: Neither, Doc: "messages handed to the client library"},
	{Name: "queued", Kind: Interval, Unit: "s", Better: Lower, Inside: true, Doc: "from enqueued to dispatched, of messages delivered once: in the broker"},
	{Name: "ready", Kind: Gauge, Better: Neither, Inside: true, Doc: "messages waiting in queues"},
	{Name: "redelivered", Kind: Count, Better: Lower, Doc: "deliveries flagged as redelivered"},
	{Name: "refused", Kind: Count, Better: Lower, Fate: true, Doc: "messages that the broker refused: a negative confirm, or a full queue that rejects"},
	{Name: "rejected", Kind: Count, Better: Lower, Fate: true, Doc: "messages that a worker rejected without requeue and that were not dead-lettered"},
	{Name: "returned", Kind: Count, Better: Lower, Doc: "messages that the broker returned as unroutable"},
	{Name: "schedule_lag", Kind: Interval, Unit: "s", Better: Lower, Doc: "from the intended instant to sent"},
	{Name: "service", Kind: Interval, Unit: "s", Better: Neither, Doc: "from started to done"},
	{Name: "slots", Kind: Figure, Better: Neither, Plan: true, Doc: "slots that are there for offered_slots, in that phase"},
	{Name: "slowdown", Kind: Ratio, Unit: "x", Better: Lower, Doc: "sojourn / service"},
	{Name: "sojourn", Kind: Interval, Unit: "s", Better: Lower, Doc: "from the intended instant to done"},
	{Name: "starvation", Kind: Span, Unit: "s", Better: Lower, Doc: "longest span in which messages waited and none started"},
	{Name: "stuck", Kind: Count, Better: Lower, Doc: "messages held behind other classes' work for longer than their own service"},
	{Name: "throughput", Kind: Figure, Unit: "/s", Better: Higher, Doc: "messages done per second, from the run's first intended instant to its last done"},
	{Name: "transit", Kind: Interval, Unit: "s", Better: Lower, Doc: "from sent to received; visible on every target"},
	{Name: "unacked", Kind: Gauge, Better: Neither, Inside: true, Doc: "messages delivered and not acknowledged"},
	{Name: "unroutable", Kind: Count, Better: Lower, Inside: true, Doc: "messages that matched no queue, returned ones included"},
	{Name: "unserved", Kind: Count, Better: Lower, Doc: "another name of left"},
	{Name: "utilisation", Kind: Figure, Unit: "%", Better: Neither, Doc: "busy slot time / slot time"},
	{Name: "wait", Kind: Interval, Unit: "s", Better: Lower, Doc: "from the intended instant to started: what the user feels"},
}

// All returns every metric, in order of name. The entries must not be changed.
func All() []*Metric { return slices.Clone(list) }

// Names returns the names of all metrics, in order.
func Names() []string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.Name
	}
	return names
}

// Lookup returns the metric of a name, or nil. Do not change it.
func Lookup(name string) *Metric {
	i, ok := slices.BinarySearchFunc(list, name, func(m *Metric, name string) int { return strings.Compare(m.Name, name) })
	if !ok {
		return nil
	}
	return list[i]
}

// IsNumber reports whether name is a metric of one number that needs no labels, so
// that it can be the right-hand side of an expectation.
func IsNumber(name string) bool {
	m := Lookup(name)
	return m != nil && !m.Distribution() && m.By == ""
}

// Numbers returns the names for which [IsNumber] returns true, in order.
func Numbers() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return !IsNumber(name) })
}
