package stat

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/scenarios/metric"
)

// everything is a run that has data for every metric: messages of every state, two
// classes, tenants, queues and workers, confirms, redeliveries, a duplicate, a
// message out of order, and a free slot while a message waits.
func everything() *run.Result {
	const s = 1_000_000
	r := &run.Result{
		Scenario: "everything", Target: run.Target{Kind: "sim"}, Length: 40 * s, Interval: s,
		Classes: []string{"a", "b"}, Queues: []string{"p", "q"}, Tenants: []string{"x", "y"},
		Workers: []run.Worker{{Name: "v", Slots: 1, Ack: "on-done", Queues: []string{"p", "q"}}, {Name: "w", Slots: 1, Ack: "on-done", Queues: []string{"p", "q"}}},
	}
	at := []int64{0, 0}
	add := func(m run.Message) {
		m.Seq, m.Attempts = int64(len(r.Messages)), max(m.Attempts, 1)
		r.Messages = append(r.Messages, m)
	}
	for i := range int64(24) { // backlogged from the first second on, so that there are shares
		w := i % 2
		class, tenant, queue := int32(i/2%2), int32(i/4%2), int32(i/8%2)
		work := s + int64(class)*s/2
		m := run.Message{
			Class: class, Queue: queue, Tenant: tenant, Worker: int32(w), Redelivered: i%3 == 0, Redeliveries: int32(btoi(i%3 == 0)), Duplicated: i%5 == 0,
			Intended: i, Sent: i + 1, Confirmed: i + 9, Enqueued: i + 5, Dispatched: at[w] + 30 - i, Received: at[w] + 40, Started: at[w] + 50 + s/2, Done: at[w] + 50 + s/2 + work,
			Acked: at[w] + 60 + s/2 + work, Service: work,
		}
		at[w] = m.Done
		if i%3 == 0 {
			m.Attempts = 2
		}
		add(m)
		r.Spans = append(r.Spans, run.Span{Worker: m.Worker, Class: class, Seq: int64(len(r.Messages) - 1), Start: m.Started, End: m.Done})
	}
	none := run.None
	for i, state := range []run.State{
		run.Lost, run.Left, run.Returned, run.Unroutable, run.Refused, run.DeadLetter,
		run.Dropped, run.Expired, run.Rejected, run.DeliveryLimit,
	} {
		for k := range int32(16) { // every combination of names
			add(run.Message{
				Class: k & 1, Queue: k >> 1 & 1, Tenant: k >> 2 & 1, Worker: k >> 3 & 1, State: state, Intended: int64(i), Sent: int64(i), Confirmed: none, Enqueued: int64(i) + 1,
				Dispatched: none, Received: none, Started: none, Done: none, Acked: none, Service: s,
			})
		}
	}
	l := &r.Ledger
	for i := range r.Messages {
		m := &r.Messages[i]
		l.Published++
		l.Confirmed += int64(btoi(m.Confirmed != none))
		l.Delivered += int64(m.Attempts)
		l.Redelivered += int64(m.Redeliveries)
		l.Duplicated += int64(btoi(m.Duplicated))
		l.Acked += int64(btoi(m.Acked != none))
		l.Finished += int64(btoi(m.State == run.Done))
	}
	l.Count(r.Messages)
	l.Inversions = int64(newDataset(r).view(nil).inversions(func(*run.Message) bool { return true }))
	for i := range int64(41) {
		r.Series = append(r.Series, run.Sample{At: i * s, Ready: 24 - i/2, Unacked: 2})
	}
	return r
}

// labelSets are labels that select some of the messages of everything.
var labelSets = []string{
	"", "class=a", "class!=a", "tenant=x", "tenant!=y", "queue=p", "queue!=p", "worker=v", "worker!=v", "class=a,tenant=x", "class!=a,tenant!=x,queue=q,worker=w", "tenant!=x,tenant!=z",
}

