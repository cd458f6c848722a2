package stat

import (
	"fmt"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// LatenessShare and [LatenessFloor] are the bounds for the effect of a late load
// generator. A figure is vouched for if lateness can have changed it by this share of it
// at most, or by the floor.
const LatenessShare = 0.1

// LatenessFloor is the effect, in seconds, that never counts: some wake-ups of an idle
// machine take as long.
const LatenessFloor = 200e-6

// A Lateness says how late the load generator was on a real clock, and what that spoils.
//
// The generator is late in two ways: it publishes a message after its intended time, and
// it ends work after its service time. Both make waits longer than the scenario's, by
// about as much: so a percentile of a wait may be wrong by the sum of both lateness's
// percentiles, its mean by their means, and a span by the greatest of each.
type Lateness struct {
	Publishing *Dist  `json:"publishing,omitempty"` // s, from intended to sent, of messages with a time of their own: of open loops and traces
	Work       *Dist  `json:"work,omitempty"`       // s, by which work ended after its service time
	Spoiled    []Spot `json:"not_vouched_for,omitempty"`
}

// A Spot is a figure that is not vouched for.
type Spot struct {
	Figure string  `json:"figure"` // as in a query
	Value  float64 `json:"value"`
	Effect float64 `json:"effect"` // by how much lateness may have changed it, in the unit of Value
}

// A blame computes what lateness can do to the figures of a run. It is nil in virtual
// time, where nothing is late.
type blame struct {
	ds         *dataset
	groups     *groups              // questions that are there already; nil: none
	asked      map[string]*question // the others, by their labels
	publishing map[*question]sample
	work       sample
}

func newBlame(ds *dataset, g *groups, virtual bool) *blame {
	if virtual {
		return nil
	}
	us := make([]int64, 0, len(ds.r.Spans))
	for i := range ds.r.Spans {
		if s := &ds.r.Spans[i]; s.Start >= ds.r.Warmup && !s.Cut {
			us = append(us, int64(s.Late))
		}
	}
	return &blame{ds: ds, groups: g, asked: make(map[string]*question), publishing: make(map[*question]sample), work: micros(us)}
}

// question returns the question of the query's labels.
func (b *blame) question(q metric.Query) *question {
	if labels := q.Selecting(); b.groups != nil && len(labels) == 1 && b.groups.by[labels[0]] != nil {
		return b.groups.by[labels[0]]
	}
	key := metric.Braced(q.Labels)
	if b.asked[key] == nil {
		b.asked[key] = b.ds.ask(q)
	}
	return b.asked[key]
}

// measure returns the query's value.
func (b *blame) measure(q metric.Query) float64 { return b.question(q).measure(q.Metric, q.Stat) }

// The metrics that each kind of lateness changes. Others do not change, or not more than
// their own messages' waits.
var (
	spoiledByPublishing = []string{"wait", "queued", "held", "sojourn", "slowdown", "transit", "confirm", "starvation", "finish", "makespan", "throughput"}
	spoiledByWork       = []string{"wait", "queued", "held", "sojourn", "slowdown", "transit", "service", "starvation", "finish", "makespan", "throughput"}
)

// effect returns by how much lateness may have changed the query's value. It is not more
// than the value itself, since lateness makes it longer.
func (b *blame) effect(q metric.Query, value float64) float64 {
	if b == nil || math.IsNaN(value) || q.Stat == "n" {
		return 0
	}
	k := b.question(q)
	late := 0.0
	if slices.Contains(spoiledByPublishing, q.Metric) {
		late += lateAt(b.published(k), q)
	}
	if slices.Contains(spoiledByWork, q.Metric) {
		late += lateAt(b.work, q)
	}
	switch q.Metric {
	case "slowdown":
		if d := k.sample("service").dist(); d != nil && d.Mean > 0 {
			late /= d.Mean
		}
	case "throughput":
		late *= value / max(seconds(b.ds.last-b.ds.first), 1e-6)
	}
	return min(late, math.Abs(value))
}

// published is the sample of the lateness with which the chosen messages were published.
// A message without a time of its own, as in a burst, is never late.
func (b *blame) published(k *question) sample {
	if s, ok := b.publishing[k]; ok {
		return s
	}
	us := make([]int64, 0, len(k.view().rows))
	for _, m := range k.view().rows {
		late := int64(0)
		if m.Paced && m.Sent != run.None {
			late = max(m.Sent-m.Intended, 0)
		}
		us = append(us, late)
	}
	s := micros(us)
	b.publishing[k] = s
	return s
}

// lateAt returns the lateness that goes with a query's statistic: the greatest for spans
// and rates.
func lateAt(s sample, q metric.Query) float64 {
	stat := q.Stat
	if stat == "" || stat == "sd" {
		stat = "max"
	}
	v, _ := s.stat(stat)
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// spoils reports whether an effect on a value is too large for the value to be vouched
// for.
func spoils(effect, value float64) bool {
	return effect > LatenessFloor && effect > LatenessShare*math.Abs(value)
}

// decides reports whether an effect can turn the outcome of an expectation: the distance
// of the value to the bound at which the outcome changes is not larger.
func decides(effect, margin float64) bool { return effect > 0 && margin <= effect }

// judgeLateness judges the lateness of a run and adds its finding. The summary's figures and
// verdicts must be there.
func (s *Summary) judgeLateness(b *blame) {
	if b == nil {
		return
	}
	l := &Lateness{Work: b.work.dist()}
	paced := func(m *run.Message) bool { return m.Paced }
	if v := b.ds.view(paced); len(v.rows) > 0 {
		l.Publishing = v.between("schedule_lag").dist()
	}
	for _, q := range s.figuresShown() {
		v := b.measure(q)
		if effect := b.effect(q, v); spoils(effect, v) {
			l.Spoiled = append(l.Spoiled, Spot{q.String(), v, effect})
		}
	}
	s.Lateness = l
	var harm []string
	if q, ok := s.asked(); ok {
		v := b.measure(q)
		if effect := b.effect(q, v); spoils(effect, v) {
			harm = append(harm, fmt.Sprintf("lateness can explain %s of %s (%s)", Quantity(effect, q.Unit()), q, Quantity(v, q.Unit())))
		}
	}
	for _, v := range s.Verdicts {
		if v.Outcome == NotDecided {
			harm = append(harm, fmt.Sprintf("%q is not decided, since lateness can explain %s of the measured %s", v.Text, Quantity(v.Effect, v.Unit), Quantity(*v.Measured, v.Unit)))
		}
	}
	switch {
	case len(harm) > 0:
		s.Findings = append([]Finding{{Code: "lateness", Invalid: true, Text: fmt.Sprintf(
			"The load generator was late: %s. %s. Offer less, or close what else runs on this machine, and measure again.", l.Words(), Upper(List(harm, "and")))}}, s.Findings...)
	case len(l.Spoiled) > 0:
		s.Findings = append(s.Findings, Finding{Code: "lateness", Text: fmt.Sprintf(
			"The load generator was late: %s. Lateness may be more than %s of these figures, which are not vouched for: %s.", l.Words(), Percent(LatenessShare), l.figures())})
	}
}

// figuresShown are the figures of classes that reports show.
func (s *Summary) figuresShown() []metric.Query {
	var out []metric.Query
	for _, c := range s.Classes {
		of := []metric.Label{{Key: "class", Value: c.Name}}
		for _, name := range []string{"wait", "queued", "held"} {
			for _, stat := range []string{"mean", "p50", "p99", "max"} {
				out = append(out, metric.Query{Metric: name, Stat: stat, Labels: of})
			}
		}
		out = append(out, metric.Query{Metric: "starvation", Labels: of})
	}
	return out
}

// asked returns the figure that the run is asked for beside its expectations: that of
// report.headline. A scenario that asks for nothing but counts is asked for the 99th
// percentile of the wait of the class whose wait is longest relative to its service.
func (s *Summary) asked() (metric.Query, bool) {
	if q, err := metric.Parse(s.Headline); err == nil {
		return q, true
	}
	for _, v := range s.Verdicts {
		if q, _, err := metric.Cut(v.Text); err == nil && q.Def().Kind != metric.Count {
			return metric.Query{}, false
		}
	}
	best, longest := metric.Query{}, -1.0
	for _, c := range s.Classes {
		if c.Wait == nil || c.Service == nil {
			continue
		}
		if ratio := c.Wait.P99 / max(c.Service.Mean, 1e-6); ratio > longest {
			longest = ratio
			best = metric.Query{Metric: "wait", Stat: "p99", Labels: []metric.Label{{Key: "class", Value: c.Name}}}
		}
	}
	return best, longest >= 0
}

// Words says how late the generator was. It is empty if nothing could be late.
func (l *Lateness) Words() string {
	var parts []string
	if d := l.Publishing; d != nil {
		parts = append(parts, fmt.Sprintf("messages were sent up to %s after their time (99 %% of them within %s)", Brief(d.Max), Brief(d.P99)))
	}
	if d := l.Work; d != nil {
		parts = append(parts, fmt.Sprintf("work ended up to %s after its time (99 %% of it within %s)", Brief(d.Max), Brief(d.P99)))
	}
	return List(parts, "and")
}

// Join makes l the worse of both, by their 99th percentiles.
func (l *Lateness) Join(o *Lateness) {
	worse := func(a, b *Dist) *Dist {
		if a == nil || b != nil && b.P99 > a.P99 {
			return b
		}
		return a
	}
	l.Publishing, l.Work = worse(l.Publishing, o.Publishing), worse(l.Work, o.Work)
}

// listed is the number of figures that a sentence names.
const listed = 8

// figures names the figures that are not vouched for, with their values.
func (l *Lateness) figures() string {
	var parts []string
	for _, f := range l.Spoiled[:min(len(l.Spoiled), listed)] {
		parts = append(parts, fmt.Sprintf("%s (%s, lateness %s)", f.Figure, Brief(f.Value), Brief(f.Effect)))
	}
	if n := len(l.Spoiled) - listed; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more that summary.json lists", n))
	}
	return List(parts, "and")
}
