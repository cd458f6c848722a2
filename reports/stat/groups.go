package stat

import (
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// The statistics that a summary keeps of each distribution: of the whole run, and
// of the messages that one label chooses. Others are worked out of the messages.
var (
	wholeStats = []string{"n", "mean", "sd", "min", "p50", "p90", "p95", "p99", "max"}
	groupStats = []string{"n", "mean", "p50", "p95", "p99", "max"}
)

// What takes a pass over the whole run is not kept by label.
var wholeOnly = []string{"idle_while_waiting", "jain.busy", "jain.share", "order.inversions", "ready", "stuck", "unacked"}

// Bounds of what a summary keeps by label: so many names of one kind but classes,
// and so many messages to sort once more by queue and by worker.
const (
	maxNames  = 64
	maxSorted = 20_000
)

// Groups are the questions by one label whose answers a summary keeps.
type groups struct {
	order []metric.Label
	by    map[metric.Label]*question
}

// groups makes them: every class, tenant, queue and worker with =, unless that is
// too much.
func (b *book) groups(whole *question) *groups {
	g := &groups{by: make(map[metric.Label]*question)}
	workers := make([]string, len(b.r.Workers))
	for i, w := range b.r.Workers {
		workers[i] = w.Name
	}
	for _, d := range []struct {
		key   string
		names []string
		index func(*run.Message) int32
	}{
		{"class", b.r.Classes, func(m *run.Message) int32 { return m.Class }},
		{"tenant", b.r.Tenants, func(m *run.Message) int32 { return m.Tenant }},
		{"queue", b.r.Queues, func(m *run.Message) int32 { return m.Queue }},
		{"worker", workers, func(m *run.Message) int32 { return m.Worker }},
	} {
		place := d.key == "queue" || d.key == "worker"
		if d.key != "class" && len(d.names) > maxNames || place && len(whole.view().rows) > maxSorted {
			continue
		}
		rows := parted(whole, len(d.names), d.index)
		for i, name := range d.names {
			g.add(whole, metric.Label{Key: d.key, Value: name}, rows[i])
		}
	}
	return g
}

// parted splits the messages by what index says of each; -1 is left out.
func parted(whole *question, n int, index func(*run.Message) int32) [][]*run.Message {
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

// add makes the question of one label; rows are its messages. One that chooses
// every message has the distributions of the whole.
func (g *groups) add(whole *question, l metric.Label, rows []*run.Message) {
	k := whole.b.ask(metric.Query{Labels: []metric.Label{l}})
	k.rows = rows
	if len(rows) == len(whole.rows) {
		k.rows, k.known, k.numbers = whole.rows, whole.known, g.shared(whole)
	}
	g.order = append(g.order, l)
	g.by[l] = k
}

// shared returns those numbers of the whole that are those of all its messages.
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

// figures returns what is kept of each group, by its label.
func (g *groups) figures() map[string]map[string]float64 {
	out := make(map[string]map[string]float64)
	for _, l := range g.order {
		if f := g.by[l].figures(groupStats); len(f) > 0 {
			out[l.String()] = f
		}
	}
	return out
}

// figureName is what a summary calls a figure: the query without what chooses
// messages.
func figureName(m *metric.Metric, stat string) string {
	q := metric.Query{Metric: m.Name, Stat: stat}
	if m.By != "" {
		q.Labels = []metric.Label{{Key: "by", Value: m.By}}
	}
	return q.String()
}

// keeps reports whether figures has the metric for a group, or for the whole run.
func keeps(m *metric.Metric, whole bool) bool { return whole || !slices.Contains(wholeOnly, m.Name) }

// figures measures every metric, with these statistics of the distributions. What
// has no value is left out.
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
