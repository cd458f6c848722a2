// Package stat computes figures from the messages of a run.
//
// Instants are exact integers, microseconds of run time; figures are in seconds.
// Percentiles are nearest rank on the exact values: the ceil(p*n/100)-th smallest.
// Nothing is sampled and nothing is interpolated, so two runs of the same events
// give the same digits.
//
// A figure that the target does not show stays unknown: a nil [Dist] or [Figure]
// means "not visible". No figure is derived from a guess.
package stat

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

const perSecond = 1e6 // microseconds

// seconds converts microseconds.
func seconds(us int64) float64 { return float64(us) / perSecond }

// A Dist describes the distribution of one metric, in seconds; slowdown is a ratio.
type Dist struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// A Figure is one number, or nil if the run does not show it.
type Figure *float64

func figure(v float64) Figure { return &v }

// A sample is the sorted values of a metric.
type sample struct {
	values []float64
	sum    float64 // exact for microseconds that add up to less than 2^53
	scale  float64 // values per unit of the figures: 1e6 for times, else 1
}

// micros makes a sample of times.
func micros(us []int64) sample {
	slices.Sort(us)
	s := sample{values: make([]float64, len(us)), scale: perSecond}
	var sum int64
	for i, v := range us {
		s.values[i] = float64(v)
		sum += v
	}
	s.sum = float64(sum)
	return s
}

// ratios makes a sample of plain numbers.
func ratios(xs []float64) sample {
	slices.Sort(xs)
	s := sample{values: xs, scale: 1}
	for _, x := range xs {
		s.sum += x
	}
	return s
}

// stat returns the statistic called name: one of [metric.Stats], or a percentile
// such as p50 or p99.9. It reports whether there is such a statistic.
func (s sample) stat(name string) (float64, bool) {
	n := len(s.values)
	if name == "n" {
		return float64(n), true
	}
	p, ok := percentile(name)
	if !ok && name != "mean" && name != "sd" {
		return 0, false
	}
	switch {
	case n == 0:
		return math.NaN(), true
	case name == "mean":
		return s.sum / float64(n) / s.scale, true
	case name == "sd":
		return s.sd(), true
	}
	return s.at(p), true
}

// sd returns the standard deviation of the sample, with n-1 as divisor; for one value it
// is 0.
func (s sample) sd() float64 {
	n := float64(len(s.values))
	mean, squares := s.sum/n, 0.0
	for _, v := range s.values {
		squares += float64((v - mean) * (v - mean)) // float64() prevents a fused multiply-add
	}
	return math.Sqrt(squares/max(n-1, 1)) / s.scale
}

// at returns the nearest-rank percentile.
func (s sample) at(p float64) float64 {
	n := len(s.values)
	rank := int(math.Ceil(p*float64(n)/100 - 1e-9))
	return s.values[min(max(rank, 1), n)-1] / s.scale
}

// percentile is [metric.Percentile] that also knows min, as 0, and max, as 100.
func percentile(name string) (float64, bool) {
	switch name {
	case "min":
		return 0, true
	case "max":
		return 100, true
	}
	return metric.Percentile(name)
}

// dist returns the statistics of s, nil if it has no values.
func (s sample) dist() *Dist {
	n := len(s.values)
	if n == 0 {
		return nil
	}
	return &Dist{
		N: n, Mean: s.sum / float64(n) / s.scale,
		P50: s.at(50), P90: s.at(90), P95: s.at(95), P99: s.at(99), Max: s.at(100),
	}
}

// Jain returns Jain's fairness index (sum x)^2 / (n sum x^2) of the shares x:
// 1 if all are equal, 1/n if one has everything. It is NaN if there are no shares
// or all are zero (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984).
func Jain(x []float64) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += v
		squares += float64(v * v) // float64() prevents a fused multiply-add: the same digits on every machine
	}
	return float64(sum*sum) / float64(float64(len(x))*squares)
}

