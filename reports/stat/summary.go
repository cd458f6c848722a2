package stat

import (
	"math"
	"sync/atomic"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// summarized counts the calls of Summarize.
var summarized atomic.Int64

// Summarized returns how often [Summarize] was called in this process. It is the
// dearest step of a report; a test holds the command to one call for each run.
func Summarized() int64 { return summarized.Load() }

// Summarize computes the figures of a run, its expectations included. The summary
// keeps the run, for questions that its figures do not answer.
func Summarize(r *run.Result) *Summary {
	summarized.Add(1)
	b := newBook(r)
	all := filter{}
	s := &Summary{
		Arm: r.Arm(), Scenario: r.Scenario, Variant: r.Variant, Title: r.Title, Target: Target(r.Target),
		Matcher: r.Matcher, Dispatch: r.Dispatch, Order: r.Order, Seed: r.Seed, Repeat: r.Repeat,
		Virtual: r.Target.Kind == "sim", Partial: r.Partial, Late: seconds(r.Late), Headline: r.Headline,
		Load: loadOf(r), Ledger: Ledger(r.Ledger),
		Queues: append([]string{}, r.Queues...), Tenants: append([]string{}, r.Tenants...),
		source: func() (*book, error) { return b, nil },
	}
	for _, f := range r.Findings {
		s.Findings = append(s.Findings, Finding(f))
	}
	s.Workers, s.Utilisation = b.workers()
	whole := b.ask(metric.Query{})
	s.JainBusyByWorker, s.JainShareTenant = known(whole.measure("jain.busy", "")), known(whole.measure("jain.share", ""))
	s.IdleWhileWaiting = whole.measure("idle_while_waiting", "")
	s.All = whole.class("all")
	var edges [][]edge
	if len(r.Classes) > 1 { // else nobody is held behind other classes' work
		edges = b.edges()
	}
	groups := b.groups(whole)
	for i, name := range r.Classes {
		c := groups.of("class", name).class(name)
		n, longest := 0, int64(0)
		if edges != nil {
			n, longest = b.stuck(int32(i), edges, &all)
		}
		c.Stuck, c.StuckMax = n, seconds(longest)
		s.All.Stuck += n
		s.All.StuckMax = max(s.All.StuckMax, c.StuckMax)
		s.Classes = append(s.Classes, c)
	}
	whole.numbers["stuck"] = float64(s.All.Stuck)
	s.Length, s.Makespan = seconds(r.Length), s.All.Finish
	if b.last > b.first {
		s.Throughput = float64(s.All.N) / seconds(b.last-b.first)
	}
	s.Drift = whole.view().drift()
	s.Metrics, s.By = whole.figures(wholeStats), groups.figures()
	s.Verdicts = check(b, s)
	if q, err := metric.Parse(s.JudgedBy()); err == nil {
		s.HeadlineValue = known(b.measure(q))
	}
	return s
}

// JudgedBy is the metric that the run is judged by: the scenario's headline, or
// the longest wait.
func (s *Summary) JudgedBy() string {
	if s.Headline == "" {
		return "wait.max"
	}
	return s.Headline
}

// class sums up what was chosen.
func (k *question) class(name string) *Class {
	v := k.view()
	longest, from := v.starvation()
	dist := func(name string) *Dist { return k.sample(name).dist() }
	c := &Class{
		Name: name, Published: len(v.rows), N: v.finished(),
		Wait: dist("wait"), Queued: dist("queued"), Held: dist("held"),
		Service: dist("service"), Sojourn: dist("sojourn"), Slowdown: dist("slowdown"),
		Confirm: dist("confirm"), ScheduleLag: dist("schedule_lag"), Transit: dist("transit"),
		Starvation: seconds(longest), StarvedFrom: seconds(from),
	}
	if f := k.measure("finish", ""); !math.IsNaN(f) {
		c.Finish = f
	}
	if len(v.rows) > 0 {
		k.numbers["starvation"] = c.Starvation
	}
	return c
}

// driftLeast is the number of messages below which halves of a run are too
// short to be compared.
const driftLeast = 200

// drift compares the mean wait of the later half of the messages with the
// earlier half: near 0 in a steady state, above 0 while a backlog grows. It
// means nothing for a load that comes in a burst and is then drained.
func (v view) drift() Figure {
	if len(v.rows) < driftLeast || v.b.last == run.None {
		return nil
	}
	if last := v.rows[len(v.rows)-1].Intended; last-v.b.first < (v.b.last-v.b.first)/2 {
		return nil
	}
	half := len(v.rows) / 2
	early := view{v.b, v.rows[:half]}.between("wait").dist()
	late := view{v.b, v.rows[half:]}.between("wait").dist()
	if early == nil || late == nil || early.Mean == 0 {
		return nil
	}
	return figure(late.Mean/early.Mean - 1)
}
