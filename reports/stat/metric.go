package stat

import (
	"math"
	"slices"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// A question holds the messages that labels select, and measures any metric of
// them.
type question struct {
	ds     *dataset
	labels []metric.Label // the labels that select messages
	before time.Duration  // the value of the label before, negative without that label
	phase  time.Duration  // the value of the label phase, negative without that label
	keep   filter         // made from the labels
	rows   []*run.Message // the selected messages after the warm-up; nil until needed
	all    []*run.Message // the selected messages, the warm-up included; nil until needed

	known   map[string]sample  // the distributions computed so far
	numbers map[string]float64 // the single numbers computed so far
	ends    map[run.State]int  // number of messages by state, the warm-up included; nil until needed
}

// ask makes a question of the query's labels.
func (ds *dataset) ask(q metric.Query) *question {
	labels := q.Selecting()
	before, err := q.Before()
	if err != nil {
		before = -1
	}
	phase, err := q.Phase()
	if err != nil {
		phase = -1
	}
	return &question{ds: ds, labels: labels, before: before, phase: phase, keep: ds.filter(labels), known: make(map[string]sample), numbers: make(map[string]float64)}
}

// measure computes a query from the messages. It returns NaN if there is no message
// to measure, or the target does not show the metric. The query must be valid.
func (ds *dataset) measure(q metric.Query) float64 {
	return ds.ask(q).measure(q.Metric, q.Stat)
}

func (k *question) measure(name, stat string) float64 {
	if _, ok := samples[name]; ok {
		s := k.sample(name)
		if len(s.values) == 0 && metric.Lookup(name).Inside && !k.ds.r.Target.Visible() {
			return math.NaN() // not even the number of values is known
		}
		v, _ := s.stat(stat)
		return v
	}
	v, ok := k.numbers[name]
	if !ok {
		v = values[name](k)
		k.numbers[name] = v
	}
	return v
}

// sample returns the sample of a distribution, computed once.
func (k *question) sample(name string) sample {
	s, ok := k.known[name]
	if !ok {
		s = samples[name](k)
		k.known[name] = s
	}
	return s
}

// samples compute the metrics that are distributions, values the metrics that are
// one number. Together they cover every metric of package metric.
var (
	samples = map[string]func(*question) sample{
		"slowdown": func(k *question) sample { return k.view().slowdown() },
		"ready":    func(k *question) sample { return k.gauge(ready, enqueued, dispatched) },
		"unacked":  func(k *question) sample { return k.gauge(unacked, dispatched, acked) },
	}
	values = map[string]func(*question) float64{
		"acked":            (*question).acked,
		"amplification":    func(k *question) float64 { return ratio(k.delivered(), k.published()) },
		"confirmed":        (*question).confirmed,
		"dead_lettered":    func(k *question) float64 { return k.state(k.ds.r.Ledger.DeadLettered, run.DeadLetter) },
		"delivered":        (*question).delivered,
		"delivery_limited": func(k *question) float64 { return k.state(k.ds.r.Ledger.DeliveryLimited, run.DeliveryLimit) },
		"dropped":          func(k *question) float64 { return k.state(k.ds.r.Ledger.Dropped, run.Dropped) },
		"duplicated": func(k *question) float64 {
			return k.ledger(k.ds.r.Ledger.Duplicated, func(m *run.Message) int64 { return int64(btoi(m.Duplicated)) })
		},
		"expired":            func(k *question) float64 { return k.state(k.ds.r.Ledger.Expired, run.Expired) },
		"finish":             func(k *question) float64 { return k.view().finish() },
		"finished":           func(k *question) float64 { return float64(k.view().finished()) },
		"idle_while_waiting": func(k *question) float64 { return k.ds.idleWhileWaiting(&k.keep) },
		"jain.busy":          func(k *question) float64 { return k.ds.jainBusy(&k.keep) },
		"jain.share":         func(k *question) float64 { return k.ds.jainShare(&k.keep) },
		"left":               func(k *question) float64 { return k.states(k.ds.r.Ledger.Left, run.Left) },
		"lost":               func(k *question) float64 { return k.state(k.ds.r.Ledger.Lost, run.Lost, run.Unroutable) },
		"makespan":           func(k *question) float64 { return k.view().finish() },
		"offered_slots":      (*question).offeredSlots,
		"order.inversions":   (*question).inversions,
		"published":          (*question).published,
		"redelivered": func(k *question) float64 {
			return k.ledger(k.ds.r.Ledger.Redelivered, func(m *run.Message) int64 { return int64(m.Redeliveries) })
		},
		"refused":     func(k *question) float64 { return k.state(k.ds.r.Ledger.Refused, run.Refused) },
		"rejected":    func(k *question) float64 { return k.state(k.ds.r.Ledger.Rejected, run.Rejected) },
		"returned":    func(k *question) float64 { return k.states(k.ds.r.Ledger.Returned, run.Returned) },
		"slots":       (*question).slots,
		"starvation":  (*question).starvation,
		"stuck":       func(k *question) float64 { return float64(k.ds.stuckOf(&k.keep)) },
		"throughput":  (*question).throughput,
		"unroutable":  func(k *question) float64 { return k.states(k.ds.r.Ledger.Unroutable, run.Unroutable, run.Returned) },
		"unserved":    func(k *question) float64 { return k.states(k.ds.r.Ledger.Left, run.Left) },
		"utilisation": func(k *question) float64 { return k.ds.utilisation(&k.keep) },
	}
)

func init() {
	for name := range intervals {
		samples[name] = func(k *question) sample { return k.view().between(name) }
	}
}

// view returns the selected messages after the warm-up.
func (k *question) view() view {
	if k.rows == nil {
		k.rows = k.ds.view(k.keep.admits).rows
	}
	return view{k.ds, k.rows}
}

// every returns the selected messages, the warm-up included.
func (k *question) every() []*run.Message {
	switch {
	case k.all != nil:
	case !k.ds.warms:
		k.all = k.view().rows
	default:
		k.all = []*run.Message{}
		for i := range k.ds.r.Messages {
			if m := &k.ds.r.Messages[i]; k.keep.admits(m) {
				k.all = append(k.all, m)
			}
		}
	}
	return k.all
}

// whole reports whether the question is about the whole run.
func (k *question) whole() bool { return len(k.labels) == 0 }

// ledger returns a count of the run's ledger for the whole run, and otherwise the
// sum of the counts that of returns for the selected messages, the warm-up
// included. It returns NaN if the ledger does not know the count, which is then
// negative.
func (k *question) ledger(whole int64, of func(*run.Message) int64) float64 {
	if whole < 0 {
		return math.NaN()
	}
	if k.whole() {
		return float64(whole)
	}
	n := int64(0)
	for _, m := range k.every() {
		n += of(m)
	}
	return float64(n)
}

// states is [question.ledger] of the messages that ended in one of the states.
func (k *question) states(whole int64, states ...run.State) float64 {
	if whole < 0 || k.whole() {
		return visible(whole)
	}
	n := 0
	for _, state := range states {
		n += k.inState(state)
	}
	return float64(n)
}

// state is [question.states] for states that the target may not tell from others. It
// returns NaN if chosen messages are gone and the target does not show how.
func (k *question) state(whole int64, states ...run.State) float64 {
	gone := k.ds.r.Ledger.Gone
	if gone > 0 && !k.whole() {
		gone = int64(k.inState(run.Gone))
	}
	if gone > 0 {
		return math.NaN()
	}
	return k.states(whole, states...)
}

// inState counts the chosen messages that ended in a state, the warm-up included.
func (k *question) inState(state run.State) int {
	if k.ends == nil {
		k.ends = make(map[run.State]int)
		for _, m := range k.every() {
			k.ends[m.State]++
		}
	}
	return k.ends[state]
}

func (k *question) published() float64 {
	return k.ledger(k.ds.r.Ledger.Published, func(*run.Message) int64 { return 1 })
}

func (k *question) confirmed() float64 {
	return k.ledger(k.ds.r.Ledger.Confirmed, func(m *run.Message) int64 { return int64(btoi(m.Confirmed != run.None)) })
}

// acked counts acknowledgements. A message has an instant of its acknowledgement
// only if the target shows it, and also if its worker consumes without
// acknowledgements; those are not counted.
func (k *question) acked() float64 {
	if !k.whole() && !k.ds.r.Target.Visible() {
		return math.NaN()
	}
	return k.ledger(k.ds.r.Ledger.Acked, func(m *run.Message) int64 {
		sends := m.Worker >= 0 && int(m.Worker) < len(k.ds.r.Workers) && k.ds.r.Workers[m.Worker].Ack != "none"
		return int64(btoi(sends && m.Acked != run.None))
	})
}

// inversions counts the selected messages whose first delivery was out of order
// among the deliveries of all messages.
func (k *question) inversions() float64 {
	if n := k.ds.r.Ledger.Inversions; n < 0 || k.whole() {
		return visible(n)
	}
	return float64(k.ds.view(nil).inversions(k.keep.admits))
}

func (k *question) starvation() float64 {
	v := k.view()
	if len(v.rows) == 0 {
		return math.NaN()
	}
	longest, _ := v.starvation()
	return seconds(longest)
}

func (k *question) throughput() float64 {
	if k.ds.last <= k.ds.first {
		return math.NaN()
	}
	return float64(k.view().finished()) / seconds(k.ds.last-k.ds.first)
}

// delivered counts deliveries of the selected messages to the selected workers
// before the instant of the label before. Worker and instant are known only for
// attempts that were started, and for the last attempt.
func (k *question) delivered() float64 {
	until := k.before
	if k.whole() && until < 0 {
		return float64(k.ds.r.Ledger.Delivered)
	}
	rest := slices.DeleteFunc(slices.Clone(k.labels), func(l metric.Label) bool { return l.Key == "worker" })
	chosen := k.ds.filter(rest)
	if len(rest) == len(k.labels) && until < 0 {
		return k.ledger(0, func(m *run.Message) int64 { return int64(m.Attempts) })
	}
	n := 0
	count := func(worker int32, at int64) {
		if at != run.None && (until < 0 || at < until.Microseconds()) && k.keep.worker.admits(worker) {
			n++
		}
	}
	for _, m := range k.ds.view(chosen.admits).rows {
		spans := k.ds.retried[m.Seq]
		for _, s := range spans {
			count(s.Worker, s.Start)
		}
		if len(spans) == 0 {
			count(m.Worker, m.Received)
		}
	}
	return float64(n)
}

// gauge samples a number of messages at the end of each interval of the series. For
// the whole run it returns the series' own values. Otherwise it counts the selected
// messages that are past their instant from and not past their instant to.
func (k *question) gauge(of func(*run.Sample) int64, from, to func(*run.Message) int64) sample {
	series := k.ds.r.Series
	xs := make([]float64, 0, len(series))
	if k.whole() {
		for i := range series {
			if n := of(&series[i]); n >= 0 {
				xs = append(xs, float64(n))
			}
		}
		return ratios(xs)
	}
	if !k.ds.r.Target.Visible() {
		return ratios(nil)
	}
	var starts, ends []int64
	for _, m := range k.every() {
		if at := from(m); at != run.None {
			starts = append(starts, at)
			if at := to(m); at != run.None {
				ends = append(ends, at)
			}
		}
	}
	byTime(starts)
	byTime(ends)
	upTo := func(ts []int64, at int64) int {
		n, _ := slices.BinarySearch(ts, at+1)
		return n
	}
	for i := range series {
		xs = append(xs, float64(upTo(starts, series[i].At)-upTo(ends, series[i].At)))
	}
	return ratios(xs)
}

func ready(s *run.Sample) int64   { return s.Ready }
func unacked(s *run.Sample) int64 { return s.Unacked }

// visible returns a count of the ledger, or NaN for a negative one, which means that
// the target does not show it.
func visible(n int64) float64 {
	if n < 0 {
		return math.NaN()
	}
	return float64(n)
}

// ratio is a/b, NaN if b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
