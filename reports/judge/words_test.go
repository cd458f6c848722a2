package judge

import (
	"math"
	"slices"
	"strings"
	"testing"

	"harelab/scenarios/metric"
)

// queries returns a query for every metric and statistic of the list.
func queries() []metric.Query {
	var out []metric.Query
	for _, m := range metric.All() {
		q := metric.Query{Metric: m.Name}
		if m.By != "" {
			q.Labels = []metric.Label{{Key: "by", Value: m.By}}
		}
		if !m.Distribution() {
			out = append(out, q)
			continue
		}
		for _, stat := range append(metric.Stats(), "p50", "p99.9", "p100") {
			q.Stat = stat
			out = append(out, q)
		}
	}
	return out
}

// TestEveryMetricHasWords: every metric and statistic has a clause, a label and a
// change, for any value, without a gap that was left open.
func TestEveryMetricHasWords(t *testing.T) {
	for _, q := range queries() {
		q.Labels = append(q.Labels, metric.Label{Key: "class", Value: "quick"})
		if err := q.Check(); err != nil {
			t.Fatal(err)
		}
		g := Goal{Query: q}
		said := []string{g.Label()}
		for _, v := range []float64{0, 1, 12345.6, math.Inf(1), math.NaN()} {
			said = append(said, g.Say(v), g.Change(v, 2), g.Change(2, v))
		}
		for i, s := range said {
			if s == "" || strings.ContainsAny(s, "{}") && !strings.Contains(s, q.String()) || strings.Contains(s, "  ") || strings.TrimSpace(s) != s {
				t.Errorf("%s: text %d is %q", q, i, s)
			}
		}
		if to := g.Change(3, 2); strings.Count(to, " instead of ") != 1 {
			t.Errorf("%s: the change is %q", q, to)
		}
	}
}

// TestPhrasesAreUsed: the tables have no metric or statistic twice removed from the
// list, but for the names of causes by which messages can end.
func TestPhrasesAreUsed(t *testing.T) {
	for name := range numbers {
		if m := metric.Lookup(name); (m == nil || m.Distribution()) && !slices.Contains(ends, name) {
			t.Errorf("numbers has %s", name)
		}
	}
	for name := range nouns {
		if m := metric.Lookup(name); m == nil || !m.Distribution() {
			t.Errorf("nouns has %s", name)
		}
	}
	for name := range times {
		if nouns[name] == "" {
			t.Errorf("times has %s", name)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		metric           string
		from, to         float64
		say, label, turn string
	}{
		{"wait.p99{class=quick}", 49, 0.0017, "99 % of quick start within 1.7 ms", "99 % of quick start within", "99 % of quick start within 1.7 ms instead of 49 s"},
		{"wait.p99{class=quick}", 49, 0, "99 % of quick start at once", "99 % of quick start within", "99 % of quick start at once instead of within 49 s"},
		{"wait.p99{class=quick}", 0, 49, "99 % of quick start within 49 s", "99 % of quick start within", "99 % of quick start within 49 s instead of at once"},
		{"wait.p50", 2, 1, "half of messages start within 1 s", "half of messages start within", "half of messages start within 1 s instead of 2 s"},
		{"wait.max{class=quick}", 10.5, 3.83, "the longest wait of quick is 3.83 s", "longest wait of quick", "the longest wait of quick is 3.83 s instead of 10.5 s"},
		{"wait.mean", 2, 0, "all messages start at once", "mean wait of messages", "the mean wait of messages is 0 s instead of 2 s"},
		{"wait.p99{tenant!=noisy}", 53.3, 0.365, "99 % of messages of tenants other than noisy start within 0.365 s", "99 % of messages of tenants other than noisy start within",
			"99 % of messages of tenants other than noisy start within 0.365 s instead of 53.3 s"},
		{"wait.p99{class=job,tenant=a,queue!=x,queue!=y}", 2, 1, "99 % of job of tenant a in queues other than x and y start within 1 s",
			"99 % of job of tenant a in queues other than x and y start within", "99 % of job of tenant a in queues other than x and y start within 1 s instead of 2 s"},
		{"starvation{class=run_user_query}", 3, 10, "for 10 s no run_user_query starts", "longest time in which no run_user_query starts", "for 10 s instead of 3 s no run_user_query starts"},
		{"starvation{class!=slow}", 3, 0, "no message other than slow starves", "longest time in which no message other than slow starts",
			"for 0 s instead of 3 s no message other than slow starts"},
		{"held.max{worker=w-1}", 2, 1, "the longest time that a worker holds messages on worker w-1 is 1 s", "longest time that a worker holds messages on worker w-1",
			"the longest time that a worker holds messages on worker w-1 is 1 s instead of 2 s"},
		{"lost", 5, 0, "no message is lost", "messages lost", "0 instead of 5 messages are lost"},
		{"throughput", 300, 26700, "messages are done at a rate of 26,700 a second", "rate at which messages are done",
			"messages are done at a rate of 26,700 a second instead of 300 a second"},
		{"jain.busy{by=worker}", 0.9, 0.6, "Jain's index of the workers' busy time is 0.6", "Jain's index of the workers' busy time",
			"Jain's index of the workers' busy time is 0.6 instead of 0.9"},
		{"amplification", 3, 1.2, "messages are delivered 1.2 times each on average", "deliveries each of messages", "messages are delivered 1.2 times instead of 3 times each on average"},
		{"makespan", 20, 11, "the last message is done after 11 s", "time until the last message is done", "the last message is done after 11 s instead of 20 s"},
		{"utilisation", 0.5, 0.86, "slots are busy 86 % of the time", "slots busy", "slots are busy 86 % instead of 50 % of the time"},
	} {
		g, err := Parse(tt.metric)
		if err != nil {
			t.Fatal(err)
		}
		if say, label, turn := g.Say(tt.to), g.Label(), g.Change(tt.from, tt.to); say != tt.say || label != tt.label || turn != tt.turn {
			t.Errorf("%s:\n%s\n%s\n%s", tt.metric, say, label, turn)
		}
	}
}