// A Class is the figures of one class, or of all classes together.
// Distributions are over the messages whose work was finished.
type Class struct {
	Name      string `json:"name"`      // "all" for the whole run
	Published int    `json:"published"` // number of messages, the warm-up left out
	N         int    `json:"n"`         // number of those that were finished

	Wait        *Dist `json:"wait"`         // t6 - t0
	Queued      *Dist `json:"queued"`       // t4 - t3, nil when not visible
	Held        *Dist `json:"held"`         // t6 - t5
	Service     *Dist `json:"service"`      // t7 - t6
	Sojourn     *Dist `json:"sojourn"`      // t7 - t0
	Slowdown    *Dist `json:"slowdown"`     // sojourn / service
	Confirm     *Dist `json:"confirm"`      // t2 - t0, nil without publisher confirms
	ScheduleLag *Dist `json:"schedule_lag"` // t1 - t0
	Transit     *Dist `json:"transit"`      // t5 - t1: from publish to receipt, which every target shows

	Parts *Parts `json:"parts,omitempty"` // nil if none was finished

	Finish      float64 `json:"finish"`       // s of run time, when the last message was done
	Starvation  float64 `json:"starvation"`   // s, the longest span in which a message waits and none starts
	StarvedFrom float64 `json:"starved_from"` // s of run time, when that span begins
	Stuck       int     `json:"stuck"`        // number of messages held behind other classes' work for at least their own service time
	StuckMax    float64 `json:"stuck_max"`    // s, the longest time that one was held so
}

// A Worker is the figures of one worker.
type Worker struct {
	Name        string  `json:"name"`
	Slots       int     `json:"slots"`
	Prefetch    int     `json:"prefetch"`
	Scope       string  `json:"scope"`
	Ack         string  `json:"ack"`
	Finished    int     `json:"finished"` // number of messages
	Busy        float64 `json:"busy"`     // slot seconds
	Utilisation float64 `json:"utilisation"`
	Unacked     int64   `json:"unacked,omitempty"` // number of deliveries that were done and not acked when the run ended
}

// The types below are types of package run with JSON names.
type (
	// A Target is [run.Target].
	Target struct {
		Kind    string `json:"kind"`
		URL     string `json:"url,omitempty"`
		Product string `json:"product"`
		Version string `json:"version"`

		// Durability is what a confirm of a harelab elsewhere means: memory, unsynced or
		// fsynced.
		Durability string `json:"durability,omitempty"`
	}
	// A Ledger is [run.Ledger].
	Ledger struct {
		Published       int64 `json:"published"`
		Confirmed       int64 `json:"confirmed"`
		Delivered       int64 `json:"delivered"`
		Finished        int64 `json:"finished"`
		Acked           int64 `json:"acked"`
		Duplicated      int64 `json:"duplicated"`
		Redelivered     int64 `json:"redelivered"`
		Inversions      int64 `json:"inversions"`
		Returned        int64 `json:"returned"`
		Unroutable      int64 `json:"unroutable"`
		Refused         int64 `json:"refused"`
		Dropped         int64 `json:"dropped"`
		Expired         int64 `json:"expired"`
		DeadLettered    int64 `json:"dead_lettered"`
		Rejected        int64 `json:"rejected"`
		DeliveryLimited int64 `json:"delivery_limited"`
		Lost            int64 `json:"lost"`
		Gone            int64 `json:"gone"`
		Left            int64 `json:"left"`
	}
	// A Finding is [run.Finding].
	Finding struct {
		Code    string `json:"code"`
		Text    string `json:"text"`
		Invalid bool   `json:"invalid,omitempty"`
	}
)

// Visible reports whether the target shows what happens inside the broker.
func (t Target) Visible() bool { return run.Target(t).Visible() }

