package stat

import (
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// The statistics that a summary keeps of each distribution: for the whole run, and
// for the messages that one label selects. Others are computed from the messages.
var (
	wholeStats = []string{"n", "mean", "sd", "min", "p50", "p90", "p95", "p99", "max"}
	groupStats = []string{"n", "mean", "p50", "p95", "p99", "max"}
)

// wholeOnly are the metrics that are kept only for the whole run: each label would
// take another pass over all messages.
var wholeOnly = []string{"idle_while_waiting", "jain.busy", "jain.share", "offered_slots", "order.inversions", "ready", "slots", "stuck", "unacked"}

// Bounds on what a summary keeps by label.
const (
	maxNames  = 64     // tenants, queues or workers: with more, none of them is kept
	maxSorted = 20_000 // messages: with more, nothing is kept by queue and by worker
)

// groups are the questions by one label whose answers a summary keeps.
type groups struct {
	order []metric.Label
	by    map[metric.Label]*question
}

// groups makes a question for every class, tenant, queue and worker, within the
// bounds above.
func (ds *dataset) groups(whole *question) *groups {
	g := &groups{by: make(map[metric.Label]*question)}
	workers := make([]string, len(ds.r.Workers))
	for i, w := range ds.r.Workers {
		workers[i] = w.Name
	}
	for _, d := range []struct {
		key   string
		names []string
		index func(*run.Message) int32
	}{
		{"class", ds.r.Classes, func(m *run.Message) int32 { return m.Class }},
		{"tenant", ds.r.Tenants, func(m *run.Message) int32 { return m.Tenant }},
		{"queue", ds.r.Queues, func(m *run.Message) int32 { return m.Queue }},
		{"worker", workers, func(m *run.Message) int32 { return m.Worker }},
	} {
		place := d.key == "queue" || d.key == "worker"
		if d.key != "class" && len(d.names) > maxNames || place && len(whole.view().rows) > maxSorted {
			continue
		}
		rows := partition(whole, len(d.names), d.index)
		for i, name := range d.names {
			g.add(whole, metric.Label{Key: d.key, Value: name}, rows[i])
		}
	}
	return g
}

// partition splits the messages by the number that index returns for each. It leaves
// out those with -1.
func partition(whole *question, n int, index func(*run.Message) int32) [][]*run.Message {
	rows := make([][]*run.Message, n)
	for i := range rows {
		rows[i] = []*run.Message{}
	}
	for _, m := range whole.view().rows {
		if i := index(m); i >= 0 && int(i) < n {
			rows[i] = append(rows[i], m)
		}
	}
	return rows
}

// add adds the question of one label; rows are the label's messages. A label that
// selects every message shares the distributions of the whole run.
func (g *groups) add(whole *question, l metric.Label, rows []*run.Message) {
	k := whole.ds.ask(metric.Query{Labels: []metric.Label{l}})
	k.rows = rows
	if len(rows) == len(whole.rows) {
		k.rows, k.known, k.numbers = whole.rows, whole.known, g.shared(whole)
	}
	g.order = append(g.order, l)
	g.by[l] = k
}

// shared returns the numbers of the whole run that depend on its messages alone.
func (g *groups) shared(whole *question) map[string]float64 {
	out := make(map[string]float64)
	for _, name := range []string{"finish", "finished", "makespan", "starvation", "throughput"} {
		if v, ok := whole.numbers[name]; ok {
			out[name] = v
		}
	}
	return out
}

func (g *groups) of(key, value string) *question { return g.by[metric.Label{Key: key, Value: value}] }

// figures returns the kept figures of each group, by its label.
func (g *groups) figures() map[string]map[string]float64 {
	out := make(map[string]map[string]float64)
	for _, l := range g.order {
		if f := g.by[l].figures(groupStats); len(f) > 0 {
			out[l.String()] = f
		}
	}
	return out
}

// figureName is the name of a figure in a summary: the query without the labels
// that select messages.
func figureName(m *metric.Metric, stat string) string {
	q := metric.Query{Metric: m.Name, Stat: stat}
	if m.By != "" {
		q.Labels = []metric.Label{{Key: "by", Value: m.By}}
	}
	return q.String()
}

// keeps reports whether a summary keeps the metric: for the whole run, or else for
// a group.
func keeps(m *metric.Metric, whole bool) bool { return whole || !slices.Contains(wholeOnly, m.Name) }

// figures measures every metric, with the given statistics of distributions. It
// leaves out those without a value.
func (k *question) figures(stats []string) map[string]float64 {
	out := make(map[string]float64)
	for _, m := range metric.All() {
		if !keeps(m, k.whole()) {
			continue
		}
		names := stats
		if !m.Distribution() {
			names = []string{""}
		}
		for _, stat := range names {
			if v := k.measure(m.Name, stat); !math.IsNaN(v) && !math.IsInf(v, 0) {
				out[figureName(m, stat)] = v
			}
		}
	}
	return out
}