// queriesOf returns the queries of a metric with every statistic and every label set.
func queriesOf(t *testing.T, m *metric.Metric) []metric.Query {
	stats := []string{""}
	if m.Distribution() {
		stats = append(metric.Stats(), "p1", "p50", "p90", "p99.9", "p100")
	}
	var out []metric.Query
	sets := labelSets
	if m.Plan {
		sets = append(slices.Clone(sets), "phase=5s", "queue=p,class=a,phase=5s")
	}
	for _, stat := range stats {
		for _, labels := range sets {
			var parts []string
			if m.By != "" {
				parts = append(parts, "by="+m.By)
			}
			if labels != "" {
				parts = append(parts, labels)
			}
			if m.Before && labels != "" {
				parts = append(parts, "before=5s")
			}
			text := strings.TrimSuffix(m.Name+"."+stat, ".")
			if len(parts) > 0 {
				text += "{" + strings.Join(parts, ",") + "}"
			}
			q, err := metric.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, q)
		}
	}
	if m.Before {
		out = append(out, metric.Must(m.Name+"{before=5s}"), metric.Must(m.Name+"{class!=b}"))
	}
	return out
}

// TestEveryMetricHasOneComputation: this package computes each metric of package
// metric, and no other.
func TestEveryMetricHasOneComputation(t *testing.T) {
	for _, m := range metric.All() {
		_, isSample := samples[m.Name]
		_, isValue := values[m.Name]
		if isSample != m.Distribution() || isValue == m.Distribution() {
			t.Errorf("%s (distribution: %v) is computed as a distribution: %v, as a number: %v", m.Name, m.Distribution(), isSample, isValue)
		}
	}
	if n := len(samples) + len(values); n != len(metric.All()) {
		t.Errorf("%d computations for %d metrics", n, len(metric.All()))
	}
}

// TestEveryMetricIsComputed: every metric of a run with data, with every statistic
// and label, with = and !=, has a value. It is the same from the summary, from the
// messages, and from a summary that reads its messages when needed.
func TestEveryMetricIsComputed(t *testing.T) {
	r := everything()
	r.Capacity = twoPools()
	s := Summarize(r)
	read := *s
	read.From(func() (*run.Result, error) { return r, nil })
	alone := *s
	alone.source = nil
	ds := newDataset(r)
	for _, m := range metric.All() {
		for _, q := range queriesOf(t, m) {
			want := ds.measure(q)
			// The share of one tenant, or of tenants that never wait together, has no meaning,
			// nor has the time in the queue of messages that were all delivered again.
			if math.IsNaN(want) && m.Name != "jain.share" && !strings.HasSuffix(q.String(), "queue=q,worker=w}") {
				t.Errorf("%s has no value", q)
			}
			for what, s := range map[string]*Summary{"live": s, "read": &read} {
				if got, err := s.Ask(q); !same(got, want) || (err != nil) != strings.Contains(q.String(), "tenant!=z") {
					if !strings.Contains(q.String(), "tenant!=z") {
						t.Errorf("%s, %s summary: %v, error %v, want %v", q, what, got, err, want)
					}
				}
			}
			if got, err := alone.Ask(q); err == nil && !same(got, want) {
				t.Errorf("%s, from the figures alone: %v, want %v", q, got, want)
			}
			v := judge(ds, s, nil, run.Expectation{Of: q, Op: ">="})
			if math.IsNaN(want) != (v.Measured == nil) {
				t.Errorf("%s as an expectation: %+v, want %v", q, v, want)
			}
		}
	}
	if v, err := s.Ask(metric.Must("jain.share{by=tenant}")); err != nil || math.IsNaN(v) {
		t.Errorf("jain.share{by=tenant} = %v, %v", v, err)
	}
}

func same(a, b float64) bool { return math.Abs(a-b) <= 1e-12 || math.IsNaN(a) && math.IsNaN(b) }

// TestCountsAddUp: the count of all messages is the sum of the counts by any label.
func TestCountsAddUp(t *testing.T) {
	ds := newDataset(everything())
	for _, m := range metric.All() {
		if m.Kind != metric.Count {
			continue
		}
		all := ds.measure(metric.Query{Metric: m.Name})
		if all == 0 && m.Name != "stuck" {
			t.Errorf("%s is 0: the run does not test it", m.Name)
		}
		for key, names := range map[string][]string{"class": ds.r.Classes, "tenant": ds.r.Tenants, "queue": ds.r.Queues, "worker": {"v", "w"}} {
			sum := 0.0
			for _, name := range names {
				part := metric.Label{Key: key, Value: name}
				is := ds.measure(metric.Query{Metric: m.Name, Labels: []metric.Label{part}})
				part.Not = true
				if not := ds.measure(metric.Query{Metric: m.Name, Labels: []metric.Label{part}}); is+not != all && !isDelivered(m, key) {
					t.Errorf("%s: %v with %s, %v with %s, %v in all", m.Name, is, metric.Label{Key: key, Value: name}, not, part, all)
				}
				sum += is
			}
			if sum != all && !isDelivered(m, key) {
				t.Errorf("%s by %s: %v, want %v", m.Name, key, sum, all)
			}
		}
	}
}

