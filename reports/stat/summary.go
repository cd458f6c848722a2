package stat

import (
	"math"
	"sync/atomic"

	"harelab/loadgen/run"
)

// summarized counts the calls of Summarize.
var summarized atomic.Int64

// Summarized returns how often [Summarize] was called in this process. It is the
// dearest step of a report; a test holds the command to one call for each run.
func Summarized() int64 { return summarized.Load() }

// Summarize computes the figures of a run, its expectations included.
func Summarize(r *run.Result) *Summary {
	summarized.Add(1)
	b := newBook(r)
	s := &Summary{
		Arm: r.Arm(), Scenario: r.Scenario, Variant: r.Variant, Title: r.Title, Target: Target(r.Target),
		Matcher: r.Matcher, Dispatch: r.Dispatch, Order: r.Order, Seed: r.Seed, Repeat: r.Repeat,
		Virtual: r.Target.Kind == "sim", Partial: r.Partial, Late: seconds(r.Late), Headline: r.Headline,
		Load: loadOf(r), Ledger: Ledger(r.Ledger),
		JainBusyByWorker: b.jainBusy(), JainShareTenant: b.jainShare(),
		IdleWhileWaiting: b.idleWhileWaiting(),
	}
	for _, f := range r.Findings {
		s.Findings = append(s.Findings, Finding(f))
	}
	s.Workers, s.Utilisation = b.workers()
	everything := b.view(nil)
	s.All = everything.class("all")
	var edges [][]edge
	if len(r.Classes) > 1 { // else nobody is held behind other classes' work
		edges = b.edges()
	}
	for i, name := range r.Classes {
		of := b.view(func(m *run.Message) bool { return m.Class == int32(i) })
		c := new(Class)
		if len(of.rows) == len(everything.rows) { // the only class is the whole
			*c = *s.All
			c.Name = name
		} else {
			c = of.class(name)
		}
		n, longest := 0, int64(0)
		if edges != nil {
			n, longest = b.stuck(int32(i), edges)
		}
		c.Stuck, c.StuckMax = n, seconds(longest)
		s.All.Stuck += n
		s.All.StuckMax = max(s.All.StuckMax, c.StuckMax)
		s.Classes = append(s.Classes, c)
	}
	s.Length, s.Makespan = seconds(r.Length), s.All.Finish
	if b.last > b.first {
		s.Throughput = float64(s.All.N) / seconds(b.last-b.first)
	}
	s.Drift = everything.drift()
	s.Verdicts = check(b, s)
	if e, err := ParseMetric(s.JudgedBy()); err == nil {
		if v, err := b.measure(s, e); err == nil {
			s.HeadlineValue = known(v)
		}
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

// class sums a view up.
func (v view) class(name string) *Class {
	longest, from := v.starvation()
	c := &Class{
		Name: name, Published: len(v.rows), N: v.finished(),
		Wait: v.between("wait").dist(), Queued: v.between("queued").dist(), Held: v.between("held").dist(),
		Service: v.between("service").dist(), Sojourn: v.between("sojourn").dist(), Slowdown: v.slowdown().dist(),
		Confirm: v.between("confirm").dist(), ScheduleLag: v.between("schedule_lag").dist(), Transit: v.between("transit").dist(),
		Starvation: seconds(longest), StarvedFrom: seconds(from),
	}
	if f := v.finish(); !math.IsNaN(f) {
		c.Finish = f
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
