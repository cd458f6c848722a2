package stat

import (
	"math"
	"slices"
	"sync/atomic"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

var summarized atomic.Int64 // calls of Summarize

// Summarized returns the number of calls of [Summarize] in this process. Summarize
// is the most expensive step of a report, and a test checks that the command calls
// it once for each run.
func Summarized() int64 { return summarized.Load() }

// Summarize computes the figures of a run and checks its expectations. The summary
// keeps r, for queries that its figures do not answer; the caller must not change r.
func Summarize(r *run.Result) *Summary {
	summarized.Add(1)
	ds := newDataset(r)
	all := filter{}
	s := newSummary(r)
	s.Load, s.Ends = loadOf(r), r.Ends()
	s.source = func() (*dataset, error) { return ds, nil }
	s.Workers, s.Utilisation = ds.workers()
	whole := ds.ask(metric.Query{})
	s.JainBusyByWorker, s.JainShareTenant = known(whole.measure("jain.busy", "")), known(whole.measure("jain.share", ""))
	s.IdleWhileWaiting = whole.measure("idle_while_waiting", "")
	s.All = whole.class("all")
	var edges [][]edge
	if len(r.Classes) > 1 { // a single class is never held behind another
		edges = ds.edges()
	}
	groups := ds.groups(whole)
	for i, name := range r.Classes {
		c := groups.of("class", name).class(name)
		n, longest := 0, int64(0)
		if edges != nil {
			n, longest = ds.stuck(int32(i), edges, &all)
		}
		c.Stuck, c.StuckMax = n, seconds(longest)
		s.All.Stuck += n
		s.All.StuckMax = max(s.All.StuckMax, c.StuckMax)
		s.Classes = append(s.Classes, c)
	}
	whole.numbers["stuck"] = float64(s.All.Stuck)
	s.Length, s.Makespan = seconds(r.Length), s.All.Finish
	if ds.last > ds.first {
		s.Throughput = float64(s.All.N) / seconds(ds.last-ds.first)
	}
	s.Drift = whole.view().drift()
	s.Metrics, s.By = whole.figures(wholeStats), groups.figures()
	b := newBlame(ds, groups, s.Virtual)
	s.Verdicts = check(ds, s, b)
	if q, err := metric.Parse(s.Headline); err == nil {
		s.HeadlineValue = known(ds.measure(q))
	}
	s.judgeLateness(b)
	return s
}

// newSummary returns a summary with what a run says of itself.
func newSummary(r *run.Result) *Summary {
	s := &Summary{
		Arm: r.Arm(), Scenario: r.Scenario, Variant: r.Variant, Title: r.Title, Target: Target(r.Target),
		Matcher: r.Matcher, Dispatch: r.Dispatch, Order: r.Order, Seed: r.Seed, Repeat: r.Repeat,
		Virtual: r.Target.Kind == "sim", Partial: r.Partial, Late: seconds(r.Late), Headline: r.Headline,
		Capacity: r.Capacity, Ledger: Ledger(r.Ledger),
		Queues: append([]string{}, r.Queues...), Tenants: append([]string{}, r.Tenants...),
	}
	for _, f := range r.Findings {
		s.Findings = append(s.Findings, Finding(f))
	}
	return s
}

// outlined is the code of the finding of an outline.
const outlined = "no-figures"

// Outline returns a summary without figures, which costs nothing however many messages
// there are: a run that was interrupted while its figures were computed is written with it.
func Outline(r *run.Result) *Summary {
	s := newSummary(r)
	s.Findings = append(s.Findings, Finding{Code: outlined, Text: "The figures were not computed: that was interrupted."})
	s.All = &Class{Name: "all"}
	for _, name := range r.Classes {
		s.Classes = append(s.Classes, &Class{Name: name})
	}
	for _, w := range r.Workers {
		s.Workers = append(s.Workers, &Worker{Name: w.Name, Slots: w.Slots, Prefetch: w.Prefetch, Scope: w.Scope, Ack: w.Ack, Unacked: w.Unacked})
	}
	return s
}

// Outlined reports whether the summary is an outline.
func (s *Summary) Outlined() bool {
	return slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == outlined })
}

// Complete returns the summary of a run that was written with an outline: its figures are
// computed from its messages. Its expectations stay without a result.
func (s *Summary) Complete(r *run.Result) *Summary {
	c := *r
	c.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f run.Finding) bool { return f.Code == outlined })
	return Summarize(&c)
}

// class returns the figures of the selected messages, under a name.
func (k *question) class(name string) *Class {
	v := k.view()
	longest, from := v.starvation()
	dist := func(name string) *Dist { return k.sample(name).dist() }
	c := &Class{
		Name: name, Published: len(v.rows), N: v.finished(),
		Wait: dist("wait"), Queued: dist("queued"), Held: dist("held"),
		Service: dist("service"), Sojourn: dist("sojourn"), Slowdown: dist("slowdown"),
		Confirm: dist("confirm"), ScheduleLag: dist("schedule_lag"), Transit: dist("transit"),
		Parts: v.parts(), Starvation: seconds(longest), StarvedFrom: seconds(from),
	}
	if f := k.measure("finish", ""); !math.IsNaN(f) {
		c.Finish = f
	}
	if len(v.rows) > 0 {
		k.numbers["starvation"] = c.Starvation
	}
	return c
}

// driftLeast is the least number of messages for which the halves of a run are
// compared.
const driftLeast = 200

// drift compares the mean wait of the later half of the messages with that of the
// earlier half: it is near 0 in a steady state and above 0 while a backlog grows. It
// is nil for a load that arrives in a burst and is then drained, where it has no
// meaning.
func (v view) drift() Figure {
	if len(v.rows) < driftLeast || v.ds.last == run.None {
		return nil
	}
	if last := v.rows[len(v.rows)-1].Intended; last-v.ds.first < (v.ds.last-v.ds.first)/2 {
		return nil
	}
	half := len(v.rows) / 2
	early := view{v.ds, v.rows[:half]}.between("wait").dist()
	late := view{v.ds, v.rows[half:]}.between("wait").dist()
	if early == nil || late == nil || early.Mean == 0 {
		return nil
	}
	return figure(late.Mean/early.Mean - 1)
}