// Name returns "sim", "embedded", or the product with its version.
func (t Target) Name() string {
	if t.Kind == "amqp" && t.Product != "" {
		return strings.TrimSpace(t.Product + " " + t.Version)
	}
	return t.Kind
}

// A Summary is the figures of one run.
type Summary struct {
	Arm      string `json:"arm"`
	Scenario string `json:"scenario"`
	Variant  string `json:"variant,omitempty"`
	Title    string `json:"title,omitempty"`
	Target   Target `json:"target"`
	Matcher  string `json:"matcher"` // the strategies that ran; empty for a foreign broker
	Dispatch string `json:"dispatch"`
	Order    string `json:"order"`
	Seed     uint64 `json:"seed"`
	Repeat   int    `json:"repeat"`
	Virtual  bool   `json:"virtual"` // virtual time: the figures are exact
	Partial  bool   `json:"partial"`
	// Late is the longest delay, in seconds, with which the machine woke the load
	// generator: a publisher, a slot, or the goroutine that measures this delay all
	// the time. It is 0 in virtual time.
	Late     float64 `json:"late"`
	Headline string  `json:"headline,omitempty"` // the metric by which the scenario wants to be judged
	// HeadlineValue is the value of Headline; nil without a headline.
	HeadlineValue Figure `json:"headline_value"`
	Load          Load   `json:"load"`
	// Capacity is the work that the plan offers each set of queues that share workers,
	// and the slots that these have. It is known before the run.
	Capacity []run.Pool `json:"capacity,omitempty"`

	All     *Class    `json:"all"`
	Classes []*Class  `json:"classes"`
	Workers []*Worker `json:"workers"`

	Length           float64 `json:"length"`     // s of run time, when the last event happened
	Makespan         float64 `json:"makespan"`   // s of run time, when the last message was done
	Throughput       float64 `json:"throughput"` // finished messages per second, from the first intended instant to the last done or to the end of a run that was cut short
	Utilisation      float64 `json:"utilisation"`
	IdleWhileWaiting float64 `json:"idle_while_waiting"`
	JainBusyByWorker Figure  `json:"jain_busy_by_worker"`
	JainShareTenant  Figure  `json:"jain_share_by_tenant"` // nil if no whole second had all tenants backlogged
	Drift            Figure  `json:"drift"`                // mean wait of the later half of the messages over that of the earlier half, minus 1; nil if there are too few

	Ledger   Ledger    `json:"ledger"`
	Ends     []run.End `json:"ends,omitempty"` // what became of the messages that were not done
	Findings []Finding `json:"findings,omitempty"`
	Verdicts []Verdict `json:"expectations,omitempty"`
	Lateness *Lateness `json:"lateness,omitempty"` // of the load generator; nil in virtual time
	Race     *Race     `json:"race,omitempty"`     // nil: not tried, or the order between queues cannot matter

	Queues  []string `json:"queues"`  // their names
	Tenants []string `json:"tenants"` // of the messages
	// Metrics are the figures of the whole run by metric and statistic, as
	// "wait.p99". By has the figures of the messages that one label selects, by the
	// label, as "tenant=noisy". Figures without a value are left out. See
	// [Summary.Ask].
	Metrics map[string]float64            `json:"metrics,omitempty"`
	By      map[string]map[string]float64 `json:"by,omitempty"`

	source func() (*dataset, error) // reads the messages; nil if there are none to read
}

// Class returns the figures of the class, nil if there is none of that name.
func (s *Summary) Class(name string) *Class {
	for _, c := range s.Classes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Interrupted reports whether the user ended the run early. Its expectations have
// no result then.
func (s *Summary) Interrupted() bool {
	return s.Partial && slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == "interrupted" })
}

// Valid reports whether no finding forbids using the figures.
func (s *Summary) Valid() bool {
	return !slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Invalid })
}

// byTime sorts instants.
func byTime(ts []int64) []int64 {
	slices.SortFunc(ts, cmp.Compare[int64])
	return ts
}
