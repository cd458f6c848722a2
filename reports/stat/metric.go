package stat

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/loadgen/run"
)

// A metric answers an expectation about one name. It gives the sample whose
// statistic is asked for, or one number.
type metric struct {
	name   string
	doc    string
	unit   string   // "s", "%" or "" for plain numbers
	labels []string // that it understands
	sample func(q *question) (sample, error)
	value  func(q *question) (float64, error)
}

// A question is an expectation's left side, made ready: the messages that its
// labels choose.
type question struct {
	b    *book
	s    *Summary
	view view
	e    run.Expectation
}

// selectors are the labels that choose messages.
var selectors = []string{"class", "queue", "tenant", "worker"}

// metrics in the order in which errors list them.
var metrics = slices.Concat(intervalMetrics(), []metric{
	{name: "slowdown", doc: "sojourn / service", labels: selectors,
		sample: func(q *question) (sample, error) { return q.view.slowdown(), nil }},
	{name: "starvation", doc: "longest span with something waiting and nothing starting", unit: "s", labels: selectors,
		value: func(q *question) (float64, error) { t, _ := q.view.starvation(); return seconds(t), nil }},
	{name: "finish", doc: "last done", unit: "s", labels: selectors,
		value: func(q *question) (float64, error) { return q.view.finish(), nil }},
	{name: "makespan", doc: "last done of the run", unit: "s",
		value: func(q *question) (float64, error) { return q.view.finish(), nil }},
	{name: "stuck", doc: "messages held behind other classes' work", labels: []string{"class"}, value: stuckCount},
	{name: "utilisation", doc: "busy slot time / slot time", unit: "%", labels: []string{"worker"}, value: utilisationOf},
	{name: "idle_while_waiting", doc: "time with a free slot and a message it could serve", unit: "s",
		value: func(q *question) (float64, error) { return q.s.IdleWhileWaiting, nil }},
	{name: "throughput", doc: "finished per second, from the first intended instant to the last done",
		value: func(q *question) (float64, error) { return q.s.Throughput, nil }},
	{name: "jain.busy", doc: "Jain's index over busy time", labels: []string{"by"},
		value: func(q *question) (float64, error) { return q.by("worker", q.s.JainBusyByWorker) }},
	{name: "jain.share", doc: "Jain's index over service while all are backlogged", labels: []string{"by"},
		value: func(q *question) (float64, error) { return q.by("tenant", q.s.JainShareTenant) }},
	{name: "order.inversions", doc: "first deliveries out of publish order", labels: selectors, value: inversionsOf},
	{name: "delivered", doc: "deliveries received", labels: append([]string{"before"}, selectors...), value: delivered},
	{name: "finished", doc: "messages whose work was done", labels: selectors,
		value: func(q *question) (float64, error) { return float64(q.view.finished()), nil }},
	{name: "amplification", doc: "deliveries / published",
		value: func(q *question) (float64, error) {
			return float64(q.s.Ledger.Delivered) / float64(q.s.Ledger.Published), nil
		}},
}, ledgerMetrics(), gaugeMetrics())

func intervalMetrics() []metric {
	var ms []metric
	for _, d := range [][2]string{
		{"wait", "intended to started"}, {"queued", "in the broker"}, {"held", "received, not started"},
		{"service", "started to done"}, {"sojourn", "intended to done"}, {"transit", "sent to received"},
		{"confirm", "intended to confirmed"}, {"schedule_lag", "intended to sent"},
	} {
		ms = append(ms, metric{name: d[0], doc: d[1], unit: "s", labels: selectors,
			sample: func(q *question) (sample, error) { return q.view.between(d[0]), nil }})
	}
	return ms
}

// ledgerMetrics are the counts of the ledger; -1 there is not visible.
func ledgerMetrics() []metric {
	counts := []struct {
		name string
		of   func(*run.Ledger) int64
	}{
		{"published", func(l *run.Ledger) int64 { return l.Published }},
		{"confirmed", func(l *run.Ledger) int64 { return l.Confirmed }},
		{"returned", func(l *run.Ledger) int64 { return l.Returned }},
		{"unroutable", func(l *run.Ledger) int64 { return l.Unroutable }},
		{"rejected", func(l *run.Ledger) int64 { return l.Rejected }},
		{"acked", func(l *run.Ledger) int64 { return l.Acked }},
		{"lost", func(l *run.Ledger) int64 { return l.Lost }},
		{"duplicated", func(l *run.Ledger) int64 { return l.Duplicated }},
		{"redelivered", func(l *run.Ledger) int64 { return l.Redelivered }},
		{"unserved", func(l *run.Ledger) int64 { return l.Unserved }},
	}
	var ms []metric
	for _, c := range counts {
		ms = append(ms, metric{name: c.name, doc: "messages, from the ledger", value: func(q *question) (float64, error) {
			return visible(c.of(&q.b.r.Ledger)), nil
		}})
	}
	return ms
}

