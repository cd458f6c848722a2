package stat

import (
	"math"
	"slices"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// A question is labels made ready: the messages that they choose, of which any
// metric can be asked.
type question struct {
	b      *book
	labels []metric.Label // those that choose messages
	before time.Duration  // of the label before, negative without one
	keep   filter         // what the labels let through
	rows   []*run.Message // the chosen messages after the warm-up; nil until they are asked for
	all    []*run.Message // likewise with those of the warm-up

	known   map[string]sample  // distributions that have been computed
	numbers map[string]float64 // and numbers
}

// ask makes labels ready.
func (b *book) ask(q metric.Query) *question {
	labels := q.Selecting()
	before, err := q.Before()
	if err != nil {
		before = -1
	}
	return &question{b: b, labels: labels, before: before, keep: b.filter(labels), known: make(map[string]sample), numbers: make(map[string]float64)}
}

// measure answers a query from the messages, NaN where there is nothing to
// measure or the target does not show it. The query must be sound.
func (b *book) measure(q metric.Query) float64 {
	return b.ask(q).measure(q.Metric, q.Stat)
}

func (k *question) measure(name, stat string) float64 {
	if _, ok := samples[name]; ok {
		s := k.sample(name)
		if len(s.values) == 0 && metric.Lookup(name).Inside && !k.b.r.Target.Visible() {
			return math.NaN() // not even how many there were is known
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

// samples compute the metrics that are distributions, values those that are one
// number. Together they are the list of package metric.
var (
	samples = map[string]func(*question) sample{
		"slowdown": func(k *question) sample { return k.view().slowdown() },
		"ready":    func(k *question) sample { return k.gauge(ready, enqueued, dispatched) },
		"unacked":  func(k *question) sample { return k.gauge(unacked, dispatched, acked) },
	}
	values = map[string]func(*question) float64{
		"acked":         (*question).acked,
		"amplification": func(k *question) float64 { return ratio(k.delivered(), k.published()) },
		"confirmed":     (*question).confirmed,
		"dead_lettered": func(k *question) float64 { return k.inState(run.DeadLetter) },
		"delivered":     (*question).delivered,
		"duplicated": func(k *question) float64 {
			return k.ledger(k.b.r.Ledger.Duplicated, func(m *run.Message) int64 { return int64(btoi(m.Duplicated)) })
		},
		"finish":             func(k *question) float64 { return k.view().finish() },
		"finished":           func(k *question) float64 { return float64(k.view().finished()) },
		"idle_while_waiting": func(k *question) float64 { return k.b.idleWhileWaiting(&k.keep) },
		"jain.busy":          func(k *question) float64 { return k.b.jainBusy(&k.keep) },
		"jain.share":         func(k *question) float64 { return k.b.jainShare(&k.keep) },
		"lost":               func(k *question) float64 { return k.ledgerOf(k.b.r.Ledger.Lost, run.Lost, run.Unroutable) },
		"makespan":           func(k *question) float64 { return k.view().finish() },
		"order.inversions":   (*question).inversions,
		"published":          (*question).published,
		"redelivered": func(k *question) float64 {
			return k.ledger(k.b.r.Ledger.Redelivered, func(m *run.Message) int64 { return int64(m.Redeliveries) })
		},
		"rejected":    func(k *question) float64 { return k.ledgerOf(k.b.r.Ledger.Rejected, run.Rejected) },
		"returned":    func(k *question) float64 { return k.ledgerOf(k.b.r.Ledger.Returned, run.Returned) },
		"starvation":  (*question).starvation,
		"stuck":       func(k *question) float64 { return float64(k.b.stuckOf(&k.keep)) },
		"throughput":  (*question).throughput,
		"unroutable":  func(k *question) float64 { return k.ledgerOf(k.b.r.Ledger.Unroutable, run.Unroutable, run.Returned) },
		"unserved":    func(k *question) float64 { return k.ledgerOf(k.b.r.Ledger.Unserved, run.Unserved) },
		"utilisation": func(k *question) float64 { return k.b.utilisation(&k.keep) },
	}
)

func init() {
	for name := range intervals {
		samples[name] = func(k *question) sample { return k.view().between(name) }
	}
}

// view is the chosen messages after the warm-up.
func (k *question) view() view {
	if k.rows == nil {
		k.rows = k.b.view(k.keep.admits).rows
	}
	return view{k.b, k.rows}
}

// every is view with the messages of the warm-up.
func (k *question) every() []*run.Message {
	switch {
	case k.all != nil:
	case !k.b.warms:
		k.all = k.view().rows
	default:
		k.all = []*run.Message{}
		for i := range k.b.r.Messages {
			if m := &k.b.r.Messages[i]; k.keep.admits(m) {
				k.all = append(k.all, m)
			}
		}
	}
	return k.all
}

// whole reports whether the question is about the whole run.
func (k *question) whole() bool { return len(k.labels) == 0 }

// ledger is a count of the ledger for the whole run, else what it comes to over
// the chosen messages, those of the warm-up included. A count that the ledger does
// not know is none of its parts either.
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

// ledgerOf is [question.ledger] of the messages that ended in one of the states.
func (k *question) ledgerOf(whole int64, states ...run.State) float64 {
	return k.ledger(whole, func(m *run.Message) int64 { return int64(btoi(slices.Contains(states, m.State))) })
}

// inState counts the chosen messages that ended in a state.
func (k *question) inState(state run.State) float64 {
	n := 0
	for _, m := range k.every() {
		n += btoi(m.State == state)
	}
	return float64(n)
}

func (k *question) published() float64 {
	return k.ledger(k.b.r.Ledger.Published, func(*run.Message) int64 { return 1 })
}

func (k *question) confirmed() float64 {
	return k.ledger(k.b.r.Ledger.Confirmed, func(m *run.Message) int64 { return int64(btoi(m.Confirmed != run.None)) })
}

// acked counts acknowledgements. A row tells of its own only where the target
// shows them; the broker takes a message without one from a worker that sends none.
func (k *question) acked() float64 {
	if !k.whole() && !k.b.r.Target.Visible() {
		return math.NaN()
	}
	return k.ledger(k.b.r.Ledger.Acked, func(m *run.Message) int64 {
		sends := m.Worker >= 0 && int(m.Worker) < len(k.b.r.Workers) && k.b.r.Workers[m.Worker].Ack != "none"
		return int64(btoi(sends && m.Acked != run.None))
	})
}

// inversions counts first deliveries out of order. Those of the chosen messages
// are counted among all.
func (k *question) inversions() float64 {
	if n := k.b.r.Ledger.Inversions; n < 0 || k.whole() {
		return visible(n)
	}
	return float64(k.b.view(nil).inversions(k.keep.admits))
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
	if k.b.last <= k.b.first {
		return math.NaN()
	}
	return float64(k.view().finished()) / seconds(k.b.last-k.b.first)
}

// delivered counts deliveries: of the chosen messages, to the chosen workers,
// before an instant. To which worker and when is known of the attempts that were
// started, and of the last one.
func (k *question) delivered() float64 {
	until := k.before
	if k.whole() && until < 0 {
		return float64(k.b.r.Ledger.Delivered)
	}
	rest := slices.DeleteFunc(slices.Clone(k.labels), func(l metric.Label) bool { return l.Key == "worker" })
	chosen := k.b.filter(rest)
	if len(rest) == len(k.labels) && until < 0 {
		return k.ledger(0, func(m *run.Message) int64 { return int64(m.Attempts) })
	}
	n := 0
	count := func(worker int32, at int64) {
		if at != run.None && (until < 0 || at < until.Microseconds()) && k.keep.worker.admits(worker) {
			n++
		}
	}
	for _, m := range k.b.view(chosen.admits).rows {
		spans := k.b.again[m.Seq]
		for _, s := range spans {
			count(s.Worker, s.Start)
		}
		if len(spans) == 0 {
			count(m.Worker, m.Received)
		}
	}
	return float64(n)
}

// gauge samples a number at the end of each interval of the series: the series'
// own for the whole run, else how many of the chosen messages have passed the
// instant from and not the instant to.
func (k *question) gauge(of func(*run.Sample) int64, from, to func(*run.Message) int64) sample {
	series := k.b.r.Series
	xs := make([]float64, 0, len(series))
	if k.whole() {
		for i := range series {
			if n := of(&series[i]); n >= 0 {
				xs = append(xs, float64(n))
			}
		}
		return ratios(xs)
	}
	if !k.b.r.Target.Visible() {
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

// visible turns the -1 of ledgers into NaN, the not visible of this file.
func visible(n int64) float64 {
	if n < 0 {
		return math.NaN()
	}
	return float64(n)
}

// ratio is a/b, NaN of nothing.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