// isDelivered: which worker had a delivery that was never started is not known.
func isDelivered(m *metric.Metric, key string) bool { return m.Name == "delivered" && key == "worker" }

// TestNoDataIsNotMet: an expectation without data is not met; one that the target does
// not show is not visible.
func TestNoDataIsNotMet(t *testing.T) {
	r, f := specimen.CeleryInitial(), specimen.Foreign(specimen.CeleryInitial())
	for _, r := range []*run.Result{r, f} { // of the queries none is served
		r.Ledger.Confirmed = -1
		for i := range r.Messages {
			if m := &r.Messages[i]; m.Class == 1 {
				m.State, m.Received, m.Started, m.Done, m.Enqueued, m.Dispatched = run.Left, run.None, run.None, run.None, run.None, run.None
			}
		}
	}
	for _, tt := range []struct {
		claim          string
		sim, elsewhere Outcome
	}{
		{"wait.p99{class=run_user_query}", NotMet, NotMet},
		{"wait.p99{class=fit_neural_net}", Met, Met},
		{"queued.max{class=run_user_query}", NotMet, NotVisible},
		{"queued.n{class=run_user_query}", Met, NotVisible},
		{"confirm.max", NotMet, NotMet},
		{"confirmed", NotMet, NotMet},
		{"lost{class=run_user_query}", Met, Met},
		{"wait.n{class=run_user_query}", Met, Met},
		{"jain.share{by=tenant}", NotMet, NotMet},
	} {
		e := []run.Expectation{{Text: tt.claim, Of: metric.Must(tt.claim), Op: "<=", Value: 1e9}}
		if v := Check(r, Summarize(r), e)[0]; v.Outcome != tt.sim || (v.Outcome == NotMet) != (v.Error == noData) {
			t.Errorf("%s on sim: %+v, want %s", tt.claim, v, tt.sim)
		}
		if v := Check(f, Summarize(f), e)[0]; v.Outcome != tt.elsewhere {
			t.Errorf("%s on a foreign broker: %+v, want %s", tt.claim, v, tt.elsewhere)
		}
	}
}

func TestAskRefuses(t *testing.T) {
	s := Summarize(everything())
	for q, want := range map[string]string{
		"wait.max{class=c}": `there is no class "c" (have a, b)`, "wait.max{class!=c}": `there is no class "c"`, "lost{tenant=z}": `there is no tenant "z"`,
		"lost{queue=pp}": `there is no queue "pp": did you mean "p"?`, "lost{worker=u}": `there is no worker "u"`,
	} {
		if _, err := s.Ask(metric.Must(q)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", q, err, want)
		}
	}
	s.source = nil
	if _, err := s.Ask(metric.Must("wait.p99.9")); err == nil || !strings.Contains(err.Error(), "needs the messages of everything, which were not kept") {
		t.Errorf("without messages: %v", err)
	}
	asked := 0
	s.From(func() (*run.Result, error) { asked++; return nil, errors.New("unreadable") })
	if _, err := s.Ask(metric.Must("wait.p99")); err != nil || asked > 0 {
		t.Errorf("a figure that is kept: %v, messages read %d times", err, asked)
	}
	if _, err := s.Ask(metric.Must("wait.p99.9")); err == nil || err.Error() != "unreadable" {
		t.Errorf("messages that cannot be read: %v", err)
	}
}

// TestGaugesOfParts: with labels a gauge is computed from the messages, at the ends of
// the same intervals.
func TestGaugesOfParts(t *testing.T) {
	ds := newDataset(everything())
	for _, name := range []string{"ready", "unacked"} {
		parts := make([]float64, len(ds.r.Series))
		for _, class := range []string{"a", "b"} {
			k := ds.ask(metric.Must(name + ".max{class=" + class + "}"))
			if n := len(k.sample(name).values); n != len(ds.r.Series) {
				t.Errorf("%s{class=%s}: %d samples of %d intervals", name, class, n, len(ds.r.Series))
			}
			for i := range parts {
				parts[i] += k.measure(name, "max")
			}
		}
		if slices.Max(parts) == 0 {
			t.Errorf("%s is 0 of both classes", name)
		}
	}
}
