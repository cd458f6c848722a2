package loadgen

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// NewResult returns the result of a run of s with what is known before the run:
// names, params, workers, expectations. The caller fills in the strategies if it
// knows the broker.
func NewResult(s *scenarios.Scenario, target run.Target) *run.Result {
	r := &run.Result{
		Scenario: s.Name,
		Variant:  s.Variant,
		Title:    s.Title,
		Doc:      s.Doc,
		Params:   maps.Clone(s.Params),
		Seed:     s.Seed,
		Target:   target,
		Warmup:   s.Measure.Warmup.Microseconds(),
		Interval: s.Measure.Interval.Microseconds(),
		Headline: s.Report.Headline,
		Charts:   slices.Clone(s.Report.Charts),
		Outages:  outages(s),
		Expect:   slices.Clone(s.Expect),
		Resolved: s.YAML(),
	}
	if plan, err := NewPlan(s); err == nil { // whoever runs s has reported the error
		r.Capacity = plan.Capacity()
	}
	for i := range s.Classes {
		r.Classes = append(r.Classes, s.Classes[i].Name)
	}
	for i := range s.Queues {
		r.Queues = append(r.Queues, s.Queues[i].Name)
	}
	for i := range s.Workers {
		w := &s.Workers[i]
		rw := run.Worker{Name: w.Name, Slots: w.Slots, Prefetch: w.Prefetch, Scope: w.Scope, Ack: w.Ack.When, Away: absences(s, w)}
		for _, c := range w.Consume {
			rw.Queues = append(rw.Queues, c.Queue)
		}
		r.Workers = append(r.Workers, rw)
	}
	for _, text := range s.Notes {
		r.Findings = append(r.Findings, run.Finding{Code: "scenario", Text: text})
	}
	for _, g := range s.Measure.Gauges {
		if !slices.Contains(recorded, g) {
			r.Findings = append(r.Findings, run.Finding{Code: "gauge", Text: fmt.Sprintf("The gauge %s is not recorded.", g)})
		}
	}
	return r
}

// outages returns the spans of a plan in which the work of some workers fails, each
// once.
func outages(s *scenarios.Scenario) []run.Outage {
	var list []run.Outage
	for i := range s.Workers {
		f := s.Workers[i].Fail
		if f == nil || f.P == 0 || f.To == 0 && f.From == 0 {
			continue
		}
		o := run.Outage{From: f.From.Microseconds(), To: f.To.Microseconds(), What: "all work fails"}
		if f.To == 0 {
			o.To = math.MaxInt64
		}
		if f.P < 1 {
			o.What = fmt.Sprintf("%.3g %% of the work fails", 100*f.P)
		}
		if !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b run.Outage) int { return cmp.Compare(a.From, b.From) })
	return list
}

// Full is the finding of a run that ended because it had as many messages as a run
// keeps: closed loops and retries decide their number during the run.
var Full = run.Finding{Code: "full", Text: fmt.Sprintf(
	"The run was ended because it had more than %d messages, or four times as many copies or attempts: it cannot keep more. Shorten it, or lower users, count or the number of attempts.", scenarios.MaxMessages)}

// CheckWarmup marks a run invalid if it has messages and all of them belong to the
// warm-up.
func CheckWarmup(r *run.Result) {
	counts := func(m run.Message) bool { return m.Intended >= r.Warmup }
	if len(r.Messages) == 0 || slices.ContainsFunc(r.Messages, counts) {
		return
	}
	r.Findings = append(r.Findings, run.Finding{Code: "all-warmup", Invalid: true, Text: fmt.Sprintf(
		"All messages were meant to be sent during the warm-up of %v, which is left out of the figures: nothing is left. Offer load for longer, or lower measure.warmup.",
		time.Duration(r.Warmup)*time.Microsecond)})
}

// absences lists the spans in which the scenario keeps a worker away.
func absences(s *scenarios.Scenario, w *scenarios.Worker) []run.Absence {
	var list []run.Absence
	if w.JoinsAt > 0 {
		list = append(list, run.Absence{From: 0, To: w.JoinsAt.Microseconds()})
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.Worker != w.Name {
			continue
		}
		a := run.Absence{From: f.At.Microseconds(), To: math.MaxInt64}
		if f.RestartAfter >= 0 {
			a.To = (f.At + f.RestartAfter).Microseconds()
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b run.Absence) int { return cmp.Compare(a.From, b.From) })
	merged := list[:0]
	for _, a := range list {
		if n := len(merged); n > 0 && a.From <= merged[n-1].To {
			merged[n-1].To = max(merged[n-1].To, a.To)
			continue
		}
		merged = append(merged, a)
	}
	return merged
}

// recorded are the gauges that a series has.
var recorded = []string{"ready", "unacked", "held"}

// Names gives strings dense numbers, in order of first use.
type Names struct {
	index map[string]int32
	list  []string
}

// Index returns the number of name, or -1 for the empty name.
func (n *Names) Index(name string) int32 {
	if name == "" {
		return -1
	}
	i, ok := n.index[name]
	if !ok {
		if n.index == nil {
			n.index = map[string]int32{}
		}
		i = int32(len(n.list))
		n.index[name] = i
		n.list = append(n.list, name)
	}
	return i
}

// List returns the names by number.
func (n *Names) List() []string { return n.list }