// visible turns the -1 of ledgers and gauges into NaN, the not visible of
// this file.
func visible(n int64) float64 {
	if n < 0 {
		return math.NaN()
	}
	return float64(n)
}

// gaugeMetrics are the gauges of the series, whose stat is mean, max or a
// percentile over the intervals.
func gaugeMetrics() []metric {
	gauges := []struct {
		name string
		of   func(*run.Sample) int64
	}{
		{"ready", func(s *run.Sample) int64 { return s.Ready }},
		{"unacked", func(s *run.Sample) int64 { return s.Unacked }},
	}
	var ms []metric
	for _, g := range gauges {
		ms = append(ms, metric{name: g.name, doc: "messages, over the intervals of the series", labels: []string{"worker"},
			sample: func(q *question) (sample, error) { return q.gauge(g.name, g.of) }})
	}
	return ms
}

func (q *question) gauge(name string, of func(*run.Sample) int64) (sample, error) {
	if len(q.e.Labels) > 0 {
		if name == "unacked" {
			return q.unackedOf(), nil
		}
		return sample{}, fmt.Errorf("%s has no label %q", name, q.e.Labels[0].Key)
	}
	var xs []float64
	for i := range q.b.r.Series {
		if n := of(&q.b.r.Series[i]); n >= 0 {
			xs = append(xs, float64(n))
		}
	}
	return ratios(xs), nil
}

// unackedOf is the number of messages out at the chosen workers, at each
// change of it.
func (q *question) unackedOf() sample {
	var steps []edge
	for _, m := range q.view.rows {
		if m.Dispatched == run.None {
			continue
		}
		steps = append(steps, edge{at: m.Dispatched, step: 1})
		if m.Acked != run.None {
			steps = append(steps, edge{at: m.Acked, step: -1})
		}
	}
	slices.SortStableFunc(steps, compareEdges)
	var xs []float64
	n := 0
	for _, s := range steps {
		n += int(s.step)
		xs = append(xs, float64(n))
	}
	return ratios(xs)
}

func stuckCount(q *question) (float64, error) {
	n := 0
	for _, c := range q.s.Classes {
		if matches(q.e.Labels, "class", c.Name) {
			n += c.Stuck
		}
	}
	return float64(n), nil
}

func utilisationOf(q *question) (float64, error) {
	if len(q.e.Labels) == 0 {
		return q.s.Utilisation, nil
	}
	var busy, capacity float64
	for _, w := range q.s.Workers {
		if matches(q.e.Labels, "worker", w.Name) && w.Utilisation > 0 {
			busy += w.Busy
			capacity += w.Busy / w.Utilisation
		}
	}
	if capacity == 0 {
		return 0, nil
	}
	return busy / capacity, nil
}

func inversionsOf(q *question) (float64, error) {
	if len(q.e.Labels) == 0 {
		return visible(q.b.r.Ledger.Inversions), nil
	}
	return float64(q.view.inversions()), nil
}

// delivered counts deliveries: of the chosen messages, to the chosen workers,
// before an instant. Of a message with several attempts, those that were
// started are known.
func delivered(q *question) (float64, error) {
	if len(q.e.Labels) == 0 {
		return float64(q.s.Ledger.Delivered), nil
	}
	until, err := before(q.e.Labels)
	if err != nil {
		return 0, err
	}
	var rest, byWorker []run.Label
	for _, l := range q.e.Labels {
		if l.Key == "worker" {
			byWorker = append(byWorker, l)
		} else {
			rest = append(rest, l)
		}
	}
	n := 0
	count := func(worker int32, at int64) {
		if at == run.None || at >= until || worker < 0 || int(worker) >= len(q.b.r.Workers) {
			return
		}
		if matches(byWorker, "worker", q.b.r.Workers[worker].Name) {
			n++
		}
	}
	for _, m := range q.b.view(q.b.chosen(rest)).rows {
		spans := q.b.again[m.Seq]
		for _, s := range spans {
			count(s.Worker, s.Start)
		}
		if len(spans) == 0 {
			count(m.Worker, m.Received)
		}
	}
	return float64(n), nil
}

// by checks that a Jain index is asked for over what it is computed over.
func (q *question) by(want string, f Figure) (float64, error) {
	if len(q.e.Labels) != 1 || q.e.Labels[0].Key != "by" || q.e.Labels[0].Value != want || q.e.Labels[0].Not {
		return 0, fmt.Errorf("%s is over something: write %s{by=%s}", q.e.Metric, q.e.Metric, want)
	}
	if f == nil {
		return math.NaN(), nil
	}
	return *f, nil
}

// lookup finds the metric of an expectation.
func lookup(name string) (*metric, error) {
	for i := range metrics {
		if metrics[i].name == name {
			return &metrics[i], nil
		}
	}
	return nil, fmt.Errorf("stat: unknown metric %q (have %s)", name, strings.Join(Metrics(), ", "))
}

// Metrics returns the names that an expectation can be about.
func Metrics() []string {
	var names []string
	for _, m := range metrics {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return names
}
